/**
 * API Gateway's events (HTTP API, payload format 2.0) as requests, and responses as its results.
 */
import { describe, expect, it } from 'vitest';
import { type Caller, httpHandler } from '../../../lambdas/http/api-gateway-event.ts';
import { FORM_BYTES } from '../../../lambdas/http/form.ts';

const issuer = 'https://ciba.example';

function event(changes: object = {}, method = 'POST') {
  return {
    version: '2.0',
    rawPath: '/token',
    rawQueryString: '',
    headers: { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'content-type': 'text/plain' },
    requestContext: { http: { method, path: '/token' }, domainName: 'evil.test' },
    isBase64Encoded: false,
    ...changes,
  };
}

async function received(changes: object = {}, method = 'POST') {
  let seen: Request | undefined;
  const result = await httpHandler(issuer, async (request) => {
    seen = request;
    return new Response('answer', { status: 201, headers: { 'X-Name': 'value' } });
  })(event(changes, method));
  return { request: seen, result };
}

describe('an event', () => {
  it('T13: is a request below the issuer, whatever host it names', async () => {
    const { request } = await received({ rawQueryString: 'a=b' });
    expect(request?.url).toBe('https://ciba.example/token?a=b');
  });

  it.each([
    ['text', { body: 'a=é' }, 'a=é'],
    ['base64', { body: Buffer.from('a=é').toString('base64'), isBase64Encoded: true }, 'a=é'],
    ['none', {}, ''],
  ])('with a body of %s is read as its bytes', async (_encoding, changes, body) => {
    const { request } = await received(changes);
    expect(await request?.text()).toBe(body);
  });

  it('tells who called by what the gateway says, and by no header', async () => {
    let told: Caller | undefined;
    await httpHandler(issuer, async (_request, caller) => {
      told = caller;
      return new Response();
    })(
      event({
        headers: { 'x-forwarded-for': '198.51.100.1', 'x-request-id': 'made-up' },
        requestContext: { http: { method: 'POST', sourceIp: '203.0.113.7' }, requestId: 'Abc=' },
      }),
    );
    expect(told).toEqual({ requestId: 'Abc=', sourceIp: '203.0.113.7' });
  });

  it('with a header that is none is read without it', async () => {
    const { request } = await received({ headers: { 'b d': 'x', good: 'yes', broken: 'a\nb' } });
    expect([...(request?.headers ?? [])].map(([name]) => name)).toEqual(['good']);
  });

  it.each([
    ['two slashes', '//evil.test/token', 'https://ciba.example//evil.test/token'],
    ['dots', '/approve/../token', 'https://ciba.example/token'],
    ['a question mark', '/approve/a?b', 'https://ciba.example/approve/a%3Fb'],
    ['a hash', '/approve/a#b', 'https://ciba.example/approve/a%23b'],
    ['a backslash', '/\\\\evil.test', 'https://ciba.example///evil.test'],
    ['an absolute URL', 'https://evil.test/', 'https://ciba.example/https://evil.test/'],
    ['a NUL', '/approve/\0', 'https://ciba.example/approve/%00'],
    ['nothing', '', 'https://ciba.example/'],
  ])('T13: whose path has %s stays below the issuer', async (_what, rawPath, url) => {
    expect((await received({ rawPath })).request?.url).toBe(url);
  });

  it.each([
    ['a query with a fragment', 'a=b#c', 'https://ciba.example/token?a=b%23c'],
    ['no query', undefined, 'https://ciba.example/token'],
  ])('with %s is read as such', async (_what, rawQueryString, url) => {
    expect((await received({ rawQueryString })).request?.url).toBe(url);
  });

  it.each(['GET', 'HEAD'])('of %s has no body, whatever the event brings', async (method) => {
    const { request } = await received({ body: 'decision=approve' }, method);
    expect([request?.method, await request?.text()]).toEqual([method, '']);
  });

  it('without headers, query or body is read all the same', async () => {
    const { request } = await received({
      headers: undefined,
      rawQueryString: undefined,
      isBase64Encoded: undefined,
    });
    expect([request?.url, await request?.text()]).toEqual(['https://ciba.example/token', '']);
  });

  it.each([{}, null, 'x', { rawPath: '/token' }, { ...event(), requestContext: {} }])(
    'that is none of API Gateway’s is refused: %j',
    async (input) => {
      const handler = httpHandler(issuer, async () => new Response());
      await expect(handler(input)).rejects.toThrow();
    },
  );

  it.each(['TRACE', 'CONNECT', 'TRACK', 'trace', 'post', 'Get', 'PROPFIND', 'BREW', 'patch', ''])(
    'P41: of %s, which no Request can be or which it spells in another way, says what was sent',
    async (method) => {
      const { request, result } = await received({ body: 'a=1' }, method);
      expect([request?.method, await request?.text()]).toEqual([method, 'a=1']);
      expect(result.statusCode).toBe(201);
    },
  );

  it.each<[string, (size: number) => object]>([
    ['text', (size) => ({ body: 'é'.repeat(size / 2) })],
    ['base64', (size) => ({ body: Buffer.alloc(size).toString('base64'), isBase64Encoded: true })],
  ])('with a body of %s is decoded up to an octet more than anybody reads', async (_kind, body) => {
    const [whole, cut] = await Promise.all([received(body(FORM_BYTES)), received(body(10 ** 6))]);
    expect((await whole.request?.arrayBuffer())?.byteLength).toBe(FORM_BYTES);
    const { byteLength = 0 } = (await cut.request?.arrayBuffer()) ?? {};
    expect(byteLength).toBeGreaterThan(FORM_BYTES);
    expect(byteLength).toBeLessThan(3 * FORM_BYTES);
  });
});

describe('a response', () => {
  it('is a result with lower-case headers', async () => {
    const { result } = await received();
    expect(result).toEqual({
      statusCode: 201,
      headers: { 'content-type': 'text/plain;charset=UTF-8', 'x-name': 'value' },
      body: 'answer',
      isBase64Encoded: false,
    });
  });

  it('with an image is a result in base64, whose bytes arrive as they are', async () => {
    const bytes = Uint8Array.from([0x89, 0x50, 0, 0xff]);
    const handler = httpHandler(
      issuer,
      async () => new Response(bytes, { headers: { 'Content-Type': 'image/png' } }),
    );
    const { body, isBase64Encoded } = await handler(event({}, 'GET'));
    expect([isBase64Encoded, body]).toEqual([true, Buffer.from(bytes).toString('base64')]);
  });

  it('P40: to HEAD is that to GET, whose length API Gateway tells and whose body it leaves out', async () => {
    expect((await received({}, 'HEAD')).result).toEqual((await received({}, 'GET')).result);
  });
});
