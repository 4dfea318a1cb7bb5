/**
 * What is stored of a client's secret, method by method: a hash, the secret wrapped, or nothing
 * (threats T14).
 */
import { createHmac } from 'node:crypto';
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wrappingKeys } from '../../../../lambdas/aws/keys-table.ts';
import { storedClient } from '../../../../lambdas/ciba/client/client.ts';
import { hashSecret } from '../../../../lambdas/ciba/handles.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { rotateSecret } from '../../../../lib/operator/directory/clients.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { planDirectory } from '../../../../lib/operator/directory/make-plan.ts';
import { generateClientKey } from '../../../support/example-jwts.ts';
import { addWrappingKey, isProvedBy, macOf } from '../../../support/stored-secrets.ts';
import {
  directoryOf,
  type TestTables,
  tablesOnDynalite,
} from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let now: number;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  now = 1_700_000_000;
  await addWrappingKey(tables, 'first', now);
});
afterEach(() => tables.stop());

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
    await addWrappingKey(tables, 'second', now);
    expect(await unwrapped()).toBe(secret);
    await apply();
    expect(String((await stored())['client_secret_wrapped'])).toMatch(/^second\./);
    expect(await unwrapped()).toBe(secret);
  });

  it.each(['client_secret_jwt', 'client_secret_basic'])(
    '%s needs the table of keys, and says so by the client’s name',
    async (method) => {
      await expect(
        applyDirectory({
          client: tables.client,
          tableName: 'directory',
          keysTableName: undefined,
          directory: parseDirectory({
            clients: [{ ...client, token_endpoint_auth_method: method }],
          }),
          prune: false,
        }),
      ).rejects.toThrow(
        'client pump-4 client_secret: is stored under a key of the table of keys (stack output KeysTable), which is not known',
      );
    },
  );
});

describe('client_secret_basic and client_secret_post', () => {
  const basic = { token_endpoint_auth_method: 'client_secret_basic' };

  /** An item as it was stored before there were keys for it. */
  async function plant(changes: object = {}) {
    await apply({ ...basic, client_secret: secret });
    const { client_secret_mac: _mac, ...item } = await stored();
    const old = { ...item, client_secret_hash: hashSecret(secret), ...changes };
    await tables.client.send(new PutItemCommand({ TableName: 'directory', Item: marshall(old) }));
  }

  const plan = async (changes: object = {}) => {
    const registration = { ...client, ...basic, ...changes };
    const { entries } = await planDirectory(
      directoryOf(tables),
      parseDirectory({ clients: [registration] }),
      { prune: false },
    );
    return entries.map(({ action, changes: members }) => ({ action, members }));
  };

  const proves = async (one: string) =>
    isProvedBy(tables, storedClient.parse(await stored()), one, now);

  it('P33: one secret of two clients is stored as two unlike values', async () => {
    await applyDirectory({
      client: tables.client,
      tableName: 'directory',
      keysTableName: 'keys',
      directory: parseDirectory({
        clients: ['pump-4', 'pump-5'].map((client_id) => ({
          ...client,
          ...basic,
          client_id,
          client_secret: secret,
        })),
      }),
      prune: false,
    });
    const values = Object.values(await tables.items('directory')).map(
      (item) => item['client_secret_mac'],
    );
    expect(values).toEqual([expect.any(String), expect.any(String)]);
    expect(new Set(values.map((value) => String(value).split('.')[1])).size).toBe(2);
  });

  it('P33: a copy of the directory without the table of keys verifies no guess', async () => {
    await apply({ ...basic, client_secret: secret });
    const copy = JSON.stringify(await stored());
    const guesses = [
      secret,
      hashSecret(secret),
      `pump-4|${secret}`,
      `pump-4|${hashSecret(secret)}`,
    ];
    const unkeyed = guesses.flatMap((guess) => [
      guess,
      hashSecret(guess),
      ...['', 'pump-4', 'first', 'client secrets', secret].map((key) =>
        createHmac('sha256', key).update(guess).digest('base64url'),
      ),
    ]);
    expect(unkeyed.filter((guess) => copy.includes(guess))).toEqual([]);

    // With another deployment's keys the very secret is no better than any other text.
    expect(await proves(secret)).toBe(true);
    await tables.remove('keys', 'wrap');
    await addWrappingKey(tables, 'first', now);
    expect(await proves(secret)).toBe(false);
  });

  it.each<[string, object]>([
    ['with the secret in the file', { client_secret: secret }],
    ['with none in the file', {}],
  ])(
    'P33: an old item goes on working, and is brought under a key by the next apply %s',
    async (_, given) => {
      await plant();
      expect(await proves(secret)).toBe(true);
      expect(await plan(given)).toEqual([
        {
          action: 'change',
          members: [{ member: 'client_secret', note: 'is stored under the newest key' }],
        },
      ]);
      expect(await apply({ ...basic, ...given })).toBeUndefined();
      expect(await stored()).not.toHaveProperty('client_secret_hash');
      expect((await stored())['client_secret_mac']).toBe(await macOf(tables, 'pump-4', secret));
      expect(await proves(secret)).toBe(true);
      expect(await proves(hashSecret(secret))).toBe(false);
      expect(await plan(given)).toEqual([{ action: 'keep', members: [] }]);
    },
  );

  it('P33: another secret in the file is told from that of an old item, and replaces it', async () => {
    await plant();
    const another = secret.toUpperCase();
    expect(await plan({ client_secret: another })).toEqual([
      { action: 'change', members: [{ member: 'client_secret', note: 'changes' }] },
    ]);
    await apply({ ...basic, client_secret: another });
    expect([await proves(secret), await proves(another)]).toEqual([false, true]);
  });

  it('P33: a rotation of an old item leaves nothing under no key, and ends the old secret in time', async () => {
    await plant();
    const rotated = await rotateSecret(directoryOf(tables, { clock: () => now }), 'pump-4', {
      keepSeconds: 60,
      force: false,
    });
    expect(JSON.stringify(await stored())).not.toContain('client_secret_hash');
    expect([await proves(secret), await proves(rotated?.generated ?? '')]).toEqual([true, true]);
    now += 60;
    expect([await proves(secret), await proves(rotated?.generated ?? '')]).toEqual([false, true]);
  });

  it('P33: a secret that retires under no key is still known, and brought under one', async () => {
    const retiring = { client_secret_hash: hashSecret('x'.repeat(32)), until: now + 60 };
    await plant({ retiring_secret: retiring });
    expect([await proves('x'.repeat(32)), await proves(secret)]).toEqual([true, true]);
    await expect(apply({ ...basic, client_secret: 'x'.repeat(32) })).rejects.toThrow(
      'is the one before the last rotation',
    );
    await apply(basic);
    expect(JSON.stringify(await stored())).not.toContain('client_secret_hash');
    expect([await proves('x'.repeat(32)), await proves(secret)]).toEqual([true, true]);
  });

  it('P33: outlives the rotation of wrapping keys, and is stored under the newest once it is given again', async () => {
    await apply({ ...basic, client_secret: secret });
    now += 90 * 86_400;
    await addWrappingKey(tables, 'second', now);
    expect(await proves(secret)).toBe(true);
    expect(await plan()).toEqual([{ action: 'keep', members: [] }]);
    await apply({ ...basic, client_secret: secret });
    expect(String((await stored())['client_secret_mac'])).toMatch(/^second\./);
    expect(await proves(secret)).toBe(true);
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
    expect(await stored()).toMatchObject({
      client_secret_mac: await macOf(tables, 'pump-4', secret),
    });
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
