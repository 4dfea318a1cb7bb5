/**
 * What is stored of client secrets: under a key that tests know, and judged by whoever has the
 * table of keys.
 */
import { randomBytes } from 'node:crypto';
import { keyStore, wrappingKeys } from '../../lambdas/aws/keys-table.ts';
import type { Client, StoredSecret } from '../../lambdas/ciba/client/client.ts';
import {
  authenticateBySecret,
  comparedKeyIds,
} from '../../lambdas/ciba/client/client-authentication.ts';
import { type MacKey, macSecretHash } from '../../lambdas/ciba/client/secret-mac.ts';
import { hashSecret } from '../../lambdas/ciba/handles.ts';
import type { WrappingKeys } from '../../lambdas/ports.ts';
import type { TestTables } from './tables-on-dynalite.ts';

const exampleMacKey: MacKey = { kid: 'a-key', key: Buffer.alloc(32, 1) };

/** What the directory has of this secret, under the key of {@link inMemoryWrappingKeys}. */
export function storedSecretOf(clientId: string, secret: string): StoredSecret {
  return { client_secret_mac: macSecretHash(exampleMacKey, clientId, hashSecret(secret)) };
}

/** One key that is always there; a secret in memory is wrapped in nothing. */
export const inMemoryWrappingKeys: WrappingKeys = {
  unwrap: async (_clientId, wrapped) => wrapped,
  macKeys: async (kids) => kids.map(() => exampleMacKey),
};

/** Another wrapping key in the table of keys, the newest from now on. */
export async function addWrappingKey(
  { client }: Pick<TestTables, 'client'>,
  kid: string,
  createdAt = 1_700_000_000,
): Promise<void> {
  const store = keyStore(client, 'keys', 'directory');
  const { keys, version } = await store.secretKeys('wrap');
  const added = { kid, secret: randomBytes(32).toString('base64url'), createdAt };
  await store.saveSecretKeys('wrap', [added, ...keys], version);
}

/**
 * Whether this secret proves the client by what is stored and the keys of the table, as it does at
 * the endpoints.
 */
export async function isProvedBy(
  { client: dynamo }: Pick<TestTables, 'client'>,
  client: Client,
  clientSecret: string,
  now: number,
): Promise<boolean> {
  const keys = await wrappingKeys(dynamo, 'keys', () => now).macKeys(comparedKeyIds(client, now));
  const method = 'client_secret_basic';
  const credentials = { method, clientId: client.client_id, clientSecret } as const;
  const basic = { ...client, token_endpoint_auth_method: method, enabled: true } as const;
  try {
    return authenticateBySecret(credentials, basic, keys, now) === basic;
  } catch {
    return false;
  }
}

/** What the table has of this secret, stored under the newest of its keys. */
export async function macOf(
  { client }: Pick<TestTables, 'client'>,
  clientId: string,
  secret: string,
): Promise<string> {
  const [newest] = await wrappingKeys(client, 'keys', () => 0).macKeys([undefined]);
  if (!newest) throw new Error('no wrapping key');
  return macSecretHash(newest, clientId, hashSecret(secret));
}
