/**
 * The signed hints over HTTP (CIBA Core 7.1), and users of whom a client is told or not (threats
 * T6, T20, T21).
 */
import { randomUUID } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { decide } from './authentication-device.ts';
import { signingKey } from './client-keys.ts';
import { assertionParameters, errorOf, poll, post, send, start } from './consumption-device.ts';
import { issuer, mailOf, mailsTo } from './deployment.ts';
import { clients, refusedUsers, type SecretClient, users } from './directory.ts';

const user = users.hints;
const { basic, es256, hintKey, other, quiet } = clients;
const badHint = { status: 400, error: 'invalid_request', description: 'The hint is not valid.' };

function hintToken(client: { client_id: string }, changes: Record<string, unknown> = {}) {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: client.client_id,
    aud: issuer,
    sub: user.sub,
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
    ...changes,
  });
}

function withSecret(client: SecretClient, alg = 'HS256', changes: Record<string, unknown> = {}) {
  return hintToken(client, changes)
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(client.client_secret));
}

async function withKey(client: { client_id: string }, changes: Record<string, unknown> = {}) {
  return hintToken(client, changes)
    .setProtectedHeader({ alg: 'ES256', kid: 'es256' })
    .sign(await signingKey('ES256'));
}

/**
 * A JWT as the client signs it, which names the user whose subject is the client's id, unless it is
 * changed.
 */
async function namingItself(typ: string | undefined, changes: Record<string, unknown> = {}) {
  return hintToken(es256, { sub: es256.client_id, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid: 'es256', ...(typ !== undefined && { typ }) })
    .sign(await signingKey('ES256'));
}

function askFor(client: Parameters<typeof post>[1], hint: Record<string, string>) {
  return post('/cibaAuthorization', client, { scope: 'openid', ...hint });
}

/** An ID Token and an access token of this client for the user. */
async function tokensOf(client: Parameters<typeof post>[1]) {
  const request = await start(client, user.username);
  const { link } = await mailOf(user.email, request.ref);
  await decide(link, 'approve');
  const { body } = await poll(client, request.authReqId);
  return { idToken: String(body['id_token']), accessToken: String(body['access_token']) };
}

describe('id_token_hint', () => {
  it('of this client names the user; of another, or an access token, nobody (T20)', async () => {
    const { idToken, accessToken } = await tokensOf(basic);
    expect((await askFor(basic, { id_token_hint: idToken })).status).toBe(200);
    for (const [client, id_token_hint] of [
      [other, idToken],
      [basic, accessToken],
      [basic, `${idToken.slice(0, -8)}AAAAAAAA`],
      [basic, 'x'],
    ] as const) {
      expect(errorOf(await askFor(client, { id_token_hint }))).toEqual(badHint);
    }
  });
});

describe('P21: a subject of 255 characters', () => {
  const { sub, email, username } = users.subject;

  it('is named by all three hints, approved and issued', async () => {
    expect(sub).toHaveLength(255);
    const login_hint = JSON.stringify({ format: 'iss_sub', iss: issuer, sub });
    const request = await start(basic, login_hint);
    const { link } = await mailOf(email, request.ref);
    await decide(link, 'approve');
    const { body } = await poll(basic, request.authReqId);
    const { idToken, accessToken } = {
      idToken: String(body['id_token']),
      accessToken: String(body['access_token']),
    };
    for (const token of [idToken, accessToken]) expect(decodeJwt(token).sub).toBe(sub);
    const login_hint_token = await withSecret(basic, 'HS256', { sub });
    for (const hint of [
      { id_token_hint: idToken },
      { login_hint_token },
      { login_hint: username },
    ]) {
      expect((await askFor(basic, hint)).status).toBe(200);
    }
  });

  it('of 256 names nobody', async () => {
    const login_hint_token = await withSecret(basic, 'HS256', { sub: `${sub}~` });
    expect(errorOf(await askFor(basic, { login_hint_token }))).toEqual(badHint);
    const login_hint = JSON.stringify({ format: 'iss_sub', iss: issuer, sub: `${sub}~` });
    expect((await askFor(basic, { login_hint })).body['error']).toBe('unknown_user_id');
  });
});

describe('login_hint_token', () => {
  it.each(['HS256', 'HS384', 'HS512'])('with the secret and %s names the user', async (alg) => {
    const login_hint_token = await withSecret(basic, alg);
    expect((await askFor(basic, { login_hint_token })).status).toBe(200);
  });

  it.each([es256, hintKey])(
    'with the registered key of $client_id names the user',
    async (client) => {
      const login_hint_token = await withKey(client);
      expect((await askFor(client, { login_hint_token })).status).toBe(200);
    },
  );

  it.each([
    ['sub', { sub: user.sub }],
    ['username', { sub: undefined, username: user.username }],
    ['email', { sub: undefined, email: user.email }],
  ])('may name the user by %s', async (_claim, changes) => {
    const login_hint_token = await withKey(es256, changes);
    expect((await askFor(es256, { login_hint_token })).status).toBe(200);
  });

  it('works once', async () => {
    const login_hint_token = await withKey(es256);
    expect((await askFor(es256, { login_hint_token })).status).toBe(200);
    expect(errorOf(await askFor(es256, { login_hint_token }))).toEqual(badHint);
  });

  it('that has expired is told apart (CIBA 13)', async () => {
    const now = Math.floor(Date.now() / 1000);
    const login_hint_token = await withKey(es256, { iat: now - 300, exp: now - 100 });
    expect(errorOf(await askFor(es256, { login_hint_token }))).toMatchObject({
      status: 400,
      error: 'expired_login_hint_token',
    });
  });

  it('T21: of a foreign key, another client or another audience is one refusal', async () => {
    const foreign = { ...basic, client_secret: 'x'.repeat(64) };
    for (const [client, token] of [
      [basic, withSecret(foreign)],
      [basic, withKey(basic)],
      [other, withSecret(basic)],
      [basic, withSecret(basic, 'HS256', { aud: 'https://other.example' })],
      [basic, withSecret(basic, 'HS256', { jti: undefined })],
    ] as const) {
      expect(errorOf(await askFor(client, { login_hint_token: await token }))).toEqual(badHint);
    }
  });
});

describe('P45, T30: a login_hint of the format iss_sub', () => {
  const good = JSON.stringify({ format: 'iss_sub', iss: issuer, sub: user.sub });

  it('names the user', async () => {
    expect((await askFor(basic, { login_hint: good })).status).toBe(200);
  });

  it.each([`"sub":"${user.sub}"`, `"\\u0073ub":"${user.sub}"`, '"more":1', '"__proto__":{}'])(
    'names nobody with another member, as %s',
    async (member) => {
      const login_hint = good.replace('}', `,${member}}`);
      expect(errorOf(await askFor(basic, { login_hint }))).toMatchObject({
        status: 400,
        error: 'unknown_user_id',
      });
    },
  );
});

describe('P3, T17: one JWT, one use', () => {
  it('a hint token with its own typ names the user whose sub is the client, and is no assertion', async () => {
    const login_hint_token = await namingItself('login-hint-token+jwt');
    const form = { scope: 'openid', login_hint: user.username };
    const asserted = new URLSearchParams({ ...form, ...assertionParameters(login_hint_token) });
    expect((await send('/cibaAuthorization', asserted)).status).toBe(401);
    expect((await askFor(es256, { login_hint_token })).status).toBe(200);
  });

  it.each([undefined, 'JWT', 'client-authentication+jwt', 'dpop+jwt', 'at+jwt'])(
    'a JWT of type %s that could be an assertion is no hint token',
    async (typ) => {
      const login_hint_token = await namingItself(typ);
      expect(errorOf(await askFor(es256, { login_hint_token }))).toEqual(badHint);
    },
  );

  it.each([{ username: 'alice' }, { email: 'alice@example.com' }])(
    'an assertion that names a user by %o proves no client',
    async (named) => {
      const assertion = await namingItself(undefined, named);
      const form = { scope: 'openid', login_hint: user.username };
      const asserted = new URLSearchParams({ ...form, ...assertionParameters(assertion) });
      expect(errorOf(await send('/cibaAuthorization', asserted))).toMatchObject({
        status: 401,
        error: 'invalid_client',
      });
    },
  );
});

describe.concurrent('T6: a client that is not told of unknown users', () => {
  it.each([
    ['unknown', 'nobody-at-all'],
    ['disabled', refusedUsers.disabled.username],
    ['unverified', refusedUsers.unverified.username],
  ])(
    'is acknowledged for an %s user, whom nobody mails, and waits until the end',
    async (_w, login) => {
      const decoy = await start(quiet, login, { requested_expiry: '10' });
      const real = await start(quiet, user.username, { requested_expiry: '10' });
      await mailOf(user.email, real.ref);
      expect(Object.keys(decoy)).toEqual(Object.keys(real));
      expect([decoy.expiresIn, decoy.interval]).toEqual([real.expiresIn, real.interval]);
      for (const { authReqId } of [decoy, real]) {
        expect(errorOf(await poll(quiet, authReqId))).toMatchObject({
          error: 'authorization_pending',
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 10_200));
      for (const { authReqId } of [decoy, real]) {
        expect(errorOf(await poll(quiet, authReqId))).toMatchObject({ error: 'expired_token' });
      }
      for (const address of [refusedUsers.disabled.email, refusedUsers.unverified.email]) {
        expect(await mailsTo(address)).toEqual([]);
      }
    },
  );
});
