/**
 * A day of requests in the tables of a test: as many as are asked for, of many clients and users,
 * in every status.
 */
import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { attributeNames } from '../../lambdas/aws/dynamo-table.ts';
import { storedNames } from '../../lambdas/aws/formats.ts';
import { toItem } from '../../lambdas/aws/requests-table.ts';
import type { AuthenticationRequest } from '../../lambdas/ciba/request/authentication-request.ts';
import { EXAMPLE_NOW, exampleRequest } from './example-request.ts';

const BATCH_SIZE = 25;
const BATCHES_AT_ONCE = 4;

/** Of a thousand requests one is this client's. */
export const RARE_CLIENT = 'kiosk-1';

/** The beginning of the day that {@link EXAMPLE_NOW} is in. */
export const DAY_BEGINS = EXAMPLE_NOW - (EXAMPLE_NOW % 86_400);

/**
 * Request `index` of a day of `count`, spread evenly over it; 20 clients and the rare one, 5,000
 * users.
 */
function requestOfDay(index: number, count: number): AuthenticationRequest {
  const createdAt = Number((DAY_BEGINS + (index * 86_400) / count).toFixed(3));
  const request = exampleRequest({
    clientId: index % 1000 === 7 ? RARE_CLIENT : `pump-${index % 20}`,
    sub: `u-${(index * 7) % 5000}`,
    createdAt,
    expiresAt: createdAt + 120,
  });
  const decidedAt = createdAt + 20;
  if (index % 100 === 3) return { ...request, status: 'denied', decidedAt };
  if (index % 10 === 4) return request;
  return {
    ...request,
    status: 'redeemed',
    decidedAt,
    redeemedAt: decidedAt + 2,
    attemptId: 'a'.repeat(22),
  };
}

/** Writes the whole day. */
export async function writeDay(
  client: DynamoDBClient,
  tableName: string,
  count: number,
): Promise<void> {
  const batches = Array.from(
    { length: Math.ceil(count / BATCH_SIZE) },
    (_, index) => index,
  ).values();
  const writeBatches = async () => {
    for (const batch of batches) {
      const first = batch * BATCH_SIZE;
      const requests = Array.from({ length: Math.min(BATCH_SIZE, count - first) }, (_, index) =>
        requestOfDay(first + index, count),
      );
      await writeRequests(client, tableName, requests);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, writeBatches));
}

const names = attributeNames(storedNames);

/** Writes at most 25 requests as they are, whatever their status. */
export async function writeRequests(
  client: DynamoDBClient,
  tableName: string,
  requests: readonly AuthenticationRequest[],
): Promise<void> {
  const puts = requests.map((request) => ({
    PutRequest: {
      Item: marshall(names.toStored(toItem(request)), { removeUndefinedValues: true }),
    },
  }));
  await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: puts } }));
}
