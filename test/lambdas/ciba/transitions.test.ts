/**
 * The table of states (S1 to S11, S14, S15): every event in every status, what it answers, and that statuses move only along the table
 * whatever happens in whichever order (threats T8, T9; invariants I1 to I8).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuthenticationRequest,
  decisions,
  type RequestStatus,
} from '../../../lambdas/ciba/authentication-request.ts';
import { type Owner, SLOW_DOWN_SECONDS } from '../../../lambdas/ciba/rules.ts';
import {
  claimMail,
  countWrongCode,
  decide,
  fail,
  recordMailed,
  recordMailFailure,
  recordReplay,
  redeem,
  releaseMail,
  revoke,
  slowDown,
  stampPoll,
} from '../../../lambdas/ciba/transitions.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';

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
type Transition = { outcome: string; next?: AuthenticationRequest };

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

/** Each event, and what it answers to the request of each column, with the status it leaves where it changes anything. */
const table: [string, (request: Stored) => Transition, string[]][] = [
  [
    'S7: a poll of the owner',
    (request) => stampPoll(request, owner, now),
    [
      'not_found',
      'stamped > pending',
      'stamped > pending',
      'stamped > approved',
      'stamped > denied',
      'stamped > failed',
      'not_found',
      'not_found',
    ],
  ],
  [
    'S10: a poll of the owner after the end',
    (request) => stampPoll(request, owner, late),
    [
      'not_found',
      'stamped > pending',
      'stamped > pending',
      'stamped > approved',
      'stamped > denied',
      'stamped > failed',
      'not_found',
      'not_found',
    ],
  ],
  [
    'S7: slow_down',
    (request) => slowDown(request, pending.interval),
    [
      'not_pending',
      'slowed > pending',
      'slowed > pending',
      'not_pending',
      'not_pending',
      'slowed > failed',
      'not_pending',
      'not_pending',
    ],
  ],
  [
    'S5: approve',
    (request) => decide(request, { ...user, decision: 'approve' }),
    [
      'not_found',
      'not_found',
      'decided > approved',
      'already_decided',
      'already_decided',
      'failed',
      'already_decided',
      'already_decided',
    ],
  ],
  [
    'S6: deny',
    (request) => decide(request, { ...user, decision: 'deny' }),
    [
      'not_found',
      'not_found',
      'decided > denied',
      'already_decided',
      'already_decided',
      'failed',
      'already_decided',
      'already_decided',
    ],
  ],
  [
    'S15: a wrong code where none is asked for',
    (request) => countWrongCode(request, { ref, linkNonce: nonce, attemptId: 'a', now }),
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
    'S8: redeem',
    (request) => redeem(request, redemption),
    [
      'not_found',
      'not_approved',
      'not_approved',
      'redeemed > redeemed',
      'not_approved',
      'not_approved',
      'not_found',
      'not_found',
    ],
  ],
  [
    'S5: approve after the end',
    (request) => decide(request, { ...user, decision: 'approve', now: late }),
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
    'S11: the auth_req_id is shown again, long after its use',
    (request) => recordReplay(request, owner, late),
    columns.map((column) =>
      column === 'redeemed' || column === 'offline' ? 'recorded > redeemed' : 'nothing_to_record',
    ),
  ],
  [
    'S11: the auth_req_id is shown again at once',
    (request) => recordReplay(request, owner, now),
    columns.map(() => 'nothing_to_record'),
  ],
  [
    'S2: claim the mail',
    (request) => claimMail(request, claim),
    ['over', 'claimed > pending', 'claimed > pending', 'over', 'over', 'over', 'over', 'over'],
  ],
  [
    'S2: claim the mail at the end',
    (request) => claimMail(request, { ...claim, now: late }),
    ['over', 'over', 'over', 'over', 'over', 'over', 'over', 'over'],
  ],
  [
    'S4: record a failure',
    (request) => fail(request, 'mail_rejected', now),
    ['over', 'failed > failed', 'failed > failed', 'over', 'over', 'over', 'over', 'over'],
  ],
  [
    'S14: a mail did not arrive',
    (request) => recordMailFailure(request, 'mail_bounced', now),
    [
      'nothing_to_record',
      'recorded > failed',
      'recorded > failed',
      'recorded > approved',
      'recorded > denied',
      'recorded > failed',
      'recorded > redeemed',
      'recorded > redeemed',
    ],
  ],
  [
    'S14: a mail did not arrive, as is known at the end',
    (request) => recordMailFailure(request, 'mail_bounced', late),
    [
      'nothing_to_record',
      'recorded > pending',
      'recorded > pending',
      'recorded > approved',
      'recorded > denied',
      'recorded > failed',
      'recorded > redeemed',
      'recorded > redeemed',
    ],
  ],
  [
    'S3: stamp a mail that nobody claimed',
    (request) => recordMailed(request, 'c-2', now),
    columns.map(() => 'not_claimed'),
  ],
  [
    'release a mail that nobody claimed',
    (request) => releaseMail(request, 'c-2'),
    columns.map(() => 'not_claimed'),
  ],
];

function answerOf({ outcome, next }: Transition): string {
  return next ? `${outcome} > ${next.status}` : outcome;
}

describe.each(table)('%s', (_event, apply, answers) => {
  it.each(columns.map((column, index) => [column, answers[index]] as const))(
    'of a request that is %s is %s',
    (column, answer) => {
      expect(answerOf(apply(requests[column]))).toBe(answer);
    },
  );
});

describe('what a transition writes', () => {
  it('of a poll is its time, and nothing else (S7)', () => {
    expect(stampPoll(pending, owner, now)).toEqual({
      outcome: 'stamped',
      before: pending,
      next: { ...pending, polledAt: now, polls: 1 },
    });
  });

  it('of a poll too early is five seconds more, and nothing else (S7, CIBA 11)', () => {
    expect(SLOW_DOWN_SECONDS).toBe(5);
    expect(slowDown(pending, pending.interval)).toEqual({
      outcome: 'slowed',
      interval: pending.interval + 5,
      next: { ...pending, interval: pending.interval + 5, firstInterval: pending.interval },
    });
  });

  it('P16: of a poll too early is nothing once ten seconds more are enforced (S7, CIBA 11)', () => {
    let request: AuthenticationRequest = pending;
    const intervals = Array.from({ length: 4 }, () => {
      const slowed = slowDown(request, request.interval);
      if ('next' in slowed && slowed.next) request = slowed.next;
      return 'interval' in slowed ? slowed.interval : slowed.outcome;
    });
    const { interval } = pending;
    expect(intervals).toEqual([interval + 5, interval + 10, interval + 10, interval + 10]);
    expect(request).toEqual({ ...pending, interval: interval + 10, firstInterval: interval });
    expect(slowDown(request, request.interval)).toEqual({
      outcome: 'slowed_most',
      interval: interval + 10,
    });
  });

  it.each([
    ['approve', { status: 'approved' }],
    // The mark of a denial, with which no change of the status makes an approval of it.
    ['deny', { status: 'denied', isDenied: true }],
  ] as const)('of %s is the status and its time (S5, S6)', (decision, written) => {
    expect(decide(pending, { ...user, decision }).next).toEqual({
      ...pending,
      ...written,
      decidedAt: now,
    });
  });

  it('of a report is a denial and that it was reported (S6)', () => {
    expect(decide(pending, { ...user, decision: 'report' }).next).toEqual({
      ...pending,
      status: 'denied',
      isDenied: true,
      decidedAt: now,
      reported: true,
    });
  });

  it('of a wrong code is its count; the third is a denial in the same step (S15)', () => {
    const wrong = { ref, linkNonce: nonce, attemptId: 'a', now };
    expect(countWrongCode(coded, wrong)).toEqual({
      outcome: 'counted',
      left: 1,
      next: { ...coded, wrongCodes: 2, wrongCodeAttempt: 'a' },
    });
    expect(countWrongCode({ ...coded, wrongCodes: 2 }, wrong)).toEqual({
      outcome: 'denied',
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

  it('of a wrong code is nothing when the same attempt comes again (S15, F4)', () => {
    const wrong = { ref, linkNonce: nonce, attemptId: 'a', now };
    const before = { ...coded, wrongCodeAttempt: 'a' };
    expect(countWrongCode(before, wrong)).toEqual({ outcome: 'counted', left: 2 });
    const denied: AuthenticationRequest = {
      ...before,
      status: 'denied',
      decidedAt: now,
      wrongCodes: 3,
    };
    expect(countWrongCode(denied, wrong)).toEqual({ outcome: 'denied' });
  });

  it.each<[string, AuthenticationRequest, Partial<typeof user>, string]>([
    ['another link', coded, { linkNonce: 'x' }, 'not_found'],
    ['the end', coded, { now: late }, 'expired'],
    ['a failure', { ...coded, status: 'failed', failedAt: now, cause: 'flow_error' }, {}, 'failed'],
    ['a decision', { ...coded, status: 'denied', decidedAt: now }, {}, 'already_decided'],
  ])('of a wrong code is nothing with %s (S15)', (_what, request, changes, outcome) => {
    const judged = countWrongCode(request, {
      ...{ ref, linkNonce: nonce, attemptId: 'a', now },
      ...changes,
    });
    expect(answerOf(judged)).toBe(outcome);
  });

  it('of an approval that asks for a code is nothing until it was typed; a denial needs none (T1)', () => {
    const approve = { ...user, decision: 'approve' } as const;
    for (const typedMessage of [undefined, '', 'px-4711', 'PX-4712']) {
      const judged = decide(coded, { ...approve, typedMessage });
      expect(answerOf(judged)).toBe('not_confirmed');
    }
    expect(decide(coded, { ...approve, typedMessage: 'PX-4711' }).next).toEqual({
      ...coded,
      status: 'approved',
      decidedAt: now,
    });
    for (const decision of ['deny', 'report'] as const) {
      expect(answerOf(decide(coded, { ...user, decision }))).toBe('decided > denied');
    }
  });

  it('of an approval is nothing where the code was wrong as often as it may be (S15)', () => {
    const spent: AuthenticationRequest = { ...coded, wrongCodes: 3 };
    const typed = { ...user, decision: 'approve', typedMessage: 'PX-4711' } as const;
    expect(answerOf(decide(spent, typed))).toBe('not_confirmed');
  });

  it('of a redemption is the status, its time and the attempt (S8)', () => {
    expect(redeem(approved, redemption)).toMatchObject({
      next: { ...approved, status: 'redeemed', redeemedAt: now, attemptId: 'second' },
    });
  });

  it('of a first claim is the nonce and the lease, and of a later one the lease alone (S2)', () => {
    const claimed = { mailClaimId: 'c-2', mailClaimUntil: now + 15 };
    expect(claimMail(fresh, claim)).toMatchObject({
      next: { ...fresh, linkNonce: claim.linkNonce, ...claimed },
    });
    expect(claimMail(pending, claim)).toMatchObject({ next: { ...pending, ...claimed } });
  });

  it('of a mail that was accepted is its time, and the lease is gone (S3)', () => {
    const claimed = { ...pending, mailClaimId: 'c-2', mailClaimUntil: now + 15 };
    expect(recordMailed(claimed, 'c-2', now)).toEqual({
      outcome: 'recorded',
      next: { ...pending, mailedAt: now },
    });
    expect(releaseMail(claimed, 'c-2')).toEqual({ outcome: 'released', next: pending });
  });

  it('of a failure is its time and cause (S4)', () => {
    expect(fail(pending, 'withdrawn', now).next).toEqual({
      ...pending,
      status: 'failed',
      failedAt: now,
      cause: 'withdrawn',
    });
  });
});

describe('S14: news of a mail', () => {
  const mailFailure = { cause: 'mail_complained', at: now } as const;

  it('fails a pending request with its cause', () => {
    expect(recordMailFailure(pending, 'mail_complained', now).next).toEqual({
      ...pending,
      status: 'failed',
      failedAt: now,
      cause: 'mail_complained',
      mailFailure,
    });
  });

  it('stands beside a decision, and beside the cause of another failure', () => {
    for (const request of [approved, requests.failed]) {
      expect(recordMailFailure(request, 'mail_complained', now).next).toEqual({
        ...request,
        mailFailure,
      });
    }
  });

  it('is the first that came', () => {
    const { next } = recordMailFailure(approved, 'mail_complained', now);
    expect(recordMailFailure(next, 'mail_bounced', late)).toEqual({ outcome: 'nothing_to_record' });
  });
});

describe('S11: a replay', () => {
  const { offline } = requests;

  it.each([
    ['ten seconds after the redemption', offline.redeemedAt + 10, 'nothing_to_record'],
    ['a millisecond later', offline.redeemedAt + 10.001, 'recorded > redeemed'],
  ])('%s', (_when, at, answer) => {
    expect(answerOf(recordReplay(offline, owner, at))).toBe(answer);
  });

  it('writes its time once, and nothing else', () => {
    const { next } = recordReplay(offline, owner, late);
    expect(next).toEqual({ ...offline, replayedAt: late });
    expect(recordReplay(next, owner, late + 1)).toEqual({ outcome: 'nothing_to_record' });
  });

  it.each<[string, Partial<Owner>]>([
    ['another client', { clientId: 'desk-1' }],
    ['another secret', { secretHash: 'x'.repeat(43) }],
  ])('by %s records nothing (I9)', (_who, changes) => {
    expect(recordReplay(offline, { ...owner, ...changes }, late)).toEqual({
      outcome: 'nothing_to_record',
    });
  });
});

describe('S13: a revocation', () => {
  const { offline } = requests;

  it('writes its time once, and nothing else', () => {
    const { next, ...answer } = revoke(offline, late);
    expect(answer).toEqual({ outcome: 'revoked', revokedAt: late });
    expect(next).toEqual({ ...offline, revokedAt: late });
    expect(revoke(next, late + 1)).toEqual({ outcome: 'revoked_before', revokedAt: late });
  });

  it('is put on record after a replay and after the end of the token too', () => {
    const replayed = { ...offline, replayedAt: now };
    expect(revoke(replayed, late).outcome).toBe('revoked');
    expect(revoke({ ...offline, refreshEndsAt: now }, late).outcome).toBe('revoked');
  });

  it('is none of what has no refresh token', () => {
    expect(revoke(undefined, late)).toEqual({ outcome: 'not_found' });
    expect(revoke(approved, late)).toEqual({ outcome: 'no_refresh_token' });
    expect(revoke({ ...offline, refreshHash: undefined }, late)).toEqual({
      outcome: 'no_refresh_token',
    });
  });
});

it('a redemption with a refresh token keeps the item until that ends', () => {
  const refresh = { hash: 'h', endsAt: late + 1000, forgetAt: late + 9000 };
  expect(redeem(approved, { ...redemption, refresh }).next).toMatchObject({
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
    expect(stampPoll(approved, stranger, now)).toEqual({ outcome: 'not_found' });
    expect(redeem(approved, { ...redemption, ...stranger })).toEqual({ outcome: 'not_found' });
  });

  it.each(decisions)('T10: refuse to %s by another link', (decision) => {
    for (const linkNonce of ['', 'o'.repeat(22), ref, secretHash]) {
      expect(decide(pending, { ...user, decision, linkNonce })).toEqual({ outcome: 'not_found' });
    }
  });

  it.each([0, 2, undefined])(
    'T29, I7: refuse approval and redemption for contact version %s, and let the user deny',
    (contactVersion) => {
      const changed = { ...user, contactVersion };
      expect(answerOf(decide(pending, { ...changed, decision: 'approve' }))).toBe(
        'contact_changed',
      );
      expect(answerOf(decide(pending, { ...changed, decision: 'deny' }))).toBe('decided > denied');
      if (contactVersion === undefined) return;
      expect(answerOf(redeem(approved, { ...redemption, contactVersion }))).toBe('contact_changed');
    },
  );

  it.each([
    ['a millisecond before the end', late - 0.001, 'decided > approved', 'redeemed > redeemed'],
    ['at the end', late, 'expired', 'expired'],
    ['a week after the end (TR-01)', late + 7 * 86_400, 'expired', 'expired'],
  ])('I3, I5: judge %s strictly', (_when, at, decided, redeemed) => {
    expect(answerOf(decide(pending, { ...user, decision: 'approve', now: at }))).toBe(decided);
    expect(answerOf(redeem(approved, { ...redemption, now: at }))).toBe(redeemed);
  });

  it('F4: recognise a redemption that is repeated under the same attempt, and no other', () => {
    const { redeemed } = requests;
    expect(redeem(redeemed, { ...redemption, attemptId: 'first' })).toEqual({
      outcome: 'redeemed_by_this_attempt',
    });
    expect(redeem(redeemed, redemption)).toEqual({ outcome: 'not_found' });
  });

  it.each([
    ['another task while its lease lasts', 'c-1', now + 0.001, 'claimed_by_another'],
    ['another task once its lease is over', 'c-1', now, 'claimed > pending'],
    ['the same task again', 'c-2', now + 15, 'claimed > pending'],
  ])('F3: a mail claimed by %s', (_whom, mailClaimId, mailClaimUntil, answer) => {
    const claimed = { ...pending, mailClaimId, mailClaimUntil };
    expect(answerOf(claimMail(claimed, claim))).toBe(answer);
  });

  it('F3: let nobody claim a mail that was accepted', () => {
    expect(answerOf(claimMail({ ...pending, mailedAt: now - 60 }, claim))).toBe('over');
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
  type Step = (request: AuthenticationRequest) => Transition;
  const step: fc.Arbitrary<Step> = fc.oneof(
    times.map(
      (at): Step =>
        (request) =>
          stampPoll(request, owner, at),
    ),
    fc.constantFrom(2, 7, 12).map(
      (judgedBy): Step =>
        (request) =>
          slowDown(request, judgedBy),
    ),
    fc
      .record({
        now: times,
        decision: fc.constantFrom(...decisions),
        linkNonce: fc.constantFrom(nonce, 'x'),
        contactVersion: fc.constantFrom(1, 2),
      })
      .map(
        (by): Step =>
          (request) =>
            decide(request, { ref, ...by }),
      ),
    fc
      .record({
        now: times,
        attemptId: ids,
        contactVersion: fc.constantFrom(1, 2),
        clientId: fc.constantFrom(clientId, 'desk-1'),
      })
      .map(
        (by): Step =>
          (request) =>
            redeem(request, { ref, secretHash, ...by }),
      ),
    fc.record({ now: times, claimId: ids }).map(
      (by): Step =>
        (request) =>
          claimMail(request, { ref, linkNonce: nonce, until: by.now + 15, ...by }),
    ),
    fc.tuple(ids, times).map(
      ([id, at]): Step =>
        (request) =>
          recordMailed(request, id, at),
    ),
    ids.map(
      (id): Step =>
        (request) =>
          releaseMail(request, id),
    ),
    times.map(
      (at): Step =>
        (request) =>
          fail(request, 'flow_error', at),
    ),
    times.map(
      (at): Step =>
        (request) =>
          recordMailFailure(request, 'mail_bounced', at),
    ),
  );

  let redemptions = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const outcomes: string[] = [];
      let request: AuthenticationRequest = fresh;
      for (const apply of steps) {
        const { outcome, next } = apply(request);
        outcomes.push(outcome);
        if (!next) continue;
        expect(edges[request.status]).toContain(next.status);
        expect(next.linkNonce).toBe(request.linkNonce ?? next.linkNonce);
        expect(next.interval).toBeGreaterThanOrEqual(request.interval);
        expect(next.interval).toBeLessThanOrEqual(pending.interval + 10);
        if ('reported' in next) expect(next.status).toBe('denied');
        if (request.mailFailure) expect(next.mailFailure).toBe(request.mailFailure);
        if ('decidedAt' in next) expect(next.decidedAt).toBeLessThan(next.expiresAt);
        request = next;
      }
      const count = (outcome: string) => outcomes.filter((one) => one === outcome).length;
      expect(count('decided')).toBeLessThanOrEqual(1);
      expect(count('redeemed')).toBeLessThanOrEqual(1);
      if (request.status === 'denied') expect(count('redeemed')).toBe(0);
      redemptions += count('redeemed');
    }),
    { numRuns: 3000, seed: 20231114 },
  );
  expect(redemptions).toBeGreaterThan(0);
});
