/**
 * The audit, derived from what is stored of each request: the event and outcome at an instant, and
 * the whole story as a time line. Events are those of PingOne's audit, in which an approval and a
 * denial are one; the outcome tells them apart.
 */

import type { Client } from '../../../lambdas/ciba/client/client.ts';
import type { ConfirmationLevel } from '../../../lambdas/ciba/client/confirmation-level.ts';
import type { MailFailure } from '../../../lambdas/ciba/mail-failure.ts';
import type { OAuthErrorCode } from '../../../lambdas/ciba/oauth-error.ts';
import { isThrottled } from '../../../lambdas/ciba/policy/over-limit.ts';
import {
  type AuthenticationRequest,
  isExpired,
} from '../../../lambdas/ciba/request/authentication-request.ts';
import { confirmationLevel, MOST_WRONG_CODES } from '../../../lambdas/ciba/request/confirmation.ts';
import type { DecisionOrigin } from '../../../lambdas/ciba/request/decision-origin.ts';
import { isRevoked } from '../../../lambdas/ciba/request/grant.ts';
import type { RefusedRequest } from '../../../lambdas/ciba/request/refused-request.ts';
import type { UnreachableReason, User } from '../../../lambdas/ciba/user/user.ts';

/** The user decided, either way; or nobody did. */
export const auditEvents = ['CIBA Authentication Succeeded', 'CIBA Authentication Failed'] as const;

export type AuditEvent = (typeof auditEvents)[number];

export const auditOutcomes = [
  /** Nobody has decided yet, and there is time. */
  'pending',
  /** Approved, and the client may still fetch its tokens. */
  'approved',
  /** Approved, and the tokens were issued. */
  'redeemed',
  'denied',
  /** Over without tokens; an approval that the client did not fetch in time is still the user's. */
  'expired',
  /** The flow could not ask the user. */
  'failed',
  /** Refused when it was asked. */
  'refused',
  /** Refused when it was asked, because of a limit. */
  'throttled',
  /** Stored in a format that this version does not know. */
  'unreadable',
] as const;

export type AuditOutcome = (typeof auditOutcomes)[number];

/** An item whose format is unknown, by what an index says of it. */
export interface UnreadableItem {
  status: 'unreadable';
  ref: string;
  clientId: string;
  sub?: string | undefined;
  createdAt: number;
}

/** What the audit is derived from. */
export type Audited =
  | AuthenticationRequest
  | ({ status: 'refused' } & RefusedRequest)
  | UnreadableItem;

/** One line of the audit. */
export interface AuditEntry {
  ref: string;
  /** None as long as nobody has decided and there is time. */
  event?: AuditEvent;
  outcome: AuditOutcome;
  /** When the outcome came about. */
  at: number;
  askedAt: number;
  clientId: string;
  /** None where the hint named nobody. */
  sub?: string;
  /** The error code of a refusal. */
  code?: OAuthErrorCode;
  /** Why it failed, was refused or was denied by something else than the user's choice. */
  cause?: string;
  /** Why nobody could be asked, where the client was not to learn that. */
  decoy?: UnreachableReason;
  flow?: string;
  expiresAt?: number;
  mailedAt?: number;
  /** What became of the mail, if it did not arrive or was not wanted. */
  mailFailure?: MailFailure;
  mailFailedAt?: number;
  decision?: 'approved' | 'denied';
  decidedAt?: number;
  /** Where the user decided, as far as that is kept. */
  decisionOrigin?: DecisionOrigin;
  redeemedAt?: number;
  /** When the auth_req_id was shown again after its redemption. */
  replayedAt?: number;
  /** When the operator ended its refresh token. */
  revokedAt?: number;
  polls?: number;
  confirmationLevel?: ConfirmationLevel;
  /** How often the code was wrong, where one was asked for. */
  wrongCodes?: number;
}

/** Why a request was denied, where that is not only the user's choice. */
export const denialCauses = [
  /** The user said that the request was not theirs. */
  'reported',
  /** The code was wrong as often as it may be. */
  'wrong_codes',
] as const;

export type DenialCause = (typeof denialCauses)[number];

type DeniedRequest = Extract<AuthenticationRequest, { status: 'denied' }>;

function denialCause({ reported, wrongCodes = 0 }: DeniedRequest): DenialCause | undefined {
  if (reported) return 'reported';
  return wrongCodes < MOST_WRONG_CODES ? undefined : 'wrong_codes';
}

/** The entry of one item as it stands at this instant. */
export function auditEntry(audited: Audited, now: number): AuditEntry {
  const { ref, clientId, sub, createdAt: askedAt } = audited;
  return {
    ref,
    ...judge(audited, now),
    askedAt,
    clientId,
    ...(sub && { sub }),
    ...(isRequest(audited) && requestFacts(audited)),
  };
}

type Judgement = Pick<AuditEntry, 'event' | 'outcome' | 'at' | 'code' | 'cause'>;

function judge(audited: Audited, now: number): Judgement {
  const [succeeded, failed] = auditEvents;
  switch (audited.status) {
    case 'unreadable':
      return { outcome: 'unreadable', at: audited.createdAt };
    case 'refused': {
      const { code, cause, createdAt: at } = audited;
      const outcome = isThrottled(audited) ? 'throttled' : 'refused';
      return { event: failed, outcome, at, code, ...(cause !== undefined && { cause }) };
    }
    case 'failed':
      return { event: failed, outcome: 'failed', at: audited.failedAt, cause: audited.cause };
    case 'denied': {
      const cause = denialCause(audited);
      return {
        event: succeeded,
        outcome: 'denied',
        at: audited.decidedAt,
        ...(cause && { cause }),
      };
    }
    case 'redeemed':
      return { event: succeeded, outcome: 'redeemed', at: audited.redeemedAt };
    case 'approved':
      return isExpired(audited, now)
        ? { event: succeeded, outcome: 'expired', at: audited.expiresAt }
        : { event: succeeded, outcome: 'approved', at: audited.decidedAt };
    case 'pending':
      return isExpired(audited, now)
        ? { event: failed, outcome: 'expired', at: audited.expiresAt }
        : { outcome: 'pending', at: audited.createdAt };
  }
}

function isRequest(audited: Audited): audited is AuthenticationRequest {
  return audited.status !== 'refused' && audited.status !== 'unreadable';
}

type RequestFacts = Omit<AuditEntry, keyof Judgement | 'ref' | 'askedAt' | 'clientId' | 'sub'>;

function requestFacts(request: AuthenticationRequest): RequestFacts {
  const { decoy, flow, expiresAt, mailedAt, mailFailure, polls, wrongCodes } = request;
  return {
    ...(decoy && { decoy }),
    flow,
    expiresAt,
    ...(mailedAt !== undefined && { mailedAt }),
    ...(mailFailure && { mailFailure: mailFailure.cause, mailFailedAt: mailFailure.at }),
    ...decisionFacts(request),
    ...redemptionFacts(request),
    polls,
    confirmationLevel: confirmationLevel(request),
    ...(wrongCodes !== undefined && { wrongCodes }),
  };
}

function decisionFacts(request: AuthenticationRequest): Partial<RequestFacts> {
  if (request.status === 'pending' || request.status === 'failed') return {};
  const decision = request.status === 'denied' ? 'denied' : 'approved';
  return { decision, decidedAt: request.decidedAt, ...originOf(request) };
}

function originOf({ decisionOrigin }: AuthenticationRequest): Pick<AuditEntry, 'decisionOrigin'> {
  return decisionOrigin ? { decisionOrigin } : {};
}

function redemptionFacts(request: AuthenticationRequest): Partial<RequestFacts> {
  if (request.status !== 'redeemed') return {};
  const { redeemedAt, replayedAt, revokedAt } = request;
  return {
    redeemedAt,
    ...(replayedAt !== undefined && { replayedAt }),
    ...(revokedAt !== undefined && { revokedAt }),
  };
}

/** What happened to a request, each with what there is to know of it. */
export type Happening =
  | {
      what: 'asked';
      clientId: string;
      scope?: string;
      bindingMessage?: string;
      /** Missing where the link of the mail is enough. */
      confirmationLevel?: 'code';
    }
  | { what: 'refused'; code: OAuthErrorCode; cause?: string }
  | { what: 'throttled'; code: OAuthErrorCode; cause?: string }
  | { what: 'unreadable' }
  | { what: 'located'; sub: string }
  /** A decoy: the client has an acknowledgement, and nobody is asked. */
  | { what: 'not_located'; reason: UnreachableReason; sub?: string }
  | { what: 'flow_chosen'; flow: string }
  /** The flow found the user, and the link was made; the moment is not recorded. */
  | { what: 'link_made' }
  /** A task is sending the mail right now, or died while it did. */
  | { what: 'mail_claimed'; until: number }
  | { what: 'mailed' }
  /** It did not arrive, or was not wanted. */
  | { what: 'mail_failed'; cause: MailFailure }
  | { what: 'approved'; decisionOrigin?: DecisionOrigin }
  /** Wrong codes were typed; the moments are not recorded. */
  | { what: 'wrong_codes'; wrongCodes: number }
  | { what: 'denied'; cause?: DenialCause; decisionOrigin?: DecisionOrigin }
  | { what: 'polled'; polls: number; interval: number }
  | { what: 'redeemed'; refreshToken: boolean }
  | { what: 'replayed' }
  | { what: 'revoked' }
  /** The operator ended all that was approved for its client, or by its user, up to then. */
  | { what: 'all_revoked'; of: 'client' | 'user' }
  | { what: 'refresh_token_ends' }
  | { what: 'failed'; cause: string }
  /** It is over; or will be, where the moment is to come. */
  | { what: 'expires'; approved: boolean };

/** When it happened, or will; missing where that is not recorded. */
export type Moment = Happening & { at?: number };

/**
 * Client and user of a request as far as they are known: what is stored with them counts for all
 * their requests.
 */
export interface AuditedParties {
  client?: Pick<Client, 'tokens_not_before'> | undefined;
  user?: Pick<User, 'tokens_not_before'> | undefined;
}

/** Everything that is recorded of one request, in the order in which it happened. */
export function timeLine(audited: Audited, parties: AuditedParties = {}): Moment[] {
  if (!isRequest(audited)) return inOrder(shortStory(audited));
  return inOrder([...requestStory(audited), ...revocationMoments(audited, parties)]);
}

/**
 * Whether the operator ended what was approved here together with all else of its client or user.
 */
function revocationMoments(request: AuthenticationRequest, parties: AuditedParties): Moment[] {
  if (request.status !== 'approved' && request.status !== 'redeemed') return [];
  return (['client', 'user'] as const).flatMap((of): Moment[] => {
    const at = parties[of]?.tokens_not_before;
    const isOver = isRevoked(request, { tokens_not_before: at });
    return isOver && at !== undefined ? [{ what: 'all_revoked', of, at }] : [];
  });
}

function shortStory(audited: Exclude<Audited, AuthenticationRequest>): Moment[] {
  const { clientId, sub, createdAt: at } = audited;
  const asked: Moment = { what: 'asked', clientId, at };
  if (audited.status === 'unreadable') return [asked, { what: 'unreadable', at }];
  const { code, cause } = audited;
  return [
    asked,
    ...(sub ? [{ what: 'located', sub, at } as const] : []),
    {
      what: isThrottled(audited) ? 'throttled' : 'refused',
      code,
      ...(cause !== undefined && { cause }),
      at,
    },
  ];
}

function requestStory(request: AuthenticationRequest): Moment[] {
  return [
    ...askedMoments(request),
    ...mailMoments(request),
    ...decisionMoments(request),
    ...pollMoments(request),
    ...endMoments(request),
  ];
}

function askedMoments(request: AuthenticationRequest): Moment[] {
  const { clientId, sub, scope, bindingMessage, decoy, flow, createdAt: at } = request;
  return [
    {
      what: 'asked',
      clientId,
      scope,
      ...(bindingMessage !== undefined && { bindingMessage }),
      ...(confirmationLevel(request) === 'code' && { confirmationLevel: 'code' }),
      at,
    },
    decoy
      ? { what: 'not_located', reason: decoy, ...(sub && { sub }), at }
      : { what: 'located', sub, at },
    { what: 'flow_chosen', flow, at },
  ];
}

/** Whatever is recorded of the mail, what comes back of it included. */
function mailMoments(request: AuthenticationRequest): Moment[] {
  const { linkNonce, mailClaimUntil: until, mailedAt, mailFailure } = request;
  return [
    ...(linkNonce === undefined ? [] : [{ what: 'link_made' } as const]),
    ...(until === undefined ? [] : [{ what: 'mail_claimed', until } as const]),
    ...(mailedAt === undefined ? [] : [{ what: 'mailed', at: mailedAt } as const]),
    ...(mailFailure ? [{ what: 'mail_failed', ...mailFailure } as const] : []),
  ];
}

function decisionMoments(request: AuthenticationRequest): Moment[] {
  const { wrongCodes = 0 } = request;
  const tries: Moment[] = wrongCodes > 0 ? [{ what: 'wrong_codes', wrongCodes }] : [];
  if (request.status === 'denied') {
    const cause = denialCause(request);
    return [
      ...tries,
      { what: 'denied', ...(cause && { cause }), ...originOf(request), at: request.decidedAt },
    ];
  }
  if (request.status === 'pending' || request.status === 'failed') return tries;
  return [...tries, { what: 'approved', ...originOf(request), at: request.decidedAt }];
}

/** The redeeming poll is the last that counts, and its time is the redemption's. */
function pollMoments(request: AuthenticationRequest): Moment[] {
  const { polls, interval, polledAt } = request;
  const at = request.status === 'redeemed' ? request.redeemedAt : polledAt;
  return [{ what: 'polled', polls, interval, ...(at !== undefined && { at }) }];
}

function endMoments(request: AuthenticationRequest): Moment[] {
  switch (request.status) {
    case 'pending':
    case 'approved': {
      const approved = request.status === 'approved';
      return [{ what: 'expires', approved, at: request.expiresAt }];
    }
    case 'denied':
      return [];
    case 'failed':
      return [{ what: 'failed', cause: request.cause, at: request.failedAt }];
    case 'redeemed': {
      const { redeemedAt, refreshEndsAt, replayedAt, revokedAt } = request;
      const refreshToken = request.refreshHash !== undefined;
      return [
        { what: 'redeemed', refreshToken, at: redeemedAt },
        ...(replayedAt === undefined ? [] : [{ what: 'replayed', at: replayedAt } as const]),
        ...(revokedAt === undefined ? [] : [{ what: 'revoked', at: revokedAt } as const]),
        ...(refreshEndsAt === undefined
          ? []
          : [{ what: 'refresh_token_ends', at: refreshEndsAt } as const]),
      ];
    }
  }
}

/** By time; what has no time stays behind what came before it. */
function inOrder(moments: Moment[]): Moment[] {
  let last = Number.NEGATIVE_INFINITY;
  const timed = moments.map((moment) => {
    last = moment.at ?? last;
    return { moment, from: last };
  });
  return timed.toSorted((one, other) => one.from - other.from).map(({ moment }) => moment);
}
