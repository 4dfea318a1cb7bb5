/**
 * The signed hints of CIBA Core 7.1: an ID Token of ours for this client, or a JWT of the client's
 * own; who is named, and that everything else names nobody (threats T20, T21).
 */
import { describe, expect, it } from 'vitest';
import { type Client, idTokenSigningAlgorithms } from '../../../../lambdas/ciba/client/client.ts';
import { type PublicJwk, publicHalf } from '../../../../lambdas/ciba/keys/signing-keys.ts';
import { judgeIdTokenHint } from '../../../../lambdas/ciba/request/id-token-hint.ts';
import { judgeLoginHintToken } from '../../../../lambdas/ciba/request/login-hint-token.ts';
import { exampleClient } from '../../../support/example-directory.ts';
import { generateClientKey, signJwt } from '../../../support/example-jwts.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';

const issuer = 'https://ciba.example';
const now = EXAMPLE_NOW;
const DAY = 86_400;

describe('id_token_hint', () => {
  const pairs = { ES256: generateClientKey('ES256'), RS256: generateClientKey('RS256') };
  const published: PublicJwk[] = idTokenSigningAlgorithms.map((alg) =>
    publicHalf(`kid-${alg}`, alg, pairs[alg].jwk),
  );
  const claims = {
    iss: issuer,
    aud: 'pump-4',
    sub: 'u-alice',
    iat: now - 7200,
    exp: now - 3600,
  };

  function judge(text: string, keys = published) {
    return judgeIdTokenHint(text, 'pump-4', keys, issuer, now);
  }

  function hintOf(changes: object, header: object = {}) {
    const members = { alg: 'ES256', typ: 'JWT', kid: 'kid-ES256', ...header };
    return signJwt(members, { ...claims, ...changes }, pairs.ES256.privateKey, 'ES256');
  }

  it.each(idTokenSigningAlgorithms)('names the user of an ID Token signed with %s', async (alg) => {
    const text = signJwt({ alg, typ: 'JWT', kid: `kid-${alg}` }, claims, pairs[alg].privateKey);
    expect(await judge(text)).toEqual({ outcome: 'named', hint: { by: 'sub', sub: 'u-alice' } });
  });

  it.each([
    ['expired yesterday', { exp: now - DAY }],
    ['issued 90 days ago', { iat: now - 90 * DAY }],
    ['of a clock 10 s ahead', { iat: now + 10 }],
  ])('T20: may be %s', async (_what, changes) => {
    expect(await judge(hintOf(changes))).toMatchObject({ outcome: 'named' });
  });

  it('P21: names a subject of 255 characters, and none of 256', async () => {
    const sub = '~'.repeat(255);
    expect(await judge(hintOf({ sub }))).toEqual({ outcome: 'named', hint: { by: 'sub', sub } });
    expect(await judge(hintOf({ sub: `${sub}~` }))).toMatchObject({ outcome: 'invalid' });
  });

  it.each<[string, string, string]>([
    ['another client’s', hintOf({ aud: 'desk-1' }), 'aud'],
    ['of another issuer', hintOf({ iss: 'https://other.example' }), 'iss'],
    ['older than its key is kept', hintOf({ iat: now - 90 * DAY - 1 }), 'too old'],
    ['of tomorrow', hintOf({ iat: now + DAY }), 'iat'],
    ['without iat', hintOf({ iat: undefined }), 'iat'],
    ['without sub', hintOf({ sub: undefined }), 'sub'],
    ['with a list of subjects', hintOf({ sub: ['u-alice'] }), 'sub'],
    ['an access token', hintOf({}, { typ: 'at+jwt' }), 'another type of JWT'],
    ['of no type', hintOf({}, { typ: undefined }), 'another type of JWT'],
    ['of an unknown key', hintOf({}, { kid: 'kid-other' }), 'wrong signature'],
    ['of no key', hintOf({}, { kid: undefined }), 'wrong signature'],
    [
      'signed by another key of ours than it names',
      hintOf({}, { kid: 'kid-RS256' }),
      'wrong signature',
    ],
    ['unsigned', hintOf({}, { alg: 'none' }), 'wrong signature'],
    ['no JWT', 'x', 'not a signed JWT'],
    ['encrypted (five parts)', 'a.b.c.d.e', 'not a signed JWT'],
  ])('T20: is never %s', async (_what, text, cause) => {
    expect(await judge(text)).toEqual({ outcome: 'invalid', cause: `id_token_hint: ${cause}` });
  });

  it('T20: with its sub changed is no longer signed', async () => {
    const [header, , signature] = hintOf({}).split('.');
    const payload = Buffer.from(JSON.stringify({ ...claims, sub: 'u-bob' })).toString('base64url');
    expect(await judge(`${header}.${payload}.${signature}`)).toMatchObject({ outcome: 'invalid' });
  });

  it('is verified with keys that no longer sign, and not with those that are gone', async () => {
    const next = publicHalf('next', 'ES256', generateClientKey('ES256').jwk);
    expect(await judge(hintOf({}), [next, ...published])).toMatchObject({ outcome: 'named' });
    expect(await judge(hintOf({}), [next])).toMatchObject({ outcome: 'invalid' });
  });
});

describe('login_hint_token', () => {
  const pair = generateClientKey('ES256', { kid: 'k1' });
  const secret = 'a secret of sixty-four characters or more, which is what HS512 takes';
  const keyClient: Client = { ...exampleClient, jwks: { keys: [pair.jwk] } };
  const claims = {
    iss: 'pump-4',
    aud: issuer,
    sub: 'u-alice',
    iat: now,
    exp: now + 60,
    jti: 'one',
  };

  function judge(text: string, client = keyClient, secrets: string[] = [secret]) {
    return judgeLoginHintToken(text, client, secrets, issuer, now);
  }

  function signed(changes: object = {}, header: object = {}) {
    return signJwt(
      { alg: 'ES256', kid: 'k1', ...header },
      { ...claims, ...changes },
      pair.privateKey,
      'ES256',
    );
  }

  it.each<[string, string]>([
    ['with a registered key', signed()],
    ['with HS256 and the secret', signJwt({ alg: 'HS256' }, claims, secret)],
    ['with HS384 and the secret', signJwt({ alg: 'HS384' }, claims, secret)],
    ['with HS512 and the secret', signJwt({ alg: 'HS512', typ: 'JWT' }, claims, secret)],
  ])('names the user when it is signed %s', async (_how, text) => {
    expect(await judge(text)).toEqual({
      outcome: 'named',
      hint: { by: 'sub', sub: 'u-alice' },
      singleUse: { jti: 'one', until: now + 90 },
    });
  });

  it.each([
    ['a subject', { sub: 'u-alice' }, { by: 'sub', sub: 'u-alice' }],
    ['a user name', { sub: undefined, username: 'Alice' }, { by: 'login', login: 'alice' }],
    [
      'an address',
      { sub: undefined, email: 'Alice@EXAMPLE.com' },
      { by: 'login', login: 'alice@example.com' },
    ],
  ])('names the user by %s', async (_what, changes, hint) => {
    expect(await judge(signed(changes))).toMatchObject({ outcome: 'named', hint });
  });

  it('P21: names a subject of 255 characters, and none of 256', async () => {
    const sub = '~'.repeat(255);
    expect(await judge(signed({ sub }))).toMatchObject({ hint: { by: 'sub', sub } });
    expect(await judge(signed({ sub: `${sub}~` }))).toMatchObject({ outcome: 'invalid' });
  });

  it('T21: that has expired is told so, if it is genuine', async () => {
    expect(await judge(signed({ exp: now - 31 }))).toEqual({ outcome: 'expired' });
    const forged = signJwt({ alg: 'HS256' }, { ...claims, exp: now - 31 }, 'x'.repeat(43));
    expect(await judge(forged)).toMatchObject({ outcome: 'invalid' });
  });

  it.each<[string, string, string]>([
    ['unsigned', signed({}, { alg: 'none' }), 'wrong signature'],
    [
      'signed with a foreign key',
      signJwt({ alg: 'ES256' }, claims, generateClientKey('ES256').privateKey),
      'wrong signature',
    ],
    [
      'signed with a foreign secret',
      signJwt({ alg: 'HS256' }, claims, 'x'.repeat(43)),
      'wrong signature',
    ],
    [
      'a MAC with the public key as secret',
      signJwt({ alg: 'HS256' }, claims, JSON.stringify(pair.jwk)),
      'wrong signature',
    ],
    ['of another kid', signed({}, { kid: 'k2' }), 'wrong signature'],
    ['of another client', signed({ iss: 'desk-1' }), 'iss'],
    ['for another provider', signed({ aud: 'https://other.example' }), 'aud'],
    ['for a list', signed({ aud: [issuer] }), 'aud'],
    ['without exp', signed({ exp: undefined }), 'exp'],
    ['of tomorrow', signed({ iat: now + DAY, exp: now + DAY + 60 }), 'not_yet_valid'],
    ['good for a day', signed({ exp: now + DAY }), 'lifetime_too_long'],
    ['without jti', signed({ jti: undefined }), 'jti'],
    ['without a subject', signed({ sub: undefined }), 'no subject'],
    ['with two subjects', signed({ username: 'alice' }), 'no subject'],
    ['with a subject that is none', signed({ sub: 'a b' }), 'no subject'],
    ['with a number for a subject', signed({ sub: 1 }), 'no subject'],
    [
      'with an address for a user name',
      signed({ sub: undefined, username: 'alice@example.com' }),
      'no subject',
    ],
    ['with a user name for an address', signed({ sub: undefined, email: 'alice' }), 'no subject'],
    ['a client assertion', signed({}, { typ: 'client-authentication+jwt' }), 'another type of JWT'],
    ['no JWT', 'alice', 'not a signed JWT'],
  ])('T21: is never %s', async (_what, text, cause) => {
    expect(await judge(text)).toEqual({ outcome: 'invalid', cause: `login_hint_token: ${cause}` });
  });

  it('is never a MAC of a client that has proved no secret', async () => {
    const text = signJwt({ alg: 'HS256' }, claims, secret);
    expect(await judge(text, keyClient, [])).toMatchObject({ outcome: 'invalid' });
  });

  it('uses no secret that is too short for its algorithm (RFC 7518 3.2)', async () => {
    const short = 'x'.repeat(47);
    const text = signJwt({ alg: 'HS384' }, claims, short);
    expect(await judge(text, keyClient, [short])).toMatchObject({ outcome: 'invalid' });
  });
});
