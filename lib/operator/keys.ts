/** The published keys of a deployment, as its directory table has them. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { directoryKey, publicKeysItem } from '../../lambdas/aws/directory-table.ts';
import { dynamoTable } from '../../lambdas/aws/dynamo-table.ts';

/** A public key in `/jwks`. */
export interface PublishedKey {
  kid: string;
  alg: string;
  /** When it leaves, if that is known. */
  kept_until?: string;
}

const publishedKeysItem = z.extend(publicKeysItem, {
  keptUntil: z._default(z.record(z.string(), z.number()), {}),
});

/** The keys that `/jwks` answers. */
export async function listPublishedKeys(
  dynamodb: DynamoDBClient,
  directoryTable: string,
): Promise<PublishedKey[]> {
  const item = await dynamoTable(dynamodb, directoryTable, 'pk').read(directoryKey.publicKeys);
  if (item === undefined) return [];
  const { keys, keptUntil } = publishedKeysItem.parse(item);
  return keys.map(({ kid, alg }) => {
    const until = keptUntil[kid];
    return { kid, alg, ...(until !== undefined && { kept_until: showTime(until) }) };
  });
}

function showTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
