/**
 * What polls are answered (CIBA Core 10.1, 11), in the order a device lives through them.
 */
import { describe, expect, it } from 'vitest';
import { decide, headingOf, open, submit } from './authentication-device.ts';
import { errorOf, poll, post, start } from './consumption-device.ts';
import { mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const { basic, other } = clients;
const user = users.polls;

async function started(parameters: Record<string, string> = {}) {
  const request = await start(basic, user.username, parameters);
  const { link } = await mailOf(user.email, request.ref);
  return { ...request, link };
}

const seconds = (amount: number) => new Promise((resolve) => setTimeout(resolve, amount * 1000));

const usedUp = {
  status: 400,
  error: 'invalid_grant',
  description: 'The auth_req_id is not valid.',
};

describe.concurrent('a pending request', () => {
  it('is authorization_pending on the first poll, right after the acknowledgement, with Retry-After', async () => {
    const asked = performance.now();
    const { authReqId } = await start(basic, user.username);
    const answer = await poll(basic, authReqId);
    const age = (performance.now() - asked) / 1000;
    expect(errorOf(answer)).toMatchObject({ status: 400, error: 'authorization_pending' });
    // The interval, or the age of the request where a busy machine took longer than that.
    const retryAfter = Number(answer.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThanOrEqual(2);
    expect(retryAfter).toBeLessThanOrEqual(Math.max(2, Math.ceil(age)));
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('is slow_down before the interval has passed, and five seconds more from then on (CIBA 11)', async () => {
    const { authReqId } = await start(basic, user.username);
    await poll(basic, authReqId);
    const tooEarly = await poll(basic, authReqId);
    expect(errorOf(tooEarly)).toMatchObject({ status: 400, error: 'slow_down' });
    expect(tooEarly.headers.get('retry-after')).toBe('7');
    // Two seconds, the interval of the acknowledgement, are no longer enough.
    await seconds(2.2);
    const stillTooEarly = await poll(basic, authReqId);
    expect(errorOf(stillTooEarly)).toMatchObject({ error: 'slow_down' });
    expect(stillTooEarly.headers.get('retry-after')).toBe('12');
  });

  it('P16: is slow_down with ten seconds more at most, however often it is polled', async () => {
    const { authReqId, interval, expiresIn } = await start(basic, user.username);
    await poll(basic, authReqId);
    const waits: number[] = [];
    for (let again = 0; again < 6; again += 1) {
      const answer = await poll(basic, authReqId);
      expect(errorOf(answer)).toMatchObject({ error: 'slow_down' });
      waits.push(Number(answer.headers.get('retry-after')));
    }
    expect(waits).toEqual([5, 10, 10, 10, 10, 10].map((more) => interval + more));
    expect(interval + 10).toBeLessThan(expiresIn - 1);
  });

  it('is authorization_pending again for a client that keeps the interval', async () => {
    const { authReqId, interval } = await start(basic, user.username);
    await poll(basic, authReqId);
    await seconds(interval);
    expect(errorOf(await poll(basic, authReqId))).toMatchObject({ error: 'authorization_pending' });
  });

  it('T7: is not disturbed by another client that knows its auth_req_id', async () => {
    const { authReqId } = await start(basic, user.username);
    for (let probe = 0; probe < 3; probe += 1) {
      expect(errorOf(await poll(other, authReqId))).toEqual(usedUp);
    }
    expect(errorOf(await poll(basic, authReqId))).toMatchObject({ error: 'authorization_pending' });
  });
});

describe.concurrent('a decided request', () => {
  it('brings tokens at once, however early the poll, and only once (CIBA 10.1.1)', async () => {
    const { authReqId, link } = await started();
    await poll(basic, authReqId);
    await decide(link, 'approve');
    const answer = await poll(basic, authReqId);
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'id_token',
      'scope',
      'token_type',
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(errorOf(await poll(basic, authReqId))).toEqual(usedUp);
  });

  it('is access_denied, with 400, as often as it is asked', async () => {
    const { authReqId, link } = await started();
    await decide(link, 'deny');
    for (let again = 0; again < 2; again += 1) {
      expect(errorOf(await poll(basic, authReqId))).toMatchObject({
        status: 400,
        error: 'access_denied',
      });
    }
  });

  it.each<['approve' | 'deny', 'approve' | 'deny', string]>([
    ['approve', 'deny', 'Already approved'],
    ['approve', 'approve', 'Already approved'],
    ['deny', 'approve', 'Already denied'],
    ['deny', 'deny', 'Already denied'],
  ])('stays as it was decided: %s, then %s (T9)', async (first, second, heading) => {
    const { authReqId, link } = await started();
    const page = await open(link);
    expect((await submit(link, page, first)).status).toBe(200);
    const late = await submit(link, page, second);
    expect([late.status, headingOf(late)]).toEqual([409, heading]);
    expect((await open(link)).status).toBe(409);
    expect((await poll(basic, authReqId)).status).toBe(first === 'approve' ? 200 : 400);
    // Redeemed or told, the decision is the same.
    expect((await submit(link, page, second)).status).toBe(409);
  });
});

describe.concurrent('an expired request', () => {
  it('is expired_token and stays so, and its page is gone (T9)', async () => {
    const pending = await started({ requested_expiry: '10' });
    const approved = await started({ requested_expiry: '1' });
    expect([pending.expiresIn, approved.expiresIn]).toEqual([10, 10]);
    const page = await open(pending.link);
    await decide(approved.link, 'approve');
    await seconds(10.2);
    for (const { authReqId } of [pending, approved, pending]) {
      expect(errorOf(await poll(basic, authReqId))).toMatchObject({
        status: 400,
        error: 'expired_token',
      });
    }
    expect((await open(pending.link)).status).toBe(410);
    const late = await submit(pending.link, page, 'approve');
    expect([late.status, headingOf(late)]).toEqual([410, 'Too late']);
  });
});

describe.concurrent('an auth_req_id that is not valid (CIBA 11)', () => {
  it('T7: has one answer, whether unknown, malformed, foreign or used up', async () => {
    const { authReqId, link, ref } = await started();
    const foreign = await poll(other, authReqId);
    await decide(link, 'approve');
    await poll(basic, authReqId);
    const answers = [
      foreign,
      await poll(basic, authReqId),
      await poll(basic, `${ref}.${'x'.repeat(43)}`),
      await poll(basic, `${'a'.repeat(26)}.${'x'.repeat(43)}`),
      await poll(basic, 'x'),
      // T10: no handle stands in for another.
      await poll(basic, ref),
      await poll(basic, link.split('/').at(-1) ?? ''),
    ];
    const lengths = new Set(answers.map(({ body }) => JSON.stringify(body).length));
    expect(answers.map(errorOf)).toEqual(answers.map(() => usedUp));
    expect(lengths.size).toBe(1);
  });
});

describe.concurrent('a token request that is none', () => {
  it.each<[string, Record<string, string>, string]>([
    ['without grant_type', { auth_req_id: 'x' }, 'invalid_request'],
    ['without auth_req_id', { grant_type: 'urn:openid:params:grant-type:ciba' }, 'invalid_request'],
    ['of another grant', { grant_type: 'authorization_code', code: 'x' }, 'unsupported_grant_type'],
    ['of the refresh grant', { grant_type: 'refresh_token', refresh_token: 'x' }, 'invalid_grant'],
    ['of the refresh grant without a token', { grant_type: 'refresh_token' }, 'invalid_request'],
    ['of client credentials', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [
      'P20: with authorization_details',
      {
        grant_type: 'urn:openid:params:grant-type:ciba',
        auth_req_id: 'x',
        authorization_details: '[]',
      },
      'invalid_authorization_details',
    ],
    [
      'P20: of the refresh grant with authorization_details',
      { grant_type: 'refresh_token', refresh_token: 'x', authorization_details: '[{}]' },
      'invalid_authorization_details',
    ],
  ])('%s is refused', async (_what, parameters, error) => {
    expect(errorOf(await post('/token', basic, parameters))).toMatchObject({ status: 400, error });
  });
});
