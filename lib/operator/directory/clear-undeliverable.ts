/** Clears the undeliverable mark of a user, so that mail is sent to the address again. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoTable } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey, partitionKey } from '../../../lambdas/aws/formats.ts';
import { storedUser, type User } from '../../../lambdas/ciba/user/user.ts';

/** What was noted of an address. */
export type UndeliverableMark = NonNullable<User['undeliverable']>;

export type Cleared =
  | { outcome: 'cleared'; mark: UndeliverableMark }
  | { outcome: 'nothing_noted' | 'no_such_user' };

/**
 * Clears what is noted of the user's address, in one atomic step, and answers what it was. Nothing
 * else of the user changes: requests that wait for a decision still may get it.
 */
export async function clearUndeliverable(
  client: DynamoDBClient,
  tableName: string,
  sub: string,
): Promise<Cleared> {
  const table = dynamoTable(client, tableName, partitionKey.directory);
  const key = directoryKey.user(sub);
  const cleared = await table.update(key, {
    // The version makes sure that whoever is changing the user at this moment sees it.
    update: 'REMOVE #undeliverable ADD #version :one',
    condition: 'attribute_exists(#undeliverable)',
    values: { ':one': 1 },
    returning: 'ALL_OLD',
  });
  if (cleared.written) {
    const { undeliverable: mark } = storedUser.parse(cleared.item);
    if (mark) return { outcome: 'cleared', mark };
  }
  return { outcome: (await table.read(key)) ? 'nothing_noted' : 'no_such_user' };
}
