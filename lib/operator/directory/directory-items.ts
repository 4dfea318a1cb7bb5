/**
 * Reads the items of the directory's table as they are stored: many by their keys, or all of one
 * kind, page by page.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import {
  type DynamoTable,
  dynamoTable,
  type Item,
  MOST_KEYS_AT_ONCE,
} from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey, partitionKey } from '../../../lambdas/aws/formats.ts';
import type { Clock } from '../../../lambdas/ports.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { inParallel } from '../deployment/in-parallel.ts';
import { readBatch } from '../deployment/read-batch.ts';
import { type Pause, retryThrottled } from '../deployment/retry-throttled.ts';

/** Where a deployment's directory is stored. */
export interface DirectoryStore {
  client: DynamoDBClient;
  tableName: string;
  /**
   * The table of keys, under which client secrets are stored; only clients with a secret need it.
   */
  keysTableName: string | undefined;
  clock: Clock;
  /** Waits before a table that is asked too much is asked again. */
  pause: Pause;
}

/** The directory of a deployment. */
export function directoryStore({ clients, output }: Deployment, clock: Clock): DirectoryStore {
  return {
    client: clients.dynamodb,
    tableName: output('DirectoryTable'),
    keysTableName: output('KeysTable'),
    clock,
    pause: sleep,
  };
}

/** An item with its key. */
export type StoredItem = z.output<typeof storedItem>;

const storedItem = z.looseObject({ pk: z.string() });

/** The directory's table, which is asked again where it was asked too much. */
export function directoryTable({ client, tableName, pause }: DirectoryStore): DynamoTable {
  const table = dynamoTable(client, tableName, partitionKey.directory);
  return {
    read: (key) => retryThrottled(() => table.read(key), pause),
    readAll: (keys) => retryThrottled(() => table.readAll(keys), pause),
    put: (item, condition) => retryThrottled(() => table.put(item, condition), pause),
    update: (key, update) => retryThrottled(() => table.update(key, update), pause),
    remove: (key, condition) => retryThrottled(() => table.remove(key, condition), pause),
  };
}

/**
 * The items of the keys, as the last finished writes left them; what is not there is not in the
 * map.
 * @param told is told after each batch how many keys are done with
 */
export async function readItems(
  store: DirectoryStore,
  keys: Iterable<string>,
  told: (count: number) => void = () => {},
): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  await inParallel(batchesOf([...new Set(keys)]), async (batch) => {
    for (const item of await readStored(store, batch)) found.set(item.pk, item);
    told(batch.length);
  });
  return found;
}

function* batchesOf(keys: readonly string[]): Generator<string[]> {
  for (let start = 0; start < keys.length; start += MOST_KEYS_AT_ONCE) {
    yield keys.slice(start, start + MOST_KEYS_AT_ONCE);
  }
}

async function readStored(store: DirectoryStore, batch: readonly string[]): Promise<StoredItem[]> {
  const keys = batch.map((key) => marshall({ pk: key }));
  const items = await readBatch({ ...store, isConsistent: true }, keys);
  return items.map((item) => storedItem.parse(unmarshall(item)));
}

interface Listing {
  kind: 'client' | 'user' | 'login';
  /** The id after which the listing begins; the order is the table's own. */
  after?: string | undefined;
}

/**
 * Every client, every user or every login, as the table gives them: a page at a time is in memory.
 */
export async function* scanItems(
  store: DirectoryStore,
  { kind, after }: Listing,
): AsyncGenerator<StoredItem> {
  const { client, tableName, pause } = store;
  let start = after === undefined ? undefined : marshall({ pk: directoryKey[kind](after) });
  do {
    const command = new ScanCommand({
      TableName: tableName,
      ConsistentRead: true,
      FilterExpression: 'begins_with(pk, :kind)',
      ExpressionAttributeValues: marshall({ ':kind': directoryKey[kind]('') }),
      ExclusiveStartKey: start,
    });
    const page = await retryThrottled(() => client.send(command), pause);
    for (const item of page.Items ?? []) yield storedItem.parse(unmarshall(item));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}
