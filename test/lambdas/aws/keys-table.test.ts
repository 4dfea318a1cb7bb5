/**
 * Keys on a real engine: made once, published before they sign, and what they sign verifies with an independent library.
 */
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publicKeys } from '../../../lambdas/aws/directory-table.ts';
import { generateSigningKey } from '../../../lambdas/aws/generate-signing-key.ts';
import { keyStore, linkKeys, tokenSigner } from '../../../lambdas/aws/keys-table.ts';
import { runtime } from '../../../lambdas/handlers/runtime.ts';
import type { KeyStore } from '../../../lambdas/ports.ts';
import { firstKeysTask } from '../../../lambdas/tasks/first-keys.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

const clock = () => 1_700_000_000;
const algorithms = ['RS256', 'ES256'] as const;

let tables: TestTables;
let store: KeyStore;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  store = keyStore(tables.client, 'keys', 'directory');
});
afterEach(() => tables.stop());

function firstKeys(keys: KeyStore = store): Promise<void> {
  return firstKeysTask({ ...runtime, clock, log: () => {}, keys, generateSigningKey })();
}

const published = () => publicKeys(tables.client, 'directory').publicKeys();

describe('the first keys', () => {
  it.each(algorithms)('sign %s at once, and the signature verifies against /jwks', async (alg) => {
    await firstKeys();
    const signer = tokenSigner(tables.client, 'keys', clock);
    const token = await signer.sign(alg, 'at+jwt', { sub: 'u-alice' });
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createLocalJWKSet({ keys: await published() }),
    );
    expect(payload).toEqual({ sub: 'u-alice' });
    expect(protectedHeader).toMatchObject({ alg, typ: 'at+jwt' });
  });

  it('are published without a private member (T25)', async () => {
    await firstKeys();
    const keys = await published();
    expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256']);
    for (const key of keys) {
      const members = key.kty === 'EC' ? ['x', 'y', 'crv'] : ['n', 'e'];
      expect(Object.keys(key).toSorted()).toEqual(
        ['kid', 'use', 'alg', 'kty', ...members].toSorted(),
      );
    }
  });

  it('stay the same when they are made again', async () => {
    await firstKeys();
    const [before, link] = [await published(), await linkKeysNow()];
    await firstKeys();
    expect(await published()).toEqual(before);
    expect(await linkKeysNow()).toEqual(link);
  });

  it('made twice at once are one of each kind, and it is the published one that signs', async () => {
    await Promise.all([firstKeys(), firstKeys(), firstKeys()]);
    const keys = await published();
    expect(keys).toHaveLength(2);
    const signer = tokenSigner(tables.client, 'keys', clock);
    for (const alg of algorithms) {
      const { kid } = decodeProtectedHeader(await signer.sign(alg, 'JWT', {}));
      expect(keys.map((key) => key.kid)).toContain(kid);
    }
  });

  it('do not sign before they are published, and a run that was cut off is taken up', async () => {
    const cutOff: KeyStore = {
      ...store,
      publish: () => Promise.reject(new Error('cut off')),
    };
    await expect(firstKeys(cutOff)).rejects.toThrow('cut off');
    const signer = tokenSigner(tables.client, 'keys', clock);
    await expect(signer.sign('ES256', 'JWT', {})).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
    const [stored] = (await store.signingKeys('RS256')).keys;

    await firstKeys();
    expect((await store.signingKeys('RS256')).keys[0]?.kid).toBe(stored?.kid);
    await expect(signer.sign('ES256', 'JWT', {})).resolves.toEqual(expect.any(String));
  });

  it('F14: none at all is temporarily_unavailable, for tokens and links', async () => {
    const signer = tokenSigner(tables.client, 'keys', clock);
    await expect(signer.sign('RS256', 'JWT', {})).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
    await expect(linkKeysNow()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });

  async function linkKeysNow() {
    const keys = await linkKeys(tables.client, 'keys', clock).linkKeys();
    return keys.map((key) => key.export().toString('base64url'));
  }
});

it('the link key has 256 bits', async () => {
  await firstKeys();
  const [key] = await linkKeys(tables.client, 'keys', clock).linkKeys();
  expect(key.symmetricKeySize).toBe(32);
});

it('keys are read once in five minutes, whatever is signed meanwhile', async () => {
  await firstKeys();
  let now = clock();
  const signer = tokenSigner(tables.client, 'keys', () => now);
  tables.sent.length = 0;
  for (const seconds of [0, 100, 299, 300]) {
    now = clock() + seconds;
    await signer.sign('ES256', 'JWT', {});
  }
  expect(tables.sent).toEqual(['GetItemCommand', 'GetItemCommand']);
});
