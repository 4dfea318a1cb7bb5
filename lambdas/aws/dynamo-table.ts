/**
 * One DynamoDB table with a single partition key, in the calls this project makes: read, put,
 * update and remove, each conditional write answering whether its condition held. Any other fault
 * is thrown as Unavailable.
 */
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type ReturnValue,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { Unavailable } from '../ports.ts';

export type Item = Record<string, unknown>;

/** A condition in DynamoDB's expression language; `#name` stands for the attribute of that name. */
interface Condition {
  condition: string;
  values?: Item;
  /**
   * What placeholders stand for that are no attribute of every item: the name in a map that a value
   * of ours is.
   */
  names?: Readonly<Record<string, string>>;
}

interface Update extends Condition {
  /** An update expression, written as conditions are. */
  update: string;
  values: Item;
  /** Which attributes to give back. */
  returning?: Extract<ReturnValue, 'ALL_OLD' | 'ALL_NEW'>;
}

/** Whether a conditional write was made, and the attributes it was asked to give back. */
export type Written = { written: true; item: Item } | { written: false };

export interface DynamoTable {
  /** The item as the last finished write left it. */
  read(key: string): Promise<Item | undefined>;
  /**
   * Those that are there of up to a hundred items, in no certain order, each as the last finished
   * write left it.
   */
  readAll(keys: readonly string[]): Promise<Item[]>;
  /** Puts the whole item, atomically with its condition. */
  put(item: Item, condition: Condition): Promise<boolean>;
  /** Updates one item, atomically with its condition. */
  update(key: string, update: Update): Promise<Written>;
  /** Deletes one item, atomically with its condition. */
  remove(key: string, condition: Condition): Promise<boolean>;
}

/**
 * The names that attributes have in the table, where these are not the names that items have here.
 */
export type StoredNames = Readonly<Record<string, string>>;

/** The most items that DynamoDB reads at once. */
export const MOST_KEYS_AT_ONCE = 100;

/** How often a batch is asked for. */
const BATCH_ATTEMPTS = 4;

/** The table `tableName`, whose partition key is the attribute `keyName`. */
export function dynamoTable(
  client: DynamoDBClient,
  tableName: string,
  keyName: string,
  storedNames: StoredNames = {},
): DynamoTable {
  const names = attributeNames(storedNames);
  const keyOf = (key: string) => ({ [keyName]: { S: key } });
  return {
    async read(key) {
      const { Item: item } = await available(
        client.send(
          new GetItemCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: true }),
        ),
      );
      return item && names.fromStored(unmarshall(item));
    },

    async readAll(keys) {
      const items: Item[] = [];
      let left = keys.map(keyOf);
      for (let attempt = 0; left.length > 0; attempt += 1) {
        // A busy table leaves some out, which the SDK does not count as a fault.
        if (attempt === BATCH_ATTEMPTS)
          throw new Unavailable(new Error(`${tableName} is too busy`));
        const wanted = { [tableName]: { Keys: left, ConsistentRead: true } };
        const answer = await available(
          client.send(new BatchGetItemCommand({ RequestItems: wanted })),
        );
        const found = answer.Responses?.[tableName] ?? [];
        items.push(...found.map((item) => names.fromStored(unmarshall(item))));
        const unread = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
        left = unread.flatMap(({ [keyName]: key }) => (key?.S === undefined ? [] : [keyOf(key.S)]));
      }
      return items;
    },

    async put(item, condition) {
      const command = new PutItemCommand({
        TableName: tableName,
        Item: marshall(names.toStored(item), { removeUndefinedValues: true }),
        ...expressions(names, condition),
      });
      return (await unlessConditionFails(client.send(command))) !== undefined;
    },

    async update(key, { update, returning, ...condition }) {
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: keyOf(key),
        UpdateExpression: update,
        ...expressions(names, condition, update),
        ...(returning && { ReturnValues: returning }),
      });
      const result = await unlessConditionFails(client.send(command));
      return result
        ? { written: true, item: names.fromStored(unmarshall(result.Attributes ?? {})) }
        : { written: false };
    },

    async remove(key, condition) {
      const command = new DeleteItemCommand({
        TableName: tableName,
        Key: keyOf(key),
        ...expressions(names, condition),
      });
      return (await unlessConditionFails(client.send(command))) !== undefined;
    },
  };
}

/**
 * Puts an item, as the next version, whose stored version is still `version` (0: none yet), in one
 * conditional write.
 * @param keyName the attribute that is the table's key
 * @returns whether it was written: false if another write came first
 */
export function putVersion(
  table: DynamoTable,
  keyName: string,
  item: Item,
  version: number,
): Promise<boolean> {
  return table.put(
    { ...item, version: version + 1 },
    version === 0
      ? { condition: `attribute_not_exists(#${keyName})` }
      : { condition: '#version = :version', values: { ':version': version } },
  );
}

export interface AttributeNames {
  stored(name: string): string;
  toStored(item: Item): Item;
  fromStored(item: Item): Item;
}

/** Translates between the names that items have here and those that they are stored under. */
export function attributeNames(storedNames: StoredNames): AttributeNames {
  const given = new Map(Object.entries(storedNames));
  const read = new Map(Object.entries(storedNames).map(([name, stored]) => [stored, name]));
  const renamed = (item: Item, names: Map<string, string>) =>
    Object.fromEntries(
      Object.entries(item).map(([name, value]) => [names.get(name) ?? name, value]),
    );
  return {
    stored: (name) => given.get(name) ?? name,
    toStored: (item) => renamed(item, given),
    fromStored: (item) => renamed(item, read),
  };
}

/** Every attribute goes by a placeholder, so that no name can collide with a reserved word. */
function expressions(
  { stored }: AttributeNames,
  { condition, values, names: given = {} }: Condition,
  update = '',
) {
  const names = new Set(`${update} ${condition}`.match(/#\w+/g));
  return {
    ConditionExpression: condition,
    ...(names.size > 0 && {
      ExpressionAttributeNames: Object.fromEntries(
        [...names].map((name) => [name, given[name] ?? stored(name.slice(1))]),
      ),
    }),
    ...(values && { ExpressionAttributeValues: marshall(values) }),
  };
}

/** `undefined` for a condition that did not hold: an answer, not a fault. */
async function unlessConditionFails<Output>(call: Promise<Output>): Promise<Output | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw new Unavailable(error);
  }
}

/** What a call answers; whatever it throws is the cause of an Unavailable. */
export async function available<Output>(call: Promise<Output>): Promise<Output> {
  try {
    return await call;
  } catch (error) {
    throw new Unavailable(error);
  }
}
