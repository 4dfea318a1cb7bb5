/**
 * What anybody may read (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3, RFC 7517;
 * logos): its headers, what is not there, and keys that cannot be read.
 */
import { describe, expect, it } from 'vitest';
import type { PublicJwk } from '../../../lambdas/ciba/keys/signing-keys.ts';
import { providerMetadata } from '../../../lambdas/ciba/provider-metadata.ts';
import { metadataEndpoint } from '../../../lambdas/endpoints/metadata.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import { routes } from '../../../lambdas/routes.ts';

const issuer = 'https://ciba.example';
const noLogos = { findLogo: async () => undefined };
const deps = { issuer, clock: () => 0, log: () => {}, logos: noLogos };

it('answers 404 elsewhere', async () => {
  const endpoint = metadataEndpoint({ ...deps, keys: { publicKeys: async () => [] } });
  expect((await endpoint(new Request(`${issuer}/elsewhere`))).status).toBe(404);
});

it('answers 503, not to be cached, when the keys cannot be read', async () => {
  const keys = { publicKeys: () => Promise.reject(new Error('canary')) };
  const log: LogEvent[] = [];
  const endpoint = metadataEndpoint({ ...deps, keys, log: (event) => log.push(event) });
  const response = await endpoint(new Request(`${issuer}/jwks`));
  expect(response.status).toBe(503);
  expect(Object.fromEntries(response.headers)).toEqual({
    'retry-after': '2',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
  });
  expect(await response.text()).toBe('');
  expect(log).toEqual([
    {
      event: 'metadata',
      status: 503,
      cause: 'Error',
      at: expect.arrayContaining([expect.stringMatching(/^endpoints\/metadata\.ts:\d+:\d+$/)]),
      ms: 0,
    },
  ]);
});

describe('the documents', () => {
  const published: PublicJwk[] = [
    { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'new', use: 'sig', alg: 'ES256' },
    { kty: 'RSA', n: 'n', e: 'AQAB', kid: 'old', use: 'sig', alg: 'RS256' },
  ];
  const log: LogEvent[] = [];
  const endpoint = metadataEndpoint({
    ...deps,
    keys: { publicKeys: async () => published },
    log: (event) => log.push(event),
  });

  it.each([
    [
      '/.well-known/openid-configuration',
      'application/json',
      3600,
      providerMetadata(issuer, routes),
    ],
    [
      '/.well-known/oauth-authorization-server',
      'application/json',
      3600,
      providerMetadata(issuer, routes),
    ],
    ['/jwks', 'application/jwk-set+json', 300, { keys: published }],
  ])(
    '%s is %s that caches keep for %i s and browsers of any site may read',
    async (path, mediaType, maxAge, body) => {
      for (const method of ['GET', 'HEAD']) {
        const response = await endpoint(new Request(issuer + path, { method }));
        expect(response.status).toBe(200);
        expect(Object.fromEntries(response.headers)).toEqual({
          'content-type': mediaType,
          'cache-control': `public, max-age=${maxAge}`,
          'access-control-allow-origin': '*',
          'x-content-type-options': 'nosniff',
          'strict-transport-security': 'max-age=31536000; includeSubDomains',
          etag: expect.stringMatching(/^"[\w-]{43}"$/),
        });
        expect(await response.json()).toEqual(body);
      }
    },
  );

  it('T13: name the issuer, whatever host they are asked from', async () => {
    const headers = { Host: 'evil.test', 'X-Forwarded-Host': 'evil.test' };
    const url = `https://evil.test${routes.openidConfiguration}`;
    const text = await (await endpoint(new Request(url, { headers }))).text();
    expect(text).not.toContain('evil');
    expect(JSON.parse(text).issuer).toBe(issuer);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('are 405 with Allow for %s', async (method) => {
    const response = await endpoint(new Request(`${issuer}/jwks`, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it.each([
    '//',
    '/jwks/',
    '/JWKS',
    '/jwks.json',
    '/.well-known',
    '/.well-known/openid-configuration/',
    '/.well-known/openid-configuration/x',
  ])('are not at %s', async (path) => {
    expect((await endpoint(new Request(issuer + path))).status).toBe(404);
  });

  it('leave one line in the log, without path or query', async () => {
    log.length = 0;
    await endpoint(new Request(`${issuer}/jwks?canary=1`, { headers: { 'User-Agent': 'canary' } }));
    expect(log).toEqual([{ event: 'metadata', status: 200, ms: 0 }]);
  });
});

describe('T31: a logo', () => {
  const hash = `${'h'.repeat(41)}_-`;
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff]);
  const lookUps: string[] = [];
  const endpoint = metadataEndpoint({
    ...deps,
    keys: { publicKeys: async () => [] },
    logos: {
      async findLogo(clientId, wanted) {
        lookUps.push(clientId);
        return clientId === 'pump-4' && wanted === hash ? png : undefined;
      },
    },
  });

  it.each(['GET', 'HEAD'])(
    'is an image to %s, which caches keep, no other site shows, and nothing runs in',
    async (method) => {
      const response = await endpoint(new Request(`${issuer}/logo/pump-4/${hash}?x=y`, { method }));
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toEqual({
        'content-type': 'image/png',
        'cache-control': 'public, max-age=31536000, immutable',
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        etag: expect.stringMatching(/^"[\w-]{43}"$/),
      });
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(png);
    },
  );

  it.each([
    ['of another client', `/logo/desk-1/${hash}`],
    ['with another hash', `/logo/pump-4/${'x'.repeat(43)}`],
  ])('%s is not there', async (_whose, path) => {
    const response = await endpoint(new Request(issuer + path));
    expect([response.status, await response.text()]).toEqual([404, '']);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
    });
  });

  it.each([
    '/logo',
    '/logo/',
    '/logo/pump-4',
    '/logo/pump-4/',
    `/logo/pump-4/${hash}/`,
    `/logo/pump-4/${hash}/x`,
    `/logo/pump-4/${hash}.png`,
    `/logo/pump-4/${hash.slice(1)}`,
    `/logo/pump%204/${hash}`,
    `/logo/pump-4%2F${hash}`,
    `/logo//${hash}`,
    `/LOGO/pump-4/${hash}`,
    `/logo/../logo%2fpump-4/${hash}`,
    `//logo/pump-4/${hash}`,
    `/logo/${'x'.repeat(65)}/${hash}`,
  ])('is not at %s, which is not even looked up', async (path) => {
    lookUps.length = 0;
    const response = await endpoint(new Request(issuer + path));
    expect([response.status, lookUps]).toEqual([404, []]);
  });

  it.each(['POST', 'DELETE'])('is 405 with Allow for %s', async (method) => {
    const response = await endpoint(new Request(`${issuer}/logo/pump-4/${hash}`, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('that cannot be read is 503, not to be cached', async () => {
    const broken = metadataEndpoint({
      ...deps,
      keys: { publicKeys: async () => [] },
      logos: { findLogo: () => Promise.reject(new Error('canary')) },
    });
    const response = await broken(new Request(`${issuer}/logo/pump-4/${hash}`));
    expect([response.status, response.headers.get('cache-control')]).toEqual([503, 'no-store']);
  });
});
