/**
 * The one outlet of both protocol endpoints: nothing leaves in another shape, nothing may be
 * stored, and an error says no more than its description (RFC 6749 5.1 and 5.2, CIBA Core 13;
 * threats T26).
 */
import { describe, expect, it } from 'vitest';
import { OAuthError, type OAuthErrorCode } from '../../../lambdas/ciba/oauth-error.ts';
import { oauthEndpoint, type Trace } from '../../../lambdas/http/oauth-endpoint.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import { Unavailable } from '../../../lambdas/ports.ts';

/** What an endpoint makes of an answer that takes 25 ms, and its log line. */
async function answered(answer: (trace: Trace) => Promise<object>, method = 'POST') {
  const log: LogEvent[] = [];
  let now = 1_700_000_000;
  const endpoint = oauthEndpoint(
    'token',
    {
      issuer: 'https://ciba.example',
      clock: () => now,
      entropy: (bytes) => new Uint8Array(bytes).fill(0xfb),
      log: (event) => log.push(event),
    },
    (_request, trace) => {
      now += 0.025;
      return answer(trace);
    },
  );
  const response = await endpoint(new Request('https://ciba.example/token', { method }));
  return { response, text: await response.clone().text(), log };
}

const failing = (error: unknown) => answered(() => Promise.reject(error));
const id = '-_v7-_v7-_v7';

describe('a success', () => {
  it('is 200 and JSON that nobody stores (RFC 6749 5.1)', async () => {
    const { response, text } = await answered(async () => ({ interval: 2 }));
    expect(response.status).toBe(200);
    expect(text).toBe('{"interval":2}');
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
    });
  });

  it('leaves one line in the log', async () => {
    const { log } = await answered(async (trace) => {
      trace.clientId = 'pump-4';
      trace.ref = 'r'.repeat(26);
      return {};
    });
    expect(log).toEqual([
      {
        event: 'token',
        status: 200,
        outcome: 'ok',
        correlation_id: `${'r'.repeat(26)}.${id}`,
        client_id: 'pump-4',
        ms: 25,
      },
    ]);
  });
});

describe('an error', () => {
  it.each<[OAuthErrorCode, number, Record<string, string>]>([
    ['invalid_request', 400, {}],
    ['invalid_client', 401, { 'www-authenticate': 'Basic realm="client"' }],
    ['invalid_grant', 400, {}],
    ['server_error', 500, {}],
    ['temporarily_unavailable', 503, { 'retry-after': '2' }],
  ])('%s is %i and JSON that nobody stores (RFC 6749 5.2)', async (code, status, headers) => {
    const { response, text } = await failing(new OAuthError(code, 'What to do.'));
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      ...headers,
    });
    expect(JSON.parse(text)).toEqual({
      error: code,
      error_description: `What to do. (Correlation ID: ${id})`,
    });
  });

  it.each([
    ['a service', new RangeError('canary'), 'RangeError'],
    ['an adapter', 'no key', 'no key'],
  ])(
    'of %s that is not available is temporarily_unavailable, and the log says why',
    async (_what, cause, logged) => {
      const { response, text, log } = await failing(new Unavailable(cause));
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
      expect(JSON.parse(text)).toEqual({
        error: 'temporarily_unavailable',
        error_description: `The server cannot answer right now. Try again. (Correlation ID: ${id})`,
      });
      expect(log).toMatchObject([{ outcome: 'temporarily_unavailable', cause: logged }]);
      expect(JSON.stringify(log)).not.toContain('canary');
    },
  );

  it('may bring a narrower status and its headers', async () => {
    const { response } = await failing(
      new OAuthError('invalid_request', 'x', {
        status: 415,
        headers: { 'Accept-Encoding': 'identity' },
      }),
    );
    expect([response.status, response.headers.get('accept-encoding')]).toEqual([415, 'identity']);
  });

  it('of a method that is not allowed says which one is (RFC 9110 15.5.6)', async () => {
    const { response } = await failing(new OAuthError('invalid_request', 'x', { status: 405 }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('may ask for another wait than its code does', async () => {
    const { response } = await failing(
      new OAuthError('temporarily_unavailable', 'x', { headers: { 'Retry-After': '30' } }),
    );
    expect(response.headers.get('retry-after')).toBe('30');
  });

  it('ends in the correlation id of its log line, which starts with the ref once it is proved', async () => {
    const { text, log } = await answered(async (trace) => {
      trace.ref = 'r'.repeat(26);
      throw new OAuthError('slow_down', 'Slow down.', { cause: 'too early' });
    });
    const correlationId = `${'r'.repeat(26)}.${id}`;
    expect(JSON.parse(text).error_description).toBe(
      `Slow down. (Correlation ID: ${correlationId})`,
    );
    expect(log).toEqual([
      {
        event: 'token',
        status: 400,
        outcome: 'slow_down',
        correlation_id: correlationId,
        cause: 'too early',
        ms: 25,
      },
    ]);
  });
});

describe('T26: what nobody expected', () => {
  it.each<[string, unknown, string]>([
    ['an error', new RangeError('canary'), 'RangeError'],
    ['an error with a cause', new Error('canary', { cause: 'canary' }), 'Error'],
    ['a text', 'canary', 'unknown'],
    ['an object', { canary: 'canary' }, 'unknown'],
    ['nothing', undefined, 'unknown'],
  ])('%s is server_error, 500, and tells the caller nothing', async (_what, thrown, cause) => {
    const { response, text, log } = await failing(thrown);
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toEqual({
      error: 'server_error',
      error_description: `The server met an unexpected condition. (Correlation ID: ${id})`,
    });
    expect(log[0]?.cause).toBe(cause);
  });
});

describe('where it was thrown', () => {
  const at = async (make: () => Error) => {
    const { log } = await answered(async () => {
      throw make();
    });
    return log[0]?.at;
  };

  it.each([
    ['a defect', () => new RangeError('canary')],
    ['what does not answer', () => new Unavailable('throttled')],
  ])('is in the line of %s', async (_what, make) => {
    expect(await at(make)).toEqual([expect.stringMatching(/^http\/oauth-endpoint\.ts:\d+:\d+$/)]);
  });

  it('is not in that of a refusal, of which a caller can have any number', async () => {
    expect(await at(() => new OAuthError('slow_down', 'Too early.'))).toBeUndefined();
    expect(
      await at(() => new OAuthError('invalid_client', 'No.', { cause: new Error() })),
    ).toBeUndefined();
  });
});
