/**
 * What a poll is answered (CIBA Core 11), and what the growing Retry-After makes of polling.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthenticationRequest } from '../../../../lambdas/ciba/request/authentication-request.ts';
import {
  judgePoll,
  LONGEST_RETRY_AFTER,
  retryAfter,
  untilLastPoll,
} from '../../../../lambdas/ciba/request/poll.ts';
import { attempt } from '../../../../lambdas/ciba/request/rule.ts';
import { slowingDown } from '../../../../lambdas/ciba/request/rules.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../../support/example-request.ts';

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
    ['a week after the end', pending, 7 * 86_400, 'expired_token'],
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
    [117, 2],
    [118, 1],
    [118.5, undefined],
    [119.5, undefined],
  ])('%s s after the request asks for %s s', (age, seconds) => {
    expect(retryAfter(pending, now + age)).toBe(seconds);
  });

  it('P16: is a whole number, never less than the interval unless the end is nearer, never beyond it less a second', () => {
    const ages = fc.double({ min: 0, max: 600, noNaN: true });
    const lifetimes = fc.integer({ min: 10, max: 600 });
    const intervals = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(ages, lifetimes, intervals, (age, lifetime, interval) => {
        const request = { ...pending, expiresAt: now + lifetime, interval };
        const at = now + age;
        const seconds = retryAfter(request, at);
        const left = Math.floor(request.expiresAt - at - 1);
        if (left < 1) {
          expect(seconds).toBeUndefined();
          return;
        }
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(Math.min(interval, left));
        expect(seconds).toBeLessThanOrEqual(Math.max(interval, LONGEST_RETRY_AFTER));
        expect(at + Number(seconds)).toBeLessThanOrEqual(request.expiresAt - 1);
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
        age += retryAfter(pending, now + age) ?? pending.interval;
        count += 1;
      }
      expect(count).toBe(polls);
    },
  );
});

/**
 * A wait of a client: what it was asked to wait, or a part of the interval that was acknowledged.
 */
type Wait = 'as asked' | number;

/**
 * What a client does that waits so, until it has an end; its polls as they were answered, and the
 * state of the request.
 */
function polled(
  first: { interval: number; lifetime: number },
  waits: readonly Wait[],
  decidedAfter: number,
) {
  let request: AuthenticationRequest = {
    ...pending,
    interval: first.interval,
    expiresAt: now + first.lifetime,
  };
  const polls: { at: number; answer: string; asked: number | undefined }[] = [];
  let at = now;
  for (const wait of waits) {
    const asked = polls.at(-1)?.asked ?? first.interval;
    at += wait === 'as asked' ? asked : wait * first.interval;
    if (request.status === 'pending' && at >= now + decidedAfter) {
      request = { ...request, status: 'approved', decidedAt: now + decidedAfter };
    }
    const judgement = judgePoll(request, { failed_flow: 'expire' }, at);
    request = { ...request, polledAt: at };
    if (judgement.answer === 'slow_down') {
      request = attempt(slowingDown(request.interval), request).next ?? request;
    }
    const told = judgement.answer === 'authorization_pending' ? judgement.retryAfter : undefined;
    const slow = judgement.answer === 'slow_down' && untilLastPoll(request.interval, request, at);
    polls.push({ at, answer: judgement.answer, asked: slow === false ? told : slow });
    if (!['authorization_pending', 'slow_down'].includes(judgement.answer)) break;
  }
  return { request, polls };
}

describe('P16: whatever the pattern of polls', () => {
  const first = fc.record({
    interval: fc.integer({ min: 1, max: 60 }),
    lifetime: fc.integer({ min: 10, max: 600 }),
  });
  const wait: fc.Arbitrary<Wait> = fc.oneof(
    fc.constant<Wait>('as asked'),
    fc.constant<Wait>(1),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  const pattern = fc
    .array(wait, { minLength: 1, maxLength: 5 })
    .map((waits) => Array.from({ length: 80 }, () => waits).flat());

  it('no more than ten seconds beyond the acknowledged interval are enforced or asked for', () => {
    fc.assert(
      fc.property(first, pattern, (acknowledged, waits) => {
        const { request, polls } = polled(acknowledged, waits, 600);
        const most = acknowledged.interval + 10;
        expect(request.interval).toBeLessThanOrEqual(most);
        for (const { at, asked } of polls) {
          expect(asked ?? 0).toBeLessThanOrEqual(Math.max(most, LONGEST_RETRY_AFTER));
          if (asked !== undefined) expect(at + asked).toBeLessThanOrEqual(request.expiresAt - 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('an approval is seen at most that and one interval later', () => {
    fc.assert(
      fc.property(
        first,
        pattern,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, waits, part) => {
          const decidedAfter = part * given.lifetime;
          const { polls } = polled(given, waits, decidedAfter);
          const next = polls.find(({ at }) => at >= now + decidedAfter);
          if (next === undefined) return;
          expect(next.answer).toBe(next.at < now + given.lifetime ? 'approved' : 'expired_token');
          const most = Math.max(given.interval + 10, LONGEST_RETRY_AFTER) + given.interval;
          expect(next.at - now - decidedAfter).toBeLessThanOrEqual(most);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a client that waits what it is asked is never too early, and polls in the last two seconds', () => {
    const start = fc.array(wait, { maxLength: 10 });
    fc.assert(
      fc.property(first, start, (acknowledged, hasty) => {
        const obedient = Array.from({ length: 600 }, (): Wait => 'as asked');
        const { request, polls } = polled(acknowledged, [...hasty, ...obedient], 600);
        const since = polls.slice(hasty.length + 1);
        expect(since.map(({ answer }) => answer)).not.toContain('slow_down');
        const within = polls.filter(({ at }) => at < request.expiresAt);
        const last = within.at(-1);
        if (last === undefined || within.length <= hasty.length) return;
        expect(request.expiresAt - last.at).toBeLessThan(2);
      }),
      { numRuns: 500 },
    );
  });
});
