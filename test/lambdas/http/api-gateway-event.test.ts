/**
 * API Gateway's events (HTTP API, payload format 2.0) as requests, and responses as its results.
 */
import { describe, expect, it } from 'vitest';
import { httpHandler } from '../../../lambdas/http/api-gateway-event.ts';

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

  it('with a header that is none is read without it', async () => {
    const { request } = await received({ headers: { 'b d': 'x', good: 'yes', broken: 'a\nb' } });
    expect([...(request?.headers ?? [])].map(([name]) => name)).toEqual(['good']);
  });

  it.each(['TRACE', 'CONNECT', 'trace'])(
    'of %s, which no Request can be, is 405',
    async (method) => {
      const { request, result } = await received({}, method);
      expect(request).toBeUndefined();
      expect(result.statusCode).toBe(405);
    },
  );
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

  it('to HEAD has no body', async () => {
    expect((await received({}, 'HEAD')).result.body).toBe('');
  });
});
