/**
 * What each engine that tests here refuses of what DynamoDB refuses, measured: so that nobody
 * believes an emulator knows a limit because it knows another. The engine is dynalite with what
 * stands before it, or that of `npm run test:dynamodb`.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestTables, tablesOnDynalite } from '../support/tables-on-dynalite.ts';

const engine = process.env['TEST_DYNAMODB_ENGINE'] ?? 'dynalite';

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  await tables.client.send(put('there'));
});
afterAll(() => tables.stop());

const keyOf = (pk: string) => ({ pk: { S: pk } });
const some = { S: 'some' };
const numbered = <Made>(count: number, make: (index: number) => Made) =>
  Array.from({ length: count }, (_, index) => make(index));

const put = (pk: string, changes: object = {}) =>
  new PutItemCommand({ TableName: 'keys', Item: { ...keyOf(pk), ...changes } });
const update = (UpdateExpression: string, changes: Partial<UpdateItemCommandInput> = {}) =>
  new UpdateItemCommand({ TableName: 'keys', Key: keyOf('there'), UpdateExpression, ...changes });
const condition = (ConditionExpression: string, values: [string, { S: string }][]) =>
  new PutItemCommand({
    TableName: 'keys',
    Item: keyOf('there'),
    ConditionExpression,
    ...(values.length > 0 && { ExpressionAttributeValues: Object.fromEntries(values) }),
  });

/** Calls that DynamoDB refuses, and the engines of our tests that take them. */
const beyond: [what: string, call: () => object, takenBy: string[]][] = [
  ['an expression of 4,097 bytes', () => projection(4097), []],
  ['301 operators', () => manyOperators(151), ['MiniStack']],
  ['an IN of 101 operands', () => manyOperands(101), ['MiniStack']],
  ['a placeholder of 256 bytes', () => longPlaceholder(255), ['MiniStack']],
  ['an item beyond 400 KB', () => put('big', { a: { S: 'a'.repeat(409_600) } }), []],
  ['a partition key of 2,049 bytes', () => put('k'.repeat(2049)), []],
  ['an empty partition key', () => put(''), []],
  ['a read of a key of 2,049 bytes', () => readOf(['k'.repeat(2049)]), []],
  ['a batch of 26 writes', () => writeOf(26), []],
  ['a batch of 101 reads', () => readOf(numbered(101, String)), []],
  ['a batch that reads a key twice', () => readOf(['a', 'a']), []],
  ['a reserved word in an update', () => update('REMOVE status'), []],
  ['a reserved word in a condition', () => condition('attribute_exists(status)', []), []],
  ['a reserved word in a projection', () => projectionOf('status'), []],
  [
    'a name that nothing uses',
    () => update('REMOVE a', { ExpressionAttributeNames: { '#b': 'b' } }),
    [],
  ],
  [
    'a value that nothing uses',
    () => update('REMOVE a', { ExpressionAttributeValues: { ':b': some } }),
    [],
  ],
  ['a name that is not given', () => update('REMOVE #a'), []],
  ['a value that is not given', () => update('SET a = :a'), []],
  ['an empty set', () => put('set', { a: { SS: [] } }), []],
  ['a number of 39 digits', () => put('number', { a: { N: '1'.repeat(39) } }), []],
  [
    'two paths that overlap',
    () => update('SET a = :a, a = :a', { ExpressionAttributeValues: { ':a': some } }),
    ['MiniStack'],
  ],
  [
    'a path into a map that is not there',
    () => update('SET a.b = :a', { ExpressionAttributeValues: { ':a': some } }),
    [],
  ],
  [
    'an update of the key',
    () => update('SET pk = :a', { ExpressionAttributeValues: { ':a': some } }),
    [],
  ],
  [
    'an expression that is none',
    () => update('SET a == :a', { ExpressionAttributeValues: { ':a': some } }),
    ['MiniStack'],
  ],
  ['a query by what is no key', () => queryBy('a = :a'), []],
];

function projection(bytes: number) {
  const names = Object.fromEntries(
    numbered(150, (index) => [`#${'n'.repeat(18)}${index}`, `a${index}`]),
  );
  const expression = Object.keys(names).join();
  return projectionOf(`${expression}${' '.repeat(bytes - expression.length)}`, names);
}

function projectionOf(ProjectionExpression: string, names?: Record<string, string>) {
  return new GetItemCommand({
    TableName: 'keys',
    Key: keyOf('there'),
    ProjectionExpression,
    ...(names && { ExpressionAttributeNames: names }),
  });
}

function manyOperators(comparisons: number) {
  return condition(numbered(comparisons, () => 'pk <> :a').join(' AND '), [[':a', some]]);
}

function manyOperands(count: number) {
  const names = numbered(count, (index) => `:v${index}`);
  return condition(
    `NOT pk IN (${names.join()})`,
    names.map((name) => [name, { S: name }]),
  );
}

function longPlaceholder(bytes: number) {
  const name = `:${'v'.repeat(bytes)}`;
  return condition(`pk <> ${name}`, [[name, some]]);
}

function writeOf(count: number) {
  const Put = numbered(count, (index) => ({ PutRequest: { Item: keyOf(`w${index}`) } }));
  return new BatchWriteItemCommand({ RequestItems: { keys: Put } });
}

function readOf(keys: string[]) {
  return new BatchGetItemCommand({ RequestItems: { keys: { Keys: keys.map(keyOf) } } });
}

function queryBy(KeyConditionExpression: string) {
  const ExpressionAttributeValues = { ':a': some };
  return new QueryCommand({ TableName: 'keys', KeyConditionExpression, ExpressionAttributeValues });
}

type Command = Parameters<DynamoDBClient['send']>[0];

/** `taken`, or the name of the error. */
async function judge(command: object): Promise<string> {
  try {
    await tables.client.send(command as Command);
    return 'taken';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

describe(`on ${engine}`, () => {
  it.each(beyond)(
    'O1: DynamoDB refuses %s; so does the engine, or it is known not to',
    async (_, call, takenBy) => {
      const takes = takenBy.includes(engine);
      expect(await judge(call())).toBe(takes ? 'taken' : 'ValidationException');
    },
  );

  it.each([
    ['an expression of 4,096 bytes', () => projection(4096)],
    ['299 operators', () => manyOperators(150)],
    ['an IN of 100 operands', () => manyOperands(100)],
    ['a partition key of 2,048 bytes', () => put('k'.repeat(2048))],
    ['a batch of 25 writes', () => writeOf(25)],
    ['a batch of 100 reads', () => readOf(numbered(100, String))],
  ])('O1: %s is within the limits', async (_, call) => {
    expect(await judge(call())).toBe('taken');
  });

  it('O1, I1: of a hundred conditional updates at once one wins, ten times over', async () => {
    for (const round of numbered(10, String)) {
      await tables.client.send(put(round, { a: { S: 'open' } }));
      const attempts = numbered(100, (index) =>
        judge(
          new UpdateItemCommand({
            ...{ TableName: 'keys', Key: keyOf(round) },
            UpdateExpression: 'SET a = :a',
            ConditionExpression: 'a = :open',
            ExpressionAttributeValues: { ':a': { S: `${index}` }, ':open': { S: 'open' } },
          }),
        ),
      );
      const won = (await Promise.all(attempts)).filter((what) => what === 'taken');
      expect(won).toHaveLength(1);
    }
  });
});
