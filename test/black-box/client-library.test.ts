/**
 * The provider as an unmodified CIBA client library sees it: openid-client, through discovery, from
 * request to verified tokens, with every authentication method and ID Token algorithm, approved and
 * denied.
 */
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { describe, expect, it } from 'vitest';
import { decide } from './authentication-device.ts';
import { signingKey } from './client-keys.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, type TestClient, users } from './directory.ts';

const user = users.library;

async function discover(client: TestClient): Promise<oidc.Configuration> {
  const { client_id, id_token_signed_response_alg } = client;
  const authentication = await authenticationOf(client);
  const config = await oidc.discovery(
    new URL(issuer),
    client_id,
    { id_token_signed_response_alg },
    authentication,
    { execute: [oidc.allowInsecureRequests] },
  );
  oidc.enableNonRepudiationChecks(config);
  return config;
}

/** The library's own implementation of the client's method. */
async function authenticationOf(client: TestClient): Promise<oidc.ClientAuth> {
  switch (client.token_endpoint_auth_method) {
    case 'client_secret_basic':
      return oidc.ClientSecretBasic(client.client_secret);
    case 'client_secret_post':
      return oidc.ClientSecretPost(client.client_secret);
    case 'client_secret_jwt':
      return oidc.ClientSecretJwt(client.client_secret);
    case 'private_key_jwt':
      return oidc.PrivateKeyJwt(await signingKey(client.token_endpoint_auth_signing_alg));
  }
}

/** Starts a request and has the user decide from the mail. */
async function decideFromMail(
  config: oidc.Configuration,
  decision: 'approve' | 'deny',
  parameters: Record<string, string> = { login_hint: user.username },
) {
  const request = await oidc.initiateBackchannelAuthentication(config, {
    scope: 'openid profile email',
    binding_message: '52.30 EUR at pump 4',
    ...parameters,
  });
  const [ref = ''] = request.auth_req_id.split('.');
  const { link } = await mailOf(user.email, ref);
  await decide(link, decision);
  return request;
}

const all: TestClient[] = [
  clients.basic,
  clients.basicEs256,
  clients.post,
  clients.postEs256,
  // The library signs with HS256 alone; the other two algorithms are for assertions.test.ts.
  clients.hs256,
  clients.es256,
  clients.ps256,
  clients.rs256,
  clients.eddsa,
];

describe.concurrent.each(all)(
  '$client_id: $token_endpoint_auth_method, $id_token_signed_response_alg',
  (client) => {
    it('gets verified tokens that say who approved, when and how', async () => {
      const config = await discover(client);
      const before = Math.floor(Date.now() / 1000);
      const request = await decideFromMail(config, 'approve');
      const tokens = await oidc.pollBackchannelAuthenticationGrant(config, request);

      const { protectedHeader } = await verify(tokens.id_token ?? '', client.client_id, 'JWT');
      expect(protectedHeader.alg).toBe(client.id_token_signed_response_alg);
      expect(tokens.claims()).toEqual({
        iss: issuer,
        sub: user.sub,
        aud: client.client_id,
        iat: expect.any(Number),
        exp: expect.any(Number),
        auth_time: expect.any(Number),
        acr: `${issuer}/acr/link`,
        amr: ['email'],
        email: user.email,
        email_verified: true,
        preferred_username: user.username,
        name: user.name,
        locale: 'en',
      });
      expect(tokens.claims()?.auth_time).toBeGreaterThanOrEqual(before);
      expect(tokens.claims()?.exp).toBe((tokens.claims()?.iat ?? 0) + 3600);

      const access = await verify(tokens.access_token, issuer, 'at+jwt');
      expect(access.protectedHeader.alg).toBe('ES256');
      expect(access.payload).toMatchObject({
        iss: issuer,
        sub: user.sub,
        client_id: client.client_id,
        scope: 'openid profile email',
        jti: expect.any(String),
      });
      expect([tokens.token_type, tokens.expires_in, tokens.scope]).toEqual([
        'bearer',
        3600,
        'openid profile email',
      ]);
    });

    it('learns that the user denied', async () => {
      const config = await discover(client);
      const request = await decideFromMail(config, 'deny');
      await expect(oidc.pollBackchannelAuthenticationGrant(config, request)).rejects.toMatchObject({
        error: 'access_denied',
        status: 400,
      });
    });
  },
);

describe.concurrent('the three hints and the refresh grant, with openid-client', () => {
  it('an ID Token of an earlier approval names the user of the next', async () => {
    const config = await discover(clients.es256);
    const request = await decideFromMail(config, 'approve');
    const earlier = await oidc.pollBackchannelAuthenticationGrant(config, request);
    const again = await decideFromMail(config, 'approve', {
      id_token_hint: earlier.id_token ?? '',
    });
    const tokens = await oidc.pollBackchannelAuthenticationGrant(config, again);
    expect(tokens.claims()?.sub).toBe(user.sub);
  });

  it('a JWT of the client’s own names the user', async () => {
    const config = await discover(clients.es256);
    const { client_id } = clients.es256;
    const login_hint_token = await new SignJWT({ sub: user.sub, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(client_id)
      .setAudience(issuer)
      .setExpirationTime('1 minute')
      .sign(await signingKey('ES256'));
    const request = await decideFromMail(config, 'approve', { login_hint_token });
    const tokens = await oidc.pollBackchannelAuthenticationGrant(config, request);
    expect(tokens.claims()?.sub).toBe(user.sub);
  });

  it('offline_access gives a refresh token that gives new tokens of the same approval', async () => {
    const config = await discover(clients.es256);
    const scope = 'openid offline_access';
    const asked = await decideFromMail(config, 'approve', { login_hint: user.username, scope });
    const tokens = await oidc.pollBackchannelAuthenticationGrant(config, asked);
    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.claims()).toMatchObject({
      sub: user.sub,
      aud: clients.es256.client_id,
      auth_time: tokens.claims()?.auth_time,
    });
    expect(refreshed.access_token).not.toBe(tokens.access_token);
  });
});

function verify(token: string, audience: string, typ: string) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  return jwtVerify(token, keys, { issuer, audience, typ });
}
