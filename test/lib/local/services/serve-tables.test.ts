/**
 * DynamoDB on this machine: the tables of the template, kept between runs if asked, by one local
 * host at a time.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createTables, serveTables } from '../../../../lib/local/services/serve-tables.ts';
import type { LocalTable } from '../../../../lib/local/template/read-stack.ts';

const requests: LocalTable = {
  TableName: 'requests',
  KeySchema: [{ AttributeName: 'ref', KeyType: 'HASH' }],
  AttributeDefinitions: [
    { AttributeName: 'ref', AttributeType: 'S' },
    { AttributeName: 'day', AttributeType: 'S' },
  ],
  BillingMode: 'PAY_PER_REQUEST',
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byDay',
      KeySchema: [{ AttributeName: 'day', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['sub'] },
    },
  ],
};

const item = { ref: { S: 'r' }, day: { S: 'd' }, sub: { S: 's' }, secret: { S: 'x' } };

const makeFolder = () => mkdtemp(join(tmpdir(), 'tables-'));

describe('createTables', () => {
  test('makes tables with their indexes', async () => {
    const tables = await serveTables();
    await createTables(tables.client, [requests]);
    await tables.client.send(new PutItemCommand({ TableName: 'requests', Item: item }));
    const { Items: found } = await tables.client.send(
      new QueryCommand({
        TableName: 'requests',
        IndexName: 'byDay',
        KeyConditionExpression: '#day = :day',
        ExpressionAttributeNames: { '#day': 'day' },
        ExpressionAttributeValues: { ':day': { S: 'd' } },
      }),
    );
    await tables.stop();
    expect(found).toEqual([{ ref: { S: 'r' }, day: { S: 'd' }, sub: { S: 's' } }]);
  });

  test('keeps the tables of a folder and what is in them', async () => {
    const folder = await makeFolder();
    const first = await serveTables(folder);
    await createTables(first.client, [requests]);
    await first.client.send(new PutItemCommand({ TableName: 'requests', Item: item }));
    await first.stop();

    const second = await serveTables(folder);
    await createTables(second.client, [requests]);
    const { Item: kept } = await second.client.send(
      new GetItemCommand({ TableName: 'requests', Key: { ref: { S: 'r' } } }),
    );
    await second.stop();
    expect(kept).toEqual(item);
  });

  test('refuses a kept table with other indexes than the stack has', async () => {
    const folder = await makeFolder();
    const first = await serveTables(folder);
    const { GlobalSecondaryIndexes: _, ...withoutIndex } = requests;
    const attributes = requests.AttributeDefinitions.slice(0, 1);
    await createTables(first.client, [{ ...withoutIndex, AttributeDefinitions: attributes }]);
    await first.stop();

    const second = await serveTables(folder);
    await expect(createTables(second.client, [requests])).rejects.toThrow(
      /^Table requests was kept with other keys or indexes .*another --data folder$/,
    );
    await second.stop();
  });
});

describe('serveTables', () => {
  test('refuses a folder that a running process has', async () => {
    const folder = await makeFolder();
    const first = await serveTables(folder);
    await expect(serveTables(folder)).rejects.toThrow(
      `${folder} is in use by process ${process.pid}: choose another --data folder`,
    );
    await first.stop();
  });

  test('takes over a folder from a process that was killed', async () => {
    const folder = await makeFolder();
    // No process has a number this high.
    await writeFile(join(folder, 'local-host.pid'), String(2 ** 30));
    const tables = await serveTables(folder);
    await tables.stop();
  });
});
