/**
 * Client keys (RFC 7517, RFC 7518 6, RFC 8037): which are registered, and what each of them may
 * verify (threats T17, T18).
 */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { algorithmsOf, clientJwk, keysFor } from '../../../../lambdas/ciba/client/client-keys.ts';
import {
  registeredJwk,
  registeredJwks,
  skippedKeys,
} from '../../../../lib/operator/directory/registration/client-key-registration.ts';
import { generateClientKey } from '../../../support/example-jwts.ts';

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
    ['a curve that is none', { ...ec, crv: 256 }, 'allowed: P-256'],
    ['without its curve', { ...ed, crv: undefined }, 'allowed: Ed25519'],
    ['a short coordinate', { ...ec, x: 'AAAA' }, 'must be 32 octets in base64url (43 characters)'],
    ['an algorithm of another type', { ...ec, alg: 'RS256' }, 'allowed: ES256'],
    ['RSA with an algorithm of a curve', { ...rsa, alg: 'Ed25519' }, 'allowed: PS256, RS256'],
    ['an algorithm that is no text', { ...ec, alg: 256 }, 'allowed: ES256'],
    ['an operation twice', { ...ec, key_ops: ['verify', 'verify'] }, 'must name nothing twice'],
    ['operations that are no list', { ...ec, key_ops: 'verify' }, 'must be a list'],
    ['a use that is no text', { ...ec, use: ['sig'] }, 'must be a text'],
    ['a name that is no text', { ...ec, kid: 7 }, 'must be a text'],
    ['without a type', { ...ec, kty: undefined }, 'kty: allowed: EC, OKP, RSA'],
  ])('is never %s, in whichever set', (_what, jwk, fault) => {
    expect(faultOf(jwk)).toBe(fault);
    const set = registeredJwks.safeParse({ keys: [ec, jwk] });
    expect(set.error?.issues[0]).toMatchObject({ message: fault });
    expect(set.error?.issues[0]?.path.slice(0, 2)).toEqual(['keys', 1]);
  });

  it('T18: brings no address to fetch anything from', () => {
    expect(registeredJwk.parse({ ...ec, x5u: 'https://evil.example' })).toEqual(ec);
  });

  it('P12: is stored under one name of its algorithm, whichever it is registered by (RFC 9864)', () => {
    for (const alg of ['Ed25519', 'EdDSA']) {
      expect(registeredJwk.parse({ ...ed, alg })).toEqual({ ...ed, alg: 'EdDSA' });
    }
  });
});

describe('P11: a set is read as RFC 7517 4 and 5 have it', () => {
  it.each<[string, object]>([
    ['as browsers export it', { ...ec, ext: true, key_ops: ['verify'] }],
    ['with certificates', { ...ec, x5c: ['MIIB'], x5t: 'AAAA', 'x5t#S256': 'AAAA' }],
    ['with an address of certificates', { ...ec, x5u: 'https://client.example/cert' }],
    ['with other operations beside', { ...ec, key_ops: ['wrapKey', 'verify'] }],
    ['with times', { ...ec, iat: 1, nbf: 1, exp: 2, revoked: null }],
    ['with the members of another type', { ...ec, n: 'AAAA', e: 'AQAB', crv2: 'P-384' }],
    ['with a use', { ...ec, use: 'sig' }],
    ['with an algorithm', { ...ec, alg: 'ES256' }],
  ])('a key %s is a key', (_what, jwk) => {
    const { keys } = registeredJwks.parse({ keys: [jwk] });
    expect(clientJwk.parse(keys[0])).toMatchObject(ec);
    expect(skippedKeys({ keys: [jwk] })).toEqual([]);
  });

  const foreign: [string, object, string][] = [
    ['of another type', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA' }, 'kty AKP'],
    ['of P-384', { ...ec, crv: 'P-384', alg: 'ES384' }, 'crv P-384'],
    ['of P-384 that says ES256', { ...ec, crv: 'P-384', alg: 'ES256' }, 'crv P-384'],
    ['of secp256k1', { ...ec, crv: 'secp256k1' }, 'crv secp256k1'],
    ['of X25519', { ...ed, crv: 'X25519' }, 'crv X25519'],
    ['of Ed448', { ...ed, crv: 'Ed448' }, 'crv Ed448'],
    ['for encryption', { ...ec, use: 'enc' }, 'use enc'],
    ['for key agreement', { ...ec, alg: 'ECDH-ES' }, 'alg ECDH-ES'],
    ['for RSA-OAEP', { ...rsa, alg: 'RSA-OAEP' }, 'alg RSA-OAEP'],
    ['for RS512', { ...rsa, alg: 'RS512' }, 'alg RS512'],
    ['for none', { ...rsa, alg: 'none' }, 'alg none'],
    ['that only signs', { ...ec, key_ops: ['sign'] }, 'key_ops without verify'],
    ['for nothing', { ...ec, key_ops: [] }, 'key_ops without verify'],
    ['for encryption, and short', { kty: 'RSA', n: 'AA', e: 'AQAB', use: 'enc' }, 'use enc'],
  ];

  it.each(foreign)('a key %s is skipped, and told', (_what, jwk, because) => {
    const set = { keys: [jwk, ec, jwk] };
    expect(registeredJwks.parse(set)).toEqual({ keys: [ec] });
    expect(skippedKeys(set)).toEqual([
      { index: 0, because },
      { index: 2, because },
    ]);
  });

  const privateNames = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
  const isPrivate = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).some(([name, inner]) => privateNames.includes(name) || isPrivate(inner));

  const understood = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'key_ops', 'alg'];
  const anyMembers = fc
    .dictionary(
      fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom('ext', 'x5c', 'x5t', 'D', 'constructor', '__proto__', 'toString'),
      ),
      fc.jsonValue({ maxDepth: 3 }),
      { maxKeys: 4 },
    )
    .filter((members) => !isPrivate(members))
    .map((members) =>
      Object.fromEntries(Object.entries(members).filter(([name]) => !understood.includes(name))),
    );
  const foreignKey = fc.oneof(
    fc.constantFrom(...foreign).map(([, jwk]) => jwk),
    fc
      .tuple(fc.string(), anyMembers)
      .filter(([kty]) => !['EC', 'OKP', 'RSA'].includes(kty))
      .map(([kty, members]) => ({ ...members, kty })),
  );

  it('by property: any member and any foreign key added leaves a set as it was', () => {
    const good = { keys: [ec, ed, rsa] };
    const own = fc.tuple(anyMembers, anyMembers, anyMembers);
    const others = fc.array(fc.tuple(fc.nat(5), foreignKey), { maxLength: 5 });
    fc.assert(
      fc.property(anyMembers, own, others, ({ keys: _keys, ...around }, members, added) => {
        const keys: object[] = good.keys.map((key, index) => ({ ...members[index], ...key }));
        for (const [place, key] of added) keys.splice(place, 0, key);
        expect(registeredJwks.parse({ ...around, keys })).toEqual(good);
        expect(skippedKeys({ ...around, keys })).toHaveLength(added.length);
      }),
      { numRuns: 500 },
    );
  });

  it('by property: a private member anywhere, in whatever it is wrapped, still refuses', () => {
    const wrap: ((inner: object) => object)[] = [
      (inner) => ({ jwk: inner }),
      (inner) => ({ keys: [1, [inner]] }),
      (inner) => ({ ext: { deep: [{ deeper: inner }] } }),
    ];
    const nested = fc
      .tuple(fc.constantFrom(...privateNames), fc.jsonValue(), fc.array(fc.constantFrom(...wrap)))
      .map(([name, value, layers]) =>
        layers.reduce<object>((inner, layer) => layer(inner), { [name]: value }),
      );
    const keys = [ec, rsa, { kty: 'AKP' }, { ...ec, use: 'enc' }];
    fc.assert(
      fc.property(nested, fc.nat(keys.length - 1), (member, place) => {
        const spoilt = keys.map((key, index) => (index === place ? { ...key, ...member } : key));
        expect(registeredJwks.safeParse({ keys: spoilt }).error?.issues[0]).toMatchObject({
          path: ['keys', place],
          message: 'must be a public key, without private members',
        });
        const { keys: _keys, ...around } = { keys: 0, ...member };
        const beside = registeredJwks.safeParse({ ...around, keys });
        expect(beside.success).toBe('keys' in member);
      }),
      { numRuns: 500 },
    );
  });

  it('a set without a key that serves is one, and a value that is none is refused by its place', () => {
    expect(registeredJwks.parse({ keys: [{ kty: 'AKP' }] })).toEqual({ keys: [] });
    for (const [jwks, path] of [
      ['x', []],
      [[], []],
      [{}, ['keys']],
      [{ keys: {} }, ['keys']],
      [{ keys: ['x'] }, ['keys', 0]],
      [{ keys: [ec, null] }, ['keys', 1]],
      [{ keys: [[]] }, ['keys', 0]],
    ] as const) {
      expect([jwks, registeredJwks.safeParse(jwks).error?.issues[0]?.path]).toEqual([jwks, path]);
    }
  });

  it('ends where YAML makes a value hold itself', () => {
    const loop: Record<string, unknown> = { ...ec };
    loop['self'] = loop;
    expect(registeredJwks.parse({ keys: [loop] })).toEqual({ keys: [ec] });
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

  it('P11: has a hundred entries at most, whatever they are, and a kid of its own on those that serve', () => {
    const foreign = (count: number) => Array.from({ length: count }, () => ({ ...ec, use: 'enc' }));
    expect(registeredJwks.parse({ keys: [ec, ...foreign(99)] })).toEqual({ keys: [ec] });
    const { error } = registeredJwks.safeParse({ keys: [ec, ...foreign(100)] });
    expect(error?.issues[0]).toMatchObject({
      path: ['keys'],
      message: 'must hold 100 entries at most',
    });
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
