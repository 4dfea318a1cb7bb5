/**
 * The documents anybody may read: discovery (OpenID Connect Discovery 1.0, RFC 8414), the keys (RFC
 * 7517), and the issuer's own page.
 */
import { describe, expect, it } from 'vitest';
import { issuer } from './deployment.ts';

const wellKnown = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];

async function get(path: string, init: RequestInit = {}) {
  const response = await fetch(issuer + path, init);
  return { response, body: Object(await response.json()) };
}

describe.each(wellKnown)('%s', (path) => {
  it('lists exactly what works', async () => {
    const { response, body } = await get(path);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
    expect(body).toEqual({
      issuer,
      backchannel_authentication_endpoint: `${issuer}/cibaAuthorization`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      backchannel_token_delivery_modes_supported: ['poll'],
      backchannel_user_code_parameter_supported: false,
      grant_types_supported: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
      response_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      token_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt',
      ],
      token_endpoint_auth_signing_alg_values_supported: [
        ...['ES256', 'PS256', 'RS256', 'EdDSA', 'HS256', 'HS384', 'HS512', 'Ed25519'],
      ],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      claims_supported: expect.arrayContaining(['sub', 'acr', 'amr', 'auth_time', 'email', 'name']),
      acr_values_supported: [`${issuer}/acr/link`, `${issuer}/acr/code`],
      claims_parameter_supported: false,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
    });
  });

  it('stays the same whatever the query asks for', async () => {
    const { body } = await get(`${path}?issuer=https://evil.test`);
    expect(body).toEqual((await get(path)).body);
  });

  it('T13: names the issuer of the configuration, whatever host is claimed', async () => {
    const headers = { 'X-Forwarded-Host': 'evil.test', Forwarded: 'host=evil.test' };
    const { body } = await get(path, { headers });
    expect(JSON.stringify(body)).not.toContain('evil');
  });
});

describe('/jwks', () => {
  it('has a key of each algorithm, without a private member, and may be cached for minutes', async () => {
    const { response, body } = await get('/jwks');
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const keys: Record<string, string>[] = body.keys;
    expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256']);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      expect(key).toMatchObject({ kid: expect.any(String), use: 'sig' });
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
        expect(key).not.toHaveProperty(member);
    }
  });
});

describe('the issuer itself', () => {
  it('is a page for client developers that links discovery', async () => {
    const response = await fetch(issuer);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).toContain(`href="${issuer}/.well-known/openid-configuration"`);
  });
});

describe.each(['/', ...wellKnown, '/jwks'])('%s', (path) => {
  it('answers HEAD as GET, without a body, and other methods with 405', async () => {
    const head = await fetch(issuer + path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const response = await fetch(issuer + path, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});
