/**
 * Every change that an authentication request can undergo, each said once. The conditional write of
 * a store, the explanation of a refusal, the model of the tests and its mutants are all made of
 * these rules.
 */

import type { MailFailure } from '../mail-failure.ts';
import { type Decision, type FailureCause, requestStatuses } from './authentication-request.ts';
import { MOST_WRONG_CODES } from './confirmation.ts';
import type { DecisionOrigin } from './decision-origin.ts';
import type { Clause, Members, Rule } from './rule.ts';

/** CIBA Core 11: `slow_down` adds at least five seconds, for this and every later poll. */
export const SLOW_DOWN_SECONDS = 5;

/**
 * The most that is enforced beyond the interval of the acknowledgement. The standard binds the
 * client to five seconds more each time; a client that waits so once, and then its first interval
 * again, is not to be driven off for it.
 */
export const MOST_SLOWED_SECONDS = 10;

/**
 * How long after the redemption a repeated auth_req_id is a client's retry and no theft, in
 * seconds.
 */
export const REPLAY_GRACE_SECONDS = 10;

/** Who polls: the secret half of the auth_req_id, hashed, and the authenticated client. */
export interface Owner {
  ref: string;
  secretHash: string;
  clientId: string;
}

/** What every step of the client's demands, with one answer for unknown and foreign requests. */
function isOwned<Refusal>({ secretHash, clientId }: Omit<Owner, 'ref'>, refusal: Refusal) {
  return [
    [['=', 'secretHash', secretHash], refusal],
    [['=', 'clientId', clientId], refusal],
  ] satisfies [Clause, Refusal][];
}

/**
 * A poll of the owner stamps its time. Unknown, foreign and redeemed requests are one answer, and
 * nothing is written for them, so that no other client can disturb the owner's interval (CIBA Core
 * 10.1, 11).
 */
export function stampingPoll(owner: Owner, now: number): Rule<'not_found'> {
  return {
    demands: [...isOwned(owner, 'not_found' as const), [['<>', 'status', 'redeemed'], 'not_found']],
    set: { polledAt: now },
    count: { polls: 1 },
  };
}

/**
 * After a poll too early, the interval that it was judged by grows for good (CIBA Core 11), up to
 * the most that is enforced. It grows once, whether the write is repeated after a lost answer or
 * polls come at once: a client that counts along is never behind. Only an undecided request slows
 * down; one that failed is polled like a pending one, so that a client cannot tell them apart.
 */
export function slowingDown(
  judgedBy: number,
): Rule<'not_pending' | 'slowed_before' | 'slowed_most'> {
  const interval = judgedBy + SLOW_DOWN_SECONDS;
  return {
    demands: [
      [['in', 'status', ['pending', 'failed']], 'not_pending'],
      [['=', 'interval', judgedBy], 'slowed_before'],
      [
        [
          'any',
          [
            ['absent', 'firstInterval'],
            ['>=', 'firstInterval', interval - MOST_SLOWED_SECONDS],
          ],
        ],
        'slowed_most',
      ],
    ],
    set: { interval },
    keep: { firstInterval: judgedBy },
  };
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

/**
 * One mail task at a time may send, only while the request is pending, unexpired and not yet
 * mailed.
 */
export function claimingMail({
  claimId,
  linkNonce,
  now,
  until,
}: Claim): Rule<'over' | 'claimed_by_another'> {
  return {
    demands: [
      [['=', 'status', 'pending'], 'over'],
      [['>', 'expiresAt', now], 'over'],
      [['absent', 'mailedAt'], 'over'],
      [
        [
          'any',
          [
            ['absent', 'mailClaimId'],
            ['=', 'mailClaimId', claimId],
            ['<=', 'mailClaimUntil', now],
          ],
        ],
        'claimed_by_another',
      ],
    ],
    set: { mailClaimId: claimId, mailClaimUntil: until },
    keep: { linkNonce },
  };
}

/**
 * The mail was accepted. The owner of the claim alone stamps it, whatever the user has decided
 * meanwhile.
 */
export function recordingMailed(claimId: string, now: number): Rule<'not_claimed'> {
  return { ...releasingMail(claimId), set: { mailedAt: now } };
}

/**
 * The mail was definitely not accepted: the next attempt need not wait for the claim to run out.
 */
export function releasingMail(claimId: string): Rule<'not_claimed'> {
  return {
    demands: [[['=', 'mailClaimId', claimId], 'not_claimed']],
    remove: ['mailClaimId', 'mailClaimUntil'],
  };
}

/** The flow gave up. It never touches a decision. */
export function failing(cause: FailureCause, now: number): Rule<'over'> {
  return { demands: [[['=', 'status', 'pending'], 'over']], set: failure(cause, now) };
}

function failure(cause: FailureCause, now: number): Members {
  return { status: 'failed', failedAt: now, cause };
}

/**
 * News of a mail that was accepted, which comes at any time, in any order and more than once. The
 * first is kept; a request that still waits for its user fails with it. Of any other
 * {@link notingMailFailure} keeps it.
 */
export function failingByMail(
  cause: MailFailure,
  now: number,
): Rule<'nothing_to_record' | 'waits_for_nobody'> {
  return {
    demands: [
      [['absent', 'mailFailure'], 'nothing_to_record'],
      [['=', 'status', 'pending'], 'waits_for_nobody'],
      [['>', 'expiresAt', now], 'waits_for_nobody'],
    ],
    set: { ...failure(cause, now), mailFailure: { cause, at: now } },
  };
}

/**
 * The same news of a request that waits for nobody. A decision stays a decision, and an end an end.
 * No request ever waits for its user again, so whatever {@link failingByMail} refused as such is
 * still one.
 */
export function notingMailFailure(cause: MailFailure, now: number): Rule<'nothing_to_record'> {
  return {
    demands: [
      [['absent', 'mailFailure'], 'nothing_to_record'],
      // What was refused at the backchannel endpoint has a status, too, and never had a mail.
      [['in', 'status', requestStatuses], 'nothing_to_record'],
    ],
    set: { mailFailure: { cause, at: now } },
  };
}

/** Why nothing can be decided any more. */
export type Undecidable = 'not_found' | 'failed' | 'expired' | 'already_decided';

/** What a step of the user's demands: the link, a request that nobody has decided, and time. */
function isDecidable({
  linkNonce,
  now,
}: Pick<DecisionOfUser, 'linkNonce' | 'now'>): [Clause, Undecidable][] {
  return [
    [['=', 'linkNonce', linkNonce], 'not_found'],
    [['<>', 'status', 'failed'], 'failed'],
    // An approval that nobody used in time has come to nothing, and that is what its user is told.
    [
      [
        'any',
        [
          ['<>', 'status', 'approved'],
          ['>', 'expiresAt', now],
        ],
      ],
      'expired',
    ],
    [['=', 'status', 'pending'], 'already_decided'],
    [['>', 'expiresAt', now], 'expired'],
  ];
}

export interface DecisionOfUser {
  ref: string;
  decision: Decision;
  /** The nonce that the link was proved with. */
  linkNonce: string;
  /** The user's contact version now; demanded of an approval. A denial always counts. */
  contactVersion: number | undefined;
  /**
   * The binding message, once the user has typed it as the code; demanded of an approval that needs
   * one.
   */
  typedMessage?: string | undefined;
  /** Where it is made, as far as that is kept. */
  origin?: DecisionOrigin | undefined;
  now: number;
}

/**
 * The user's decision, once, before the end, by the holder of the link. A report is a denial that
 * says so, in the same step.
 */
export function deciding(
  user: DecisionOfUser,
): Rule<Undecidable | 'not_confirmed' | 'contact_changed'> {
  if (user.decision !== 'approve') {
    const reported = user.decision === 'report' && { reported: true };
    return { demands: isDecidable(user), set: { ...denial(user), ...reported } };
  }
  return {
    demands: [
      ...isDecidable(user),
      [isConfirmed(user.typedMessage), 'not_confirmed'],
      [hasContact(user.contactVersion), 'contact_changed'],
    ],
    set: { status: 'approved', ...decisionMembers(user) },
  };
}

/** The request is of the level `link`, which confirmationLevel reads in the same way. */
const needsNoCode: Clause = ['absent', 'wrongCodes'];

/** Where a code is asked for, it was typed, and was not wrong too often before. */
function isConfirmed(typedMessage: string | undefined): Clause {
  if (typedMessage === undefined) return needsNoCode;
  const isTyped: Clause = [
    'all',
    [
      ['=', 'bindingMessage', typedMessage],
      ['<', 'wrongCodes', MOST_WRONG_CODES],
    ],
  ];
  return ['any', [needsNoCode, isTyped]];
}

/** Every request has its ref, so this holds of none. */
const never: Clause = ['absent', 'ref'];

/**
 * The user is reached as when the request was made. A user who can no longer be asked approves
 * nothing.
 */
function hasContact(contactVersion: number | undefined): Clause {
  return contactVersion === undefined ? never : ['=', 'contactVersion', contactVersion];
}

function denial(by: Pick<DecisionOfUser, 'now' | 'origin'>): Members {
  return { status: 'denied', isDenied: true, ...decisionMembers(by) };
}

/** What a decision writes, whoever makes it. */
function decisionMembers({ now, origin }: Pick<DecisionOfUser, 'now' | 'origin'>): Members {
  return { decidedAt: now, decisionOrigin: origin };
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

/** The wrong code with which a request is denied. */
const LAST_WRONG_CODE = MOST_WRONG_CODES - 1;

/** A wrong code is counted, once, unless it is the last of {@link MOST_WRONG_CODES}. */
export function countingWrongCode({
  attemptId,
  ...by
}: WrongCode): Rule<Undecidable | 'counted_before' | 'is_last'> {
  return {
    demands: [
      [['<>', 'wrongCodeAttempt', attemptId], 'counted_before'],
      ...isDecidable(by),
      // A request that is approved without a code has none that could be wrong.
      [['present', 'wrongCodes'], 'not_found'],
      [['<', 'wrongCodes', LAST_WRONG_CODE], 'is_last'],
    ],
    set: { wrongCodeAttempt: attemptId },
    count: { wrongCodes: 1 },
  };
}

/**
 * The last wrong code denies the request in the same step: of any number of guesses at once no more
 * than {@link MOST_WRONG_CODES} are ever judged. It is tried once {@link countingWrongCode} was
 * refused, which says why.
 */
export function denyingByWrongCode({ attemptId, ...by }: WrongCode): Rule<'not_denied'> {
  return {
    demands: [
      [['<>', 'wrongCodeAttempt', attemptId], 'not_denied'],
      [['=', 'linkNonce', by.linkNonce], 'not_denied'],
      [['=', 'status', 'pending'], 'not_denied'],
      [['>', 'expiresAt', by.now], 'not_denied'],
      [['>=', 'wrongCodes', LAST_WRONG_CODE], 'not_denied'],
    ],
    set: { ...denial(by), wrongCodeAttempt: attemptId, wrongCodes: MOST_WRONG_CODES },
  };
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

/**
 * The one redemption. Exactly one attempt ever wins; it is the last check before the tokens go out.
 */
export function redeeming({
  contactVersion,
  attemptId,
  refresh,
  now,
  ...owner
}: Redemption): Rule<
  'not_found' | 'redeemed_by_this_attempt' | 'not_approved' | 'expired' | 'contact_changed'
> {
  return {
    demands: [
      ...isOwned(owner, 'not_found' as const),
      [['<>', 'attemptId', attemptId], 'redeemed_by_this_attempt'],
      [['<>', 'status', 'redeemed'], 'not_found'],
      [['=', 'status', 'approved'], 'not_approved'],
      // An approval as a decision has left it. It always is; but who may write the status for
      // another reason may not write these, and so makes no approval of what was pending, denied,
      // failed or redeemed.
      [['present', 'decidedAt'], 'not_approved'],
      [['absent', 'isDenied'], 'not_approved'],
      [['absent', 'redeemedAt'], 'not_approved'],
      [['>', 'expiresAt', now], 'expired'],
      [['=', 'contactVersion', contactVersion], 'contact_changed'],
    ],
    set: {
      ...{ status: 'redeemed', redeemedAt: now, attemptId },
      ...(refresh && {
        ...{ refreshHash: refresh.hash, refreshEndsAt: refresh.endsAt },
        forgetAt: refresh.forgetAt,
      }),
    },
    // Nobody polls it any more, and the room is needed: the item is to stay within one write unit.
    remove: ['polledAt', 'firstInterval'],
  };
}

/**
 * An auth_req_id that is shown again later than {@link REPLAY_GRACE_SECONDS} after its redemption
 * is in wrong hands, or its first use was: it is recorded, once, and the refresh token that came of
 * it is worth nothing from then on (RFC 9700, 4.14.2).
 */
export function recordingReplay(owner: Owner, now: number): Rule<'nothing_to_record'> {
  return {
    demands: [
      ...isOwned(owner, 'nothing_to_record' as const),
      // Nothing else has the time of its redemption.
      [['<', 'redeemedAt', now - REPLAY_GRACE_SECONDS], 'nothing_to_record'],
      [['absent', 'replayedAt'], 'nothing_to_record'],
    ],
    set: { replayedAt: now },
  };
}

/**
 * The operator ends the refresh token of a request, for good. What is revoked already keeps its
 * time; a token that a replay has ended, or its own end, is stamped all the same, so that the
 * operator's will is on record.
 */
export function revoking(now: number): Rule<'not_found' | 'no_refresh_token' | 'revoked_before'> {
  return {
    demands: [
      [['present', 'ref'], 'not_found'],
      [['present', 'refreshHash'], 'no_refresh_token'],
      [['absent', 'revokedAt'], 'revoked_before'],
    ],
    set: { revokedAt: now },
  };
}

/**
 * What a refresh demands of the request that its token came from; it writes nothing.
 * @param presented the hash of the presented secret half, and the authenticated client
 */
export function refreshing(
  { secretHash, clientId }: Omit<Owner, 'ref'>,
  now: number,
): Rule<'worth_nothing'> {
  return {
    demands: [
      [['=', 'refreshHash', secretHash], 'worth_nothing'],
      [['=', 'clientId', clientId], 'worth_nothing'],
      [['absent', 'replayedAt'], 'worth_nothing'],
      [['absent', 'revokedAt'], 'worth_nothing'],
      [['>', 'refreshEndsAt', now], 'worth_nothing'],
    ],
  };
}
