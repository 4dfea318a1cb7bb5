/**
 * What a call of DynamoDB consumes, by its documented arithmetic: a write unit for each begun KB of
 * the larger of the item before and after, the entry of an index apart, a read unit for each begun
 * 4 KB, half of it where the read is eventual ("Read and write operations").
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type StoredItem = Record<string, AttributeValue>;

/** An index, and the attributes that its entries have. */
export interface IndexedAttributes {
  name: string;
  keys: string[];
  attributes: string[];
}

/**
 * Bytes of an item, as DynamoDB bills them ("Item sizes and formats"): names and values, 3 for a
 * list or map and 1 for each member.
 */
export function itemBytes(item: StoredItem): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: AttributeValue): number {
  const sum = (values: AttributeValue[]) => values.reduce((all, one) => all + valueBytes(one), 0);
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.L !== undefined) return 3 + value.L.length + sum(value.L);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  if (value.SS !== undefined) return sum(value.SS.map((S) => ({ S })));
  if (value.NS !== undefined) return sum(value.NS.map((N) => ({ N })));
  return 1;
}

/** A byte for two significant digits and one more; another for the sign of a negative number. */
function numberBytes(text: string): number {
  const digits = text.replace(/[-.]/g, '').replace(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}

/**
 * Write units of the table for one item; a condition that fails costs as much, and one unit where
 * there is no item.
 */
export function writeUnits(before: StoredItem | undefined, after: StoredItem | undefined): number {
  const bytes = Math.max(before ? itemBytes(before) : 0, after ? itemBytes(after) : 0);
  return Math.max(1, Math.ceil(bytes / 1024));
}

/**
 * Write units of an index: none where the entry stays as it is, those of a removal and a put where
 * its key changes.
 */
export function indexWriteUnits(
  index: IndexedAttributes,
  before: StoredItem | undefined,
  after: StoredItem | undefined,
): number {
  const [old, now] = [entryOf(index, before), entryOf(index, after)];
  if (isSame(old, now)) return 0;
  if (old && now && !isSame(only(old, index.keys), only(now, index.keys))) {
    return writeUnits(old, undefined) + writeUnits(undefined, now);
  }
  return writeUnits(old, now);
}

/** Read units of one item, or of what one query read. */
export function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / 4096)) * (isConsistent ? 1 : 0.5);
}

/** What the index has of an item; undefined for an item without its keys. */
export function entryOf(
  { keys, attributes }: IndexedAttributes,
  item: StoredItem | undefined,
): StoredItem | undefined {
  return item && keys.every((key) => key in item)
    ? only(item, [...keys, ...attributes])
    : undefined;
}

function only(item: StoredItem, names: string[]): StoredItem {
  return Object.fromEntries(
    names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
