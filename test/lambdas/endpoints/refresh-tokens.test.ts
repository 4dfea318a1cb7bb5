/**
 * Refresh tokens at the token endpoint (OpenID Connect Core 11 and 12, RFC 6749 6): given with
 * `offline_access`, good for their client alone, and gone with everything they rest on (threats
 * T24; invariant I15).
 */
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE, type Client } from '../../../lambdas/ciba/client/client.ts';
import {
  exampleClient,
  exampleClientSecret,
  exampleUser,
} from '../../support/example-directory.ts';
import { formRequest, providerInMemory, refOf } from '../../support/provider-in-memory.ts';
import { storedSecretOf } from '../../support/stored-secrets.ts';

const offlineClient: Client = {
  ...exampleClient,
  grant_types: [CIBA_GRANT_TYPE, 'refresh_token'],
  scope: 'openid profile email offline_access',
};
const scope = 'openid email offline_access';

function provider() {
  const made = providerInMemory();
  made.directory.clients.set('pump-4', offlineClient);
  made.directory.clients.set('desk-1', {
    ...offlineClient,
    client_id: 'desk-1',
    ...storedSecretOf('desk-1', exampleClientSecret),
  });
  return made;
}

type Provider = ReturnType<typeof provider>;

/** Asks, approves and redeems; the tokens and the id they were redeemed with. */
async function redeemed(made: Provider, parameters: Record<string, string> = { scope }) {
  const authReqId = await made.ask(parameters);
  await made.decide(await made.mailedLink(authReqId), 'approve');
  const { status, body } = await made.poll(authReqId);
  if (status !== 200) throw new Error(`not redeemed: ${status} ${JSON.stringify(body)}`);
  return { authReqId, body, refreshToken: String(body['refresh_token']) };
}

async function refresh(
  made: Provider,
  refresh_token: string,
  parameters: Record<string, string> = {},
  clientId = 'pump-4',
) {
  const form = { grant_type: 'refresh_token', refresh_token, ...parameters };
  const response = await made.token(formRequest('/token', form, clientId));
  const body: Record<string, unknown> = Object(await response.json());
  return { status: response.status, headers: response.headers, body };
}

/** The claims of a token as the test's signer writes it. */
function claimsOf(token: unknown): Record<string, unknown> {
  return JSON.parse(String(token).split('.').slice(2).join('.'));
}

describe('a redemption', () => {
  it('answers with a refresh token where offline_access was asked for and granted', async () => {
    const { body } = await redeemed(provider());
    expect(body).toMatchObject({ scope, token_type: 'Bearer', expires_in: 3600 });
    expect(body['refresh_token']).toMatch(/^[a-z2-7]{26}\.[\w-]{43}$/);
  });

  it('answers with none where it was not', async () => {
    const { body } = await redeemed(provider(), { scope: 'openid' });
    expect(body).not.toHaveProperty('refresh_token');
  });

  it.each<[string, Partial<Client>]>([
    ['the refresh grant', { grant_types: [CIBA_GRANT_TYPE] }],
    ['the scope', { scope: 'openid email' }],
  ])(
    'answers with none, and does not grant the scope, to a client without %s',
    async (_w, lacks) => {
      const made = provider();
      made.directory.clients.set('pump-4', { ...offlineClient, ...lacks });
      const { body } = await redeemed(made);
      expect(body).not.toHaveProperty('refresh_token');
      expect(body['scope']).toBe('openid email');
    },
  );

  it('keeps a hash alone, until the token ends (T14)', async () => {
    const made = provider();
    const { authReqId, refreshToken } = await redeemed(made);
    const request = await made.requests.find(refOf(authReqId));
    expect(JSON.stringify(request)).not.toContain(refreshToken.split('.')[1]);
    expect(request).toMatchObject({ refreshEndsAt: Math.floor(made.now.at) + 30 * 86_400 });
    expect(request?.forgetAt).toBeGreaterThanOrEqual(Math.floor(made.now.at) + 30 * 86_400);
  });
});

describe('a refresh', () => {
  it('answers with new tokens of the same authentication (OpenID Connect Core 12.2)', async () => {
    const made = provider();
    const { body, refreshToken } = await redeemed(made);
    made.now.at += 5000;
    const refreshed = await refresh(made, refreshToken);
    expect(refreshed.status).toBe(200);
    expect(refreshed.headers.get('cache-control')).toBe('no-store');
    expect(refreshed.body).not.toHaveProperty('refresh_token');
    const [before, after] = [body, refreshed.body].map((tokens) => claimsOf(tokens['id_token']));
    for (const claim of ['iss', 'sub', 'aud', 'auth_time', 'acr', 'amr', 'email']) {
      expect([claim, after?.[claim]]).toEqual([claim, before?.[claim]]);
    }
    expect(after?.['iat']).toBe(Number(before?.['iat']) + 5000);
    expect(claimsOf(refreshed.body['access_token'])['jti']).not.toBe(
      claimsOf(body['access_token'])['jti'],
    );
  });

  it('may ask for less, and for the next time all is there again (RFC 6749 6)', async () => {
    const made = provider();
    const { refreshToken } = await redeemed(made);
    const narrowed = await refresh(made, refreshToken, { scope: 'openid' });
    expect(narrowed.body['scope']).toBe('openid');
    expect(claimsOf(narrowed.body['access_token'])['scope']).toBe('openid');
    expect(claimsOf(narrowed.body['id_token'])).not.toHaveProperty('email');
    expect((await refresh(made, refreshToken)).body['scope']).toBe(scope);
  });

  it('without openid answers without an ID Token', async () => {
    const made = provider();
    const { refreshToken } = await redeemed(made);
    const { status, body } = await refresh(made, refreshToken, { scope: 'email' });
    expect([status, 'id_token' in body]).toEqual([200, false]);
  });

  it('says who the user is by now', async () => {
    const made = provider();
    const { refreshToken } = await redeemed(made, { scope: 'openid profile offline_access' });
    made.directory.users.set('u-alice', { ...exampleUser, name: 'Alice Married' });
    const { body } = await refresh(made, refreshToken);
    expect(claimsOf(body['id_token'])['name']).toBe('Alice Married');
  });

  it('T24: answers all of 50 at once, and changes nothing', async () => {
    const made = provider();
    const { authReqId, refreshToken } = await redeemed(made);
    const before = await made.requests.find(refOf(authReqId));
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => refresh(made, refreshToken)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await made.requests.find(refOf(authReqId))).toEqual(before);
  });
});

describe('T24: one invalid_grant, in one body, for', () => {
  it.each<[string, (made: Provider, token: string, authReqId: string) => unknown, string?]>([
    ['a text that can be none', () => 'x'],
    ['an unknown token', () => `${'a'.repeat(26)}.${'b'.repeat(43)}`],
    ['another secret', (_made, token) => `${token.split('.')[0]}.${'b'.repeat(43)}`],
    ['the auth_req_id', (_made, _token, authReqId) => authReqId],
    ['another client', (_made, token) => token, 'desk-1'],
    [
      'a disabled user',
      (made) => made.directory.users.set('u-alice', { ...exampleUser, enabled: false }),
    ],
    ['a user who is gone', (made) => made.directory.users.delete('u-alice')],
    [
      'a token at its end',
      (made) => {
        made.now.at = Math.floor(made.now.at) + 30 * 86_400;
      },
    ],
  ])('%s', async (_what, change, clientId = 'pump-4') => {
    const made = provider();
    const { authReqId, refreshToken } = await redeemed(made);
    const changed = change(made, refreshToken, authReqId);
    const token = typeof changed === 'string' ? changed : refreshToken;
    const { status, body } = await refresh(made, token, {}, clientId);
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
    expect(body['error_description']).toMatch(
      /^The refresh_token is not valid\. \(Correlation ID: [\w-]{12}\)$/,
    );
  });
});

describe('T24: another answer to', () => {
  it.each<[string, Partial<Client>, string]>([
    ['a client that lost the grant', { grant_types: [CIBA_GRANT_TYPE] }, 'unauthorized_client'],
    ['a disabled client', { enabled: false }, 'invalid_client'],
  ])('%s', async (_what, changes, error) => {
    const made = provider();
    const { refreshToken } = await redeemed(made);
    made.directory.clients.set('pump-4', { ...offlineClient, ...changes });
    expect((await refresh(made, refreshToken)).body).toMatchObject({ error });
  });

  it('P27: of a client that lost a granted scope narrows it, and the answer says so', async () => {
    const made = provider();
    const { refreshToken } = await redeemed(made);
    made.directory.clients.set('pump-4', { ...offlineClient, scope: 'openid profile' });
    for (const asked of [{}, { scope }, { scope: 'email openid' }]) {
      const { status, body } = await refresh(made, refreshToken, asked);
      expect([status, body['scope']]).toEqual([200, 'openid']);
      expect(claimsOf(body['access_token'])['scope']).toBe('openid');
      expect(claimsOf(body['id_token'])).not.toHaveProperty('email');
    }
    const { body } = await refresh(made, refreshToken, { scope: 'email' });
    expect(body).toMatchObject({ error: 'invalid_scope' });
  });

  it('more scope than was granted', async () => {
    const made = provider();
    const { refreshToken } = await redeemed(made);
    const { body } = await refresh(made, refreshToken, { scope: 'openid profile' });
    expect(body).toMatchObject({ error: 'invalid_scope' });
  });

  it('no token at all', async () => {
    expect((await refresh(provider(), '')).body).toMatchObject({ error: 'invalid_request' });
  });

  it('a refresh token in place of an auth_req_id, which it does not disturb', async () => {
    const made = provider();
    const { refreshToken } = await redeemed(made);
    made.now.at += 60;
    expect((await made.poll(refreshToken)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(made, refreshToken)).status).toBe(200);
  });
});

describe('an auth_req_id that is shown again', () => {
  it('within ten seconds is a retry: the tokens stay', async () => {
    const made = provider();
    const { authReqId, refreshToken } = await redeemed(made);
    made.now.at += 10;
    expect((await made.poll(authReqId)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(made, refreshToken)).status).toBe(200);
  });

  it('later revokes the refresh token, for good (I15)', async () => {
    const made = provider();
    const { authReqId, refreshToken } = await redeemed(made);
    made.now.at += 10.001;
    expect((await made.poll(authReqId)).body).toMatchObject({ error: 'invalid_grant' });
    for (let again = 0; again < 3; again += 1) {
      expect((await refresh(made, refreshToken)).body).toMatchObject({ error: 'invalid_grant' });
    }
    expect(made.log.map(({ cause }) => cause)).toContain('replayed');
  });

  it('by another client revokes nothing (I9)', async () => {
    const made = provider();
    const { authReqId, refreshToken } = await redeemed(made);
    made.now.at += 60;
    expect((await made.poll(authReqId, 'desk-1')).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(made, refreshToken)).status).toBe(200);
  });
});
