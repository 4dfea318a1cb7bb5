/**
 * How often a user may be asked (threats T3): each limit at its edge, what a history keeps, and
 * what is read for it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayOf } from '../../../../lambdas/ciba/day.ts';
import {
  type AskedBefore,
  type AskedHistory,
  judgeAsked,
  limitsUsers,
  type NotificationPolicy,
  notificationPolicies,
  notificationPolicy,
  policyOf,
  type RequestsByRef,
  refsToRead,
} from '../../../../lambdas/ciba/policy/notification-policy.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';
import { standardPolicy as standard } from '../../../support/in-memory-quotas.ts';

const now = EXAMPLE_NOW;
function asked(secondsAgo: number, changes: Partial<AskedBefore> = {}): AskedBefore {
  const at = now - secondsAgo;
  return { ref: `r${secondsAgo}`, clientId: 'pump-4', at, expiresAt: at + 120, ...changes };
}

function history(recent: AskedBefore[], changes: Partial<AskedHistory> = {}): AskedHistory {
  return { day: dayOf(now), mails: recent.length, mailsOf: [], recent, ...changes };
}

type Known = Record<
  string,
  { status: 'pending' | 'approved' | 'denied'; decidedAt?: number; reported?: true }
>;

function judge(
  past: AskedHistory | undefined,
  policy: NotificationPolicy,
  known: Known = {},
  next: AskedBefore = asked(0, { ref: 'new' }),
) {
  const requests: RequestsByRef = new Map(Object.entries(known));
  return judgeAsked(past, requests, next, policy);
}

/** What the judgement says: the limit that was reached, or `admitted`. */
function limitOf(...of: Parameters<typeof judge>): string {
  const judged = judge(...of);
  return judged.outcome === 'over' ? judged.limit : judged.outcome;
}

const approved: Known = Object.fromEntries(
  Array.from({ length: 100 }, (_, seconds) => [
    `r${seconds}`,
    { status: 'approved', decidedAt: 0 },
  ]),
);

describe('a user whom nobody has asked', () => {
  it('may be asked, and the history begins', () => {
    expect(judge(undefined, standard)).toEqual({
      outcome: 'admitted',
      next: {
        day: '2023-11-14',
        mails: 1,
        mailsOf: [{ clientId: 'pump-4', mails: 1 }],
        recent: [asked(0, { ref: 'new' })],
      },
    });
  });
});

describe('mails by minute', () => {
  const limit = { mailsPerUserPerMinute: 2 };

  it.each([
    ['one', [10], 'admitted'],
    ['two', [10, 59], 'mailsPerUserPerMinute'],
    ['two, the first a minute ago', [10, 60], 'admitted'],
    ['of any client', [1, 2], 'mailsPerUserPerMinute'],
  ])('%s', (_what, secondsAgo, expected) => {
    const past = history(secondsAgo.map((ago) => asked(ago, { clientId: `client-${ago}` })));
    expect(limitOf(past, limit)).toBe(expected);
  });
});

describe('mails by day', () => {
  const limit = { mailsPerUserPerDay: 20 };

  it.each([
    [19, dayOf(now), 'admitted'],
    [20, dayOf(now), 'mailsPerUserPerDay'],
    [20, dayOf(now - 86_400), 'admitted'],
  ])('%i on %s', (mails, day, expected) => {
    expect(limitOf(history([], { mails, day }), limit)).toBe(expected);
  });

  it('are counted from one again on the next day (UTC)', () => {
    const judged = judge(history([], { mails: 20, day: '2023-11-13' }), limit);
    expect(judged).toMatchObject({ next: { day: '2023-11-14', mails: 1 } });
  });
});

describe('pending requests', () => {
  // Two of them are one client's share.
  const limit = { pendingPerUser: 4 };
  const two = history([asked(50), asked(90)]);

  it.each<[string, Known, string]>([
    ['two that wait', { r50: { status: 'pending' }, r90: { status: 'pending' } }, 'pendingPerUser'],
    [
      'one that is decided',
      { r50: { status: 'approved' }, r90: { status: 'pending' } },
      'admitted',
    ],
    ['one that never came into being', { r90: { status: 'pending' } }, 'admitted'],
  ])('%s', (_what, known, expected) => {
    expect(limitOf(two, limit, known)).toBe(expected);
  });

  it('are over at their end, to the millisecond', () => {
    const known: Known = { a: { status: 'pending' }, b: { status: 'pending' } };
    const ending = (expiresAt: number) =>
      history([asked(100, { ref: 'a', expiresAt }), asked(90, { ref: 'b' })]);
    expect(limitOf(ending(now), limit, known)).toBe('admitted');
    expect(limitOf(ending(now + 0.001), limit, known)).toBe('pendingPerUser');
  });

  it('count while they are being stored', () => {
    expect(limitOf(history([asked(1), asked(14)]), limit)).toBe('pendingPerUser');
    expect(limitOf(history([asked(1), asked(15)]), limit)).toBe('admitted');
  });
});

describe('the pause after denials', () => {
  const limit = { denialsBeforePause: 2, denialWindowSeconds: 600, pauseSeconds: 1800 };
  const past = history([asked(700, { ref: 'a' }), asked(400, { ref: 'b' })]);
  const denied = (a: number, b: number): Known => ({
    a: { status: 'denied', decidedAt: now - a },
    b: { status: 'denied', decidedAt: now - b },
  });

  it.each<[string, Known, string]>([
    ['two within the window', denied(690, 390), 'denialsBeforePause'],
    ['two at the window’s edge', denied(900, 300), 'denialsBeforePause'],
    ['two further apart', denied(900.001, 300), 'admitted'],
    ['two, the pause not yet over', denied(2000, 1799.999), 'denialsBeforePause'],
    ['two, the pause over', denied(2000, 1800), 'admitted'],
    [
      'one and an approval',
      { ...denied(690, 390), b: { status: 'approved', decidedAt: 1 } },
      'admitted',
    ],
  ])('%s', (_what, known, expected) => {
    expect(limitOf(past, limit, known)).toBe(expected);
  });

  it('is for the client that was denied, and not for another', () => {
    const other = asked(0, { ref: 'new', clientId: 'desk-1' });
    expect(limitOf(past, limit, denied(690, 390), other)).toBe('admitted');
  });
});

describe('the mute after a report', () => {
  const limit = { muteSeconds: 86_400 };
  const past = history([asked(700, { ref: 'a' })]);
  const reported = (secondsAgo: number): Known => ({
    a: { status: 'denied', decidedAt: now - secondsAgo, reported: true },
  });

  it.each<[string, Known, NotificationPolicy, string]>([
    ['one report', reported(1), limit, 'muteSeconds'],
    ['one, not yet over', reported(86_399.999), limit, 'muteSeconds'],
    ['one, over', reported(86_400), limit, 'admitted'],
    [
      'a denial that reports nothing',
      { a: { status: 'denied', decidedAt: now } },
      limit,
      'admitted',
    ],
    ['a policy without it', reported(1), { mailsPerUserPerMinute: 5 }, 'admitted'],
    ['a policy that has a pause as well', reported(1), standard, 'admitted'],
    ['both', reported(1), { ...standard, ...limit }, 'muteSeconds'],
  ])('%s', (_what, known, policy, expected) => {
    expect(limitOf(past, policy, known)).toBe(expected);
  });

  it('is for the client that was reported, and not for another', () => {
    const other = asked(0, { ref: 'new', clientId: 'desk-1' });
    expect(limitOf(past, limit, reported(1), other)).toBe('admitted');
  });

  it('is read for as long as it may last', () => {
    const ended = (secondsAgo: number) =>
      history([asked(0, { ref: 'a', expiresAt: now - secondsAgo })]);
    expect(refsToRead(ended(86_399), asked(0), limit)).toEqual(['a']);
    expect(refsToRead(ended(86_400), asked(0), limit)).toEqual([]);
  });

  it('outlasts requests of others whose policy has none, since theirs is not known', () => {
    const other = asked(0, { ref: 'new', clientId: 'desk-1' });
    const ended = history([asked(3600, { ref: 'a', expiresAt: now - 86_000 })]);
    const judged = judge(ended, { mailsPerUserPerMinute: 5 }, {}, other);
    expect(judged).toMatchObject({ next: { recent: [{ ref: 'a' }, { ref: 'new' }] } });
  });
});

describe('what is kept', () => {
  it('a notification that was counted before is not counted twice', () => {
    const past = history([asked(0, { ref: 'new' })], { mails: 20 });
    const judged = judge(past, standard);
    expect(judged).toEqual({ outcome: 'admitted', next: past });
    expect(judged.outcome === 'admitted' && judged.next).toBe(past);
  });

  it('nothing that no limit looks at any more', () => {
    const old = asked(400, { ref: 'old' });
    const denial = asked(500, { ref: 'denial' });
    const judged = judge(history([denial, old]), standard, {
      old: { status: 'approved' },
      denial: { status: 'denied', decidedAt: now - 450 },
    });
    expect(judged).toMatchObject({
      next: { recent: [{ ref: 'denial' }, { ref: 'new' }] },
    });
  });

  it('of two hundred and more, once all are read, of each client as many as may tell', () => {
    const many = Array.from({ length: 220 }, (_, index) => asked(0, { ref: `m${index}` }));
    const past = history([asked(30, { ref: 'of another', clientId: 'desk-1' }), ...many]);
    expect(refsToRead(past, asked(0), {})).toHaveLength(221);
    const judged = judge(past, { mailsPerUserPerDay: 1000 });
    const kept = judged.outcome === 'admitted' ? judged.next.recent.map(({ ref }) => ref) : [];
    expect(kept).toHaveLength(152);
    expect(kept).toEqual(expect.arrayContaining(['of another', 'm70', 'm219', 'new']));
    expect(judged).toMatchObject({ next: { mails: 222 } });
  });

  it('P32: what waited to its end, since a report may be written late', () => {
    const past = history([asked(150, { ref: 'a', expiresAt: now - 30 })]);
    const known: Known = { a: { status: 'pending' } };
    expect(judge(past, standard, known)).toMatchObject({ next: { recent: [{ ref: 'a' }, {}] } });
    const over = history([asked(250, { ref: 'a', expiresAt: now - 130 })]);
    expect(judge(over, standard, known)).toMatchObject({ next: { recent: [{ ref: 'new' }] } });
  });
});

describe('P32: under every policy that registration admits', () => {
  const number = (least: number, most: number) =>
    fc.option(fc.integer({ min: least, max: most }), { nil: undefined });
  const counts = {
    mailsPerUserPerMinute: number(1, 30),
    mailsPerUserPerDay: number(1, 1000),
    pendingPerUser: number(1, 30),
  };
  const muting = fc.record({ ...counts, muteSeconds: fc.integer({ min: 60, max: 86_400 }) });
  const pausing = fc.record({
    ...counts,
    denialsBeforePause: fc.constant(1),
    denialWindowSeconds: fc.integer({ min: 60, max: 3600 }),
    pauseSeconds: fc.integer({ min: 60, max: 86_400 }),
  });
  const others = fc.record({ ...counts, muteSeconds: number(60, 86_400) });
  const request = fc.record({
    clientId: fc.constantFrom('desk-1', 'desk-2', 'desk-3'),
    wait: fc.integer({ min: 0, max: 500 }),
    lifetime: fc.integer({ min: 10, max: 600 }),
    status: fc.constantFrom('pending', 'approved', 'denied', 'failed'),
  });

  it('a mute and a pause last, however many requests of others come', () => {
    expect(notificationPolicy.safeParse({ muteSeconds: 60 }).success).toBe(true);
    fc.assert(
      fc.property(
        fc.oneof(muting, pausing),
        others,
        fc.array(request, { minLength: 1, maxLength: 700 }),
        (own, theirs, requestsOfOthers) => {
          const reported = asked(0, { ref: 'reported' });
          const stored = new Map<string, Known[string] | { status: 'failed' }>([
            ['reported', { status: 'denied', decidedAt: now, reported: true }],
          ]);
          const read = (past: AskedHistory, next: AskedBefore, policy: NotificationPolicy) => {
            const refs = refsToRead(past, next, policy);
            return new Map(
              refs.flatMap((ref) => {
                const one = stored.get(ref);
                return one ? [[ref, one] as const] : [];
              }),
            );
          };
          let past = history([reported], { mails: 0 });
          let at = now;
          const ends =
            'pauseSeconds' in own ? now + own.pauseSeconds : now + (own.muteSeconds ?? 0);
          for (const [index, { clientId, wait, lifetime, status }] of requestsOfOthers.entries()) {
            at += wait % 20 === 0 ? wait : 0;
            const next = { ref: `o${index}`, clientId, at, expiresAt: at + lifetime };
            const judged = judgeAsked(past, read(past, next, theirs), next, theirs);
            if (judged.outcome === 'over') continue;
            past = judged.next;
            stored.set(next.ref, status === 'failed' ? { status } : { status, decidedAt: at });
          }
          const mine = { ref: 'mine', clientId: 'pump-4', at: Math.min(at, ends - 0.001) };
          const next = { ...mine, expiresAt: mine.at + 60 };
          expect(judgeAsked(past, read(past, next, own), next, own).outcome).toBe('over');
          expect(past.recent.length).toBeLessThanOrEqual(1501);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('even of a client that floods on, and of ten denials', () => {
    const denials = Array.from({ length: 12 }, (_, index) =>
      asked(700 - index, { ref: `d${index}`, deniedAt: now - 600 + index }),
    );
    const flood = Array.from({ length: 400 }, (_, index) => asked(0, { ref: `f${index}` }));
    const judged = judge(history([...denials, ...flood]), {});
    const kept = judged.outcome === 'admitted' ? judged.next.recent.map(({ ref }) => ref) : [];
    expect(kept.filter((ref) => ref.startsWith('d'))).toHaveLength(10);
    expect(kept).toEqual(expect.arrayContaining(['d2', 'd11', 'f399']));
    expect(kept).toHaveLength(10 + 150 + 1);
  });
});

describe('what is read', () => {
  const past = history([
    asked(2600, { ref: 'forgotten' }),
    asked(2400, { ref: 'pausing' }),
    asked(2400, { ref: 'of another', clientId: 'desk-1' }),
    asked(10, { ref: 'waiting', clientId: 'desk-1' }),
  ]);

  it.each<[string, NotificationPolicy, string[]]>([
    ['for limits by time', { mailsPerUserPerMinute: 5, mailsPerUserPerDay: 20 }, []],
    ['for pending ones', { pendingPerUser: 3 }, ['waiting']],
    [
      'for a pause',
      { denialsBeforePause: 2, denialWindowSeconds: 600, pauseSeconds: 1800 },
      ['pausing'],
    ],
    ['for all', standard, ['pausing', 'waiting']],
  ])('%s', (_what, policy, expected) => {
    expect(refsToRead(past, asked(0), policy)).toEqual(expected);
  });

  it('nothing of a user whom nobody has asked', () => {
    expect(refsToRead(undefined, asked(0), standard)).toEqual([]);
  });
});

describe('policies', () => {
  it('limit users unless they limit nothing but the deployment', () => {
    expect(limitsUsers({})).toBe(false);
    expect(limitsUsers({ mailsPerDay: 5 })).toBe(false);
    expect(limitsUsers({ pendingPerUser: 1, mailsPerDay: 5 })).toBe(true);
  });

  it('are found by the name that a client gives, and by the default else', () => {
    const policies = { byDefault: 'standard', policies: { standard, none: {} } };
    expect(policyOf(policies, 'none')).toEqual({});
    expect(policyOf(policies, undefined)).toBe(standard);
    // One that the deployment no longer has: never less than the default.
    expect(policyOf(policies, 'gone')).toBe(standard);
  });

  it.each([
    ['a pause without its window', { denialsBeforePause: 2, pauseSeconds: 60 }],
    ['an unknown limit', { mailsPerUserPerHour: 5 }],
    ['zero', { pendingPerUser: 0 }],
    ['a fraction', { pendingPerUser: 1.5 }],
  ])('%s is none', (_what, policy) => {
    expect(notificationPolicy.safeParse(policy).success).toBe(false);
  });

  it('have their default among them', () => {
    const policies = { none: {} };
    expect(notificationPolicies.safeParse({ byDefault: 'none', policies }).success).toBe(true);
    expect(notificationPolicies.safeParse({ byDefault: 'other', policies }).success).toBe(false);
  });
});

it('approved ones are out of the way of every limit but those by time', () => {
  const past = history(Array.from({ length: 4 }, (_, index) => asked(30 + 20 * index)));
  expect(limitOf(past, standard, approved)).toBe('admitted');
});
