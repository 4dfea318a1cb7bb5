/**
 * Client keys (RFC 7517, RFC 7518 6, RFC 8037): which are registered, and what each of them may verify (threats T17, T18).
 */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { registeredJwk, registeredJwks } from '../../../lambdas/ciba/client-key-registration.ts';
import { algorithmsOf, keysFor } from '../../../lambdas/ciba/client-keys.ts';
import { generateClientKey } from '../../support/example-jwts.ts';

const ec = generateClientKey('ES256', { kid: 'ec' }).jwk;
const rsa = generateClientKey('RS256', { kid: 'rsa' }).jwk;
const ed = generateClientKey('EdDSA', { kid: 'ed' }).jwk;

function exported(type: 'public' | 'private', bits = 2048): object {
  const pair = generateKeyPairSync('rsa', { modulusLength: bits });
  return pair[`${type}Key`].export({ format: 'jwk' });
}

function faultOf(jwk: object): string {
  const parsed = registeredJwk.safeParse(jwk);
  return parsed.success ? 'accepted' : (parsed.error.issues[0]?.message ?? '');
}

describe('a registered key', () => {
  it.each([
    ['P-256', ec],
    ['RSA', rsa],
    ['Ed25519', ed],
    [
      'one that names its algorithm and use',
      { ...rsa, alg: 'PS256', use: 'sig', key_ops: ['verify'] },
    ],
  ])('may be %s', (_what, jwk) => {
    expect(faultOf(jwk)).toBe('accepted');
  });

  it.each<[string, object, string]>([
    ['a private EC key', { ...ec, d: 'AAAA' }, 'must be a public key, without private members'],
    ['a private RSA key', exported('private'), 'must be a public key, without private members'],
    ['a secret', { kty: 'oct', k: 'AAAA' }, 'must be a public key, without private members'],
    ['an RSA key of 1024 bits', exported('public', 1024), 'must be a modulus of 2048 to 8192 bits'],
    [
      'a modulus of zeros',
      { ...rsa, n: 'A'.repeat(342) },
      'must be a modulus of 2048 to 8192 bits',
    ],
    ['an exponent of one', { ...rsa, e: 'AQ' }, 'allowed: AQAB, Aw'],
    ['another curve', { ...ec, crv: 'P-521' }, 'allowed: P-256'],
    ['a short coordinate', { ...ec, x: 'AAAA' }, 'must be 32 octets in base64url (43 characters)'],
    ['X25519', { ...ed, crv: 'X25519' }, 'allowed: Ed25519'],
    ['an algorithm of another type', { ...ec, alg: 'RS256' }, 'allowed: ES256'],
    ['a key for encryption', { ...ec, use: 'enc' }, 'allowed: sig'],
    ['another type', { kty: 'AKP' }, 'kty: allowed: EC, OKP, RSA'],
  ])('is never %s', (_what, jwk, fault) => {
    expect(faultOf(jwk)).toBe(fault);
  });

  it('T18: brings no address to fetch anything from', () => {
    const parsed = registeredJwk.safeParse({ ...ec, x5u: 'https://evil.example' });
    expect(parsed.error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['x5u'] });
  });
});

describe('a registered set', () => {
  it('names each key if there are several', () => {
    const { kid: _none, ...nameless } = ec;
    expect(registeredJwks.safeParse({ keys: [nameless] }).success).toBe(true);
    expect(registeredJwks.safeParse({ keys: [ec, rsa] }).success).toBe(true);
    expect(registeredJwks.safeParse({ keys: [nameless, { ...nameless }] }).success).toBe(false);
    expect(registeredJwks.safeParse({ keys: [ec, { ...rsa, kid: 'ec' }] }).success).toBe(false);
  });

  it('has ten keys at most', () => {
    const keys = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...ec, kid: `${index}` }));
    expect(registeredJwks.safeParse({ keys: keys(10) }).success).toBe(true);
    expect(registeredJwks.safeParse({ keys: keys(11) }).success).toBe(false);
  });
});

it('the algorithms of a key are those of its type, or the one it names', () => {
  expect([ec, ed, rsa].map(algorithmsOf)).toEqual([['ES256'], ['EdDSA'], ['PS256', 'RS256']]);
  expect(algorithmsOf(registeredJwk.parse({ ...rsa, alg: 'PS256' }))).toEqual(['PS256']);
});

it('the keys for a signature are those of its algorithm, and of its kid where both name one', () => {
  const { kid: _none, ...nameless } = rsa;
  const keys = [
    ec,
    registeredJwk.parse(nameless),
    registeredJwk.parse({ ...rsa, kid: 'old', alg: 'PS256' }),
  ];
  expect(keysFor(keys, 'ES256', undefined)).toEqual([ec]);
  expect(keysFor(keys, 'ES256', 'other')).toEqual([]);
  expect(keysFor(keys, 'RS256', 'any')).toEqual([keys[1]]);
  expect(keysFor(keys, 'PS256', 'old')).toEqual([keys[1], keys[2]]);
});
