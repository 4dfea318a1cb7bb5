/**
 * The SDK clients of the functions, with time limits that let every handler answer well before its
 * own.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { refuseLate } from './call-deadline.ts';

/** Milliseconds. */
const timeLimits = { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true };

/** Within the repetition of a call, so that it is asked before each try. */
const eachTry = { step: 'finalizeRequest', priority: 'low', name: 'refuseLate' } as const;

/**
 * For calls that are made once: each has a connection of its own. A kept one may have been closed
 * while the function slept, and then the only attempt there is ends with a reset; clients with more
 * attempts meet that with the next.
 */
const ownConnections = { httpAgent: { keepAlive: false }, httpsAgent: { keepAlive: false } };

/**
 * Conditional writes are safe to repeat, since every one recognises its own; what is not asks for
 * one attempt.
 */
export function dynamoDbClient({ maxAttempts = 3 } = {}): DynamoDBClient {
  const connections = maxAttempts === 1 ? ownConnections : {};
  const client = new DynamoDBClient({
    maxAttempts,
    requestHandler: { ...timeLimits, ...connections },
  });
  client.middlewareStack.add(refuseLate, eachTry);
  return client;
}

/** A start that is repeated starts twice at worst, which every task is safe against. */
export function stepFunctionsClient(): SFNClient {
  const client = new SFNClient({ maxAttempts: 3, requestHandler: timeLimits });
  client.middlewareStack.add(refuseLate, eachTry);
  return client;
}

/** A send that is repeated is a second mail: one attempt, and the flow decides. */
export function sesClient(): SESv2Client {
  return new SESv2Client({
    maxAttempts: 1,
    requestHandler: { ...timeLimits, ...ownConnections, requestTimeout: 6000 },
  });
}
