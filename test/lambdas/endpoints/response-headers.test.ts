/**
 * The headers of every answer: each route by each method with each status, as API Gateway gets them
 * (ASVS 5.0 3.4, RFC 9110 10.2.1, 15.5.6, RFC 9111, Fetch 3.2). What is written here is what has to
 * be, not what the table of the product says.
 */
import { describe, expect, it } from 'vitest';
import { metadataEndpoint } from '../../../lambdas/endpoints/metadata.ts';
import { httpHandler } from '../../../lambdas/http/api-gateway-event.ts';
import { type RouteKind, responseHeaders } from '../../../lambdas/http/response-headers.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import { Unavailable } from '../../../lambdas/ports.ts';
import type { routes } from '../../../lambdas/routes.ts';
import { issuer, providerInMemory } from '../../support/provider-in-memory.ts';

/** IANA's registry of HTTP methods, TRACK, which browsers forbid, and what nobody registered. */
const methods = [
  ...['ACL', 'BASELINE-CONTROL', 'BIND', 'CHECKIN', 'CHECKOUT', 'CONNECT', 'COPY', 'DELETE', 'GET'],
  ...[
    'HEAD',
    'LABEL',
    'LINK',
    'LOCK',
    'MERGE',
    'MKACTIVITY',
    'MKCALENDAR',
    'MKCOL',
    'MKREDIRECTREF',
  ],
  ...[
    'MKWORKSPACE',
    'MOVE',
    'OPTIONS',
    'ORDERPATCH',
    'PATCH',
    'POST',
    'PRI',
    'PROPFIND',
    'PROPPATCH',
  ],
  ...[
    'PUT',
    'QUERY',
    'REBIND',
    'REPORT',
    'SEARCH',
    'TRACE',
    'UNBIND',
    'UNCHECKOUT',
    'UNLINK',
    'UNLOCK',
  ],
  ...['UPDATE', 'UPDATEREDIRECTREF', 'VERSION-CONTROL', 'TRACK', 'BREW', 'get', 'Post', 'X-'],
];

const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47]);
const hash = 'h'.repeat(43);

type Form = 'json' | 'page' | 'empty';

interface Route {
  path: string;
  handler: 'authorize' | 'token' | 'approve' | 'metadata';
  allow: string;
  /** What an error looks like. */
  form: Form;
  /** What a cache may do with the document itself. */
  keep?: string;
  isShared?: boolean;
}

const documents = { handler: 'metadata', allow: 'GET, HEAD, OPTIONS', form: 'empty' } as const;
const protocol = { allow: 'POST', form: 'json' } as const;
const pages = { handler: 'approve', allow: 'GET, HEAD, OPTIONS, POST', form: 'page' } as const;
const hour = 'public, max-age=3600';

const all: Record<keyof typeof routes, Route> = {
  root: { ...documents, path: '/', keep: hour },
  backchannelAuthentication: { ...protocol, path: '/cibaAuthorization', handler: 'authorize' },
  backchannelAuthenticationAlias: { ...protocol, path: '/bc-authorize', handler: 'authorize' },
  token: { ...protocol, path: '/token', handler: 'token' },
  approve: { ...pages, path: `/approve/${'a'.repeat(26)}.${'A'.repeat(43)}` },
  approveWithoutLink: { ...pages, path: '/approve' },
  logo: {
    ...documents,
    path: `/logo/pump-4/${hash}`,
    keep: 'public, max-age=31536000, immutable',
  },
  icon: { ...documents, path: '/favicon.ico', keep: 'public, max-age=86400' },
  jwks: { ...documents, path: '/jwks', keep: 'public, max-age=300', isShared: true },
  openidConfiguration: {
    ...documents,
    path: '/.well-known/openid-configuration',
    keep: hour,
    isShared: true,
  },
  oauthAuthorizationServer: {
    ...documents,
    path: '/.well-known/oauth-authorization-server',
    keep: hour,
    isShared: true,
  },
};

interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** A provider whose stores answer, or fail with this error. */
function providerWith(error?: Error) {
  const fail = () => Promise.reject(error);
  const provider = providerInMemory(error && { requests: { find: fail } });
  const { clients } = provider.directory.ports;
  if (error) Object.assign(clients, { findClient: fail, findClientSince: fail });
  const metadata = metadataEndpoint({
    issuer,
    keys: { publicKeys: error ? fail : async () => [] },
    logos: { findLogo: error ? fail : async () => png },
    clock: () => 0,
    log: (event: LogEvent) => provider.log.push(event),
  });
  return { ...provider, metadata };
}

async function ask(
  { handler, path }: Pick<Route, 'handler' | 'path'>,
  method: string,
  {
    error,
    headers = {},
    body,
  }: { error?: Error; headers?: Record<string, string>; body?: string } = {},
) {
  const provider = providerWith(error);
  const answer: Answer = await httpHandler(
    issuer,
    provider[handler],
  )({
    rawPath: path,
    headers,
    requestContext: { http: { method } },
    body,
  });
  return { ...answer, log: provider.log };
}

/** What every answer has, whatever its route and status. */
function expectCommon({ headers }: Answer, route: Pick<Route, 'isShared'>, keep = 'no-store') {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'cache-control': keep,
  });
  expect(headers['access-control-allow-origin']).toBe(route.isShared ? '*' : undefined);
}

function expectErrorForm({ headers, body }: Answer, form: Form) {
  if (form === 'empty') return expect(body).toBe('');
  if (form === 'page') {
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    return expect(body).toMatch(/^<!doctype html>/);
  }
  expect(headers['content-type']).toBe('application/json');
  return expect(JSON.parse(body)).toEqual({
    error: expect.any(String),
    error_description: expect.stringMatching(/ \(Correlation ID: [\w-]+\)$/),
  });
}

describe.each(Object.values(all))('P41, P42: $path', (route) => {
  const { allow, form, keep } = route;
  const allowed = allow.split(', ');

  it.each(methods.filter((method) => !allowed.includes(method)))(
    'answers %s with 405 and Allow, in its own form and with one log line',
    async (method) => {
      const answer = await ask(route, method, { body: 'a=1' });
      expect([answer.statusCode, answer.headers['allow']]).toEqual([405, allow]);
      expectCommon(answer, route);
      expectErrorForm(answer, form);
      expect(answer.log.map(({ status }) => status)).toEqual([405]);
    },
  );

  it.runIf(allow !== 'POST')('P40: answers HEAD as GET', async () => {
    const [get, head] = [await ask(route, 'GET'), await ask(route, 'HEAD')];
    expect(head).toEqual(get);
    expect(get.statusCode).toBe(form === 'page' ? 404 : 200);
    expectCommon(get, route, keep);
  });

  it.runIf(allow !== 'POST')('answers OPTIONS with 204 and Allow', async () => {
    const answer = await ask(route, 'OPTIONS');
    expect([answer.statusCode, answer.headers['allow'], answer.body]).toEqual([204, allow, '']);
    expectCommon(answer, route);
  });

  it.each([
    [500, new Error('canary')],
    [503, new Unavailable('throttled')],
  ])('has the same set with %i', async (status, error) => {
    const credentials = Buffer.from('pump-4:x').toString('base64');
    const headers = {
      authorization: `Basic ${credentials}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const method = form === 'json' ? 'POST' : 'GET';
    const answer = await ask(route, method, { error, headers, body: 'a=1' });
    const reads = form !== 'empty' || route.path === '/jwks' || route.path.startsWith('/logo/');
    if (!reads || route.path === '/approve') return expect(answer.statusCode).toBeLessThan(500);
    // Nothing depends on more than one store there: whatever fails may be tried again.
    expect(answer.statusCode).toBe(form === 'empty' ? 503 : status);
    expectCommon(answer, route);
    expectErrorForm(answer, form);
    if (answer.statusCode === 503) expect(answer.headers['retry-after']).toBe('2');
  });
});

describe('P42: a path that is none', () => {
  it.each(['GET', 'HEAD', 'POST', 'OPTIONS', 'TRACE'])('answers %s with 404', async (method) => {
    const answer = await ask({ handler: 'metadata', path: '/jwks/' }, method);
    expect(answer.statusCode).toBe(404);
    expectCommon(answer, {});
    expectErrorForm(answer, 'empty');
  });
});

describe('P42: over plain http', () => {
  it('no kind of answer speaks of TLS, over https each does', () => {
    const kinds: RouteKind[] = [
      ...(['protocol', 'approval', 'developer_page', 'discovery', 'keys', 'logo'] as const),
      ...(['icon', 'elsewhere'] as const),
    ];
    for (const kind of kinds) {
      for (const status of [200, 204, 304, 400, 404, 405, 413, 415, 500, 503]) {
        const plain = responseHeaders(kind, status, 'http://localhost:4010');
        expect(plain).not.toHaveProperty('Strict-Transport-Security');
        expect(responseHeaders(kind, status, issuer)).toEqual({
          ...plain,
          'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
        });
      }
    }
  });
});

describe('P43: a public document', () => {
  const shown = Object.values(all).filter(({ form }) => form === 'empty');
  const tagOf = async (route: Route) => (await ask(route, 'GET')).headers['etag'] ?? '';

  it.each(shown)('has a strong tag, and $path is 304 to whoever has it', async (route) => {
    const tag = await tagOf(route);
    expect(tag).toMatch(/^"[\w-]{43}"$/);
    expect(await tagOf(route)).toBe(tag);
    const full = await ask(route, 'GET');
    for (const named of [
      ...[
        tag,
        `W/${tag}`,
        '*',
        ` ${tag} `,
        `"other", ${tag}`,
        `"a,b",W/"x" ,\tW/${tag}`,
        `${tag},${tag}`,
      ],
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(route, method, { headers: { 'if-none-match': named } });
        expect([named, answer.statusCode, answer.body]).toEqual([named, 304, '']);
        // A cache takes over what a 304 says: it says what the 200 did.
        expect(answer.headers).toEqual(full.headers);
      }
    }
  });

  it.each(shown)('is answered anew at $path for any other tag', async (route) => {
    const tag = await tagOf(route);
    for (const named of [
      '',
      '""',
      'W/',
      tag.slice(1, -1),
      `x${tag}`,
      `"x${tag.slice(1)}`,
      `w/${tag}`,
      '"*"',
    ]) {
      const answer = await ask(route, 'GET', { headers: { 'if-none-match': named } });
      expect([named, answer.statusCode]).toEqual([named, 200]);
    }
    const posted = await ask(route, 'POST', { headers: { 'if-none-match': '*' } });
    expect(posted.statusCode).toBe(405);
  });

  it('has another tag once it is another document', async () => {
    const endpoint = (kid: string) =>
      metadataEndpoint({
        issuer,
        keys: {
          publicKeys: async () => [
            { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid, use: 'sig', alg: 'ES256' },
          ],
        },
        logos: { findLogo: async () => undefined },
        clock: () => 0,
        log: () => {},
      });
    const tags = await Promise.all(
      ['old', 'old', 'new'].map(async (kid) => {
        const response = await endpoint(kid)(new Request(`${issuer}/jwks`));
        return response.headers.get('etag');
      }),
    );
    expect([tags[0] === tags[1], tags[0] === tags[2]]).toEqual([true, false]);
  });

  it('that is not there is not found by any tag', async () => {
    const answer = await ask({ handler: 'metadata', path: '/nowhere' }, 'GET', {
      headers: { 'if-none-match': '*' },
    });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers).not.toHaveProperty('etag');
  });
});

describe('P43: a preflight', () => {
  const headers = {
    origin: 'https://app.example',
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'x-anything, if-none-match',
  };

  it.each(Object.values(all).filter(({ isShared }) => isShared))(
    'passes at $path, with any header',
    async (route) => {
      const answer = await ask(route, 'OPTIONS', { headers });
      expect(answer.statusCode).toBe(204);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD, OPTIONS',
        'access-control-allow-headers': '*',
        'access-control-max-age': '86400',
      });
    },
  );

  it.each(Object.values(all).filter(({ isShared }) => !isShared))(
    'does not pass at $path',
    async (route) => {
      for (const method of ['OPTIONS', 'GET', 'POST']) {
        const answer = await ask(route, method, { headers });
        const cors = Object.keys(answer.headers).filter((name) =>
          name.startsWith('access-control'),
        );
        expect(cors).toEqual([]);
      }
    },
  );
});
