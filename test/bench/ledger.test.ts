/**
 * What the README says of costs and growth is what is measured: its tables are made of
 * docs/reference/ledger.json, and that is what the local host consumes.
 */
import { readFile } from 'node:fs/promises';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type TestTables, tablesOnDynalite } from '../support/tables-on-dynalite.ts';
import {
  type IndexedAttributes,
  indexWriteUnits,
  itemBytes,
  readUnits,
  type StoredItem,
  writeUnits,
} from './consumed-units.ts';
import { replaceTable, tables } from './cost-tables.ts';
import { measureLedger, readLedger, readmeFile, readPrices, sumLedger } from './measure-ledger.ts';

/** How it is mended. */
const mend = 'npm run bench:ledger -- --write';

describe('the README', () => {
  it.each(['units', 'cost', 'growth'] as const)(
    'has the table of %s that is made of what was measured, and of list prices',
    async (name) => {
      const table = tables(await readLedger(), await readPrices())[name];
      expect(await readFile(readmeFile, 'utf8'), mend).toContain(`\n\n${table}\n\n`);
    },
  );

  it('gets a new table in the place of the one with the same head, and nowhere else', () => {
    const text = 'a\n\n| x | y |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nb\n';
    const table = '| x | y |\n|---|---|\n| 5 | 6 |';
    expect(replaceTable(text, table)).toBe(`a\n\n${table}\n\nb\n`);
    expect(() => replaceTable(text, '| z |\n|---|')).toThrow('no table that begins with | z |');
  });
});

it('the ledger is what the local host consumes', async () => {
  const recorded = await readLedger();
  const measured = await measureLedger(inject('runFolder'));
  expect(sumLedger(measured), mend).toEqual(sumLedger(recorded));
  // The flow and the client take turns as they like.
  const rowsOf = ({ outcomes }: typeof measured) =>
    outcomes.map(({ rows }) => rows.map((row) => JSON.stringify(row)).toSorted());
  expect(rowsOf(measured), mend).toEqual(rowsOf(recorded));
});

describe('the arithmetic of units', () => {
  let engine: TestTables;
  beforeAll(async () => {
    engine = await tablesOnDynalite();
  });
  afterAll(() => engine.stop());

  it.each([
    ['text', { a: { S: 'ä'.repeat(500) } }],
    ['numbers', { a: { N: '1800000000' }, b: { N: '-12.5' }, c: { N: '0' } }],
    ['a list and a map', { a: { L: [{ S: 'x' }, { BOOL: true }] }, m: { M: { k: { N: '1' } } } }],
    ['sets and nothing', { a: { SS: ['one', 'two'] }, b: { NULL: true }, c: { NS: ['1', '22'] } }],
    ['one byte below a KB', { a: { S: 'a'.repeat(1024 - 1 - 4) } }],
    ['one byte beyond a KB', { a: { S: 'a'.repeat(1025 - 1 - 3) } }],
    ['one byte beyond 4 KB', { a: { S: 'a'.repeat(4097 - 1 - 3) } }],
  ])('agrees with the engine on %s', async (_, attributes: StoredItem) => {
    const item = { pk: { S: 'k' }, ...attributes };
    const told = { TableName: 'keys', ReturnConsumedCapacity: 'TOTAL' as const };
    const put = await engine.client.send(new PutItemCommand({ ...told, Item: item }));
    expect(writeUnits(undefined, item)).toBeLessThanOrEqual(
      put.ConsumedCapacity?.CapacityUnits ?? 0,
    );
    for (const ConsistentRead of [true, false]) {
      const read = new GetItemCommand({ ...told, Key: { pk: item.pk }, ConsistentRead });
      const { ConsumedCapacity: consumed } = await engine.client.send(read);
      expect(readUnits(itemBytes(item), ConsistentRead)).toBe(consumed?.CapacityUnits);
    }
  });

  const index: IndexedAttributes = { name: 'byDay', keys: ['day'], attributes: ['pk', 'who'] };
  const entry = { pk: { S: 'k' }, day: { S: '1' }, who: { S: 'w' } };

  it.each<[string, number, StoredItem | undefined, StoredItem | undefined]>([
    ['an item that comes', 1, undefined, entry],
    ['an item that goes', 1, entry, undefined],
    ['an item without the key of the index', 0, undefined, { pk: entry.pk }],
    ['a change beside what the index has', 0, entry, { ...entry, other: { S: 'o' } }],
    ['a change of what the index has', 1, entry, { ...entry, who: { S: 'v' } }],
    ['a change of its key, a removal and a put', 2, entry, { ...entry, day: { S: '2' } }],
  ])('of an index: %s is %d', (_, units, before, after) => {
    expect(indexWriteUnits(index, before, after)).toBe(units);
  });

  it('a write costs the larger of before and after, and one unit where there is nothing', () => {
    const large = { pk: { S: 'k' }, a: { S: 'a'.repeat(3000) } };
    expect(writeUnits(large, { pk: { S: 'k' } })).toBe(3);
    expect(writeUnits(undefined, undefined)).toBe(1);
  });
});
