/**
 * The provider as an unmodified CIBA client library sees it: openid-client, through discovery, from request to verified
 * tokens, with every authentication method and ID Token algorithm, approved and denied.
 */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { describe, expect, it } from 'vitest';
import { decide } from './authentication-device.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, type TestClient, users } from './directory.ts';

const user = users.library;

async function discover(client: TestClient): Promise<oidc.Configuration> {
  const { client_id, client_secret, token_endpoint_auth_method: method } = client;
  const authentication =
    method === 'client_secret_basic'
      ? oidc.ClientSecretBasic(client_secret)
      : oidc.ClientSecretPost(client_secret);
  const metadata = { id_token_signed_response_alg: client.id_token_signed_response_alg };
  const config = await oidc.discovery(new URL(issuer), client_id, metadata, authentication, {
    execute: [oidc.allowInsecureRequests],
  });
  oidc.enableNonRepudiationChecks(config);
  return config;
}

/** Starts a request and has the user decide from the mail. */
async function decideFromMail(config: oidc.Configuration, decision: 'approve' | 'deny') {
  const request = await oidc.initiateBackchannelAuthentication(config, {
    scope: 'openid profile email',
    login_hint: user.username,
    binding_message: '52.30 EUR at pump 4',
  });
  const [ref = ''] = request.auth_req_id.split('.');
  const { link } = await mailOf(user.email, ref);
  await decide(link, decision);
  return request;
}

const all = [clients.basic, clients.basicEs256, clients.post, clients.postEs256];

describe.concurrent.each(all)(
  '$token_endpoint_auth_method, $id_token_signed_response_alg',
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

function verify(token: string, audience: string, typ: string) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  return jwtVerify(token, keys, { issuer, audience, typ });
}
