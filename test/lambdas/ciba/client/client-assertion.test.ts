/**
 * Client assertions (RFC 7523 3, OpenID Connect Core 9, RFC 10070): the registered key and
 * algorithm, this provider, a short life (threats T15 to T17).
 */
import { describe, expect, it } from 'vitest';
import type { Client } from '../../../../lambdas/ciba/client/client.ts';
import { judgeClientAssertion } from '../../../../lambdas/ciba/client/client-assertion.ts';
import { readSignedJwt } from '../../../../lambdas/ciba/jwt/signed-jwt.ts';
import { exampleClient } from '../../../support/example-directory.ts';
import { type ClientKeyPair, generateClientKey, signJwt } from '../../../support/example-jwts.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';

const issuer = 'https://ciba.example';
const endpoints = [`${issuer}/token`, `${issuer}/cibaAuthorization`];
const now = EXAMPLE_NOW;
const secret = 'a secret of sixty-four characters or more, which is what HS512 takes';

const keys = {
  ES256: generateClientKey('ES256', { kid: 'k1' }),
  RS256: generateClientKey('RS256', { kid: 'k1' }),
  PS256: generateClientKey('PS256', { kid: 'k1' }),
  EdDSA: generateClientKey('EdDSA', { kid: 'k1' }),
} satisfies Record<string, ClientKeyPair>;

const { client_secret_mac: _none, ...bare } = exampleClient;

function keyClient(alg: keyof typeof keys, changes: Partial<Client> = {}): Client {
  return {
    ...bare,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: [keys[alg].jwk] },
    ...changes,
  };
}

function secretClient(alg: 'HS256' | 'HS384' | 'HS512'): Client {
  return {
    ...bare,
    token_endpoint_auth_method: 'client_secret_jwt',
    token_endpoint_auth_signing_alg: alg,
  };
}

const claims = {
  iss: 'pump-4',
  sub: 'pump-4',
  aud: issuer,
  iat: now,
  exp: now + 60,
  jti: 'one',
};

async function judge(text: string, client: Client, secrets: string[] = [], at = now) {
  const jwt = readSignedJwt(text);
  return jwt ? judgeClientAssertion(jwt, client, secrets, { issuer, endpoints }, at) : undefined;
}

async function causeOf(changes: object, client = keyClient('ES256')): Promise<string> {
  const text = signJwt(
    { alg: 'ES256', kid: 'k1' },
    { ...claims, ...changes },
    keys.ES256.privateKey,
  );
  const judged = await judge(text, client);
  if (!judged) return 'unreadable';
  return judged.proved ? 'proved' : judged.cause;
}

describe('a client is proved', () => {
  it.each(['ES256', 'RS256', 'PS256', 'EdDSA'] as const)('by its key with %s', async (alg) => {
    const text = signJwt({ alg, kid: 'k1' }, claims, keys[alg].privateKey);
    expect(await judge(text, keyClient(alg))).toEqual({
      proved: true,
      singleUse: { jti: 'one', until: now + 90 },
    });
  });

  it('by Ed25519 under its new name (RFC 9864)', async () => {
    const text = signJwt({ alg: 'Ed25519' }, claims, keys.EdDSA.privateKey);
    expect(await judge(text, keyClient('EdDSA'))).toMatchObject({ proved: true });
  });

  it.each(['HS256', 'HS384', 'HS512'] as const)('by its secret with %s', async (alg) => {
    const text = signJwt({ alg }, claims, secret);
    expect(await judge(text, secretClient(alg), [secret])).toMatchObject({ proved: true });
  });

  it('by either of two live secrets, or of two registered keys', async () => {
    const text = signJwt({ alg: 'HS256' }, claims, secret);
    const other = 'another secret of at least thirty-two characters';
    expect(await judge(text, secretClient('HS256'), [other, secret])).toMatchObject({
      proved: true,
    });
    const next = generateClientKey('ES256', { kid: 'k2' });
    const rotating = keyClient('ES256', { jwks: { keys: [keys.ES256.jwk, next.jwk] } });
    const signed = signJwt({ alg: 'ES256', kid: 'k2' }, claims, next.privateKey);
    expect(await judge(signed, rotating)).toMatchObject({ proved: true });
  });

  it.each([
    undefined,
    'JWT',
    'jwt',
    'client-authentication+jwt',
    'application/client-authentication+JWT',
  ])('by a JWT of type %s', async (typ) => {
    const text = signJwt({ alg: 'ES256', ...(typ && { typ }) }, claims, keys.ES256.privateKey);
    expect(await judge(text, keyClient('ES256'))).toMatchObject({ proved: true });
  });
});

describe('T17: the registration says how, not the header', () => {
  const publicPem = 'the public key, as a text';
  it.each<[string, string, Client, string]>([
    [
      'another algorithm of the same key',
      signJwt({ alg: 'PS256', kid: 'k1' }, claims, keys.RS256.privateKey),
      keyClient('RS256'),
      'not the registered algorithm',
    ],
    [
      'HS256 for a client with keys',
      signJwt({ alg: 'HS256' }, claims, JSON.stringify(keys.ES256.jwk)),
      keyClient('ES256'),
      'not the registered algorithm',
    ],
    [
      'HS512 for a client registered for HS256',
      signJwt({ alg: 'HS512' }, claims, secret),
      secretClient('HS256'),
      'not the registered algorithm',
    ],
    [
      'an assertion of a client with client_secret_basic',
      signJwt({ alg: 'HS256' }, claims, secret),
      exampleClient,
      'not the registered method',
    ],
    [
      'ES256 under a kid that is not registered',
      signJwt({ alg: 'ES256', kid: 'k9' }, claims, keys.ES256.privateKey),
      keyClient('ES256'),
      'no key',
    ],
    [
      'another key',
      signJwt({ alg: 'ES256', kid: 'k1' }, claims, generateClientKey('ES256').privateKey),
      keyClient('ES256'),
      'wrong signature',
    ],
    [
      'another secret',
      signJwt({ alg: 'HS256' }, claims, publicPem),
      secretClient('HS256'),
      'wrong signature',
    ],
    [
      'a token of another type, signed with the right key',
      signJwt({ alg: 'ES256', typ: 'dpop+jwt' }, claims, keys.ES256.privateKey),
      keyClient('ES256'),
      'another type of JWT',
    ],
  ])('refuses %s', async (_what, text, client, cause) => {
    const secrets = client.token_endpoint_auth_method === 'client_secret_jwt' ? [secret] : [];
    expect(await judge(text, client, secrets)).toEqual({
      proved: false,
      cause: `assertion: ${cause}`,
    });
  });

  it('uses no secret that is too short for its algorithm (RFC 7518 3.2)', async () => {
    const short = 'x'.repeat(47);
    const text = signJwt({ alg: 'HS384' }, claims, short);
    expect(await judge(text, secretClient('HS384'), [short])).toMatchObject({ proved: false });
  });
});

describe('T16: the audience is the issuer, as the only value', () => {
  const shapes: [string, unknown, boolean, boolean][] = [
    ['the issuer', issuer, true, true],
    ['the issuer with a slash', `${issuer}/`, true, true],
    ['the issuer with two slashes', `${issuer}//`, false, false],
    ['the token endpoint', `${issuer}/token`, false, true],
    ['the backchannel authentication endpoint', `${issuer}/cibaAuthorization`, false, true],
    ['a list of the issuer', [issuer], false, true],
    ['a list of the token endpoint', [`${issuer}/token`], false, true],
    ['a list of issuer and endpoint', [issuer, `${issuer}/token`], false, true],
    ['a list in a list', [[issuer]], false, false],
    ['a list of issuer and a stranger', [issuer, 'https://evil.example'], false, false],
    ['an empty list', [], false, false],
    ['an empty text', '', false, false],
    ['null', null, false, false],
    ['a number', 1, false, false],
    ['an object', { 0: issuer }, false, false],
    ['nothing', undefined, false, false],
    ['the issuer in another case', 'https://CIBA.example', false, false],
    ['another deployment', 'https://other.example', false, false],
  ];

  it.each(shapes)('%s', async (_what, aud, byDefault, byCibaCore) => {
    expect(await causeOf({ aud })).toBe(byDefault ? 'proved' : 'assertion: aud');
    const core = keyClient('ES256', { client_assertion_audience: 'ciba-core' });
    expect(await causeOf({ aud }, core)).toBe(byCibaCore ? 'proved' : 'assertion: aud');
  });
});

describe('T15: lives shortly, has a name of its own', () => {
  it.each<[string, object, string]>([
    ['no exp', { exp: undefined }, 'exp'],
    ['exp as a text', { exp: `${now + 60}` }, 'malformed'],
    ['exp below zero', { exp: -1 }, 'malformed'],
    ['exp 29 s ago', { exp: now - 29 }, 'proved'],
    ['exp 30 s ago', { exp: now - 30 }, 'expired'],
    ['iat 10 s ahead', { iat: now + 10, exp: now + 70 }, 'proved'],
    ['iat 60 s ahead', { iat: now + 60, exp: now + 120 }, 'not_yet_valid'],
    ['nbf 10 s ahead', { nbf: now + 10 }, 'proved'],
    ['nbf 60 s ahead', { nbf: now + 60 }, 'not_yet_valid'],
    ['nbf as a text', { nbf: 'now' }, 'malformed'],
    ['iat as a text', { iat: 'now' }, 'malformed'],
    ['a life of 300 s', { exp: now + 300 }, 'proved'],
    ['a life of 301 s', { exp: now + 301 }, 'lifetime_too_long'],
    ['a life of a year', { exp: now + 31_536_000 }, 'lifetime_too_long'],
    ['no iat, and 300 s to live', { iat: undefined, exp: now + 300 }, 'proved'],
    ['no iat, and 330 s to live', { iat: undefined, exp: now + 330 }, 'proved'],
    ['no iat, and 331 s to live', { iat: undefined, exp: now + 331 }, 'lifetime_too_long'],
    ['no jti', { jti: undefined }, 'jti'],
    ['an empty jti', { jti: '' }, 'jti'],
    ['a jti that is a number', { jti: 1 }, 'jti'],
    ['a jti of 128 characters', { jti: 'j'.repeat(128) }, 'proved'],
    ['a jti of 129 characters', { jti: 'j'.repeat(129) }, 'proved'],
    ['a jti of 5,000 characters', { jti: 'j'.repeat(5000) }, 'proved'],
    ['another iss', { iss: 'desk-1' }, 'iss or sub'],
    ['another sub', { sub: 'desk-1' }, 'iss or sub'],
    ['no sub', { sub: undefined }, 'iss or sub'],
    ['iss as a list', { iss: ['pump-4'] }, 'iss or sub'],
  ])('%s', async (_what, changes, cause) => {
    expect(await causeOf(changes)).toBe(cause === 'proved' ? cause : `assertion: ${cause}`);
  });

  it('is remembered for as long as it could be accepted', async () => {
    const text = signJwt({ alg: 'ES256' }, { ...claims, exp: now + 60.5 }, keys.ES256.privateKey);
    const judged = await judge(text, keyClient('ES256'));
    const until = judged?.proved ? judged.singleUse.until : 0;
    expect(await judge(text, keyClient('ES256'), [], until)).toMatchObject({ proved: false });
    expect(await judge(text, keyClient('ES256'), [], until - 1)).toMatchObject({ proved: true });
  });
});
