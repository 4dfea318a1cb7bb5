/**
 * DynamoDB for tests: dynalite with empty tables of the stack's key schemas, and a client that
 * counts its calls.
 */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { partitionKey, requestsByDay } from '../../lambdas/aws/formats.ts';
import { serveTables } from '../../lib/local/services/serve-tables.ts';
import type { DirectoryStore } from '../../lib/operator/directory/directory-items.ts';

export interface TestTables {
  client: DynamoDBClient;
  /** The commands sent since the list was last emptied, by name, such as `UpdateItemCommand`. */
  sent: string[];
  /** Those of them that write. */
  writes(): string[];
  /** Every item of a table, by its key. */
  items(table: string): Promise<Record<string, Record<string, unknown>>>;
  /** Removes one item, as somebody by hand. */
  remove(table: string, key: string): Promise<void>;
  stop(): Promise<void>;
}

/** The index of the requests by day. */
const byDay = {
  AttributeDefinitions: [
    { AttributeName: requestsByDay.partitionKey, AttributeType: 'S' },
    { AttributeName: requestsByDay.sortKey, AttributeType: 'N' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: requestsByDay.name,
      KeySchema: [
        { AttributeName: requestsByDay.partitionKey, KeyType: 'HASH' },
        { AttributeName: requestsByDay.sortKey, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...requestsByDay.facts] },
    },
  ],
} satisfies Partial<CreateTableCommandInput>;

/** Creates the tables `requests`, `directory` and `keys`. */
export async function tablesOnDynalite(): Promise<TestTables> {
  const { client, stop } = await serveTables();
  await createTable(client, 'requests', partitionKey.requests, byDay);
  await createTable(client, 'directory', partitionKey.directory);
  await createTable(client, 'keys', partitionKey.keys);
  const sent: string[] = [];
  client.middlewareStack.add(
    (next, context) => (args) => {
      sent.push(context.commandName ?? 'unknown');
      return next(args);
    },
    { step: 'initialize' },
  );
  return {
    client,
    sent,
    writes: () => sent.filter((name) => /Put|Update|Delete|Write/.test(name)),
    async items(table) {
      const { Items: found = [] } = await client.send(new ScanCommand({ TableName: table }));
      const items = found.map((item) => unmarshall(item));
      return Object.fromEntries(items.map((item) => [item['pk'], item]));
    },
    async remove(table, key) {
      await client.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: key } } }));
    },
    stop,
  };
}

/**
 * The directory of these tables, to the operator's side; without other changes a second passes with
 * each look at the clock.
 */
export function directoryOf(
  { client }: TestTables,
  changes: Partial<DirectoryStore> = {},
): DirectoryStore {
  let now = 1_800_000_000;
  return {
    client,
    tableName: 'directory',
    keysTableName: 'keys',
    clock: () => now++,
    pause: async () => {},
    ...changes,
  };
}

async function createTable(
  client: DynamoDBClient,
  name: string,
  key: string,
  { AttributeDefinitions: attributes = [], ...indexes }: Partial<CreateTableCommandInput> = {},
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }, ...attributes],
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      ...indexes,
    }),
  ); // The engine says that it is there a moment before it is.
  const often = { minDelay: 0.01, maxDelay: 0.05, maxWaitTime: 10 };
  await waitUntilTableExists({ client, ...often }, { TableName: name });
}
