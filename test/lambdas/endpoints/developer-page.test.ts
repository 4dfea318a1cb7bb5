/**
 * The page at the issuer: as closed as the approval page, and made of the issuer and the paths
 * alone.
 */
import { expect, it } from 'vitest';
import { metadataEndpoint } from '../../../lambdas/endpoints/metadata.ts';
import { routes } from '../../../lambdas/routes.ts';

const issuer = 'https://ciba.example';

function open(init: RequestInit = {}, at = issuer): Promise<Response> {
  const publicKeys = () => Promise.reject(new Error('the page needs no keys'));
  const findLogo = () => Promise.reject(new Error('the page needs no logo'));
  const ports = { keys: { publicKeys }, logos: { findLogo } };
  const deps = { issuer: at, clock: () => 0, log: () => {}, ...ports };
  return metadataEndpoint(deps)(new Request('https://evil.test/?name=canary', init));
}

it('runs no script, loads nothing, cannot be framed, and may be kept for an hour', async () => {
  const { status, headers } = await open();
  expect(status).toBe(200);
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[\w+/]+='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  );
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'public, max-age=3600',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
});

it('links discovery and shows requests to the endpoints at the issuer, whatever it is asked from (T13)', async () => {
  const html = await (await open({ headers: { 'X-Forwarded-Host': 'evil.test' } })).text();
  const { openidConfiguration, jwks, backchannelAuthentication, token } = routes;
  expect(html).toContain(`href="${issuer}${openidConfiguration}"`);
  expect(html).toContain(`href="${issuer}${jwks}"`);
  expect(html).toContain(`curl ${issuer}${backchannelAuthentication} \\`);
  expect(html).toContain(`curl ${issuer}${token} \\`);
  expect(html).not.toMatch(/evil|canary|<script|<form|\son\w+=/);
});

it('escapes the issuer', async () => {
  const html = await (await open({}, 'https://ciba.example/<b>"&')).text();
  expect(html).toContain('<code>https://ciba.example/&lt;b&gt;&quot;&amp;</code>');
  expect(html).not.toContain('<b>');
});

it('is 405 with Allow for what is no reading', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const response = await open({ method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  }
});
