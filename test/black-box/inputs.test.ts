/**
 * No input is answered with a 5xx or echoed: hostile values in every place of every endpoint, and
 * bytes that no library would send.
 */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { open } from './authentication-device.ts';
import { basicAuthorization, poll, start } from './consumption-device.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const { basic } = clients;
const user = users.inputs;
const Authorization = basicAuthorization(basic);
const wellKnown = [
  `${issuer}/.well-known/openid-configuration`,
  `${issuer}/.well-known/oauth-authorization-server`,
];
const ciba = 'urn:openid:params:grant-type:ciba';

/** Stands in every hostile value; no answer may contain it. */
const canary = 'c4n4ry';

const description = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

async function expectHarmless(response: Response): Promise<void> {
  const body = await response.text();
  expect(response.status, body).toBeLessThan(500);
  expect(response.status, body).not.toBe(200);
  expect(body).not.toContain(canary);
  expect(JSON.stringify([...response.headers])).not.toContain(canary);
  if (response.headers.get('content-type') === 'application/json') {
    expect(JSON.parse(body).error_description).toMatch(description);
  }
}

const hostile = [
  canary,
  `${canary}\0`,
  `${canary}\r\nBcc: evil@evil.test`,
  `<script>${canary}</script>`,
  `{{${canary}}}`,
  `\${${canary}}`,
  `${canary}\u202e\u200b\ufeff`,
  `${canary}\ud83d\ude00`.repeat(20),
  `"${canary}"\\`,
  `{"format":"iss_sub","iss":"${canary}","sub":"${canary}"}`,
  `{"__proto__":{"${canary}":1},"format":"iss_sub"}`,
  `[${canary}]`,
  `${canary}@${canary}@x`,
  `${canary}@${'x'.repeat(300)}.test`,
  `../../${canary}`,
  `${canary}' OR '1'='1`,
  `ref = :${canary}`,
  canary.repeat(1000),
  `eyJhbGciOiJub25lIn0.${canary}.`,
];

const places: [string, (value: string) => Record<string, string>][] = [
  ['scope', (scope) => ({ scope, login_hint: user.username })],
  ['login_hint', (login_hint) => ({ scope: 'openid', login_hint })],
  ['id_token_hint', (id_token_hint) => ({ scope: 'openid', id_token_hint })],
  ['login_hint_token', (login_hint_token) => ({ scope: 'openid', login_hint_token })],
  [
    'requested_expiry',
    (requested_expiry) => ({ scope: 'openid', login_hint: user.username, requested_expiry }),
  ],
  ['request', (request) => ({ request })],
  ['grant_type', (grant_type) => ({ grant_type })],
  ['auth_req_id', (auth_req_id) => ({ grant_type: ciba, auth_req_id })],
  ['client_id', (client_id) => ({ client_id })],
  ['client_secret', (client_secret) => ({ client_secret })],
  ['client_assertion', (client_assertion) => ({ client_assertion })],
];

describe.each(['/cibaAuthorization', '/token'])('hostile values at %s', (path) => {
  it.each(places)('in %s are refused without an echo', async (_place, parameters) => {
    for (const value of hostile) {
      const body = new URLSearchParams(parameters(value));
      await expectHarmless(
        await fetch(issuer + path, { method: 'POST', body, headers: { Authorization } }),
      );
    }
  });

  it('in the Authorization header are refused without an echo', async () => {
    for (const value of hostile) {
      const pair = Buffer.from(`${value}:${value}`).toString('base64');
      for (const header of [`Basic ${pair}`, `Bearer ${pair}`, 'Basic', 'Basic ====', pair]) {
        const headers = { Authorization: header };
        const body = new URLSearchParams({ scope: 'openid' });
        await expectHarmless(await fetch(issuer + path, { method: 'POST', body, headers }));
      }
    }
  });

  it('made up at random are refused or, if they happen to be legal, acknowledged', async () => {
    const name = fc.constantFrom(
      'scope',
      'login_hint',
      'binding_message',
      'requested_expiry',
      'auth_req_id',
      'grant_type',
      'client_id',
      'x',
    );
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('openid', user.username, ciba),
    );
    const pairs = fc.array(fc.tuple(name, value), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(pairs, async (parameters) => {
        const body = parameters.map(([key, text]) => `${key}=${encodeWithoutFail(text)}`).join('&');
        const response = await fetch(issuer + path, {
          method: 'POST',
          body,
          headers: { Authorization, 'Content-Type': 'application/x-www-form-urlencoded' },
        });
        const text = await response.text();
        expect(response.status, text).toBeLessThan(500);
        const { error_description = '' } = JSON.parse(text);
        expect(error_description).toMatch(description);
      }),
      { numRuns: 150, seed: 20261123 },
    );
  });

  it.each<[string, Buffer]>([
    ['invalid UTF-8', Buffer.from([0x61, 0x3d, 0xff, 0xfe, 0x80])],
    ['invalid UTF-8, percent-encoded', Buffer.from('scope=%ff%fe')],
    ['broken percent-encoding', Buffer.from('scope=%zz&login_hint=%')],
    ['NUL bytes', Buffer.from('scope=openid\0&login_hint=\0')],
    ['nothing', Buffer.alloc(0)],
    ['ampersands', Buffer.from('&&&&=&=&&')],
    ['a name of 10,000 characters', Buffer.from(`${'n'.repeat(10_000)}=1`)],
    [
      '2,000 parameters',
      Buffer.from(Array.from({ length: 2000 }, (_, index) => `p${index}=`).join('&')),
    ],
    ['names of Object.prototype', Buffer.from('__proto__=1&constructor=2&toString=3')],
  ])('%s in the body is refused', async (_bytes, body) => {
    const headers = { Authorization, 'Content-Type': 'application/x-www-form-urlencoded' };
    await expectHarmless(await fetch(issuer + path, { method: 'POST', body, headers }));
  });
});

function encodeWithoutFail(value: string): string {
  // Half a surrogate pair has no UTF-8; it is sent as the replacement character.
  return encodeURIComponent(new TextDecoder().decode(new TextEncoder().encode(value)));
}

describe('hostile paths', () => {
  it.each([
    '/approve/',
    `/approve/${canary}`,
    `/approve/${'a'.repeat(5000)}`,
    '/approve/%00',
    '/approve/%ff%fe',
    '/approve/..%2f..%2ftoken',
    `/approve/a/b/c/${canary}`,
    `/token/${canary}`,
    `/${canary}`,
    '/jwks/../token',
    `/.well-known/${canary}`,
    // None of them is mended by a redirect.
    '/approve',
    '/token/',
    '//token',
    `//${canary}.test/`,
    '/jwks/',
    '/.well-known/openid-configuration/',
    '/.WELL-KNOWN/OPENID-CONFIGURATION',
  ])('%s is not found', async (path) => {
    const { status, html } = await open(issuer + path);
    expect([400, 404, 405]).toContain(status);
    expect(html).not.toContain(canary);
  });

  it('methods, paths, queries and forms made up at random change and show nothing', async () => {
    const { authReqId, ref } = await start(basic, user.username);
    const { link } = await mailOf(user.email, ref);
    const segment = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.base64String());
    const text = segment.map((value) => encodeWithoutFail(value + canary));
    const target = fc.oneof(
      text.map((value) => `${issuer}/approve/${value}`),
      text.map((value) => `${issuer}/approve/${ref}.${value}`),
      fc.tuple(fc.constantFrom(link, `${issuer}/jwks`, ...wellKnown), text).map(([url, value]) => {
        return `${url}?${value}&decision=approve`;
      }),
    );
    const method = fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE');
    const form = fc.tuple(fc.constantFrom('form_token', 'decision', 'x'), text);
    await fc.assert(
      fc.asyncProperty(method, target, form, async (method, url, [name, value]) => {
        const body = method === 'GET' || method === 'HEAD' ? null : `${name}=${value}`;
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
        const { status, html } = await open(url, { method, headers, body });
        expect(Math.floor(status / 100), `${method} ${url}: ${status}`).toBeOneOf([2, 4]);
        expect(html).not.toContain(canary);
      }),
      { numRuns: 150, seed: 20261123 },
    );
    const { body } = await poll(basic, authReqId);
    expect(body['error']).toBe('authorization_pending');
  });

  it('hostile form values at an opened page are refused without an echo', async () => {
    const { ref } = await start(basic, user.username);
    const { link } = await mailOf(user.email, ref);
    for (const value of hostile) {
      for (const body of [{ decision: value }, { form_token: value, decision: 'approve' }]) {
        await expectHarmless(
          await fetch(link, { method: 'POST', body: new URLSearchParams(body) }),
        );
      }
    }
  });
});

/** How long a socket may stay silent, in milliseconds. */
const SILENCE = 10_000;

/**
 * Sends bytes as they are and answers the first line of what comes back. Our side stays open until
 * then: a server gives up a request whose sender has closed.
 */
async function statusLineOf(request: Buffer): Promise<string> {
  const { protocol, hostname, port } = new URL(issuer);
  const socket =
    protocol === 'https:'
      ? connectTls({ host: hostname, port: Number(port || 443), servername: hostname })
      : connect({ host: hostname, port: Number(port || 80) });
  socket.setTimeout(SILENCE, () => socket.destroy());
  socket.write(request);
  let answer = '';
  try {
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.includes('\r\n')) break;
    }
  } catch {
    // Closed on us, maybe after an answer: what has come by then counts.
  }
  return answer.split('\r\n')[0] ?? '';
}

describe('bytes that no library sends', () => {
  const head = `Host: x\r\nAuthorization: ${Authorization}\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n`;

  it.each<[string, string]>([
    ['TRACE', `TRACE /token HTTP/1.1\r\n${head}\r\n`],
    ['an invented method', `BREW /token HTTP/1.1\r\n${head}\r\n`],
    [
      'two content lengths',
      `POST /token HTTP/1.1\r\n${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
    ],
    [
      'chunks',
      `POST /token HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n`,
    ],
    [
      'a header of Latin-1 letters',
      `POST /token HTTP/1.1\r\n${head}X-\u00fc: \u00fc\r\nContent-Length: 0\r\n\r\n`,
    ],
    [
      'two Authorization headers',
      `POST /token HTTP/1.1\r\n${head}Authorization: Basic eDp4\r\nContent-Length: 0\r\n\r\n`,
    ],
    [
      'a host of another site',
      `POST /token HTTP/1.1\r\n${head.replace('Host: x', 'Host: evil.test')}Content-Length: 0\r\n\r\n`,
    ],
    [
      'a header of 12,000 characters',
      `POST /token HTTP/1.1\r\n${head}X-Padding: ${'x'.repeat(12_000)}\r\nContent-Length: 0\r\n\r\n`,
    ],
    [
      '20,000 characters of headers',
      `POST /token HTTP/1.1\r\n${head}X-Padding: ${'x'.repeat(20_000)}\r\nContent-Length: 0\r\n\r\n`,
    ],
    [
      'invalid UTF-8 in chunks',
      `POST /cibaAuthorization HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n3\r\na=\xff\r\n0\r\n\r\n`,
    ],
    ['broken percent-encoding in the target', `GET /approve/%zz%ff?%=%c0 HTTP/1.1\r\n${head}\r\n`],
    ['NUL in the target', `GET /approve/\0 HTTP/1.1\r\n${head}\r\n`],
    ['Latin-1 in the target', `GET /approve/\xfc\xff?\xe9 HTTP/1.1\r\n${head}\r\n`],
    [
      'a form with GET',
      `GET /cibaAuthorization HTTP/1.1\r\n${head}Content-Length: 12\r\n\r\nscope=openid`,
    ],
    ['no host', `GET /jwks HTTP/1.1\r\nConnection: close\r\n\r\n`],
    ['an absolute target', `GET http://evil.test/jwks HTTP/1.1\r\n${head}\r\n`],
  ])('%s: answered, and with no 5xx', async (_what, bytes) => {
    expect(await statusLineOf(Buffer.from(bytes, 'latin1'))).toMatch(/^HTTP\/1\.1 [24]\d\d /);
  });
});
