/**
 * The refresh grant over HTTP (OpenID Connect Core 12, RFC 6749 6; threats T24).
 */
import { describe, expect, it } from 'vitest';
import { decide } from './authentication-device.ts';
import { errorOf, poll, post, start } from './consumption-device.ts';
import { mailOf } from './deployment.ts';
import { clients, type TestClient, users } from './directory.ts';

const user = users.refresh;
const { basic, other, cibaOnly } = clients;

async function redeemed(client: TestClient, scope = 'openid email offline_access') {
  const request = await start(client, user.username, { scope });
  const { link } = await mailOf(user.email, request.ref);
  await decide(link, 'approve');
  const { body } = await poll(client, request.authReqId);
  return { authReqId: request.authReqId, body, refreshToken: String(body['refresh_token']) };
}

function refresh(
  client: TestClient,
  refresh_token: string,
  parameters: Record<string, string> = {},
) {
  return post('/token', client, { grant_type: 'refresh_token', refresh_token, ...parameters });
}

const invalid = {
  status: 400,
  error: 'invalid_grant',
  description: 'The refresh_token is not valid.',
};

describe('a refresh token', () => {
  it('answers again and again, in full or in part', async () => {
    const { refreshToken } = await redeemed(basic);
    const narrowed = await refresh(basic, refreshToken, { scope: 'openid' });
    expect([narrowed.status, narrowed.body['scope']]).toEqual([200, 'openid']);
    const all = await Promise.all(Array.from({ length: 10 }, () => refresh(basic, refreshToken)));
    for (const { status, body, headers } of all) {
      expect([status, body['scope'], headers.get('cache-control')]).toEqual([
        200,
        'openid email offline_access',
        'no-store',
      ]);
      expect(body).not.toHaveProperty('refresh_token');
    }
  });

  it('is worth nothing to another client, and nothing is any other text', async () => {
    const { authReqId, refreshToken } = await redeemed(basic);
    expect(errorOf(await refresh(other, refreshToken))).toEqual(invalid);
    for (const text of ['x', authReqId, `${'a'.repeat(26)}.${'b'.repeat(43)}`]) {
      expect(errorOf(await refresh(basic, text))).toEqual(invalid);
    }
    expect((await refresh(basic, refreshToken)).status).toBe(200);
  });

  it('is given to nobody who did not ask, or may not', async () => {
    expect((await redeemed(basic, 'openid')).body).not.toHaveProperty('refresh_token');
    const { body } = await redeemed(cibaOnly);
    expect(body).not.toHaveProperty('refresh_token');
    expect(body['scope']).toBe('openid email');
    expect(errorOf(await refresh(cibaOnly, 'x'))).toMatchObject({ error: 'unauthorized_client' });
  });

  it('does not grow', async () => {
    const { refreshToken } = await redeemed(basic);
    const answer = await refresh(basic, refreshToken, { scope: 'openid profile' });
    expect(errorOf(answer)).toMatchObject({ status: 400, error: 'invalid_scope' });
  });

  it('is revoked when the auth_req_id is shown again more than ten seconds later', async () => {
    const { authReqId, refreshToken } = await redeemed(basic);
    expect(errorOf(await poll(basic, authReqId))).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(basic, refreshToken)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    expect(errorOf(await poll(basic, authReqId))).toMatchObject({ error: 'invalid_grant' });
    expect(errorOf(await refresh(basic, refreshToken))).toEqual(invalid);
  });
});
