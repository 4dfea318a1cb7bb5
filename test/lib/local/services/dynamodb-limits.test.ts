/**
 * O1: the local host's DynamoDB refuses what DynamoDB refuses of expressions, keys, items and
 * batches, at the limit and not before.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenLimit, countOperators } from '../../../../lib/local/services/dynamodb-limits.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
});
afterAll(() => tables.stop());

type Send = () => Promise<unknown>;

const TableName = 'directory';
const Key = { pk: { S: 'k' } };
const send = (command: unknown) => tables.client.send(command as GetItemCommand);

/** An expression of exactly so many bytes. */
const padded = (expression: string, bytes: number) => expression.padEnd(bytes, ' ');

const numbered = (count: number, form: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => form(index));

const projecting = (bytes: number) =>
  new GetItemCommand({ TableName, Key, ProjectionExpression: padded('a', bytes) });

const updating = (bytes: number) =>
  new UpdateItemCommand({ TableName, Key, UpdateExpression: padded('REMOVE a', bytes) });

const putting = (bytes: number) =>
  new PutItemCommand({
    TableName,
    Item: Key,
    ConditionExpression: padded('attribute_not_exists(a)', bytes),
  });

const values = { ':v': { S: 'v' } };

const filtering = (bytes: number) =>
  new ScanCommand({
    TableName,
    FilterExpression: padded('a = :v', bytes),
    ExpressionAttributeValues: values,
  });

const querying = (bytes: number) =>
  new QueryCommand({
    TableName,
    KeyConditionExpression: padded('pk = :v', bytes),
    ExpressionAttributeValues: values,
  });

const readingBatch = (bytes: number) =>
  new BatchGetItemCommand({
    RequestItems: { [TableName]: { Keys: [Key], ProjectionExpression: padded('a', bytes) } },
  });

const removing = (count: number) =>
  new UpdateItemCommand({
    TableName,
    Key,
    UpdateExpression: `SET a = if_not_exists(a, :v)`,
    ConditionExpression: numbered(count / 2 - 2, (i) => `a${i % 9}<>:v`).join(' OR '),
    ExpressionAttributeValues: values,
  });

const comparing = (count: number) =>
  new ScanCommand({
    TableName,
    FilterExpression: `a IN (${numbered(count, (i) => `:v${i}`)})`,
    ExpressionAttributeValues: Object.fromEntries(
      numbered(count, (i) => `:v${i}`).map((name) => [name, { S: name }]),
    ),
  });

const named = (bytes: number) =>
  new GetItemCommand({
    TableName,
    Key,
    ProjectionExpression: `#${'n'.repeat(bytes - 1)}`,
    ExpressionAttributeNames: { [`#${'n'.repeat(bytes - 1)}`]: 'a' },
  });

const keyed = (bytes: number) =>
  new GetItemCommand({ TableName, Key: { pk: { S: 'k'.repeat(bytes) } } });

/** An item of so many bytes, the names of its attributes included. */
const sized = (bytes: number) =>
  new PutItemCommand({ TableName, Item: { ...Key, a: { S: 'a'.repeat(bytes - 4) } } });

const readingKeys = (count: number) =>
  new BatchGetItemCommand({
    RequestItems: {
      [TableName]: { Keys: numbered(count, String).map((pk) => ({ pk: { S: pk } })) },
    },
  });

const writingItems = (count: number) =>
  new BatchWriteItemCommand({
    RequestItems: {
      [TableName]: numbered(count, String).map((pk) => ({
        PutRequest: { Item: { pk: { S: `batch-${pk}` } } },
      })),
    },
  });

describe('O1: the limits of DynamoDB on the local host', () => {
  it.each<[string, (size: number) => unknown, number]>([
    ['bytes of a projection', projecting, 4096],
    ['bytes of an update', updating, 4096],
    ['bytes of a condition', putting, 4096],
    ['bytes of a filter', filtering, 4096],
    ['bytes of a key condition', querying, 4096],
    ['bytes of the projection of a batch', readingBatch, 4096],
    ['operands of IN', comparing, 100],
    ['bytes of a placeholder', named, 255],
    ['bytes of a partition key', keyed, 2048],
    ['bytes of an item', sized, 400 * 1024],
    ['keys of a batch that reads', readingKeys, 100],
    ['items of a batch that writes', writingItems, 25],
  ])('%s', async (_, command, limit) => {
    const at: Send = () => send(command(limit));
    const beyond: Send = () => send(command(limit + 1));
    await expect(at()).resolves.toBeDefined();
    await expect(beyond()).rejects.toThrow(
      expect.objectContaining({ name: 'ValidationException' }),
    );
  });

  it('operators of an expression', async () => {
    // So many comparisons, joined by one connective less.
    await expect(send(removing(300))).resolves.toBeDefined();
    await expect(send(removing(310))).rejects.toThrow('too many operators');
  });

  it.each([
    ['SET a = :val1 + :val2', 2],
    ['#a = :AND AND (NOT #or < :b OR size(#c) <> :d)', 7],
    ['a BETWEEN :a AND :b', 2],
    ['a IN (:a, :b)', 1],
    ['REMOVE #a, #b[0].#c', 0],
  ])('counts the operators of %s', (expression, count) => {
    expect(countOperators(expression)).toBe(count);
  });

  it('all that the placeholders of a call stand for', () => {
    const input = (bytes: number) => ({
      ExpressionAttributeValues: { ':v': { S: 'v'.repeat(bytes) } },
    });
    expect(brokenLimit(input(2 * 1024 * 1024 - 100))).toBeUndefined();
    expect(brokenLimit(input(2 * 1024 * 1024))).toMatch(/^Sum of all/);
  });

  it('looks into transactions, and not into what is stored', () => {
    const expression = { ConditionExpression: padded('a', 4097) };
    expect(brokenLimit({ TransactItems: [{ Put: expression }] })).toMatch(/expression size: 4097/);
    expect(brokenLimit({ Item: { M: expression } })).toBeUndefined();
  });
});
