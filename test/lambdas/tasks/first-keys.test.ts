/**
 * The first keys: stored, published, released, in this order and each once, whatever is interrupted (threats T25).
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { SigningAlgorithm } from '../../../lambdas/ciba/client.ts';
import type { PublicJwk, SigningKey } from '../../../lambdas/ciba/signing-keys.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import type { KeyStore } from '../../../lambdas/ports.ts';
import { firstKeysTask } from '../../../lambdas/tasks/first-keys.ts';

const now = 1_700_000_000;

const privateKeys: Record<SigningAlgorithm, Record<string, string>> = {
  ES256: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'private' },
  RS256: { kty: 'RSA', n: 'n', e: 'AQAB', d: 'private', p: 'private', q: 'private' },
};

/** Keys in memory, and what was done to them in which order. */
function inMemoryKeys() {
  const signing = new Map<SigningAlgorithm, { keys: SigningKey[]; version: number }>();
  const published: PublicJwk[] = [];
  const links: { kid: string; secret: Uint8Array }[] = [];
  const wrapping: { kid: string; secret: Uint8Array }[] = [];
  const done: string[] = [];
  const store: KeyStore = {
    signingKeys: async (alg) => signing.get(alg) ?? { keys: [], version: 0 },
    async saveSigningKeys(alg, keys, version) {
      if ((signing.get(alg)?.version ?? 0) !== version) return false;
      signing.set(alg, { keys, version: version + 1 });
      const state = keys.every(({ signsFrom }) => signsFrom === undefined) ? 'stored' : 'signs';
      done.push(`${alg} ${state}`);
      return true;
    },
    async createLinkKey(kid, secret) {
      if (links.length > 0) return false;
      links.push({ kid, secret });
      done.push('link stored');
      return true;
    },
    async createWrappingKey(kid, secret) {
      if (wrapping.length > 0) return false;
      wrapping.push({ kid, secret });
      done.push('wrap stored');
      return true;
    },
    async publish(keys) {
      for (const key of keys) {
        if (published.some(({ kid }) => kid === key.kid)) continue;
        published.push(key);
        done.push(`${key.alg} published`);
      }
    },
  };
  return { store, signing, published, links, wrapping, done };
}

let kept: ReturnType<typeof inMemoryKeys>;
let log: LogEvent[];
let drawn: number[];
beforeEach(() => {
  kept = inMemoryKeys();
  log = [];
  drawn = [];
});

function firstKeys(keys: KeyStore = kept.store): Promise<void> {
  return firstKeysTask({
    keys,
    generateSigningKey: (alg) => privateKeys[alg],
    clock: () => now,
    entropy: (bytes) => {
      drawn.push(bytes);
      return new Uint8Array(bytes).fill(drawn.length);
    },
    log: (event) => log.push(event),
  })();
}

const inOrder = [
  'RS256 stored',
  'RS256 published',
  'RS256 signs',
  'ES256 stored',
  'ES256 published',
  'ES256 signs',
  'link stored',
  'wrap stored',
];

describe('the first keys', () => {
  it('T25: are stored, then published, and only then sign', async () => {
    await firstKeys();
    expect(kept.done).toEqual(inOrder);
    for (const [alg, { keys }] of kept.signing) {
      expect(keys).toEqual([
        { kid: expect.stringMatching(/^[\w-]{16}$/), jwk: privateKeys[alg], signsFrom: now },
      ]);
    }
    expect(JSON.stringify(kept.published)).not.toContain('private');
  });

  it('have a link key and a wrapping key of 256 bits, and names of their own', async () => {
    await firstKeys();
    const secrets = [...kept.links, ...kept.wrapping];
    expect(secrets.map(({ secret }) => secret.length)).toEqual([32, 32]);
    const kids = [...kept.published, ...secrets].map(({ kid }) => kid);
    expect(new Set(kids).size).toBe(4);
    expect(drawn.toSorted()).toEqual([12, 12, 12, 12, 32, 32]);
  });

  it('are left alone when the task runs again', async () => {
    await firstKeys();
    const before = structuredClone([[...kept.signing], kept.published, kept.links.length]);
    await firstKeys();
    expect([[...kept.signing], kept.published, kept.links.length]).toEqual(before);
    expect(kept.done).toEqual(inOrder);
  });

  it('are one of each kind when two tasks run at once', async () => {
    await Promise.all([firstKeys(), firstKeys()]);
    expect(kept.published).toHaveLength(2);
    for (const { keys } of kept.signing.values()) {
      expect(keys).toHaveLength(1);
      expect(keys[0]?.signsFrom).toBe(now);
      expect(kept.published.map(({ kid }) => kid)).toContain(keys[0]?.kid);
    }
  });

  it('are finished by the next run wherever a run was cut off', async () => {
    for (let cut = 0; cut < inOrder.length; cut += 1) {
      kept = inMemoryKeys();
      const { store, done } = kept;
      const unlessCut = async <Answer>(step: () => Promise<Answer>): Promise<Answer> => {
        if (done.length === cut) throw new Error('cut off');
        return step();
      };
      const cutOff: KeyStore = {
        ...store,
        saveSigningKeys: (...args) => unlessCut(() => store.saveSigningKeys(...args)),
        createLinkKey: (...args) => unlessCut(() => store.createLinkKey(...args)),
        createWrappingKey: (...args) => unlessCut(() => store.createWrappingKey(...args)),
        publish: (keys) => unlessCut(() => store.publish(keys)),
      };
      await expect(firstKeys(cutOff)).rejects.toThrow('cut off');
      await firstKeys();
      expect(done).toEqual(inOrder);
    }
  });

  it('T25: never sign if they cannot be published', async () => {
    const publish = () => Promise.reject(new Error('throttled'));
    await expect(firstKeys({ ...kept.store, publish })).rejects.toThrow('throttled');
    expect(kept.done).toEqual(['RS256 stored']);
  });

  it('leave one line in the log, which holds none of them', async () => {
    await firstKeys();
    expect(log).toEqual([{ event: 'first_keys', outcome: 'ok', ms: 0 }]);
  });
});
