/**
 * The metadata endpoint away from its documents: what is not there, and keys that cannot be read.
 */
import { expect, it } from 'vitest';
import { metadataEndpoint } from '../../../lambdas/endpoints/metadata.ts';

const issuer = 'https://ciba.example';
const deps = { issuer, clock: () => 0, log: () => {} };

it('answers 404 elsewhere', async () => {
  const endpoint = metadataEndpoint({ ...deps, keys: { publicKeys: async () => [] } });
  expect((await endpoint(new Request(`${issuer}/elsewhere`))).status).toBe(404);
});

it('answers 503, not to be cached, when the keys cannot be read', async () => {
  const keys = { publicKeys: () => Promise.reject(new Error('canary')) };
  const response = await metadataEndpoint({ ...deps, keys })(new Request(`${issuer}/jwks`));
  expect([response.status, response.headers.get('cache-control')]).toEqual([503, 'no-store']);
  expect(await response.text()).toBe('');
});
