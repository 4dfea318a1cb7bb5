/**
 * What is stored of a client's secret, method by method: a hash, the secret wrapped, or nothing (threats T14).
 */
import { randomBytes } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyStore, wrappingKeys } from '../../../lambdas/aws/keys-table.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import { applyDirectory } from '../../../lib/operator/apply-directory.ts';
import { parseDirectory } from '../../../lib/operator/directory-file.ts';
import { generateClientKey } from '../../support/example-jwts.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
let now: number;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  now = 1_700_000_000;
  await addWrappingKey('first');
});
afterEach(() => tables.stop());

async function addWrappingKey(kid: string): Promise<void> {
  const store = keyStore(tables.client, 'keys', 'directory');
  const { keys, version } = await store.secretKeys('wrap');
  const added = { kid, secret: randomBytes(32).toString('base64url'), createdAt: now };
  await store.saveSecretKeys('wrap', [added, ...keys], version);
}

const secret = 'a secret of forty-eight characters, which is what HS384 takes';
const client = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_jwt',
};

async function apply(changes: object = {}, keysTableName: string | undefined = 'keys') {
  const { generatedSecrets } = await applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName,
    directory: parseDirectory({ clients: [{ ...client, ...changes }] }),
    prune: false,
  });
  return generatedSecrets[0]?.client_secret;
}

async function stored(): Promise<Record<string, unknown>> {
  const { Items: [item] = [] } = await tables.client.send(
    new ScanCommand({ TableName: 'directory' }),
  );
  return unmarshall(item ?? {});
}

async function unwrapped(): Promise<string> {
  const keys = wrappingKeys(tables.client, 'keys', () => now);
  return keys.unwrap('pump-4', String((await stored())['client_secret_wrapped']));
}

describe('client_secret_jwt', () => {
  it('has its secret wrapped: what functions can unwrap is nowhere in the table', async () => {
    await apply({ client_secret: secret });
    expect(JSON.stringify(await stored())).not.toContain(secret);
    expect(await stored()).not.toHaveProperty('client_secret_hash');
    expect(await unwrapped()).toBe(secret);
  });

  it('without a secret gets one as long as HS512 wants it, told once and kept from then on', async () => {
    const generated = await apply({ token_endpoint_auth_signing_alg: 'HS512' });
    expect(generated).toMatch(/^[\w-]{64}$/);
    expect(await unwrapped()).toBe(generated);
    expect(await apply({ token_endpoint_auth_signing_alg: 'HS512' })).toBeUndefined();
    expect(await unwrapped()).toBe(generated);
  });

  it('applied again writes nothing, with its secret or without', async () => {
    await apply({ client_secret: secret });
    const before = await stored();
    await apply({ client_secret: secret });
    await apply();
    expect(await stored()).toEqual(before);
  });

  it('takes another secret, and wraps that', async () => {
    await apply({ client_secret: secret });
    await apply({ client_secret: `${secret}!` });
    expect(await unwrapped()).toBe(`${secret}!`);
  });

  it('is wrapped with the newest key when it is applied again, and readable before', async () => {
    await apply({ client_secret: secret });
    now += 90 * 86_400;
    await addWrappingKey('second');
    expect(await unwrapped()).toBe(secret);
    await apply();
    expect(String((await stored())['client_secret_wrapped'])).toMatch(/^second\./);
    expect(await unwrapped()).toBe(secret);
  });

  it('needs the table of keys, and says so by the client’s name', async () => {
    await expect(
      applyDirectory({
        client: tables.client,
        tableName: 'directory',
        keysTableName: undefined,
        directory: parseDirectory({ clients: [client] }),
        prune: false,
      }),
    ).rejects.toThrow(
      'client pump-4 token_endpoint_auth_method: client_secret_jwt needs the table of keys (stack output KeysTable)',
    );
  });
});

describe('a client that changes its method', () => {
  it('from a hash to a wrapped secret gets a new secret, since a hash gives none back', async () => {
    await apply({ token_endpoint_auth_method: 'client_secret_basic', client_secret: secret });
    const generated = await apply();
    expect(generated).toBeDefined();
    expect(await unwrapped()).toBe(generated);
  });

  it('from a wrapped secret to a hash has the wrapped one no longer', async () => {
    await apply({ client_secret: secret });
    await apply({ token_endpoint_auth_method: 'client_secret_post', client_secret: secret });
    expect(await stored()).toMatchObject({ client_secret_hash: hashSecret(secret) });
    expect(await stored()).not.toHaveProperty('client_secret_wrapped');
  });

  it('to keys has no secret at all, and public halves alone', async () => {
    await apply({ client_secret: secret });
    const { jwk } = generateClientKey('ES256', { kid: 'k1', use: 'sig' });
    const generated = await apply({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    });
    expect(generated).toBeUndefined();
    const item = await stored();
    expect(Object.keys(item).filter((name) => name.includes('secret'))).toEqual([]);
    expect(item['jwks']).toMatchObject({ keys: [{ kid: 'k1', kty: 'EC' }] });
  });
});

it('a key that is no point of its curve is refused by its place', () => {
  const { jwk } = generateClientKey('ES256', { kid: 'k1' });
  const beside = { ...jwk, y: Buffer.alloc(32, 7).toString('base64url') };
  const registration = {
    ...client,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [beside] },
  };
  expect(() => parseDirectory({ clients: [registration] })).toThrow(
    'clients[0] (pump-4) jwks.keys.0: is no key of its type',
  );
});
