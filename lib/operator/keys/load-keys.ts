/**
 * The keys of a deployment without their secrets: what is published, from the directory's table,
 * and how old each key is, from the table of keys, out of which no private half is ever read.
 */
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { dynamoTable } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey, keyItem, partitionKey } from '../../../lambdas/aws/formats.ts';
import { publishedKeysItem } from '../../../lambdas/aws/keys-table.ts';
import type { KeyKind } from '../../../lambdas/ciba/keys/key-rotation.ts';
import { type DeploymentKeys, keyKinds, type StoredKey } from './key-states.ts';

/** Where the keys are. */
export interface KeyTables {
  dynamodb: DynamoDBClient;
  directoryTable: string;
  keysTable: string;
}

/** Reads all of them; `stored` is missing where the caller may not read the table of keys. */
export async function readKeys(tables: KeyTables): Promise<DeploymentKeys> {
  const [published, stored] = await Promise.all([readPublished(tables), readStored(tables)]);
  return { published, ...(stored && { stored }) };
}

async function readPublished({ dynamodb, directoryTable }: KeyTables) {
  const item = await dynamoTable(dynamodb, directoryTable, partitionKey.directory).read(
    directoryKey.publicKeys,
  );
  if (item === undefined) return [];
  const { keys, keptUntil } = publishedKeysItem.parse(item);
  return keys.map((jwk) => ({ kid: jwk.kid, alg: jwk.alg, jwk, keptUntil: keptUntil[jwk.kid] }));
}

async function readStored(tables: KeyTables): Promise<StoredKey[] | undefined> {
  try {
    const kinds = await Promise.all(
      keyKinds.map(async (kind) => {
        const { keys } = await readKeyItem(tables, kind);
        return keys.map((key) => ({ kind, ...key }));
      }),
    );
    return kinds.flat();
  } catch (error) {
    if (error instanceof Error && /AccessDenied/.test(error.name)) return undefined;
    throw error;
  }
}

/**
 * More keys than any kind has: signing and link keys are dropped, a wrapping key comes every few
 * months.
 */
const MOST_KEYS = 60;

/**
 * The members of a key that are no secret, and what else is asked for, by placeholders of one
 * letter: the paths to sixty keys have to fit into the 4,096 bytes that DynamoDB takes of an
 * expression.
 */
const members = { '#i': 'kid', '#c': 'createdAt', '#s': 'signsFrom', '#u': 'usedFrom' };
const placeholders = { '#v': 'version', '#k': 'keys', ...members };

const withoutSecrets = [
  '#v',
  ...Array.from({ length: MOST_KEYS }, (_, index) =>
    Object.keys(members).map((member) => `#k[${index}].${member}`),
  ).flat(),
].join(',');

const keyItemWithoutSecrets = z.object({
  version: z.number(),
  keys: z.array(
    z.object({
      kid: z.string(),
      createdAt: z.optional(z.number()),
      signsFrom: z.optional(z.number()),
      usedFrom: z.optional(z.number()),
    }),
  ),
});

/**
 * One kind of keys as it is stored, without the secrets: the projection leaves them in DynamoDB.
 */
export async function readKeyItem(
  { dynamodb, keysTable }: Pick<KeyTables, 'dynamodb' | 'keysTable'>,
  kind: KeyKind,
): Promise<z.output<typeof keyItemWithoutSecrets>> {
  const { Item: item } = await dynamodb.send(
    new GetItemCommand({
      TableName: keysTable,
      Key: { pk: { S: keyItem[kind] } },
      ConsistentRead: true,
      ProjectionExpression: withoutSecrets,
      ExpressionAttributeNames: placeholders,
    }),
  );
  return item ? keyItemWithoutSecrets.parse(unmarshall(item)) : { version: 0, keys: [] };
}
