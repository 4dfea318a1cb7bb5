/**
 * What each change of an authentication request answers, as pure functions: the rules of `rules.ts`, applied to what is known
 * of a request. A store that has had a rule refused explains by them what it then reads.
 */
import type {
  AuthenticationRequest,
  FailureCause,
  RequestStatus,
} from './authentication-request.ts';
import { MOST_WRONG_CODES } from './confirmation.ts';
import type { MailFailure } from './mail-failure.ts';
import { type Attempt, attempt } from './rule.ts';
import {
  type Claim,
  claimingMail,
  countingWrongCode,
  type DecisionOfUser,
  deciding,
  denyingByWrongCode,
  failing,
  failingByMail,
  notingMailFailure,
  type Owner,
  type Redemption,
  recordingMailed,
  recordingReplay,
  redeeming,
  releasingMail,
  revoking,
  slowingDown,
  stampingPoll,
  type Undecidable,
  type WrongCode,
} from './rules.ts';

type Stored = AuthenticationRequest | undefined;

/** What a refused transition leaves: nothing to write, and why. */
type Refused<Outcome extends string> = { outcome: Outcome; next?: never };

type Done<Outcome extends string> = { outcome: Outcome; next: AuthenticationRequest };

export type PollTransition =
  | Refused<'not_found'>
  | (Done<'stamped'> & { before: AuthenticationRequest });

export function stampPoll(request: Stored, owner: Owner, now: number): PollTransition {
  const { next, refused } = attempt(stampingPoll(owner, now), request);
  if (!next || !request) return { outcome: refused ?? 'not_found' };
  return { outcome: 'stamped', before: request, next };
}

export type SlowDownTransition =
  | Refused<'not_pending'>
  | { outcome: 'slowed_before' | 'slowed_most'; interval: number; next?: never }
  | (Done<'slowed'> & { interval: number });

/** The interval is the one from now on, in seconds. */
export function slowDown(request: Stored, judgedBy: number): SlowDownTransition {
  const { next, refused } = attempt(slowingDown(judgedBy), request);
  if (next) return { outcome: 'slowed', interval: next.interval, next };
  if (refused === 'not_pending' || !request) return { outcome: 'not_pending' };
  return { outcome: refused, interval: request.interval };
}

export type ClaimTransition = Refused<'over' | 'claimed_by_another'> | Done<'claimed'>;

export function claimMail(request: Stored, claim: Claim): ClaimTransition {
  return answered('claimed', attempt(claimingMail(claim), request));
}

export function recordMailed(
  request: Stored,
  claimId: string,
  now: number,
): Refused<'not_claimed'> | Done<'recorded'> {
  return answered('recorded', attempt(recordingMailed(claimId, now), request));
}

export function releaseMail(
  request: Stored,
  claimId: string,
): Refused<'not_claimed'> | Done<'released'> {
  return answered('released', attempt(releasingMail(claimId), request));
}

export function fail(
  request: Stored,
  cause: FailureCause,
  now: number,
): Refused<'over'> | Done<'failed'> {
  return answered('failed', attempt(failing(cause, now), request));
}

/** Fails with the mail, or else notes what became of it. */
export function recordMailFailure(
  request: Stored,
  cause: MailFailure,
  now: number,
): Refused<'nothing_to_record'> | Done<'recorded'> {
  const failed = attempt(failingByMail(cause, now), request);
  const recorded = failed.next ? failed : attempt(notingMailFailure(cause, now), request);
  return answered('recorded', recorded);
}

/** Why nothing can be decided any more. */
type UndecidableOutcome =
  | Refused<Exclude<Undecidable, 'already_decided'>>
  | {
      outcome: 'already_decided';
      status: Exclude<RequestStatus, 'pending' | 'failed'>;
      next?: never;
    };

export type DecideTransition =
  | UndecidableOutcome
  | Refused<'not_confirmed' | 'contact_changed'>
  | Done<'decided'>;

export function decide(request: Stored, user: DecisionOfUser): DecideTransition {
  const { next, refused } = attempt(deciding(user), request);
  if (next) return { outcome: 'decided', next };
  return refused === 'already_decided' ? alreadyDecided(request) : { outcome: refused };
}

function alreadyDecided(request: Stored): UndecidableOutcome {
  if (!request || request.status === 'pending' || request.status === 'failed') {
    throw new Error('what is decided is neither pending nor failed');
  }
  return { outcome: 'already_decided', status: request.status };
}

export type WrongCodeTransition =
  | UndecidableOutcome
  | { outcome: 'counted'; left: number; next?: AuthenticationRequest }
  | { outcome: 'denied'; next?: AuthenticationRequest };

/** Counts the code, or else denies with it; one that was counted before is answered alike, and leaves nothing. */
export function countWrongCode(request: Stored, wrong: WrongCode): WrongCodeTransition {
  const { next, refused } = attempt(countingWrongCode(wrong), request);
  if (next) return { ...answeredCount(next), next };
  switch (refused) {
    case 'is_last':
      return deniedBy(request, wrong);
    case 'counted_before':
      return answeredCount(request);
    case 'already_decided':
      return alreadyDecided(request);
    default:
      return { outcome: refused };
  }
}

function deniedBy(request: Stored, wrong: WrongCode): WrongCodeTransition {
  const { next } = attempt(denyingByWrongCode(wrong), request);
  if (!next) throw new Error('the last wrong code denies whatever could be decided');
  return { outcome: 'denied', next };
}

/** What whoever typed a wrong code is told once it was counted. */
export function answeredCount(
  counted: Pick<AuthenticationRequest, 'wrongCodes'> | undefined,
): { outcome: 'counted'; left: number } | { outcome: 'denied' } {
  const left = MOST_WRONG_CODES - (counted?.wrongCodes ?? 0);
  return left > 0 ? { outcome: 'counted', left } : { outcome: 'denied' };
}

export type RedeemTransition =
  | Refused<
      'not_found' | 'not_approved' | 'expired' | 'contact_changed' | 'redeemed_by_this_attempt'
    >
  | Done<'redeemed'>;

export function redeem(request: Stored, redemption: Redemption): RedeemTransition {
  return answered('redeemed', attempt(redeeming(redemption), request));
}

export function recordReplay(
  request: Stored,
  owner: Owner,
  now: number,
): Refused<'nothing_to_record'> | Done<'recorded'> {
  return answered('recorded', attempt(recordingReplay(owner, now), request));
}

export type RevokeTransition =
  | Refused<'not_found' | 'no_refresh_token'>
  | { outcome: 'revoked_before'; revokedAt: number; next?: never }
  | (Done<'revoked'> & { revokedAt: number });

export function revoke(request: Stored, now: number): RevokeTransition {
  const { next, refused } = attempt(revoking(now), request);
  if (next) return { outcome: 'revoked', revokedAt: now, next };
  if (refused !== 'revoked_before') return { outcome: refused };
  const revokedAt = request?.status === 'redeemed' ? request.revokedAt : undefined;
  return { outcome: refused, revokedAt: revokedAt ?? now };
}

function answered<Outcome extends string, Refusal extends string>(
  outcome: Outcome,
  { next, refused }: Attempt<Refusal>,
): Done<Outcome> | Refused<Refusal> {
  return next ? { outcome, next } : { outcome: refused };
}
