/**
 * What a poll is answered (CIBA Core 11), and what the growing Retry-After makes of polling.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthenticationRequest } from '../../../lambdas/ciba/authentication-request.ts';
import { judgePoll, LONGEST_RETRY_AFTER, retryAfter } from '../../../lambdas/ciba/poll.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';

const now = EXAMPLE_NOW;
const pending = exampleRequest();
const approved: AuthenticationRequest = { ...pending, status: 'approved', decidedAt: now + 3 };
const denied: AuthenticationRequest = { ...pending, status: 'denied', decidedAt: now + 3 };
const failed: AuthenticationRequest = {
  ...pending,
  status: 'failed',
  failedAt: now + 3,
  cause: 'flow_error',
};

describe('judgePoll', () => {
  it.each<[string, AuthenticationRequest, number, string]>([
    ['the first poll, right after the acknowledgement', pending, 0, 'authorization_pending'],
    ['a poll on time', { ...pending, polledAt: now + 2 }, 4, 'authorization_pending'],
    ['a poll before the interval', { ...pending, polledAt: now + 2 }, 3, 'slow_down'],
    ['two polls at once', { ...pending, polledAt: now + 2 }, 2, 'slow_down'],
    [
      'a poll on time by the first interval, after a slow_down',
      { ...pending, polledAt: now + 2, interval: 7 },
      4,
      'slow_down',
    ],
    [
      'a poll on time by the grown interval',
      { ...pending, polledAt: now + 2, interval: 7 },
      9,
      'authorization_pending',
    ],
    ['approved and on time', { ...approved, polledAt: now + 2 }, 4, 'approved'],
    ['approved and too early', { ...approved, polledAt: now + 3.9 }, 4, 'approved'],
    ['denied and too early', { ...denied, polledAt: now + 3.9 }, 4, 'access_denied'],
    ['denied, long after the end', denied, 100_000, 'access_denied'],
    ['a flow that failed for good', failed, 10, 'authorization_pending'],
    ['a flow that failed, after the end', failed, 120, 'expired_token'],
    ['pending just before the end', pending, 119.999, 'authorization_pending'],
    ['pending at the end', pending, 120, 'expired_token'],
    ['I3: approved just before the end', approved, 119.999, 'approved'],
    ['I3: approved at the end', approved, 120, 'expired_token'],
    ['TR-01: a week after the end', pending, 7 * 86_400, 'expired_token'],
    ['expired and too early', { ...pending, polledAt: now + 120 }, 120.1, 'expired_token'],
  ])('%s', (_what, request, seconds, answer) => {
    expect(judgePoll(request, { failed_flow: 'expire' }, now + seconds).answer).toBe(answer);
  });

  it.each([
    [1.5, 'authorization_pending'],
    [1.49, 'slow_down'],
  ])(
    'forgives half a second of network and clocks, and no more: after %d s of 2 %s',
    (seconds, answer) => {
      expect(
        judgePoll({ ...pending, polledAt: now }, { failed_flow: 'expire' }, now + seconds).answer,
      ).toBe(answer);
    },
  );
});

describe('a client that wants to hear of a failed flow', () => {
  const deny = { failed_flow: 'deny' } as const;
  const decoy: AuthenticationRequest = { ...failed, decoy: 'user_unknown' };

  it.each<[string, AuthenticationRequest, number, string]>([
    ['is told at once, too early or not', { ...failed, polledAt: now + 3.9 }, 4, 'access_denied'],
    ['is told after the end', failed, 1000, 'access_denied'],
    ['is asked to wait for a pending request', pending, 4, 'authorization_pending'],
    ['T6: is not told of a decoy', decoy, 4, 'authorization_pending'],
    ['T6: is told of a decoy that it expired', decoy, 120, 'expired_token'],
  ])('%s', (_what, request, seconds, answer) => {
    expect(judgePoll(request, deny, now + seconds).answer).toBe(answer);
  });
});

it('T6: a failed request and a decoy are polled like a pending one, the interval included', () => {
  const expire = { failed_flow: 'expire' } as const;
  for (const seconds of [0, 1, 2, 5, 30, 119, 120, 500]) {
    for (const polledAt of [undefined, now, now + 28, now + 29]) {
      const answers = [pending, failed, { ...pending, decoy: 'user_disabled' as const }].map(
        (request) => judgePoll({ ...request, polledAt }, expire, now + seconds),
      );
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    }
  }
});

describe('retryAfter', () => {
  it.each([
    [0, 2],
    [1, 2],
    [2.9, 2],
    [4, 4],
    [7.9, 7],
    [8, 8],
    [60, 8],
    [112, 7],
    [118, 2],
    [119.5, 2],
  ])('%s s after the request asks for %i s', (age, seconds) => {
    expect(retryAfter(pending, now + age)).toBe(seconds);
  });

  it('is a whole number, never less than the interval, and more than 8 s only where the interval is', () => {
    const ages = fc.double({ min: 0, max: 600, noNaN: true });
    const lifetimes = fc.integer({ min: 10, max: 600 });
    const intervals = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(ages, lifetimes, intervals, (age, lifetime, interval) => {
        const request = { ...pending, expiresAt: now + lifetime, interval };
        const seconds = retryAfter(request, now + age);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(interval);
        expect(seconds).toBeLessThanOrEqual(Math.max(interval, LONGEST_RETRY_AFTER));
      }),
      { numRuns: 1000 },
    );
  });

  it('is never less than a grown or long interval', () => {
    expect(retryAfter({ ...pending, interval: 12 }, now + 60)).toBe(12);
  });

  it.each([
    [20, 5],
    [60, 10],
  ])(
    'L2: an approval after %i s costs a client that honours it %i polls',
    (approvedAfter, polls) => {
      let age = pending.interval;
      let count = 1;
      while (age < approvedAfter) {
        age += retryAfter(pending, now + age);
        count += 1;
      }
      expect(count).toBe(polls);
    },
  );
});
