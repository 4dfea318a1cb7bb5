/**
 * Every interleaving of everybody who touches a request (invariants I1 to I9, I12, I15): the production's transitions hold
 * in all of them, and with any one of their guards taken out they do not.
 */
import { describe, expect, it } from 'vitest';
import type {
  AuthenticationRequest,
  RedeemedRequest,
} from '../../../lambdas/ciba/authentication-request.ts';
import { explore } from '../../support/explore.ts';
import {
  type Cast,
  initialModel,
  keyOfModel,
  productionRules,
  type Rules,
  stepsOfModel,
} from '../../support/request-model.ts';

type Item = AuthenticationRequest | undefined;

function exploreCast(cast: Cast, rules: Rules = productionRules) {
  return explore(initialModel(cast), stepsOfModel(rules, cast), keyOfModel);
}

/** Small enough to look through for each guard. */
const smallCasts: Record<string, Cast> = {
  'strangers beside a poller who redeems and refreshes': {
    pollers: 1,
    polls: 1,
    approver: true,
    stranger: true,
    refreshes: 1,
    clock: [1, 131],
    mailed: true,
  },
  'a poller, an operator who changes client and user, approve, refresh': {
    pollers: 1,
    polls: 2,
    approver: true,
    refreshes: 1,
    operator: true,
    clock: [1, 119, 131],
    mailed: true,
  },
  'two pollers that come again, a refreshing client, replays, TTL': {
    pollers: 2,
    polls: 2,
    approver: true,
    refreshes: 1,
    clock: [119, 131, 160, 200],
    mailed: true,
  },
  'a redemption with a refresh token, and an operator who revokes it twice': {
    pollers: 1,
    polls: 1,
    approver: true,
    refreshes: 1,
    revocations: 2,
    clock: [1, 13],
    mailed: true,
  },
  'approve, a poller, a refreshing client, and an operator who revokes everything': {
    pollers: 1,
    polls: 2,
    approver: true,
    refreshes: 2,
    revokesAll: true,
    clock: [1, 13, 131],
    mailed: true,
  },
  'two polls after a redemption without a refresh token': {
    pollers: 2,
    polls: 1,
    approver: true,
    online: true,
    revocations: 1,
    clock: [1, 13],
    mailed: true,
  },
  'a poller who hurries, deny, a failing flow': {
    pollers: 1,
    polls: 4,
    denier: true,
    failingFlow: true,
    repeatsSlowDown: true,
    clock: [1, 120],
    mailed: true,
  },
  'late news of a mail, twice, a poller, approve, deny, a failing flow': {
    pollers: 1,
    polls: 1,
    approver: true,
    denier: true,
    failingFlow: true,
    news: 2,
    clock: [1, 119, 120],
    mailed: true,
  },
  'strangers beside a code that is wrong and then right': {
    pollers: 0,
    polls: 0,
    approver: true,
    stranger: true,
    wrongCodes: 1,
    clock: [1],
    mailed: true,
  },
  'wrong codes beside the right one, a poller, deny': {
    pollers: 1,
    polls: 1,
    approver: true,
    denier: true,
    wrongCodes: 4,
    clock: [1, 120],
    mailed: true,
  },
  'two mail tasks, approve, deny': {
    pollers: 0,
    polls: 0,
    mailers: 2,
    approver: true,
    denier: true,
    failingFlow: true,
    clock: [1, 16, 119, 120],
    mailed: false,
  },
};

const largeCasts: Record<string, Cast> = {
  'three pollers, approve, deny, a failing flow, an operator, up to the end': {
    pollers: 3,
    polls: 1,
    approver: true,
    denier: true,
    failingFlow: true,
    operator: true,
    clock: [1, 120],
    mailed: true,
  },
  'three pollers that come again, approve, deny': {
    pollers: 3,
    polls: 2,
    approver: true,
    denier: true,
    clock: [1, 119],
    mailed: true,
  },
  'two mail tasks, a poller, approve, deny, a failing flow': {
    pollers: 1,
    polls: 1,
    mailers: 2,
    approver: true,
    denier: true,
    failingFlow: true,
    clock: [1, 16, 119, 120],
    mailed: false,
  },
  'two pollers, an operator, a refreshing client, approve, replays': {
    pollers: 2,
    polls: 2,
    approver: true,
    refreshes: 1,
    operator: true,
    clock: [1, 119, 131],
    mailed: true,
  },
};

describe('the rules', () => {
  it('hold in every state of at least 400,000', () => {
    let states = 0;
    for (const [name, cast] of Object.entries({ ...smallCasts, ...largeCasts })) {
      const explored = exploreCast(cast);
      process.stdout.write(`${String(explored.states).padStart(8)} states  ${name}\n`);
      expect([name, explored.violation]).toEqual([name, undefined]);
      states += explored.states;
    }
    process.stdout.write(`${String(states).padStart(8)} states, 0 violations\n`);
    expect(states).toBeGreaterThanOrEqual(400_000);
  });
});

function as(item: Item, status: 'pending' | 'approved'): Item {
  if (!item) return undefined;
  return status === 'pending' ? { ...item, status } : { ...item, status, decidedAt: 1 };
}

/** As it was before its redemption. */
function neverRedeemed(item: RedeemedRequest): AuthenticationRequest {
  const { redeemedAt: _redeemedAt, attemptId: _attemptId, ...before } = item;
  return { ...before, status: 'approved' };
}

/** Before the end, and with no more than one poll before it. */
const EARLY = 1;

/** Each guard, taken out of one rule by showing it what it would let pass. */
const withoutGuard: Record<string, Partial<Rules>> = {
  'stampPoll: client': {
    stampPoll: (item, by, now) =>
      productionRules.stampPoll(item, { ...by, clientId: item?.clientId ?? '' }, now),
  },
  'stampPoll: secret': {
    stampPoll: (item, by, now) =>
      productionRules.stampPoll(item, { ...by, secretHash: item?.secretHash ?? '' }, now),
  },
  'stampPoll: not redeemed': {
    stampPoll: (item, by, now) =>
      item?.status === 'redeemed' &&
      by.clientId === item.clientId &&
      by.secretHash === item.secretHash
        ? { outcome: 'stamped', before: item, next: { ...item, polledAt: now } }
        : productionRules.stampPoll(item, by, now),
  },
  'slowDown: undecided': {
    slowDown: (item, judgedBy) =>
      item
        ? {
            outcome: 'slowed',
            interval: judgedBy + 5,
            next: { ...item, interval: judgedBy + 5 },
          }
        : productionRules.slowDown(item, judgedBy),
  },
  'claimMail: pending': {
    claimMail: (item, claim) => productionRules.claimMail(as(item, 'pending'), claim),
  },
  'claimMail: expiry': {
    claimMail: (item, claim) =>
      productionRules.claimMail(item && { ...item, expiresAt: Number.POSITIVE_INFINITY }, claim),
  },
  'claimMail: not mailed': {
    claimMail: (item, claim) =>
      productionRules.claimMail(item && { ...item, mailedAt: undefined }, claim),
  },
  'claimMail: lease': {
    claimMail: (item, claim) =>
      productionRules.claimMail(item && { ...item, mailClaimId: undefined }, claim),
  },
  'claimMail: the first nonce stays': {
    claimMail: (item, claim) => {
      const claimed = productionRules.claimMail(item, claim);
      if (claimed.outcome !== 'claimed') return claimed;
      return { ...claimed, next: { ...claimed.next, linkNonce: claim.linkNonce } };
    },
  },
  'claimMail: its own claim is recognised': {
    claimMail: (item, claim) => productionRules.claimMail(item, { ...claim, claimId: 'another' }),
  },
  'claimMail: the lease ends': {
    claimMail: (item, claim) =>
      productionRules.claimMail(
        item?.mailClaimUntil ? { ...item, mailClaimUntil: Number.POSITIVE_INFINITY } : item,
        claim,
      ),
  },
  'slowDown: a failed flow too': {
    slowDown: (item, judgedBy) =>
      item?.status === 'failed'
        ? { outcome: 'not_pending' }
        : productionRules.slowDown(item, judgedBy),
  },
  'slowDown: ten seconds at most': {
    slowDown: (item, judgedBy) =>
      productionRules.slowDown(item && { ...item, firstInterval: judgedBy }, judgedBy),
  },
  'slowDown: ten seconds from the first interval on': {
    slowDown: (item, judgedBy) =>
      productionRules.slowDown(item && { ...item, firstInterval: judgedBy - 10 }, judgedBy),
  },
  'slowDown: only what the poll was judged by': {
    slowDown: (item) => productionRules.slowDown(item, item?.interval ?? 0),
  },
  'recordMailed: claim': {
    recordMailed: (item, _claimId, now) =>
      item ? { outcome: 'recorded', next: { ...item, mailedAt: now } } : { outcome: 'not_claimed' },
  },
  'releaseMail: claim': {
    releaseMail: (item) =>
      item ? { outcome: 'released', next: { ...item } } : { outcome: 'not_claimed' },
  },
  'fail: pending': {
    fail: (item, cause, now) => productionRules.fail(as(item, 'pending'), cause, now),
  },
  'recordMailFailure: records at all': {
    recordMailFailure: () => ({ outcome: 'nothing_to_record' }),
  },
  'recordMailFailure: whatever has become of it': {
    recordMailFailure: (item, cause, now) =>
      item?.status === 'pending'
        ? productionRules.recordMailFailure(item, cause, now)
        : { outcome: 'nothing_to_record' },
  },
  'recordMailFailure: once': {
    recordMailFailure: (item, cause, now) =>
      productionRules.recordMailFailure(item && { ...item, mailFailure: undefined }, cause, now),
  },
  'recordMailFailure: fails what waits': {
    recordMailFailure: (item, cause, now) =>
      item
        ? { outcome: 'recorded', next: { ...item, mailFailure: { cause, at: now } } }
        : { outcome: 'nothing_to_record' },
  },
  'recordMailFailure: pending': {
    recordMailFailure: (item, cause, now) =>
      productionRules.recordMailFailure(as(item, 'pending'), cause, now),
  },
  'recordMailFailure: a failure keeps its cause': {
    recordMailFailure: (item, cause, now) =>
      productionRules.recordMailFailure(
        item?.status === 'failed' ? as(item, 'pending') : item,
        cause,
        now,
      ),
  },
  'recordMailFailure: expiry': {
    recordMailFailure: (item, cause, now) =>
      productionRules.recordMailFailure(
        item && { ...item, expiresAt: Number.POSITIVE_INFINITY },
        cause,
        now,
      ),
  },
  'decide: link': {
    decide: (item, user) =>
      productionRules.decide(item, { ...user, linkNonce: item?.linkNonce ?? '' }),
  },
  'decide: pending': {
    decide: (item, user) => productionRules.decide(as(item, 'pending'), user),
  },
  'decide: expiry': {
    decide: (item, user) => productionRules.decide(item, { ...user, now: EARLY }),
  },
  'decide: contact': {
    decide: (item, user) =>
      productionRules.decide(item, { ...user, contactVersion: item?.contactVersion }),
  },
  'decide: code': {
    decide: (item, user) =>
      productionRules.decide(item, { ...user, typedMessage: item?.bindingMessage }),
  },
  'decide: where it is made': {
    decide: (item, user) => productionRules.decide(item, { ...user, origin: undefined }),
  },
  'countWrongCode: where it denies': {
    countWrongCode: (item, wrong) =>
      productionRules.countWrongCode(item, { ...wrong, origin: undefined }),
  },
  'countWrongCode: only what denies says where': {
    countWrongCode: (item, wrong) => {
      const counted = productionRules.countWrongCode(item, wrong);
      return counted.outcome === 'counted' && counted.next
        ? { ...counted, next: { ...counted.next, decisionOrigin: wrong.origin } }
        : counted;
    },
  },
  'countWrongCode: link': {
    countWrongCode: (item, wrong) =>
      productionRules.countWrongCode(item, { ...wrong, linkNonce: item?.linkNonce ?? '' }),
  },
  'countWrongCode: pending': {
    countWrongCode: (item, wrong) => productionRules.countWrongCode(as(item, 'pending'), wrong),
  },
  'countWrongCode: expiry': {
    countWrongCode: (item, wrong) => productionRules.countWrongCode(item, { ...wrong, now: EARLY }),
  },
  'countWrongCode: the last denies': {
    countWrongCode: (item, wrong) => {
      const counted = productionRules.countWrongCode(item, wrong);
      return counted.outcome === 'denied' && item?.status === 'pending'
        ? { outcome: 'counted', left: 0, next: { ...item, wrongCodes: 3 } }
        : counted;
    },
  },
  'countWrongCode: its own count is recognised': {
    countWrongCode: (item, wrong) =>
      productionRules.countWrongCode(item, { ...wrong, attemptId: 'another' }),
  },
  'countWrongCode: counts each': {
    countWrongCode: (item, wrong) => {
      const counted = productionRules.countWrongCode(item, wrong);
      return counted.outcome === 'counted' && item ? { ...counted, next: item } : counted;
    },
  },
  'redeem: client': {
    redeem: (item, by) => productionRules.redeem(item, { ...by, clientId: item?.clientId ?? '' }),
  },
  'redeem: secret': {
    redeem: (item, by) =>
      productionRules.redeem(item, { ...by, secretHash: item?.secretHash ?? '' }),
  },
  'redeem: not redeemed': {
    redeem: (item, by) =>
      productionRules.redeem(item?.status === 'redeemed' ? neverRedeemed(item) : item, by),
  },
  'redeem: approved': {
    redeem: (item, by) =>
      productionRules.redeem(item?.status === 'redeemed' ? item : as(item, 'approved'), by),
  },
  'redeem: expiry': {
    redeem: (item, by) => productionRules.redeem(item, { ...by, now: EARLY }),
  },
  'redeem: contact': {
    redeem: (item, by) =>
      productionRules.redeem(item, { ...by, contactVersion: item?.contactVersion ?? 0 }),
  },
  'redeem: its own win is recognised': {
    redeem: (item, by) => {
      const redeemed = productionRules.redeem(item, by);
      return redeemed.outcome === 'redeemed_by_this_attempt' ? { outcome: 'not_found' } : redeemed;
    },
  },
  'redeem: the item outlives the refresh token': {
    redeem: (item, by) =>
      productionRules.redeem(item, {
        ...by,
        refresh: by.refresh && { ...by.refresh, forgetAt: item?.forgetAt ?? 0 },
      }),
  },
  'recordReplay: client': {
    recordReplay: (item, by, now) =>
      productionRules.recordReplay(item, { ...by, clientId: item?.clientId ?? '' }, now),
  },
  'recordReplay: secret': {
    recordReplay: (item, by, now) =>
      productionRules.recordReplay(item, { ...by, secretHash: item?.secretHash ?? '' }, now),
  },
  'recordReplay: ten seconds': {
    recordReplay: (item, by, now) => productionRules.recordReplay(item, by, now + 11),
  },
  'recordReplay: once': {
    recordReplay: (item, by, now) =>
      productionRules.recordReplay(
        item?.status === 'redeemed' ? { ...item, replayedAt: undefined } : item,
        by,
        now,
      ),
  },
  'recordReplay: records at all': {
    recordReplay: (item) =>
      item?.status === 'redeemed'
        ? { outcome: 'nothing_to_record' }
        : { outcome: 'nothing_to_record' },
  },
  'revoke: redeemed': {
    revoke: (item, now) =>
      item && item.status !== 'redeemed'
        ? {
            outcome: 'revoked',
            revokedAt: now,
            next: Object.assign({ ...item }, { revokedAt: now }),
          }
        : productionRules.revoke(item, now),
  },
  'revoke: a refresh token': {
    revoke: (item, now) =>
      item?.status === 'redeemed' && item.revokedAt === undefined
        ? { outcome: 'revoked', revokedAt: now, next: { ...item, revokedAt: now } }
        : productionRules.revoke(item, now),
  },
  'revoke: once': {
    revoke: (item, now) =>
      productionRules.revoke(
        item?.status === 'redeemed' ? { ...item, revokedAt: undefined } : item,
        now,
      ),
  },
  'revoke: revokes at all': { revoke: () => ({ outcome: 'no_refresh_token' }) },
  'refresh: client': {
    refreshableRequest: (item, by, now) =>
      productionRules.refreshableRequest(item, { ...by, clientId: item?.clientId ?? '' }, now),
  },
  'refresh: secret': {
    refreshableRequest: (item, by, now) => {
      const hash = item?.status === 'redeemed' ? item.refreshHash : undefined;
      return productionRules.refreshableRequest(item, { ...by, secretHash: hash ?? '' }, now);
    },
  },
  'refresh: not replayed': {
    refreshableRequest: (item, by, now) =>
      productionRules.refreshableRequest(
        item?.status === 'redeemed' ? { ...item, replayedAt: undefined } : item,
        by,
        now,
      ),
  },
  'refresh: not revoked': {
    refreshableRequest: (item, by, now) =>
      productionRules.refreshableRequest(
        item?.status === 'redeemed' ? { ...item, revokedAt: undefined } : item,
        by,
        now,
      ),
  },
  'refresh: end': {
    refreshableRequest: (item, by) => productionRules.refreshableRequest(item, by, EARLY),
  },
  'token endpoint: the user is read anew': {
    mayIssue: (now, request) => productionRules.mayIssue({ ...now, user: true }, request),
  },
  'token endpoint: the client is read anew': {
    mayIssue: (now, request) => productionRules.mayIssue({ ...now, client: true }, request),
  },
  'token endpoint: the contact is the one that was asked': {
    mayIssue: (now, request) =>
      productionRules.mayIssue({ ...now, contact: request.contactVersion }, request),
  },
  'token endpoint: what was revoked': {
    mayIssue: (now, request) => productionRules.mayIssue({ ...now, notBefore: undefined }, request),
  },
};

function firstViolation(rules: Rules) {
  for (const cast of Object.values(smallCasts)) {
    const { violation } = exploreCast(cast, rules);
    if (violation) return violation;
  }
  return undefined;
}

describe('without any one guard', () => {
  it.each(Object.keys(withoutGuard))('%s: an invariant breaks', (guard) => {
    const rules = { ...productionRules, ...withoutGuard[guard] };
    const found = firstViolation(rules);
    const told = found ? `${found.broken} (${found.trace.join(', ')})` : 'nothing';
    process.stdout.write(`${guard.padEnd(46)} ${told}\n`);
    expect(found?.broken).toBeDefined();
  });
});
