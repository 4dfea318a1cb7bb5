/**
 * HTTP itself at every route: methods, Allow, validators, preflights, lengths and what browsers are
 * told (RFC 9110, RFC 9111, RFC 6797, Fetch). What is written here is what has to be, not what the
 * table of the product says.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { describe, expect, it } from 'vitest';
import { headingOf, hiddenInputs, open } from './authentication-device.ts';
import { basicAuthorization, errorOf, post, send, start } from './consumption-device.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const { basic } = clients;
const user = users.pages;

type Form = 'json' | 'page' | 'empty';

interface Route {
  path: string;
  allow: string;
  /** What an error looks like. */
  form: Form;
  /** What a cache may do with the document itself. */
  keep?: string;
  isShared?: boolean;
}

const protocol = { allow: 'POST', form: 'json' } as const;
const page = { allow: 'GET, HEAD, OPTIONS, POST', form: 'page' } as const;
const document = { allow: 'GET, HEAD, OPTIONS', form: 'empty' } as const;
const shared = { ...document, isShared: true };

const routes: Route[] = [
  ...['/cibaAuthorization', '/bc-authorize', '/token'].map((path) => ({ ...protocol, path })),
  ...['/approve', '/approve/x'].map((path) => ({ ...page, path })),
  { ...document, path: '/', keep: 'public, max-age=3600' },
  { ...document, path: '/favicon.ico', keep: 'public, max-age=86400' },
  { ...shared, path: '/jwks', keep: 'public, max-age=300' },
  ...['openid-configuration', 'oauth-authorization-server'].map((name) => ({
    ...shared,
    path: `/.well-known/${name}`,
    keep: 'public, max-age=3600',
  })),
];

const isTls = issuer.startsWith('https:');

function expectCommon({ headers }: Response, { isShared }: Route, keep = 'no-store'): void {
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe(keep);
  expect(headers.get('strict-transport-security')).toBe(
    isTls ? 'max-age=31536000; includeSubDomains' : null,
  );
  expect(headers.get('access-control-allow-origin')).toBe(isShared ? '*' : null);
}

async function expectErrorForm(response: Response, form: Form): Promise<void> {
  const text = await response.text();
  if (form === 'empty') return expect(text).toBe('');
  if (form === 'page') {
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    return expect(text).toMatch(/^<!doctype html>/);
  }
  return expect(JSON.parse(text)).toEqual({
    error: expect.any(String),
    error_description: expect.stringMatching(/ \(Correlation ID: [\w.-]+\)$/),
  });
}

const readable = routes.filter(({ allow }) => allow !== 'POST');
const kept = routes.filter(({ keep }) => keep !== undefined);

describe.each(routes)('P40 to P43: $path', (route) => {
  const { path, allow, form } = route;
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

  it.each(methods.filter((method) => !allow.split(', ').includes(method)))(
    'answers %s with 405 and Allow',
    async (method) => {
      const response = await fetch(issuer + path, { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
      expectCommon(response, route);
      if (method !== 'HEAD') await expectErrorForm(response, form);
    },
  );

  it.each(['TRACE', 'PROPFIND'])(
    'answers %s with 405, unless a gateway refused it',
    async (method) => {
      const { status, headers } = await receive(path, method);
      expect(status).toBeGreaterThanOrEqual(400);
      // A gateway has a form of its own, and no header of ours.
      if (headers['x-content-type-options'] === undefined) return;
      expect([status, headers['allow']]).toEqual([405, allow]);
    },
  );

  it('lets a preflight pass where scripts of every origin may read, and nowhere else', async () => {
    const headers = {
      Origin: 'https://app.example',
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'x-anything',
    };
    const response = await fetch(issuer + path, { method: 'OPTIONS', headers });
    const allowed = ['methods', 'headers'].map((what) =>
      response.headers.get(`access-control-allow-${what}`),
    );
    expect(allowed).toEqual(route.isShared ? ['GET, HEAD, OPTIONS', '*'] : [null, null]);
  });
});

describe.each(readable)('P40 to P43: $path', (route) => {
  const { path, form, allow, keep } = route;

  it('answers HEAD as GET, without a body and with its length', async () => {
    const [get, head] = [await receive(path, 'GET'), await receive(path, 'HEAD')];
    expect(head.body).toBe('');
    expect(head.status).toBe(get.status);
    const described = ['content-type', 'content-length', 'cache-control', 'etag', 'allow'];
    for (const name of described)
      expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
    expect(Number(head.headers['content-length'])).toBe(Buffer.byteLength(get.body, 'latin1'));
  });

  it('answers GET with the headers of its kind', async () => {
    const response = await fetch(issuer + path);
    expect(response.status).toBe(form === 'page' ? 404 : 200);
    expectCommon(response, route, keep);
  });

  it('answers OPTIONS with 204 and Allow', async () => {
    const response = await fetch(issuer + path, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')]).toEqual([204, allow]);
    expectCommon(response, route);
  });
});

describe.each(kept)('P40 to P43: $path', (route) => {
  const { path, keep } = route;

  it('has a strong tag, and nothing new for whoever has it', async () => {
    const whole = await fetch(issuer + path);
    const tag = whole.headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[\w-]{43}"$/);
    for (const named of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const response = await fetch(issuer + path, { headers: { 'If-None-Match': named } });
      expect([named, response.status, await response.text()]).toEqual([named, 304, '']);
      expect(response.headers.get('etag')).toBe(tag);
      expectCommon(response, route, keep);
    }
    const other = await fetch(issuer + path, { headers: { 'If-None-Match': '"other"' } });
    expect([other.status, other.headers.get('etag')]).toEqual([200, tag]);
  });
});

interface Received {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** An answer as it came: fetch refuses to send TRACE, and undoes content codings. */
function receive(path: string, method: string): Promise<Received> {
  const sendRequest = isTls ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = sendRequest(issuer + path, { method }, async (response) => {
      const { statusCode: status = 0, headers } = response;
      let body = '';
      for await (const chunk of response.setEncoding('latin1')) body += chunk;
      resolve({ status, headers, body });
    });
    sent.on('error', reject).end();
  });
}

describe('P44: a body with a content coding', () => {
  it.each(['gzip', 'br', 'made-up', 'identity, gzip'])(
    '%s is 415 at both endpoints',
    async (coding) => {
      for (const path of ['/cibaAuthorization', '/token']) {
        const headers = { Authorization: basicAuthorization(basic), 'Content-Encoding': coding };
        const answer = await send(path, 'scope=openid&login_hint=alice', headers);
        expect(errorOf(answer)).toMatchObject({ status: 415, error: 'invalid_request' });
        expect(answer.headers.get('accept-encoding')).toBe('identity');
      }
    },
  );

  it('is 415 at the page, which decides nothing', async () => {
    const { ref } = await start(basic, user.username);
    const { link } = await mailOf(user.email, ref);
    const body = new URLSearchParams({ ...hiddenInputs(await open(link)), decision: 'deny' });
    const coded = await open(link, {
      method: 'POST',
      body,
      headers: { 'Content-Encoding': 'gzip' },
    });
    expect([coded.status, coded.headers.get('accept-encoding')]).toEqual([415, 'identity']);
    expect((await open(link, { method: 'POST', body })).status).toBe(200);
  });
});

describe('P19, P24: a form', () => {
  const Authorization = basicAuthorization(basic);
  const least = `scope=openid&login_hint=${user.username}`;

  it.each([
    'application/x-www-form-urlencoded;',
    'Application/X-WWW-Form-Urlencoded ; charset="UTF-8"; x=y;',
    'application/x-www-form-urlencoded;x="a;b, \\"c\\""',
    'application/x-www-form-urlencoded; charset=ISO-8859-1',
  ])('of the media type %s is read', async (mediaType) => {
    const answer = await send('/cibaAuthorization', least, {
      Authorization,
      'Content-Type': mediaType,
    });
    expect(answer.status).toBe(200);
  });

  it.each([
    'application/x-www-form-urlencoded, text/plain',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/x-www-form-urlencoded x',
  ])('of the media type %s is not', async (mediaType) => {
    const answer = await send('/cibaAuthorization', least, {
      Authorization,
      'Content-Type': mediaType,
    });
    expect(errorOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  it('in another charset is not, where that makes a difference', async () => {
    const headers = {
      Authorization,
      'Content-Type': 'application/x-www-form-urlencoded;charset=latin1',
    };
    const answer = await send('/cibaAuthorization', `${least}&binding_message=%C3%A9`, headers);
    expect(errorOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  it('may have other parameters as often as it likes, and its own once', async () => {
    const headers = { Authorization };
    const others = `${least}&resource=a&resource=b&foo=&foo=`;
    expect((await send('/cibaAuthorization', others, headers)).status).toBe(200);
    const twice = await send('/cibaAuthorization', `${least}&acr_values=&acr_values=`, headers);
    expect(errorOf(twice)).toMatchObject({ status: 400, error: 'invalid_request' });
  });
});

describe('P46: the link of a mail', () => {
  it('opens with what mail programs put behind it', async () => {
    const { ref } = await start(basic, user.username);
    const { link } = await mailOf(user.email, ref);
    for (const behind of [
      '.',
      ',',
      ';',
      '!',
      ')',
      ').',
      '/',
      '%20',
      '%3E',
      '%22',
      "'",
      '*',
      '_',
      '%E2%80%9D',
    ]) {
      const { status, html } = await open(link + behind);
      expect([behind, status]).toEqual([behind, 200]);
      expect(html).toContain('<form method="post">');
    }
  });

  it('cut or changed is told of in a page, in the language of its reader', async () => {
    const { ref } = await start(basic, user.username);
    const { link } = await mailOf(user.email, ref);
    const token = link.slice(`${issuer}/approve/`.length);
    for (const path of [
      ...['', '/x', `/${token.slice(0, -1)}`, `/${token.slice(0, 26)}`, `/${token}/more`],
      ...[`/${token}x`, `/${token.toUpperCase()}`, `/%20${token}`, `/${token}%00x`, '/a/b/c'],
    ]) {
      const answer = await open(`${issuer}/approve${path}`, {
        headers: { 'Accept-Language': 'fr' },
      });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.html).toContain('<html lang="fr"');
      expect(headingOf(answer)).not.toBe('');
    }
  });

  it('cut behind the slash is nothing here, in our page or in the gateway’s own words', async () => {
    // Which of the two routes takes this path differs by gateway, and a route cannot end in a
    // slash.
    const answer = await open(`${issuer}/approve/`, { headers: { 'Accept-Language': 'fr' } });
    expect(answer.status).toBe(404);
    expect(answer.html).toMatch(/<html lang="fr"|"message":"?Not Found/i);
  });
});

describe('P52: a refused client', () => {
  it('is told the scheme, by the header of the standard or the one that API Gateway makes of it', async () => {
    const { headers } = await post(
      '/token',
      { ...basic, client_secret: 'wrong' },
      { grant_type: 'x' },
    );
    const names = ['www-authenticate', 'x-amzn-remapped-www-authenticate'];
    const challenges = names.flatMap((name) => headers.get(name) ?? []);
    expect(challenges).toEqual([expect.stringMatching(/^Basic realm="/)]);
  });
});
