/**
 * One authentication request from acknowledgement to tokens: what is known of it in each status.
 * Every instant is in epoch seconds, to the millisecond.
 * Expired is no status; it is the comparison {@link isExpired}, made anew wherever it matters.
 */

import { type MailFailure, mailFailures } from '../mail-failure.ts';
import { type UnreachableReason, unreachableReasons } from '../user/user.ts';
import type { DecisionOrigin } from './decision-origin.ts';

/** How long a deployment may be set to keep a request after its end, in days. */
export const AUDIT_RETENTION_DAYS = { min: 1, max: 3653 } as const;

/** Facts that are written once, when the request is acknowledged (CIBA Core 7.3). */
interface RequestFacts {
  /** The public id. */
  ref: string;
  /** SHA-256 of the secret half of the auth_req_id. */
  secretHash: string;
  clientId: string;
  sub: string;
  /** The user's contact version when the request was made. */
  contactVersion: number;
  /**
   * Why the hint named nobody who can be asked, if the client is not to learn that: acknowledged
   * and polled like any other request, never mailed. Its `sub` is empty where there is no user at
   * all.
   */
  decoy?: UnreachableReason | undefined;
  scope: string;
  bindingMessage?: string | undefined;
  /** The flow that notifies the user, chosen by the client's flow policy. */
  flow: string;
  createdAt: number;
  /** From this instant on nothing can be decided or redeemed. */
  expiresAt: number;
  /** When the audit may forget the request; whole seconds, as DynamoDB's TTL takes them. */
  forgetAt: number;
}

/** What polling leaves behind (CIBA Core 10.1 and 11). */
interface PollBookkeeping {
  /** Least time between two polls, in seconds; grows with `slow_down`. */
  interval: number;
  /** The interval of the acknowledgement, kept from the first `slow_down` on. */
  firstInterval?: number | undefined;
  /** The last poll of the owner. */
  polledAt?: number | undefined;
  /** How many polls of the owner there were; a write repeated after a lost answer counts twice. */
  polls: number;
}

/** What the mail leaves behind. */
interface MailBookkeeping {
  /**
   * 128 random bits that the first mail claim writes and no later one changes; part of what the
   * link proves.
   */
  linkNonce?: string | undefined;
  /** Who is sending right now. */
  mailClaimId?: string | undefined;
  /** Until when nobody else may send. */
  mailClaimUntil?: number | undefined;
  /** Nothing is sent after it. */
  mailedAt?: number | undefined;
  /**
   * What became of a mail that was accepted, if it did not arrive or was not wanted; the first such
   * news stays.
   */
  mailFailure?: { cause: MailFailure; at: number } | undefined;
}

/** What typing the code leaves behind, for a request that is confirmed by one. */
interface ConfirmationBookkeeping {
  /** How often the code was wrong so far; missing where the link of the mail is enough. */
  wrongCodes?: number | undefined;
  /** Names the attempt that counted the last of them. */
  wrongCodeAttempt?: string | undefined;
}

/** What deciding leaves behind beside the decision. */
interface DecisionBookkeeping {
  /**
   * Where the decision was made; missing before it, and where the deployment keeps nothing of it.
   */
  decisionOrigin?: DecisionOrigin | undefined;
}

/** Why a request failed without the user's doing. */
export const failureCauses = [
  'start_failed',
  ...unreachableReasons,
  'withdrawn',
  ...mailFailures,
  'flow_error',
] as const;

export type FailureCause = (typeof failureCauses)[number];

/** What a user may say; a report is a denial of what somebody else asked for in the user's name. */
export const decisions = ['approve', 'deny', 'report'] as const;

export type Decision = (typeof decisions)[number];

/**
 * The refresh token that went out with the tokens (OpenID Connect Core 11); none without
 * `offline_access`.
 */
interface RefreshBookkeeping {
  /** SHA-256 of the secret half of the refresh token. */
  refreshHash?: string | undefined;
  /** From this instant on the refresh token is worth nothing. */
  refreshEndsAt?: number | undefined;
}

type Progress =
  | { status: 'pending' }
  | { status: 'approved'; decidedAt: number }
  | {
      status: 'denied';
      decidedAt: number;
      /**
       * On what was denied, and nowhere else: whoever may write the status and not this can make no
       * approval of it.
       */
      isDenied?: true | undefined;
      /** The user said that the request was not theirs. */
      reported?: true | undefined;
    }
  | { status: 'failed'; failedAt: number; cause: FailureCause }
  | ({
      status: 'redeemed';
      decidedAt: number;
      redeemedAt: number;
      attemptId: string;
      /**
       * When the auth_req_id was first shown again, too late for a retry; from then on no refresh
       * token works.
       */
      replayedAt?: number | undefined;
      /** When the operator ended its refresh token. */
      revokedAt?: number | undefined;
    } & RefreshBookkeeping);

export type AuthenticationRequest = RequestFacts &
  PollBookkeeping &
  MailBookkeeping &
  ConfirmationBookkeeping &
  DecisionBookkeeping &
  Progress;

export type PendingRequest = Extract<AuthenticationRequest, { status: 'pending' }>;
export type RedeemedRequest = Extract<AuthenticationRequest, { status: 'redeemed' }>;
export type ApprovedRequest = Extract<AuthenticationRequest, { status: 'approved' }>;
export const requestStatuses = ['pending', 'approved', 'denied', 'failed', 'redeemed'] as const;

export type RequestStatus = AuthenticationRequest['status'];

/** Whether the request is past its end. */
export function isExpired(request: Pick<AuthenticationRequest, 'expiresAt'>, now: number): boolean {
  return now >= request.expiresAt;
}
