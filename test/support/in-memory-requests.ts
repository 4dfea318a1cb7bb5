/**
 * The authentication request store in memory: each method applies one pure transition of `ciba/transitions.ts` in one
 * synchronous step. For tests that explore behaviour; the DynamoDB adapter passes the same contract suite.
 */
import type { AuthenticationRequest } from '../../lambdas/ciba/authentication-request.ts';
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
} from '../../lambdas/ciba/transitions.ts';
import type { AuthenticationRequestStore } from '../../lambdas/ports.ts';

/** What a transition leaves, if anything, is stored; what it answers is handed on without it. */
export function inMemoryRequests(): AuthenticationRequestStore {
  const stored = new Map<string, AuthenticationRequest>();

  function apply<Transition extends { next?: AuthenticationRequest }>(
    ref: string,
    transition: (request: AuthenticationRequest | undefined) => Transition,
  ): Transition {
    const result = transition(stored.get(ref));
    if (result.next) stored.set(ref, result.next);
    return result;
  }

  return {
    async create(request) {
      const taken = stored.get(request.ref);
      // A create that is repeated after a lost answer meets its own request, and leaves it as it is by now.
      if (taken && taken.secretHash !== request.secretHash) throw new Error('the ref is taken');
      if (!taken) stored.set(request.ref, request);
    },
    find: async (ref) => stored.get(ref),
    async stampPoll(owner, now) {
      const result = apply(owner.ref, (request) => stampPoll(request, owner, now));
      return result.outcome === 'stamped'
        ? { outcome: 'stamped', before: result.before }
        : { outcome: result.outcome };
    },
    async slowDown(ref, judgedBy) {
      const result = apply(ref, (request) => slowDown(request, judgedBy));
      return result.outcome === 'not_pending' ? undefined : result.interval;
    },
    async decide(user) {
      const result = apply(user.ref, (request) => decide(request, user));
      return result.outcome === 'already_decided'
        ? { outcome: result.outcome, status: result.status }
        : { outcome: result.outcome };
    },
    async countWrongCode(wrong) {
      const { next: _stored, ...outcome } = apply(wrong.ref, (request) =>
        countWrongCode(request, wrong),
      );
      return outcome;
    },
    redeem: async (redemption) => ({
      outcome: apply(redemption.ref, (request) => redeem(request, redemption)).outcome,
    }),
    recordReplay: async (owner, now) =>
      apply(owner.ref, (request) => recordReplay(request, owner, now)).outcome === 'recorded',
    async claimMail(claim) {
      const result = apply(claim.ref, (request) => claimMail(request, claim));
      return result.outcome === 'claimed'
        ? { outcome: 'claimed', request: result.next }
        : { outcome: result.outcome };
    },
    recordMailed: async (ref, claimId, now) =>
      apply(ref, (request) => recordMailed(request, claimId, now)).outcome === 'recorded',
    releaseMail: async (ref, claimId) =>
      apply(ref, (request) => releaseMail(request, claimId)).outcome === 'released',
    async revoke(ref, now) {
      const { next: _stored, ...outcome } = apply(ref, (request) => revoke(request, now));
      return outcome;
    },
    // The audit is no matter of the transitions.
    refuse: async () => {},
    fail: async (ref, cause, now) =>
      apply(ref, (request) => fail(request, cause, now)).outcome === 'failed',
    recordMailFailure: async (ref, failure, now) =>
      apply(ref, (request) => recordMailFailure(request, failure, now)).outcome === 'recorded',
  };
}
