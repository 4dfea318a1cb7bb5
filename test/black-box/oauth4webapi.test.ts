/**
 * The provider as the other unmodified client library sees it: oauth4webapi, which checks every
 * answer against the specifications by itself, with each authentication method and each hint.
 */
import { SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { decide } from './authentication-device.ts';
import { signingKey } from './client-keys.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, type TestClient, users } from './directory.ts';

const user = users.library;
const insecure = { [oauth.allowInsecureRequests]: true };

async function discover(): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  const response = await oauth.discoveryRequest(url, insecure);
  return oauth.processDiscoveryResponse(url, response);
}

async function authenticationOf(client: TestClient): Promise<oauth.ClientAuth> {
  switch (client.token_endpoint_auth_method) {
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(client.client_secret);
    case 'client_secret_post':
      return oauth.ClientSecretPost(client.client_secret);
    case 'client_secret_jwt':
      return oauth.ClientSecretJwt(client.client_secret);
    case 'private_key_jwt':
      return oauth.PrivateKeyJwt(await signingKey(client.token_endpoint_auth_signing_alg));
  }
}

/** Asks with this hint, approves, and polls once when the user has decided. */
async function approvedTokens(client: TestClient, hint: Record<string, string>) {
  const server = await discover();
  const registered: oauth.Client = {
    client_id: client.client_id,
    id_token_signed_response_alg: client.id_token_signed_response_alg,
  };
  const authentication = await authenticationOf(client);
  const parameters = { scope: 'openid offline_access', ...hint };
  const { auth_req_id } = await oauth.processBackchannelAuthenticationResponse(
    server,
    registered,
    await oauth.backchannelAuthenticationRequest(
      server,
      registered,
      authentication,
      parameters,
      insecure,
    ),
  );
  const { link } = await mailOf(user.email, auth_req_id.split('.')[0] ?? '');
  await decide(link, 'approve');
  const tokens = await oauth.processBackchannelAuthenticationGrantResponse(
    server,
    registered,
    await oauth.backchannelAuthenticationGrantRequest(
      server,
      registered,
      authentication,
      auth_req_id,
      insecure,
    ),
  );
  const refreshed = await oauth.processRefreshTokenResponse(
    server,
    registered,
    await oauth.refreshTokenGrantRequest(
      server,
      registered,
      authentication,
      tokens.refresh_token ?? '',
      insecure,
    ),
  );
  return { tokens, refreshed };
}

async function hintToken(client: { client_id: string }): Promise<string> {
  return new SignJWT({ username: user.username, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(client.client_id)
    .setAudience(issuer)
    .setExpirationTime('1 minute')
    .sign(await signingKey('ES256'));
}

describe.concurrent.each<TestClient>([
  clients.basic,
  clients.post,
  clients.hs256,
  clients.es256,
  clients.ps256,
  clients.rs256,
  clients.eddsa,
])('$token_endpoint_auth_method of $client_id', (client) => {
  it('gets tokens for a login_hint, refreshes them, and asks again with the ID Token', async () => {
    const { tokens, refreshed } = await approvedTokens(client, { login_hint: user.email });
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    expect(claims).toMatchObject({ iss: issuer, sub: user.sub, aud: client.client_id });
    expect(oauth.getValidatedIdTokenClaims(refreshed)).toMatchObject({
      sub: user.sub,
      auth_time: claims?.auth_time,
    });
    const again = await approvedTokens(client, { id_token_hint: refreshed.id_token ?? '' });
    expect(oauth.getValidatedIdTokenClaims(again.tokens)?.sub).toBe(user.sub);
  });
});

describe.concurrent.each([clients.es256, clients.hintKey])(
  'login_hint_token of $client_id',
  (client) => {
    it('signed with its registered key names the user', async () => {
      const hint = { login_hint_token: await hintToken(client) };
      const { tokens } = await approvedTokens(client, hint);
      expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).toBe(user.sub);
    });
  },
);
