/**
 * Takes a signing key out of /jwks before its time, as one does with a key that has leaked: what it
 * signed verifies nowhere then.
 */
import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { dynamoTable, putVersion } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey, keyItem, partitionKey } from '../../../lambdas/aws/formats.ts';
import { publishedKeysItem } from '../../../lambdas/aws/keys-table.ts';
import type { KeyKind } from '../../../lambdas/ciba/keys/key-rotation.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import type { KeyState } from './key-states.ts';
import { type KeyTables, readKeyItem } from './load-keys.ts';

/**
 * The key to remove, if nothing is signed with it any more and nothing will be.
 * @throws OperatorError that says why it cannot go, and what to do first
 */
export function findRemovableKey(states: readonly KeyState[], kid: string): KeyState {
  const signing = states.filter(({ kind }) => kind !== 'link' && kind !== 'wrap');
  const found = signing.find((state) => state.kid === kid);
  if (found === undefined) {
    const kids = signing.map((state) => state.kid).join(', ') || 'none';
    throw new OperatorError(`There is no signing key ${kid}; there are: ${kids}`);
  }
  switch (found.status) {
    case 'superseded':
    case 'retired':
      return found;
    case 'published':
      throw new OperatorError(
        `Whether ${kid} signs is in the table of keys, which you may not read: ask somebody who may`,
      );
    case 'waiting':
      throw new OperatorError(
        `${kid} is about to sign, and nobody could verify it: ciba keys rotate puts another in its place`,
      );
    case 'in use':
    case 'not published':
    case 'kept':
      throw new OperatorError(
        `${kid} signs now, and nobody could verify it: ciba keys rotate --lead 0 has another sign at once; remove it then`,
      );
  }
}

/**
 * Removes a key that `findRemovableKey` found. Its private half goes first, if it is still there:
 * the rotation would publish it again.
 * @throws OperatorError if somebody else changed the keys meanwhile; nothing that signs is lost,
 * and asking again is safe
 */
export async function removeKey(tables: KeyTables, { kid, kind, status }: KeyState): Promise<void> {
  if (status !== 'retired') await removePrivateHalf(tables, kind, kid);
  await removePublicHalf(tables, kid);
}

/** By its place in the list, without reading it. */
async function removePrivateHalf(tables: KeyTables, kind: KeyKind, kid: string): Promise<void> {
  const { keys, version } = await readKeyItem(tables, kind);
  const index = keys.findIndex((key) => key.kid === kid);
  if (index === -1) return;
  try {
    await tables.dynamodb.send(
      new UpdateItemCommand({
        TableName: tables.keysTable,
        Key: { pk: { S: keyItem[kind] } },
        UpdateExpression: `REMOVE #keys[${index}] SET #version = :next`,
        ConditionExpression: `#version = :version AND #keys[${index}].#kid = :kid`,
        ExpressionAttributeNames: { '#keys': 'keys', '#version': 'version', '#kid': 'kid' },
        ExpressionAttributeValues: {
          ':version': { N: String(version) },
          ':next': { N: String(version + 1) },
          ':kid': { S: kid },
        },
      }),
    );
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) throw changedMeanwhile(error);
    throw error;
  }
}

async function removePublicHalf(
  { dynamodb, directoryTable }: KeyTables,
  kid: string,
): Promise<void> {
  const table = dynamoTable(dynamodb, directoryTable, partitionKey.directory);
  const item = await table.read(directoryKey.publicKeys);
  if (item === undefined) return;
  const { keys, keptUntil, version } = publishedKeysItem.parse(item);
  const { [kid]: _removed, ...othersKeptUntil } = keptUntil;
  const without = {
    pk: directoryKey.publicKeys,
    keys: keys.filter((key) => key.kid !== kid),
    keptUntil: othersKeptUntil,
  };
  if (!(await putVersion(table, partitionKey.directory, without, version)))
    throw changedMeanwhile();
}

function changedMeanwhile(cause?: unknown): OperatorError {
  return new OperatorError('The keys were changed by somebody else meanwhile: ask again', {
    cause,
  });
}
