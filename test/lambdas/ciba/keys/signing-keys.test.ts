/**
 * Which key signs, and what of a key is published (RFC 7517; threats T25).
 */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { currentSigningKey, publicHalf } from '../../../../lambdas/ciba/keys/signing-keys.ts';

const key = (kid: string, signsFrom?: number) => ({
  kid,
  jwk: {},
  ...(signsFrom !== undefined && { signsFrom }),
});

describe('currentSigningKey', () => {
  it.each([
    ['none', [], undefined],
    ['one that is not published', [key('a')], undefined],
    ['one whose time has not come', [key('a', 101)], undefined],
    ['one whose time has come', [key('a', 100)], 'a'],
    ['the newest of those', [key('a', 50), key('b', 90), key('c', 10)], 'b'],
    ['not the next one yet', [key('a', 50), key('b', 200), key('c')], 'a'],
  ])('%s', (_which, keys, kid) => {
    expect(currentSigningKey(keys, 100)?.kid).toBe(kid);
  });
});

describe('publicHalf', () => {
  it.each([
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ] as const)('of a key of %s has no private member', (alg, { privateKey }) => {
    const jwk = publicHalf('kid-1', alg, { ...privateKey.export({ format: 'jwk' }) });
    expect(jwk).toMatchObject({ kid: 'kid-1', alg, use: 'sig' });
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
      expect(jwk).not.toHaveProperty(member);
  });
});
