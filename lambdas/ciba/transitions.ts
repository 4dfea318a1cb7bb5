/**
 * Every change an authentication request can undergo, as pure functions: the guard, and what is written if it holds.
 * A store applies each as one atomic step; the DynamoDB adapter states the same guard as the condition of one write.
 */
import {
  type ApprovedRequest,
  type AuthenticationRequest,
  type Decision,
  type FailureCause,
  isExpired,
  type PendingRequest,
  type RequestStatus,
} from './authentication-request.ts';
import { MOST_WRONG_CODES } from './confirmation.ts';
import type { DecisionOrigin } from './decision-origin.ts';
import type { MailFailure } from './mail-failure.ts';

/** CIBA Core 11: `slow_down` adds at least five seconds, for this and every later poll. */
export const SLOW_DOWN_SECONDS = 5;

/**
 * The most that is enforced beyond the interval of the acknowledgement. The standard binds the client to five seconds more
 * each time; a client that waits so once, and then its first interval again, is not to be driven off for it.
 */
export const MOST_SLOWED_SECONDS = 10;

type Stored = AuthenticationRequest | undefined;

/** What a refused transition leaves: nothing to write, and why. */
type Refused<Outcome extends string> = Outcome extends string
  ? { outcome: Outcome; next?: never }
  : never;

/** Who polls: the secret half of the auth_req_id, hashed, and the authenticated client. */
export interface Owner {
  ref: string;
  secretHash: string;
  clientId: string;
}

export type PollTransition =
  | Refused<'not_found'>
  | { outcome: 'stamped'; before: AuthenticationRequest; next: AuthenticationRequest };

/**
 * S7: a poll of the owner stamps its time. Unknown, foreign and redeemed requests are one answer, and nothing is
 * written for them, so that no other client can disturb the owner's interval (CIBA Core 10.1, 11).
 */
export function stampPoll(request: Stored, owner: Owner, now: number): PollTransition {
  if (!isOwned(request, owner) || request.status === 'redeemed') return { outcome: 'not_found' };
  return {
    outcome: 'stamped',
    before: request,
    next: { ...request, polledAt: now, polls: request.polls + 1 },
  };
}

export type SlowDownTransition =
  | Refused<'not_pending'>
  | { outcome: 'slowed_before' | 'slowed_most'; interval: number; next?: never }
  | { outcome: 'slowed'; interval: number; next: AuthenticationRequest };

/**
 * The interval after a poll that came too early, in seconds: {@link SLOW_DOWN_SECONDS} more, and at most
 * {@link MOST_SLOWED_SECONDS} more than the acknowledged one.
 */
export function slowedInterval({
  interval,
  firstInterval = interval,
}: Pick<AuthenticationRequest, 'interval' | 'firstInterval'>): number {
  return Math.min(interval + SLOW_DOWN_SECONDS, firstInterval + MOST_SLOWED_SECONDS);
}

/**
 * S7, too early: the interval that the poll was judged by grows for good (CIBA Core 11), up to the most that is enforced. It
 * grows once, whether the write is repeated after a lost answer or polls come at once: a client that counts along is never
 * behind. Only an undecided request slows down; one that failed is polled like a pending one, so that a client cannot tell
 * them apart.
 */
export function slowDown(request: Stored, judgedBy: number): SlowDownTransition {
  if (request?.status !== 'pending' && request?.status !== 'failed') {
    return { outcome: 'not_pending' };
  }
  if (request.interval !== judgedBy) {
    return { outcome: 'slowed_before', interval: request.interval };
  }
  const interval = slowedInterval(request);
  if (interval === judgedBy) return { outcome: 'slowed_most', interval };
  const { firstInterval = judgedBy } = request;
  return { outcome: 'slowed', interval, next: { ...request, interval, firstInterval } };
}

export interface Claim {
  ref: string;
  /** Names this attempt; a repeated write of the same attempt is granted again. */
  claimId: string;
  /** 128 random bits, kept only if the request has no link nonce yet. */
  linkNonce: string;
  now: number;
  /** When another attempt may take over; later than this one can possibly still be sending. */
  until: number;
}

export type ClaimTransition =
  | Refused<'over' | 'claimed_by_another'>
  | { outcome: 'claimed'; next: AuthenticationRequest };

/** S2: one mail task at a time may send, only while the request is pending, unexpired and not yet mailed. */
export function claimMail(request: Stored, claim: Claim): ClaimTransition {
  if (request?.status !== 'pending') return { outcome: 'over' };
  if (isExpired(request, claim.now) || request.mailedAt !== undefined) return { outcome: 'over' };
  const { mailClaim } = request;
  if (mailClaim && mailClaim.id !== claim.claimId && mailClaim.until > claim.now) {
    return { outcome: 'claimed_by_another' };
  }
  return {
    outcome: 'claimed',
    next: {
      ...request,
      linkNonce: request.linkNonce ?? claim.linkNonce,
      mailClaim: { id: claim.claimId, until: claim.until },
    },
  };
}

/** S3: the mail was accepted. Stamped by the claim's owner alone, whatever the user has decided meanwhile. */
export function recordMailed(
  request: Stored,
  claimId: string,
  now: number,
): Refused<'not_claimed'> | { outcome: 'recorded'; next: AuthenticationRequest } {
  if (request?.mailClaim?.id !== claimId) return { outcome: 'not_claimed' };
  const { mailClaim: _spent, ...rest } = request;
  return { outcome: 'recorded', next: { ...rest, mailedAt: now } };
}

/** The mail was definitely not accepted: the next attempt need not wait for the claim to run out. */
export function releaseMail(
  request: Stored,
  claimId: string,
): Refused<'not_claimed'> | { outcome: 'released'; next: AuthenticationRequest } {
  if (request?.mailClaim?.id !== claimId) return { outcome: 'not_claimed' };
  const { mailClaim: _released, ...rest } = request;
  return { outcome: 'released', next: rest };
}

/** S4: the flow gave up. It never touches a decision. */
export function fail(
  request: Stored,
  cause: FailureCause,
  now: number,
): Refused<'over'> | { outcome: 'failed'; next: AuthenticationRequest } {
  if (request?.status !== 'pending') return { outcome: 'over' };
  return { outcome: 'failed', next: { ...request, status: 'failed', failedAt: now, cause } };
}

/**
 * S14: news of a mail that was accepted, which comes at any time, in any order and more than once. The first is kept,
 * whatever has become of the request; one that still waits for its user fails with it. A decision stays a decision, and an
 * end an end.
 */
export function recordMailFailure(
  request: Stored,
  cause: MailFailure,
  now: number,
): Refused<'nothing_to_record'> | { outcome: 'recorded'; next: AuthenticationRequest } {
  if (!request || request.mailFailure) return { outcome: 'nothing_to_record' };
  const mailFailure = { cause, at: now };
  if (request.status !== 'pending' || isExpired(request, now)) {
    return { outcome: 'recorded', next: { ...request, mailFailure } };
  }
  const failed = { status: 'failed', failedAt: now, cause } as const;
  return { outcome: 'recorded', next: { ...request, ...failed, mailFailure } };
}

export interface DecisionOfUser {
  ref: string;
  decision: Decision;
  /** The nonce that the link was proved with. */
  linkNonce: string;
  /** The user's contact version now; demanded of an approval. A denial always counts. */
  contactVersion: number | undefined;
  /** The binding message, once the user has typed it as the code; demanded of an approval that needs one. */
  typedMessage?: string | undefined;
  /** Where it is made, as far as that is kept. */
  origin?: DecisionOrigin | undefined;
  now: number;
}

/** What a decision writes, whoever makes it. */
function decidedBy({ now, origin }: Pick<DecisionOfUser, 'now' | 'origin'>) {
  return { decidedAt: now, ...(origin && { decisionOrigin: origin }) };
}

/** Why nothing can be decided any more. */
type Undecidable =
  | Refused<'not_found' | 'expired' | 'failed'>
  | {
      outcome: 'already_decided';
      status: Exclude<RequestStatus, 'pending' | 'failed'>;
      next?: never;
    };

export type DecideTransition =
  | Undecidable
  | Refused<'not_confirmed' | 'contact_changed'>
  | { outcome: 'decided'; next: AuthenticationRequest };

/**
 * S5 and S6: the user's decision, once, before the end, by the holder of the link. A report is a denial that says so, in
 * the same step.
 */
export function decide(stored: Stored, user: DecisionOfUser): DecideTransition {
  const request = findDecidable(stored, user);
  if ('outcome' in request) return request;
  if (user.decision !== 'approve') {
    const reported = user.decision === 'report' ? { reported: true as const } : {};
    return {
      outcome: 'decided',
      next: { ...request, status: 'denied', ...decidedBy(user), ...reported },
    };
  }
  if (!isConfirmed(request, user)) return { outcome: 'not_confirmed' };
  if (request.contactVersion !== user.contactVersion) return { outcome: 'contact_changed' };
  return { outcome: 'decided', next: { ...request, status: 'approved', ...decidedBy(user) } };
}

/** What a user who holds the link may decide, or why not. */
function findDecidable(
  request: Stored,
  { linkNonce, now }: Pick<DecisionOfUser, 'linkNonce' | 'now'>,
): PendingRequest | Undecidable {
  if (request?.linkNonce === undefined || request.linkNonce !== linkNonce) {
    return { outcome: 'not_found' };
  }
  if (request.status === 'failed') return { outcome: 'failed' };
  if (request.status === 'approved' && isExpired(request, now)) return { outcome: 'expired' };
  if (request.status !== 'pending') return { outcome: 'already_decided', status: request.status };
  return isExpired(request, now) ? { outcome: 'expired' } : request;
}

/** Where a code is asked for: whether it was typed, and was not wrong too often before. */
function isConfirmed(
  { wrongCodes, bindingMessage }: PendingRequest,
  { typedMessage }: DecisionOfUser,
): boolean {
  if (wrongCodes === undefined) return true;
  return typedMessage === bindingMessage && wrongCodes < MOST_WRONG_CODES;
}

/** A wrong code that somebody who holds the link typed. */
export interface WrongCode {
  ref: string;
  /** The nonce that the link was proved with. */
  linkNonce: string;
  /** Names this attempt, so that a repeated write recognises that it has counted it. */
  attemptId: string;
  /** Where it was typed, as far as that is kept; it is, with the one that denies. */
  origin?: DecisionOrigin | undefined;
  now: number;
}

export type WrongCodeTransition =
  | Undecidable
  | { outcome: 'counted'; left: number; next?: AuthenticationRequest }
  | { outcome: 'denied'; next?: AuthenticationRequest };

/**
 * S15: a wrong code is counted, once, and the last of {@link MOST_WRONG_CODES} denies the request in the same step: of any
 * number of guesses at once no more than that are ever judged.
 */
export function countWrongCode(stored: Stored, wrong: WrongCode): WrongCodeTransition {
  if (stored?.wrongCodes !== undefined && stored.wrongCodeAttempt === wrong.attemptId) {
    return judgeCount(stored.wrongCodes);
  }
  const request = findDecidable(stored, wrong);
  if ('outcome' in request) return request;
  if (request.wrongCodes === undefined) return { outcome: 'not_found' };
  const wrongCodes = request.wrongCodes + 1;
  const counted = { ...request, wrongCodes, wrongCodeAttempt: wrong.attemptId };
  const judged = judgeCount(wrongCodes);
  return judged.outcome === 'counted'
    ? { ...judged, next: counted }
    : { ...judged, next: { ...counted, status: 'denied', ...decidedBy(wrong) } };
}

function judgeCount(
  wrongCodes: number,
): { outcome: 'counted'; left: number } | { outcome: 'denied' } {
  const left = MOST_WRONG_CODES - wrongCodes;
  return left > 0 ? { outcome: 'counted', left } : { outcome: 'denied' };
}

/** What a redemption leaves of the refresh token it answers with. */
export interface NewRefreshToken {
  /** SHA-256 of its secret half. */
  hash: string;
  endsAt: number;
  /** When the audit may forget the request; not before the refresh token ends. */
  forgetAt: number;
}

export interface Redemption extends Owner {
  /** The user's contact version now. */
  contactVersion: number;
  /** Names this attempt, so that a repeated write recognises its own win. */
  attemptId: string;
  /** The refresh token that goes out with the tokens, if one does. */
  refresh?: NewRefreshToken | undefined;
  now: number;
}

export type RedeemTransition =
  | Refused<'not_found' | 'not_approved' | 'expired' | 'contact_changed'>
  | { outcome: 'redeemed'; request: ApprovedRequest; next: AuthenticationRequest }
  | { outcome: 'redeemed_by_this_attempt'; next?: never };

/** S8: the one redemption. Exactly one attempt ever wins; it is the last check before the tokens go out. */
export function redeem(request: Stored, redemption: Redemption): RedeemTransition {
  if (!isOwned(request, redemption)) return { outcome: 'not_found' };
  if (request.status === 'redeemed') {
    return request.attemptId === redemption.attemptId
      ? { outcome: 'redeemed_by_this_attempt' }
      : { outcome: 'not_found' };
  }
  if (request.status !== 'approved') return { outcome: 'not_approved' };
  if (isExpired(request, redemption.now)) return { outcome: 'expired' };
  if (request.contactVersion !== redemption.contactVersion) return { outcome: 'contact_changed' };
  const { attemptId, refresh, now } = redemption;
  // Nobody polls it any more, and the room is needed: the item is to stay within one write unit.
  const { polledAt: _spent, firstInterval: _spentToo, ...rest } = request;
  return {
    outcome: 'redeemed',
    request,
    next: {
      ...rest,
      status: 'redeemed',
      redeemedAt: now,
      attemptId,
      ...(refresh && {
        refreshHash: refresh.hash,
        refreshEndsAt: refresh.endsAt,
        forgetAt: refresh.forgetAt,
      }),
    },
  };
}

/** How long after the redemption a repeated auth_req_id is a client's retry and no theft, in seconds. */
export const REPLAY_GRACE_SECONDS = 10;

/**
 * S11: an auth_req_id that is shown again later than {@link REPLAY_GRACE_SECONDS} after its redemption is in wrong
 * hands, or its first use was: it is recorded, once, and the refresh token that came of it is worth nothing from then on
 * (RFC 9700, 4.14.2).
 */
export function recordReplay(
  request: Stored,
  owner: Owner,
  now: number,
): Refused<'nothing_to_record'> | { outcome: 'recorded'; next: AuthenticationRequest } {
  if (!isOwned(request, owner) || request.status !== 'redeemed') {
    return { outcome: 'nothing_to_record' };
  }
  const isReplay = now > request.redeemedAt + REPLAY_GRACE_SECONDS;
  if (!isReplay || request.replayedAt !== undefined) return { outcome: 'nothing_to_record' };
  return { outcome: 'recorded', next: { ...request, replayedAt: now } };
}

export type RevokeTransition =
  | Refused<'not_found' | 'no_refresh_token'>
  | { outcome: 'revoked_before'; revokedAt: number; next?: never }
  | { outcome: 'revoked'; revokedAt: number; next: AuthenticationRequest };

/**
 * S13: the operator ends the refresh token of a request, for good. What is revoked already keeps its time; a token that a
 * replay has ended, or its own end, is stamped all the same, so that the operator's will is on record.
 */
export function revoke(request: Stored, now: number): RevokeTransition {
  if (!request) return { outcome: 'not_found' };
  if (request.status !== 'redeemed' || request.refreshHash === undefined) {
    return { outcome: 'no_refresh_token' };
  }
  const { revokedAt } = request;
  if (revokedAt !== undefined) return { outcome: 'revoked_before', revokedAt };
  return { outcome: 'revoked', revokedAt: now, next: { ...request, revokedAt: now } };
}

function isOwned(request: Stored, owner: Owner): request is AuthenticationRequest {
  return request?.secretHash === owner.secretHash && request.clientId === owner.clientId;
}
