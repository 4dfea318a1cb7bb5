/** Many items of a table in one call, of which DynamoDB may leave some out. */
import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { type Pause, retryThrottled, Throttled } from './retry-throttled.ts';

export type StoredAttributes = Record<string, AttributeValue>;

interface BatchSource {
  client: DynamoDBClient;
  tableName: string;
  /** Whether each item is to be as the last finished write left it, which costs twice as much. */
  isConsistent: boolean;
  /** Waits before a table that is asked too much is asked again. */
  pause: Pause;
}

/**
 * The items of at most a hundred keys, as they are stored; none for what is not there.
 * @throws what {@link retryThrottled} throws of a table that goes on to be asked too much
 */
export async function readBatch(
  source: BatchSource,
  batch: readonly StoredAttributes[],
): Promise<StoredAttributes[]> {
  const items: StoredAttributes[] = [];
  let keys = [...batch];
  while (keys.length > 0) {
    const asked = keys;
    const answer = await retryThrottled(() => readSome(source, asked), source.pause);
    items.push(...answer.items);
    keys = answer.unprocessed;
  }
  return items;
}

/**
 * DynamoDB gives back the keys for which the answer was too long or the table too busy.
 * @throws as a throttled call does if it read none
 */
async function readSome(
  { client, tableName, isConsistent }: BatchSource,
  keys: StoredAttributes[],
) {
  const { Responses: responses, UnprocessedKeys: left } = await client.send(
    new BatchGetItemCommand({
      RequestItems: { [tableName]: { Keys: keys, ConsistentRead: isConsistent } },
    }),
  );
  const items = responses?.[tableName] ?? [];
  const unprocessed = left?.[tableName]?.Keys ?? [];
  if (items.length === 0 && unprocessed.length === keys.length) throw new Throttled(tableName);
  return { items, unprocessed };
}
