/**
 * The table of states: every event in every status, what it answers, and that statuses move only
 * along the table whatever happens in whichever order (threats T8, T9; invariants I1 to I8).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuthenticationRequest,
  decisions,
  type RequestStatus,
} from '../../../../lambdas/ciba/request/authentication-request.ts';
import { attempt, type Rule } from '../../../../lambdas/ciba/request/rule.ts';
import {
  claimingMail,
  countingWrongCode,
  deciding,
  denyingByWrongCode,
  failing,
  failingByMail,
  notingMailFailure,
  type Owner,
  recordingMailed,
  recordingReplay,
  redeeming,
  releasingMail,
  revoking,
  SLOW_DOWN_SECONDS,
  slowingDown,
  stampingPoll,
} from '../../../../lambdas/ciba/request/rules.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../../support/example-request.ts';

const nonce = 'n'.repeat(22);
const now = EXAMPLE_NOW + 10;
const late = EXAMPLE_NOW + 120;

const fresh = exampleRequest();
const pending: AuthenticationRequest = { ...fresh, linkNonce: nonce };
const approved: AuthenticationRequest = { ...pending, status: 'approved', decidedAt: now - 1 };
const coded: AuthenticationRequest = { ...pending, bindingMessage: 'PX-4711', wrongCodes: 1 };
const requests = {
  fresh,
  pending,
  approved,
  denied: { ...pending, status: 'denied', decidedAt: now - 1 },
  failed: { ...pending, status: 'failed', failedAt: now - 1, cause: 'flow_error' },
  redeemed: { ...approved, status: 'redeemed', redeemedAt: now - 1, attemptId: 'first' },
  offline: {
    ...approved,
    status: 'redeemed',
    redeemedAt: now - 1,
    attemptId: 'first',
    refreshHash: 'r'.repeat(43),
    refreshEndsAt: now + 1000,
  },
  none: undefined,
} satisfies Record<string, AuthenticationRequest | undefined>;

const { ref, secretHash, clientId } = fresh;
const owner: Owner = { ref, secretHash, clientId };
const user = { ref, linkNonce: nonce, contactVersion: 1, now };
const redemption = { ...owner, contactVersion: 1, attemptId: 'second', now };
const claim = { ref, claimId: 'c-2', linkNonce: 'm'.repeat(22), now, until: now + 15 };

type Stored = AuthenticationRequest | undefined;

/** What becomes of a request by the first of these rules that is not refused, or why all are. */
function tried(request: Stored, ...rules: Rule<string>[]): { next?: Stored; refused?: string } {
  const attempts = rules.map((rule) => attempt(rule, request));
  return attempts.find(({ next }) => next) ?? attempts[0] ?? {};
}

function wrongCode(request: Stored, wrong: Parameters<typeof countingWrongCode>[0]) {
  return tried(request, countingWrongCode(wrong), denyingByWrongCode(wrong));
}

function newsOf(request: Stored, ...news: Parameters<typeof failingByMail>) {
  const failed = attempt(failingByMail(...news), request);
  return failed.next ? failed : attempt(notingMailFailure(...news), request);
}

const columns = [
  'none',
  'fresh',
  'pending',
  'approved',
  'denied',
  'failed',
  'redeemed',
  'offline',
] as const;

/**
 * Each event, and what it answers to the request of each column, with the status it leaves where it
 * changes anything.
 */
const table: [string, (request: Stored) => ReturnType<typeof tried>, string[]][] = [
  [
    'a poll of the owner',
    (request) => attempt(stampingPoll(owner, now), request),
    [
      'not_found',
      '> pending',
      '> pending',
      '> approved',
      '> denied',
      '> failed',
      'not_found',
      'not_found',
    ],
  ],
  [
    'a poll of the owner after the end',
    (request) => attempt(stampingPoll(owner, late), request),
    [
      'not_found',
      '> pending',
      '> pending',
      '> approved',
      '> denied',
      '> failed',
      'not_found',
      'not_found',
    ],
  ],
  [
    'slow_down',
    (request) => attempt(slowingDown(pending.interval), request),
    [
      'not_pending',
      '> pending',
      '> pending',
      'not_pending',
      'not_pending',
      '> failed',
      'not_pending',
      'not_pending',
    ],
  ],
  [
    'approve',
    (request) => attempt(deciding({ ...user, decision: 'approve' }), request),
    [
      'not_found',
      'not_found',
      '> approved',
      'already_decided',
      'already_decided',
      'failed',
      'already_decided',
      'already_decided',
    ],
  ],
  [
    'deny',
    (request) => attempt(deciding({ ...user, decision: 'deny' }), request),
    [
      'not_found',
      'not_found',
      '> denied',
      'already_decided',
      'already_decided',
      'failed',
      'already_decided',
      'already_decided',
    ],
  ],
  [
    'a wrong code where none is asked for',
    (request) => wrongCode(request, { ref, linkNonce: nonce, attemptId: 'a', now }),
    [
      'not_found',
      'not_found',
      'not_found',
      'already_decided',
      'already_decided',
      'failed',
      'already_decided',
      'already_decided',
    ],
  ],
  [
    'redeem',
    (request) => attempt(redeeming(redemption), request),
    [
      'not_found',
      'not_approved',
      'not_approved',
      '> redeemed',
      'not_approved',
      'not_approved',
      'not_found',
      'not_found',
    ],
  ],
  [
    'approve after the end',
    (request) => attempt(deciding({ ...user, decision: 'approve', now: late }), request),
    [
      'not_found',
      'not_found',
      'expired',
      'expired',
      'already_decided',
      'failed',
      'already_decided',
      'already_decided',
    ],
  ],
  [
    'the auth_req_id is shown again, long after its use',
    (request) => attempt(recordingReplay(owner, late), request),
    columns.map((column) =>
      column === 'redeemed' || column === 'offline' ? '> redeemed' : 'nothing_to_record',
    ),
  ],
  [
    'the auth_req_id is shown again at once',
    (request) => attempt(recordingReplay(owner, now), request),
    columns.map(() => 'nothing_to_record'),
  ],
  [
    'claim the mail',
    (request) => attempt(claimingMail(claim), request),
    ['over', '> pending', '> pending', 'over', 'over', 'over', 'over', 'over'],
  ],
  [
    'claim the mail at the end',
    (request) => attempt(claimingMail({ ...claim, now: late }), request),
    ['over', 'over', 'over', 'over', 'over', 'over', 'over', 'over'],
  ],
  [
    'record a failure',
    (request) => attempt(failing('mail_rejected', now), request),
    ['over', '> failed', '> failed', 'over', 'over', 'over', 'over', 'over'],
  ],
  [
    'a mail did not arrive',
    (request) => newsOf(request, 'mail_bounced', now),
    [
      'nothing_to_record',
      '> failed',
      '> failed',
      '> approved',
      '> denied',
      '> failed',
      '> redeemed',
      '> redeemed',
    ],
  ],
  [
    'a mail did not arrive, as is known at the end',
    (request) => newsOf(request, 'mail_bounced', late),
    [
      'nothing_to_record',
      '> pending',
      '> pending',
      '> approved',
      '> denied',
      '> failed',
      '> redeemed',
      '> redeemed',
    ],
  ],
  [
    'stamp a mail that nobody claimed',
    (request) => attempt(recordingMailed('c-2', now), request),
    columns.map(() => 'not_claimed'),
  ],
  [
    'release a mail that nobody claimed',
    (request) => attempt(releasingMail('c-2'), request),
    columns.map(() => 'not_claimed'),
  ],
];

function answerOf({ next, refused }: ReturnType<typeof tried>): string {
  return next ? `> ${next.status}` : String(refused);
}

describe.each(table)('%s', (_event, apply, answers) => {
  it.each(columns.map((column, index) => [column, answers[index]] as const))(
    'of a request that is %s is %s',
    (column, answer) => {
      expect(answerOf(apply(requests[column]))).toBe(answer);
    },
  );
});

describe('what a rule writes', () => {
  it('of a poll is its time, and nothing else', () => {
    expect(attempt(stampingPoll(owner, now), pending)).toEqual({
      next: { ...pending, polledAt: now, polls: 1 },
    });
  });

  it('of a poll too early is five seconds more, and nothing else (CIBA 11)', () => {
    expect(SLOW_DOWN_SECONDS).toBe(5);
    expect(attempt(slowingDown(pending.interval), pending)).toEqual({
      next: { ...pending, interval: pending.interval + 5, firstInterval: pending.interval },
    });
  });

  it('P16: of a poll too early is nothing once ten seconds more are enforced (CIBA 11)', () => {
    let request: AuthenticationRequest = pending;
    const intervals = Array.from({ length: 4 }, () => {
      request = attempt(slowingDown(request.interval), request).next ?? request;
      return request.interval;
    });
    const { interval } = pending;
    expect(intervals).toEqual([interval + 5, interval + 10, interval + 10, interval + 10]);
    expect(request).toEqual({ ...pending, interval: interval + 10, firstInterval: interval });
    expect(attempt(slowingDown(request.interval), request)).toEqual({ refused: 'slowed_most' });
  });

  it.each([
    ['approve', { status: 'approved' }],
    // The mark of a denial, with which no change of the status makes an approval of it.
    ['deny', { status: 'denied', isDenied: true }],
  ] as const)('of %s is the status and its time', (decision, written) => {
    expect(attempt(deciding({ ...user, decision }), pending).next).toEqual({
      ...pending,
      ...written,
      decidedAt: now,
    });
  });

  it('of a report is a denial and that it was reported', () => {
    expect(attempt(deciding({ ...user, decision: 'report' }), pending).next).toEqual({
      ...pending,
      status: 'denied',
      isDenied: true,
      decidedAt: now,
      reported: true,
    });
  });

  it('of a wrong code is its count; the third is a denial in the same step', () => {
    const wrong = { ref, linkNonce: nonce, attemptId: 'a', now };
    expect(wrongCode(coded, wrong)).toEqual({
      next: { ...coded, wrongCodes: 2, wrongCodeAttempt: 'a' },
    });
    expect(wrongCode({ ...coded, wrongCodes: 2 }, wrong)).toEqual({
      next: {
        ...coded,
        status: 'denied',
        isDenied: true,
        decidedAt: now,
        wrongCodes: 3,
        wrongCodeAttempt: 'a',
      },
    });
  });

  it('of a wrong code is nothing when the same attempt comes again (F4)', () => {
    const wrong = { ref, linkNonce: nonce, attemptId: 'a', now };
    const before = { ...coded, wrongCodeAttempt: 'a' };
    expect(wrongCode(before, wrong)).toEqual({ refused: 'counted_before' });
    const denied: AuthenticationRequest = {
      ...before,
      status: 'denied',
      decidedAt: now,
      wrongCodes: 3,
    };
    expect(wrongCode(denied, wrong)).toEqual({ refused: 'counted_before' });
  });

  it.each<[string, AuthenticationRequest, Partial<typeof user>, string]>([
    ['another link', coded, { linkNonce: 'x' }, 'not_found'],
    ['the end', coded, { now: late }, 'expired'],
    ['a failure', { ...coded, status: 'failed', failedAt: now, cause: 'flow_error' }, {}, 'failed'],
    ['a decision', { ...coded, status: 'denied', decidedAt: now }, {}, 'already_decided'],
  ])('of a wrong code is nothing with %s', (_what, request, changes, outcome) => {
    const judged = wrongCode(request, {
      ...{ ref, linkNonce: nonce, attemptId: 'a', now },
      ...changes,
    });
    expect(answerOf(judged)).toBe(outcome);
  });

  it('of an approval that asks for a code is nothing until it was typed; a denial needs none (T1)', () => {
    const approve = { ...user, decision: 'approve' } as const;
    for (const typedMessage of [undefined, '', 'px-4711', 'PX-4712']) {
      const judged = attempt(deciding({ ...approve, typedMessage }), coded);
      expect(answerOf(judged)).toBe('not_confirmed');
    }
    expect(attempt(deciding({ ...approve, typedMessage: 'PX-4711' }), coded).next).toEqual({
      ...coded,
      status: 'approved',
      decidedAt: now,
    });
    for (const decision of ['deny', 'report'] as const) {
      expect(answerOf(attempt(deciding({ ...user, decision }), coded))).toBe('> denied');
    }
  });

  it('of an approval is nothing where the code was wrong as often as it may be', () => {
    const spent: AuthenticationRequest = { ...coded, wrongCodes: 3 };
    const typed = { ...user, decision: 'approve', typedMessage: 'PX-4711' } as const;
    expect(answerOf(attempt(deciding(typed), spent))).toBe('not_confirmed');
  });

  it('of a redemption is the status, its time and the attempt', () => {
    expect(attempt(redeeming(redemption), approved)).toMatchObject({
      next: { ...approved, status: 'redeemed', redeemedAt: now, attemptId: 'second' },
    });
  });

  it('of a first claim is the nonce and the lease, and of a later one the lease alone', () => {
    const claimed = { mailClaimId: 'c-2', mailClaimUntil: now + 15 };
    expect(attempt(claimingMail(claim), fresh)).toMatchObject({
      next: { ...fresh, linkNonce: claim.linkNonce, ...claimed },
    });
    expect(attempt(claimingMail(claim), pending)).toMatchObject({
      next: { ...pending, ...claimed },
    });
  });

  it('of a mail that was accepted is its time, and the lease is gone', () => {
    const claimed = { ...pending, mailClaimId: 'c-2', mailClaimUntil: now + 15 };
    expect(attempt(recordingMailed('c-2', now), claimed)).toEqual({
      next: { ...pending, mailedAt: now },
    });
    expect(attempt(releasingMail('c-2'), claimed)).toEqual({ next: pending });
  });

  it('of a failure is its time and cause', () => {
    expect(attempt(failing('withdrawn', now), pending).next).toEqual({
      ...pending,
      status: 'failed',
      failedAt: now,
      cause: 'withdrawn',
    });
  });
});

describe('news of a mail', () => {
  const mailFailure = { cause: 'mail_complained', at: now } as const;

  it('fails a pending request with its cause', () => {
    expect(newsOf(pending, 'mail_complained', now).next).toEqual({
      ...pending,
      status: 'failed',
      failedAt: now,
      cause: 'mail_complained',
      mailFailure,
    });
  });

  it('stands beside a decision, and beside the cause of another failure', () => {
    for (const request of [approved, requests.failed]) {
      expect(newsOf(request, 'mail_complained', now).next).toEqual({
        ...request,
        mailFailure,
      });
    }
  });

  it('is the first that came', () => {
    const { next } = newsOf(approved, 'mail_complained', now);
    expect(newsOf(next, 'mail_bounced', late)).toEqual({ refused: 'nothing_to_record' });
  });
});

describe('a replay', () => {
  const { offline } = requests;

  it.each([
    ['ten seconds after the redemption', offline.redeemedAt + 10, 'nothing_to_record'],
    ['a millisecond later', offline.redeemedAt + 10.001, '> redeemed'],
  ])('%s', (_when, at, answer) => {
    expect(answerOf(attempt(recordingReplay(owner, at), offline))).toBe(answer);
  });

  it('writes its time once, and nothing else', () => {
    const { next } = attempt(recordingReplay(owner, late), offline);
    expect(next).toEqual({ ...offline, replayedAt: late });
    expect(attempt(recordingReplay(owner, late + 1), next)).toEqual({
      refused: 'nothing_to_record',
    });
  });

  it.each<[string, Partial<Owner>]>([
    ['another client', { clientId: 'desk-1' }],
    ['another secret', { secretHash: 'x'.repeat(43) }],
  ])('by %s records nothing (I9)', (_who, changes) => {
    expect(attempt(recordingReplay({ ...owner, ...changes }, late), offline)).toEqual({
      refused: 'nothing_to_record',
    });
  });
});

describe('a revocation', () => {
  const { offline } = requests;

  it('writes its time once, and nothing else', () => {
    const { next } = attempt(revoking(late), offline);
    expect(next).toEqual({ ...offline, revokedAt: late });
    expect(attempt(revoking(late + 1), next)).toEqual({
      refused: 'revoked_before',
    });
  });

  it('is put on record after a replay and after the end of the token too', () => {
    const replayed = { ...offline, replayedAt: now };
    expect(answerOf(attempt(revoking(late), replayed))).toBe('> redeemed');
    const ended = { ...offline, refreshEndsAt: now };
    expect(answerOf(attempt(revoking(late), ended))).toBe('> redeemed');
  });

  it('is none of what has no refresh token', () => {
    expect(attempt(revoking(late), undefined)).toEqual({ refused: 'not_found' });
    expect(attempt(revoking(late), approved)).toEqual({ refused: 'no_refresh_token' });
    expect(attempt(revoking(late), { ...offline, refreshHash: undefined })).toEqual({
      refused: 'no_refresh_token',
    });
  });
});

it('a redemption with a refresh token keeps the item until that ends', () => {
  const refresh = { hash: 'h', endsAt: late + 1000, forgetAt: late + 9000 };
  expect(attempt(redeeming({ ...redemption, refresh }), approved).next).toMatchObject({
    refreshHash: 'h',
    refreshEndsAt: late + 1000,
    forgetAt: late + 9000,
  });
});

describe('guards', () => {
  it.each<[string, Partial<Owner>]>([
    ['another client', { clientId: 'desk-1' }],
    ['another secret', { secretHash: 'x'.repeat(43) }],
    ['the secret in place of its hash', { secretHash: 's'.repeat(43) }],
    ['no secret', { secretHash: '' }],
  ])('I9, T7: neither stamp nor redeem for %s, and do not say why', (_who, changes) => {
    const stranger = { ...owner, ...changes };
    expect(attempt(stampingPoll(stranger, now), approved)).toEqual({ refused: 'not_found' });
    expect(attempt(redeeming({ ...redemption, ...stranger }), approved)).toEqual({
      refused: 'not_found',
    });
  });

  it.each(decisions)('T10: refuse to %s by another link', (decision) => {
    for (const linkNonce of ['', 'o'.repeat(22), ref, secretHash]) {
      expect(attempt(deciding({ ...user, decision, linkNonce }), pending)).toEqual({
        refused: 'not_found',
      });
    }
  });

  it.each([0, 2, undefined])(
    'T29, I7: refuse approval and redemption for contact version %s, and let the user deny',
    (contactVersion) => {
      const changed = { ...user, contactVersion };
      expect(answerOf(attempt(deciding({ ...changed, decision: 'approve' }), pending))).toBe(
        'contact_changed',
      );
      expect(answerOf(attempt(deciding({ ...changed, decision: 'deny' }), pending))).toBe(
        '> denied',
      );
      if (contactVersion === undefined) return;
      expect(answerOf(attempt(redeeming({ ...redemption, contactVersion }), approved))).toBe(
        'contact_changed',
      );
    },
  );

  it.each([
    ['a millisecond before the end', late - 0.001, '> approved', '> redeemed'],
    ['at the end', late, 'expired', 'expired'],
    ['a week after the end', late + 7 * 86_400, 'expired', 'expired'],
  ])('I3, I5: judge %s strictly', (_when, at, decided, redeemed) => {
    expect(answerOf(attempt(deciding({ ...user, decision: 'approve', now: at }), pending))).toBe(
      decided,
    );
    expect(answerOf(attempt(redeeming({ ...redemption, now: at }), approved))).toBe(redeemed);
  });

  it('F4: recognise a redemption that is repeated under the same attempt, and no other', () => {
    const { redeemed } = requests;
    expect(attempt(redeeming({ ...redemption, attemptId: 'first' }), redeemed)).toEqual({
      refused: 'redeemed_by_this_attempt',
    });
    expect(attempt(redeeming(redemption), redeemed)).toEqual({ refused: 'not_found' });
  });

  it.each([
    ['another task while its lease lasts', 'c-1', now + 0.001, 'claimed_by_another'],
    ['another task once its lease is over', 'c-1', now, '> pending'],
    ['the same task again', 'c-2', now + 15, '> pending'],
  ])('F3: a mail claimed by %s', (_whom, mailClaimId, mailClaimUntil, answer) => {
    const claimed = { ...pending, mailClaimId, mailClaimUntil };
    expect(answerOf(attempt(claimingMail(claim), claimed))).toBe(answer);
  });

  it('F3: let nobody claim a mail that was accepted', () => {
    expect(answerOf(attempt(claimingMail(claim), { ...pending, mailedAt: now - 60 }))).toBe('over');
  });
});

it('I1, I4, I6, I8: in any order of any events one decision counts, one redemption wins, and nothing goes back', () => {
  const edges: Record<RequestStatus, RequestStatus[]> = {
    pending: ['pending', 'approved', 'denied', 'failed'],
    approved: ['approved', 'redeemed'],
    denied: ['denied'],
    failed: ['failed'],
    redeemed: ['redeemed'],
  };
  const times = fc.integer({ min: 0, max: 140 }).map((seconds) => EXAMPLE_NOW + seconds);
  const ids = fc.constantFrom('a', 'b', 'c');
  type Step = [deed: string, ...rules: Rule<string>[]];
  const step: fc.Arbitrary<Step> = fc.oneof(
    times.map((at): Step => ['poll', stampingPoll(owner, at)]),
    fc.constantFrom(2, 7, 12).map((judgedBy): Step => ['slow down', slowingDown(judgedBy)]),
    fc
      .record({
        now: times,
        decision: fc.constantFrom(...decisions),
        linkNonce: fc.constantFrom(nonce, 'x'),
        contactVersion: fc.constantFrom(1, 2),
      })
      .map((by): Step => ['decide', deciding({ ref, ...by })]),
    fc
      .record({
        now: times,
        attemptId: ids,
        contactVersion: fc.constantFrom(1, 2),
        clientId: fc.constantFrom(clientId, 'desk-1'),
      })
      .map((by): Step => ['redeem', redeeming({ ref, secretHash, ...by })]),
    fc
      .record({ now: times, claimId: ids })
      .map(
        (by): Step => ['claim', claimingMail({ ref, linkNonce: nonce, until: by.now + 15, ...by })],
      ),
    fc.tuple(ids, times).map(([id, at]): Step => ['stamp', recordingMailed(id, at)]),
    ids.map((id): Step => ['release', releasingMail(id)]),
    times.map((at): Step => ['fail', failing('flow_error', at)]),
    times.map(
      (at): Step => [
        'news',
        failingByMail('mail_bounced', at),
        notingMailFailure('mail_bounced', at),
      ],
    ),
  );

  let redemptions = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const done: string[] = [];
      let request: AuthenticationRequest = fresh;
      for (const [deed, ...rules] of steps) {
        const { next } = tried(request, ...rules);
        if (!next) continue;
        done.push(deed);
        expect(edges[request.status]).toContain(next.status);
        expect(next.linkNonce).toBe(request.linkNonce ?? next.linkNonce);
        expect(next.interval).toBeGreaterThanOrEqual(request.interval);
        expect(next.interval).toBeLessThanOrEqual(pending.interval + 10);
        if ('reported' in next) expect(next.status).toBe('denied');
        if (request.mailFailure) expect(next.mailFailure).toBe(request.mailFailure);
        if ('decidedAt' in next) expect(next.decidedAt).toBeLessThan(next.expiresAt);
        request = next;
      }
      const count = (deed: string) => done.filter((one) => one === deed).length;
      expect(count('decide')).toBeLessThanOrEqual(1);
      expect(count('redeem')).toBeLessThanOrEqual(1);
      if (request.status === 'denied') expect(count('redeem')).toBe(0);
      redemptions += count('redeem');
    }),
    { numRuns: 3000, seed: 20231114 },
  );
  expect(redemptions).toBeGreaterThan(0);
});
