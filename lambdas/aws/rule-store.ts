/**
 * The store of authentication requests over anything that writes by rules: each step is one
 * conditional write, or two of which the second is tried where the first was refused. A refusal is
 * explained by the same rule, judged of the request as it is found then.
 */
import type { AuthenticationRequest } from '../ciba/request/authentication-request.ts';
import { MOST_WRONG_CODES } from '../ciba/request/confirmation.ts';
import { judge, type Rule } from '../ciba/request/rule.ts';
import {
  claimingMail,
  countingWrongCode,
  deciding,
  denyingByWrongCode,
  failing,
  failingByMail,
  notingMailFailure,
  recordingMailed,
  recordingReplay,
  redeeming,
  releasingMail,
  revoking,
  SLOW_DOWN_SECONDS,
  slowingDown,
  stampingPoll,
} from '../ciba/request/rules.ts';
import {
  type AuthenticationRequestStore,
  Unavailable,
  type Undecided,
  type WrongCodeOutcome,
} from '../ports.ts';

export interface RuleWriter {
  /** The request as the last finished write left it. */
  find(ref: string): Promise<AuthenticationRequest | undefined>;

  /**
   * Writes what the rule says if all that it demands holds, in one atomic step.
   * @param wanted the state that is handed back: the one before the write, or the one that it left
   * @returns undefined where the rule is refused
   */
  write(
    ref: string,
    rule: Rule<string>,
    wanted?: 'before' | 'after',
  ): Promise<{ request?: AuthenticationRequest | undefined } | undefined>;
}

/** The steps of the store; every promise of the port is kept by single conditional writes. */
export function ruleStore({
  find,
  write,
}: RuleWriter): Omit<AuthenticationRequestStore, 'create' | 'refuse'> {
  const writes = async (ref: string, rule: Rule<string>) => (await write(ref, rule)) !== undefined;

  async function explain<Refusal extends string>(ref: string, rule: Rule<Refusal>) {
    const request = await find(ref);
    const refused = judge(rule, request);
    return { request, refused };
  }

  return {
    find,
    fail: (ref, cause, now) => writes(ref, failing(cause, now)),
    recordMailed: (ref, claimId, now) => writes(ref, recordingMailed(claimId, now)),
    releaseMail: (ref, claimId) => writes(ref, releasingMail(claimId)),
    recordReplay: (owner, now) => writes(owner.ref, recordingReplay(owner, now)),
    recordMailFailure: async (ref, cause, now) =>
      (await writes(ref, failingByMail(cause, now))) || writes(ref, notingMailFailure(cause, now)),

    async stampPoll(owner, now) {
      const stamped = await write(owner.ref, stampingPoll(owner, now), 'before');
      const before = stamped?.request;
      return before ? { outcome: 'stamped', before } : { outcome: 'not_found' };
    },

    async slowDown(ref, judgedBy) {
      const rule = slowingDown(judgedBy);
      if (await writes(ref, rule)) return judgedBy + SLOW_DOWN_SECONDS;
      const { request, refused } = await explain(ref, rule);
      return refused === 'not_pending' ? undefined : request?.interval;
    },

    async redeem(redemption) {
      const rule = redeeming(redemption);
      if (await writes(redemption.ref, rule)) return { outcome: 'redeemed' };
      const { refused } = await explain(redemption.ref, rule);
      return { outcome: refused ?? unexplained() };
    },

    async decide(user) {
      const rule = deciding(user);
      if (await writes(user.ref, rule)) return { outcome: 'decided' };
      const { request, refused = unexplained() } = await explain(user.ref, rule);
      return refused === 'already_decided' ? alreadyDecided(request) : { outcome: refused };
    },

    async countWrongCode(wrong) {
      const counting = countingWrongCode(wrong);
      const counted = await write(wrong.ref, counting, 'after');
      if (counted) return answeredCount(counted.request);
      if (await writes(wrong.ref, denyingByWrongCode(wrong))) return { outcome: 'denied' };
      const { request, refused = unexplained() } = await explain(wrong.ref, counting);
      switch (refused) {
        case 'counted_before':
          return answeredCount(request);
        case 'is_last':
          return unexplained();
        case 'already_decided':
          return alreadyDecided(request);
        default:
          return { outcome: refused };
      }
    },

    async claimMail(claim) {
      const rule = claimingMail(claim);
      const request = (await write(claim.ref, rule, 'after'))?.request;
      if (request) return { outcome: 'claimed', request };
      const { refused } = await explain(claim.ref, rule);
      // Or else the other claim was given back between the write and the read.
      return { outcome: refused ?? 'claimed_by_another' };
    },

    async revoke(ref, now) {
      const rule = revoking(now);
      if (await writes(ref, rule)) return { outcome: 'revoked', revokedAt: now };
      const { request, refused = unexplained() } = await explain(ref, rule);
      if (refused !== 'revoked_before') return { outcome: refused };
      return { outcome: refused, revokedAt: revocationOf(request) };
    },
  };
}

function alreadyDecided(request: AuthenticationRequest | undefined): Undecided {
  const status = request?.status ?? 'pending';
  if (status === 'pending' || status === 'failed') unexplained();
  return { outcome: 'already_decided', status };
}

/** What whoever typed a wrong code is told once it was counted. */
function answeredCount(counted: AuthenticationRequest | undefined): WrongCodeOutcome {
  const left = MOST_WRONG_CODES - (counted?.wrongCodes ?? 0);
  return left > 0 ? { outcome: 'counted', left } : { outcome: 'denied' };
}

function revocationOf(request: AuthenticationRequest | undefined): number {
  return (request?.status === 'redeemed' && request.revokedAt) || unexplained();
}

/**
 * No write makes a demand of these hold again once it failed, so this names a fault rather than a
 * race.
 */
function unexplained(): never {
  throw new Unavailable('a condition failed that the item meets');
}
