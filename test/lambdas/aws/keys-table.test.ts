/**
 * Keys on a real engine: made once however many make them, published before they sign, and what
 * they sign verifies with an independent library.
 */
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publicKeys } from '../../../lambdas/aws/directory-table.ts';
import { generateSigningKey } from '../../../lambdas/aws/generate-signing-key.ts';
import { keyStore, linkKeys, tokenSigner, wrappingKeys } from '../../../lambdas/aws/keys-table.ts';
import { WRAP_IV_BYTES, wrapSecret } from '../../../lambdas/aws/wrapped-secret.ts';
import { runtime } from '../../../lambdas/handlers/runtime.ts';
import type { KeyStore } from '../../../lambdas/ports.ts';
import { rotateKeysTask } from '../../../lambdas/tasks/rotate-keys.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

const clock = () => 1_700_000_000;
const algorithms = ['RS256', 'ES256'] as const;
const DAY = 86_400;
const PERIOD = 90 * DAY;

let tables: TestTables;
let store: KeyStore;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  store = keyStore(tables.client, 'keys', 'directory');
});
afterEach(() => tables.stop());

/** An RSA key takes long to make: the rotations share one, under names of their own. */
const rsaKey = generateSigningKey('RS256');

function rotate(input: object, keys: KeyStore = store, at = clock()) {
  return rotateKeysTask({
    ...runtime,
    clock: () => at,
    log: () => {},
    keys,
    generateSigningKey: (alg) => (alg === 'RS256' ? rsaKey : generateSigningKey(alg)),
    periodSeconds: PERIOD,
  })(input);
}

function firstKeys(keys: KeyStore = store) {
  return rotate({ rotate: 'when-due' }, keys);
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
      savePublishedKeys: () => Promise.reject(new Error('cut off')),
    };
    await expect(firstKeys(cutOff)).rejects.toThrow('cut off');
    const signer = tokenSigner(tables.client, 'keys', clock);
    await expect(signer.sign('ES256', 'JWT', {})).rejects.toMatchObject({
      name: 'Unavailable',
    });
    const [stored] = (await store.signingKeys('RS256')).keys;

    await firstKeys();
    expect((await store.signingKeys('RS256')).keys[0]?.kid).toBe(stored?.kid);
    await expect(signer.sign('ES256', 'JWT', {})).resolves.toEqual(expect.any(String));
  });

  it('F14: none at all is Unavailable, for tokens and links', async () => {
    const signer = tokenSigner(tables.client, 'keys', clock);
    await expect(signer.sign('RS256', 'JWT', {})).rejects.toMatchObject({
      name: 'Unavailable',
    });
    await expect(linkKeysNow()).rejects.toMatchObject({ name: 'Unavailable' });
  });

  async function linkKeysNow() {
    const keys = await linkKeys(tables.client, 'keys', clock).linkKeys();
    return keys.map((key) => key.export().toString('base64url'));
  }
});

it('the link keys are read once for callers at once, and again after a fault', async () => {
  await firstKeys();
  const keys = linkKeys(tables.client, 'keys', clock);
  tables.sent.length = 0;
  await Promise.all(Array.from({ length: 50 }, () => keys.linkKeys()));
  expect(tables.sent).toEqual(['GetItemCommand']);

  const elsewhere = linkKeys(tables.client, 'no-such-table', clock);
  for (let time = 1; time <= 2; time += 1) {
    await expect(elsewhere.linkKeys()).rejects.toMatchObject({ name: 'Unavailable' });
    expect(tables.sent).toHaveLength(1 + time);
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

describe('rotation', () => {
  const later = clock() + PERIOD;
  const kindsOf = async () => {
    const kinds = [
      store.signingKeys('RS256'),
      store.signingKeys('ES256'),
      store.secretKeys('link'),
      store.secretKeys('wrap'),
    ];
    return (await Promise.all(kinds)).map(({ keys }) => keys.length);
  };

  it('ten at once make one key of each kind, five times over', async () => {
    await firstKeys();
    for (const [round, input] of [
      { rotate: 'when-due' },
      { rotate: 'now' },
      { rotate: 'now', lead: 0 },
      { rotate: 'now', lead: 0 },
      { rotate: 'now', lead: 60 },
    ].entries()) {
      const at = later + round;
      const results = await Promise.all(Array.from({ length: 10 }, () => rotate(input, store, at)));
      expect(results.flatMap(({ made }) => made).sort()).toEqual([
        'ES256',
        'RS256',
        'link',
        'wrap',
      ]);
      const shown = (await published()).map(({ kid }) => kid);
      for (const alg of algorithms) {
        const { keys } = await store.signingKeys(alg);
        expect(shown).toEqual(expect.arrayContaining(keys.map(({ kid }) => kid)));
        expect(keys.every(({ signsFrom }) => signsFrom !== undefined)).toBe(true);
      }
    }
    // What waited gave way to what was asked for; what was used stays, wrapping keys for good.
    expect(await kindsOf()).toEqual([4, 4, 4, 6]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])(
    'cut off after %d of its writes is ended by the next',
    async (cut) => {
      await firstKeys();
      let left = cut;
      const unlessCut =
        <Write extends unknown[]>(save: (...write: Write) => Promise<boolean>) =>
        async (...write: Write) => {
          if (left === 0) throw new Error('cut off');
          left -= 1;
          return save(...write);
        };
      const cutOff: KeyStore = {
        ...store,
        saveSigningKeys: unlessCut(store.saveSigningKeys),
        saveSecretKeys: unlessCut(store.saveSecretKeys),
        savePublishedKeys: unlessCut(store.savePublishedKeys),
      };
      await expect(rotate({ rotate: 'when-due' }, cutOff, later)).rejects.toThrow('cut off');
      await rotate({ rotate: 'when-due' }, store, later + 1);
      expect(await kindsOf()).toEqual([2, 2, 2, 2]);
      const signer = tokenSigner(tables.client, 'keys', () => later + 1 + DAY);
      for (const alg of algorithms) {
        const [newest] = (await store.signingKeys(alg)).keys;
        const token = await signer.sign(alg, 'JWT', {});
        expect(decodeProtectedHeader(token).kid).toBe(newest?.kid);
        await jwtVerify(token, createLocalJWKSet({ keys: await published() }));
      }
    },
  );

  it('T25: shows neither a private member nor when a key leaves', async () => {
    await firstKeys();
    await rotate({ rotate: 'now', lead: 0 }, store, later);
    await rotate({ rotate: 'when-due' }, store, later + DAY);
    const times = (await store.publishedKeys()).keys.map(({ keptUntil }) => keptUntil);
    const left = later + DAY + PERIOD + 3600;
    expect(times.toSorted()).toEqual([left, left, undefined, undefined]);
    const shown = await published();
    expect(shown).toHaveLength(4);
    for (const key of shown) {
      const members = key.kty === 'EC' ? ['x', 'y', 'crv'] : ['n', 'e'];
      expect(Object.keys(key).toSorted()).toEqual(
        ['kid', 'use', 'alg', 'kty', ...members].toSorted(),
      );
    }
  });

  it('T20: what a dropped key signed still verifies', async () => {
    await firstKeys();
    const token = await tokenSigner(tables.client, 'keys', clock).sign('ES256', 'JWT', {
      sub: 'u',
    });
    await rotate({ rotate: 'now', lead: 0 }, store, later);
    await rotate({ rotate: 'when-due' }, store, later + DAY);
    expect(await kindsOf()).toEqual([1, 1, 1, 2]);
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: await published() }));
    expect(payload).toEqual({ sub: 'u' });
  });

  it('F19: a function that has read the link keys turns to the next when its time comes, and honours both', async () => {
    await firstKeys();
    await rotate({ rotate: 'now', lead: 600 }, store, later);
    let now = later + 500;
    const { linkKeys: read } = linkKeys(tables.client, 'keys', () => now);
    const shown = async () => (await read()).map((key) => key.export().toString('base64url'));
    const [second, first] = (await store.secretKeys('link')).keys.map(({ secret }) => secret);
    expect(await shown()).toEqual([first, second]);
    now = later + 600;
    tables.sent.length = 0;
    expect(await shown()).toEqual([second, first]);
    expect(tables.sent).toEqual([]);
  });
});

describe('wrapping keys', () => {
  const iv = new Uint8Array(WRAP_IV_BYTES).fill(7);

  it('wrap with the newest, and unwrap with whichever it was', async () => {
    await firstKeys();
    const keys = wrappingKeys(tables.client, 'keys', clock);
    const first = await keys.wrappingKey();
    const old = wrapSecret(first, 'pump-4', 'an old secret', iv);
    await rotate({ rotate: 'now' }, store, clock() + 1);
    const second = await keys.wrappingKey();
    expect(second.kid).not.toBe(first.kid);
    expect(await keys.unwrap('pump-4', old)).toBe('an old secret');
    const young = wrapSecret(second, 'pump-4', 'a new secret', iv);
    expect(await keys.unwrap('pump-4', young)).toBe('a new secret');
  });

  it('are read once in five minutes, and for an unknown one at most every ten seconds', async () => {
    await firstKeys();
    let now = clock();
    const keys = wrappingKeys(tables.client, 'keys', () => now);
    const known = wrapSecret(await keys.wrappingKey(), 'pump-4', 'secret', iv);
    const readsAt = async (seconds: number, wrapped: string) => {
      now = clock() + seconds;
      tables.sent.length = 0;
      const outcome = await keys.unwrap('pump-4', wrapped).catch(({ name }) => name);
      return [outcome, tables.sent.length];
    };
    expect(await readsAt(299, known)).toEqual(['secret', 0]);
    const unknown = known.replace(/^[^.]+/, 'unknown');
    expect(await readsAt(299, unknown)).toEqual(['Unavailable', 1]);
    expect(await readsAt(308, unknown)).toEqual(['Unavailable', 0]);
    expect(await readsAt(309, unknown)).toEqual(['Unavailable', 1]);
    expect(await readsAt(608, known)).toEqual(['secret', 0]);
    expect(await readsAt(609, known)).toEqual(['secret', 1]);
  });

  it('F14: none at all is Unavailable', async () => {
    const keys = wrappingKeys(tables.client, 'keys', clock);
    const name = 'Unavailable';
    await expect(keys.wrappingKey()).rejects.toMatchObject({ name, cause: 'no key' });
    await expect(keys.unwrap('pump-4', 'a.b.c')).rejects.toMatchObject({ name, cause: 'no key' });
  });
});
