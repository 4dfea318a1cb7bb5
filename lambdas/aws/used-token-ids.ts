/**
 * The `jti`s that are used up (RFC 7523 section 3), as items of the table of requests, whose TTL
 * removes them once their JWTs are worth nothing. The form of the key is frozen: another would open
 * a window for replays during a deployment.
 */
import { createHash } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { base64url } from '../ciba/base64url.ts';
import type { Clock, Entropy, SingleUseKind, UsedTokenIds } from '../ports.ts';
import { dynamoTable } from './dynamo-table.ts';
import { besideRequests, partitionKey } from './formats.ts';

const ATTEMPT_BYTES = 12;

/**
 * `jti#<kind>#<SHA-256 of client id, line feed and jti>`: neither part can hold what would make two
 * pairs alike.
 */
export function usedTokenIdKey(kind: SingleUseKind, clientId: string, jti: string): string {
  const digest = createHash('sha256').update(`${clientId}\n${jti}`, 'utf8').digest('base64url');
  return `${besideRequests.usedTokenId}${kind}#${digest}`;
}

/** The used `jti`s in the table `tableName`: one conditional put each. */
export function usedTokenIds(
  client: DynamoDBClient,
  tableName: string,
  { clock, entropy }: { clock: Clock; entropy: Entropy },
): UsedTokenIds {
  const table = dynamoTable(client, tableName, partitionKey.requests);
  return {
    burn(kind, clientId, { jti, until }) {
      const attemptId = base64url(entropy(ATTEMPT_BYTES));
      return table.put(
        { ref: usedTokenIdKey(kind, clientId, jti), ttl: until, attemptId },
        {
          // An item past its TTL may still be there, for days.
          condition: 'attribute_not_exists(#ref) OR #ttl < :now OR #attemptId = :attemptId',
          values: { ':now': Math.floor(clock()), ':attemptId': attemptId },
        },
      );
    },
  };
}
