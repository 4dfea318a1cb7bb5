/**
 * The rotation of keys, run by run: stored, published, released, in this order and each once,
 * whatever is interrupted or comes at the same time (threats T25, F18, F19).
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SigningAlgorithm } from '../../../lambdas/ciba/client/client.ts';
import { orderLinkKeys } from '../../../lambdas/ciba/keys/key-rotation.ts';
import { currentSigningKey } from '../../../lambdas/ciba/keys/signing-keys.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import { rotateKeysTask } from '../../../lambdas/tasks/rotate-keys.ts';
import { type InMemoryKeys, inMemoryKeys } from '../../support/in-memory-keys.ts';

const DAY = 86_400;
const HOUR = 3600;
const MINUTE = 60;
const start = 1_700_000_000;
const algorithms = ['RS256', 'ES256'] as const;

const privateKeys: Record<SigningAlgorithm, Record<string, string>> = {
  ES256: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'private' },
  RS256: { kty: 'RSA', n: 'n', e: 'AQAB', d: 'private', p: 'private', q: 'private' },
};

let keys: InMemoryKeys;
let log: LogEvent[];
let drawn: number[];
let now: number;
beforeEach(() => {
  keys = inMemoryKeys();
  log = [];
  drawn = [];
  now = start;
});

function rotate(input: unknown = { rotate: 'when-due' }) {
  return rotateKeysTask({
    keys,
    generateSigningKey: (alg) => privateKeys[alg],
    periodSeconds: 90 * DAY,
    clock: () => now,
    entropy: (bytes) => {
      drawn.push(bytes);
      const random = Buffer.alloc(bytes);
      random.writeUInt32BE(drawn.length, bytes - 4);
      return random;
    },
    log: (event) => log.push(event),
  })(input);
}

const rotateNow = (lead?: number) => rotate({ rotate: 'now', ...(lead !== undefined && { lead }) });

const publishedKids = () => keys.published.keys.map(({ jwk }) => jwk.kid);
const signs = (alg: SigningAlgorithm) => currentSigningKey(keys.signing[alg].keys, now)?.kid;
const makesLinks = () => orderLinkKeys(keys.secrets.link.keys, now)[0]?.kid;
const everyKind = ['RS256', 'ES256', 'wrap', 'link'];

describe('the first keys', () => {
  it('T25: are stored, then published, and only then sign', async () => {
    expect(await rotate()).toEqual({ made: everyKind });
    expect(keys.writes).toEqual(['RS256', 'ES256', 'jwks', 'RS256', 'ES256', 'wrap', 'link']);
    for (const alg of algorithms) {
      expect(keys.signing[alg].keys).toEqual([
        {
          kid: expect.stringMatching(/^[\w-]{16}$/),
          jwk: privateKeys[alg],
          createdAt: now,
          signsFrom: now,
        },
      ]);
      expect(publishedKids()).toContain(signs(alg));
    }
    expect(JSON.stringify(keys.published)).not.toContain('private');
  });

  it('have 256 bits for links and for wrapping, and names of their own', async () => {
    await rotate();
    const { link, wrap } = keys.secrets;
    const secrets = [...link.keys, ...wrap.keys].map(({ secret }) =>
      Buffer.from(secret, 'base64url'),
    );
    expect(secrets.map(({ length }) => length)).toEqual([32, 32]);
    const kids = [...publishedKids(), ...[...link.keys, ...wrap.keys].map(({ kid }) => kid)];
    expect(new Set(kids).size).toBe(4);
    expect(drawn.toSorted((one, other) => one - other)).toEqual([12, 12, 12, 12, 32, 32]);
  });

  it('are used at once, whatever the lead', async () => {
    await rotateNow(DAY);
    expect([signs('RS256'), signs('ES256'), makesLinks()]).not.toContain(undefined);
    expect(keys.secrets.link.keys[0]?.usedFrom).toBe(now);
  });

  it('are left alone until others are due: nothing is written', async () => {
    await rotate();
    keys.writes.length = 0;
    for (const days of [0, 1, 89.9]) {
      now = start + days * DAY;
      expect(await rotate()).toEqual({ made: [] });
    }
    expect(keys.writes).toEqual([]);
  });

  it('T25: never sign if they cannot be published', async () => {
    keys.savePublishedKeys = () => Promise.reject(new Error('throttled'));
    await expect(rotate()).rejects.toThrow('throttled');
    expect(algorithms.map(signs)).toEqual([undefined, undefined]);
  });
});

describe('keys that are due', () => {
  it('F18: are published a day before they sign, beside the ones that sign until then', async () => {
    await rotate();
    const first = signs('ES256');
    now += 90 * DAY;
    expect(await rotate()).toEqual({ made: everyKind });
    const published = publishedKids();
    expect(published).toHaveLength(4);
    expect(signs('ES256')).toBe(first);
    now += DAY - 1;
    expect(signs('ES256')).toBe(first);
    now += 1;
    expect(signs('ES256')).not.toBe(first);
    expect(published).toContain(signs('ES256'));
  });

  it('are made once, however often the schedule comes while they wait', async () => {
    await rotate();
    now += 90 * DAY;
    await rotate();
    now += DAY / 2;
    expect(await rotate()).toEqual({ made: [] });
    expect(keys.signing.RS256.keys).toHaveLength(2);
  });

  it('are made after the period again, and not before', async () => {
    await rotate();
    now += 90 * DAY;
    await rotate();
    now += 89 * DAY;
    expect(await rotate()).toEqual({ made: [] });
    now += DAY;
    expect(await rotate()).toEqual({ made: everyKind });
  });

  it('F19: make links after a day; both link keys are honoured meanwhile, and the old one for an hour more', async () => {
    await rotate();
    const first = makesLinks();
    now += 90 * DAY;
    await rotate();
    const second = keys.secrets.link.keys[0]?.kid;
    expect(makesLinks()).toBe(first);
    now += DAY;
    expect(makesLinks()).toBe(second);
    now += HOUR;
    await rotate();
    expect(keys.secrets.link.keys.map(({ kid }) => kid)).toEqual([second, first]);
    now += 1;
    await rotate();
    expect(keys.secrets.link.keys.map(({ kid }) => kid)).toEqual([second]);
  });

  it('wrap from the start, and no wrapping key is ever dropped', async () => {
    for (let year = 0; year < 3; year += 1) {
      await rotate();
      now += 365 * DAY;
    }
    const { keys: kept } = keys.secrets.wrap;
    expect(kept).toHaveLength(3);
    expect(kept[0]?.createdAt).toBe(start + 2 * 365 * DAY);
    expect(kept[0]?.usedFrom).toBe(kept[0]?.createdAt);
  });
});

describe('keys that are superseded', () => {
  beforeEach(async () => {
    await rotate();
    now += 90 * DAY;
    await rotate();
    now += DAY;
  });

  it('lose their private half when the successor has signed for an hour', async () => {
    now += HOUR;
    await rotate();
    expect(keys.signing.ES256.keys).toHaveLength(2);
    now += 1;
    await rotate();
    expect(keys.signing.ES256.keys.map(({ kid }) => kid)).toEqual([signs('ES256')]);
  });

  it('T20: stay published for the 90 days that a hint is accepted, then leave', async () => {
    now += HOUR + 1;
    await rotate();
    const droppedAt = now;
    for (const [seconds, count] of [
      [0, 4],
      // By now a third generation has come.
      [89 * DAY, 6],
      [90 * DAY, 6],
      [90 * DAY + HOUR - 1, 6],
      [90 * DAY + HOUR, 4],
    ] as const) {
      now = droppedAt + seconds;
      await rotate();
      expect([seconds, publishedKids().length]).toEqual([seconds, count]);
    }
  });

  it('stay the ones that sign as long as their successor is not released', async () => {
    const first = { ...keys.signing.ES256 };
    keys.signing.ES256.keys = first.keys.map(({ signsFrom, ...key }, index) =>
      index === 0 || signsFrom === undefined ? key : { ...key, signsFrom },
    );
    now += 300 * DAY;
    expect(signs('ES256')).toBe(first.keys[1]?.kid);
    await rotate();
    expect(signs('ES256')).toBe(first.keys[1]?.kid);
    expect(keys.signing.ES256.keys[0]?.signsFrom).toBe(now + DAY);
  });
});

describe('a rotation that is asked for', () => {
  beforeEach(async () => {
    await rotate();
    now += 1;
  });

  it('makes keys that are used after a day, if it names no lead', async () => {
    const first = signs('ES256');
    expect(await rotateNow()).toEqual({ made: everyKind });
    now += DAY - 1;
    expect(signs('ES256')).toBe(first);
    now += 1;
    expect(signs('ES256')).not.toBe(first);
  });

  it('with no lead makes keys that are used at once', async () => {
    const first = [signs('RS256'), signs('ES256'), makesLinks()];
    await rotateNow(0);
    const second = [signs('RS256'), signs('ES256'), makesLinks()];
    expect(second.filter((kid) => first.includes(kid))).toEqual([]);
    expect(publishedKids()).toEqual(expect.arrayContaining(second.slice(0, 2)));
  });

  it('takes the place of keys that wait, which may be the ones to be rid of', async () => {
    await rotateNow(DAY);
    const waiting = [keys.signing.ES256.keys[0]?.kid, keys.secrets.link.keys[0]?.kid];
    now += 1;
    await rotateNow(0);
    now += DAY;
    expect(waiting).not.toContain(signs('ES256'));
    expect(waiting).not.toContain(makesLinks());
  });

  it.each([
    [{}],
    [undefined],
    ['now'],
    [{ rotate: 'never' }],
    [{ rotate: 'now', lead: -1 }],
    [{ rotate: 'now', lead: DAY + 1 }],
    [{ rotate: 'now', lead: 0.5 }],
    [{ rotate: 'now', lead: '0' }],
    [{ rotate: 'now', leads: 0 }],
    [{ rotate: 'when-due', lead: 0 }],
  ])('says what it takes, given %j', async (input) => {
    keys.writes.length = 0;
    await expect(
      rotateKeysTask({
        keys,
        generateSigningKey: (alg) => privateKeys[alg],
        periodSeconds: DAY,
        clock: () => now,
        entropy: (bytes) => new Uint8Array(bytes),
        log: (event) => log.push(event),
      })(input),
    ).rejects.toThrow(
      'The input must be {"rotate":"when-due"} or {"rotate":"now","lead":<seconds from 0 to 86400>}',
    );
    expect(keys.writes).toEqual([]);
  });
});

describe('runs at once and runs that are cut off', () => {
  it.each([
    ['the first', { rotate: 'when-due' }, 0],
    ['those that are due', { rotate: 'when-due' }, 90 * DAY],
    ['those that are asked for', { rotate: 'now' }, 1],
    ['those that are asked for without lead', { rotate: 'now', lead: 0 }, 1],
  ])('make one key of each kind: %s', async (_, input, later) => {
    if (later > 0) await rotate();
    now += later;
    const before = keys.signing.RS256.keys.length;
    const results = await Promise.all(Array.from({ length: 10 }, () => rotate(input)));
    expect(results.flatMap(({ made }) => made).sort()).toEqual([...everyKind].sort());
    const counts = [...Object.values(keys.signing), ...Object.values(keys.secrets)];
    expect(counts.map((kind) => kind.keys.length)).toEqual(Array(4).fill(before + 1));
    expect(publishedKids()).toHaveLength(2 * (before + 1));
    expect(keys.signing.RS256.keys.every(({ signsFrom }) => signsFrom !== undefined)).toBe(true);
  });

  it('a run that another one overtook makes no second key, though it began after that one', async () => {
    await rotate();
    now += 2;
    const other = now - 1;
    const { secretKeys, saveSecretKeys } = keys;
    keys.secretKeys = async (kind) => {
      const read = await secretKeys(kind);
      if (kind !== 'link') return read;
      keys.secretKeys = secretKeys;
      const made = { kid: 'other-link', secret: 'AA', createdAt: other, usedFrom: other };
      await saveSecretKeys(kind, [made, ...read.keys], read.version);
      return read;
    };
    expect(await rotateNow(0)).toEqual({ made: ['RS256', 'ES256', 'wrap'] });
    expect(keys.secrets.link.keys.map(({ kid }) => kid)).toContain('other-link');
    expect(keys.secrets.link.keys).toHaveLength(2);
  });

  it('a write whose answer was lost counts as made, and is not made again', async () => {
    const { saveSigningKeys } = keys;
    keys.saveSigningKeys = async (...write) => {
      await saveSigningKeys(...write);
      keys.saveSigningKeys = saveSigningKeys;
      return false;
    };
    expect(await rotateNow(0)).toEqual({ made: everyKind });
    expect(keys.signing.RS256.keys).toHaveLength(1);
  });

  it('gives up when others write without end', async () => {
    keys.savePublishedKeys = async () => false;
    await expect(rotate()).rejects.toMatchObject({ name: 'Unavailable' });
  });

  it.each([
    ['when the first are made', 0, { rotate: 'when-due' }, 7],
    ['when they are due', 90 * DAY, { rotate: 'when-due' }, 7],
    ['when they are asked for', 1, { rotate: 'now' }, 7],
  ])('wherever one is cut off, the next one ends it: %s', async (_, later, input, writes) => {
    for (let cut = 0; cut < writes; cut += 1) {
      keys = inMemoryKeys();
      now = start;
      if (later > 0) await rotate();
      now += later;
      keys.writesLeft = cut;
      await expect(rotate(input)).rejects.toThrow('cut off');
      keys.writesLeft = Number.POSITIVE_INFINITY;
      now += 1;
      await rotate(input);
      now += DAY;
      for (const alg of algorithms) {
        expect(keys.signing[alg].keys).not.toContainEqual(
          expect.not.objectContaining({ signsFrom: expect.any(Number) }),
        );
        expect(publishedKids()).toContain(signs(alg));
        expect(keys.signing[alg].keys).toHaveLength(later > 0 ? 2 : 1);
        expect(signs(alg)).toBe(keys.signing[alg].keys[0]?.kid);
      }
      expect(keys.secrets.link.keys).toHaveLength(later > 0 ? 2 : 1);
    }
  });
});

describe('the log', () => {
  it('has one line for each run, which holds no key', async () => {
    await rotate();
    await rotate();
    keys.signingKeys = () => Promise.reject(new RangeError('secret'));
    await expect(rotate()).rejects.toThrow();
    expect(log).toEqual([
      { event: 'key_rotation', outcome: 'rotated', ms: 0 },
      { event: 'key_rotation', outcome: 'nothing_due', ms: 0 },
      {
        event: 'key_rotation',
        outcome: 'error',
        cause: 'RangeError',
        at: expect.arrayContaining([expect.stringMatching(/^tasks\/rotate-keys\.ts:\d+:\d+$/)]),
        ms: 0,
      },
    ]);
  });
});

/** What a function has read of a kind, and uses for five minutes. */
const CACHE_SECONDS = 300;

interface Step {
  wait: number;
  run: { input: object; at: number } | undefined;
}

const steps = fc.array(
  fc.record({
    wait: fc.oneof(
      fc.integer({ min: 1, max: 2 * HOUR }),
      fc.integer({ min: 1, max: 2 * DAY }),
      fc.constantFrom(MINUTE, 10 * MINUTE, HOUR, DAY, DAY + HOUR + 1),
      fc.integer({ min: DAY, max: 100 * DAY }),
    ),
    run: fc.option(
      fc.record({
        input: fc.oneof(
          { weight: 4, arbitrary: fc.constant({ rotate: 'when-due' }) },
          {
            weight: 1,
            arbitrary: fc.record({
              rotate: fc.constant('now'),
              lead: fc.integer({ min: CACHE_SECONDS, max: DAY }),
            }),
          },
        ),
        at: fc.oneof(
          { weight: 2, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
          { weight: 1, arbitrary: fc.nat(7) },
        ),
      }),
      { nil: undefined },
    ),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('whatever runs when, and however many of the runs are cut off', () => {
  it('a published key signs, what was signed verifies for 90 days, and open links are honoured', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history: Step[]) => {
        keys = inMemoryKeys();
        now = start;
        await rotate();
        const publishedAt = new Map(publishedKids().map((kid) => [kid, 0]));
        const signed: { kid: string; at: number }[] = [];
        const links: { kid: string; at: number }[] = [];
        for (const { wait, run } of history) {
          // The last use of what was read before, by a function that read it five minutes ago at
          // most.
          useKeys(signed, links, Math.min(wait, CACHE_SECONDS));
          now += wait;
          if (run) {
            keys.writesLeft = run.at;
            await rotate(run.input).catch((error) => expect(error.message).toBe('cut off'));
            keys.writesLeft = Number.POSITIVE_INFINITY;
          }
          for (const kid of publishedKids()) {
            if (!publishedAt.has(kid)) publishedAt.set(kid, now);
          }
          for (const alg of algorithms) {
            const key = currentSigningKey(keys.signing[alg].keys, now);
            expect(key).toBeDefined();
            expect(publishedKids()).toContain(key?.kid);
            const known = now - (publishedAt.get(key?.kid ?? '') ?? now);
            expect(known).toBeGreaterThanOrEqual(CACHE_SECONDS);
          }
          for (const { kid, at } of signed) {
            if (now - at <= 90 * DAY) expect(publishedKids()).toContain(kid);
          }
          const honoured = keys.secrets.link.keys.map(({ kid }) => kid);
          expect(honoured.length).toBeGreaterThan(0);
          for (const { kid, at } of links) {
            if (now - at <= 10 * MINUTE) expect(honoured).toContain(kid);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  function useKeys(
    signed: { kid: string; at: number }[],
    links: { kid: string; at: number }[],
    late: number,
  ): void {
    for (const alg of algorithms) {
      const kid = signs(alg);
      if (kid) signed.push({ kid, at: now }, { kid, at: now + late });
    }
    const kid = makesLinks();
    const then = orderLinkKeys(keys.secrets.link.keys, now + late)[0]?.kid;
    if (kid && then) links.push({ kid, at: now }, { kid: then, at: now + late });
  }
});
