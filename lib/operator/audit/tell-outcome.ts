/**
 * The outcome of a request with its cause in the few columns that a list has for it, and the causes
 * that a list is asked for by.
 */

import type { OAuthErrorCode } from '../../../lambdas/ciba/oauth-error.ts';
import {
  type LimitReached,
  type ReachedLimit,
  reachedLimits,
} from '../../../lambdas/ciba/policy/notification-policy.ts';
import { limitOfCause } from '../../../lambdas/ciba/policy/over-limit.ts';
import { failureCauses } from '../../../lambdas/ciba/request/authentication-request.ts';
import { type AuditEntry, type DenialCause, denialCauses } from './audit-entry.ts';

/** The columns of a list that an outcome has. */
export const OUTCOME_WIDTH = 22;

/**
 * What an authenticated client can be refused with at the backchannel authentication endpoint (CIBA
 * Core 13).
 */
const refusalCodes = [
  'invalid_request',
  'invalid_scope',
  'unknown_user_id',
  'expired_login_hint_token',
  'unauthorized_client',
  'invalid_binding_message',
  'invalid_authorization_details',
  'access_denied',
] as const satisfies readonly OAuthErrorCode[];

/**
 * What `--cause` takes: why a user denied, why the flow failed or nobody could be asked, limits,
 * and codes of refusals.
 */
export const auditCauses: readonly string[] = [
  ...denialCauses,
  ...failureCauses,
  ...reachedLimits,
  ...refusalCodes,
];

/** Every cause of an entry, under the names that {@link auditCauses} has. */
export function causesOf({ cause, code, decoy, mailFailure }: AuditEntry): string[] {
  const limit = cause === undefined ? undefined : limitOfCause(cause)?.limit;
  return [cause, code, decoy, mailFailure, limit].filter((known) => known !== undefined);
}

/**
 * What stands in the list, and the whole reason for a line below it where the columns are too few.
 */
export interface ToldOutcome {
  text: string;
  reason?: string;
}

/**
 * The outcome of an entry. Every cause of ours is told apart in the columns; a refusal's own words
 * may need the line.
 */
export function tellOutcome(entry: AuditEntry): ToldOutcome {
  const { outcome, cause, code } = entry;
  if (outcome === 'denied') return { text: tellDenial(cause) };
  if (outcome === 'expired' && entry.decision === 'approved')
    return { text: 'expired: not fetched' };
  const reached = cause === undefined ? undefined : limitOfCause(cause);
  if (outcome === 'throttled' && reached) return { text: `throttled: ${tellLimit(reached)}` };
  const known = cause ?? entry.decoy ?? entry.mailFailure;
  const short = known === undefined ? outcome : shorten(outcome, known);
  if (short !== undefined) return { text: short };
  return { text: outcome, reason: [code, known].filter((part) => part !== undefined).join(': ') };
}

const denials: Record<DenialCause, string> = {
  reported: 'DENIED: not me',
  wrong_codes: 'denied: 3 wrong codes',
};

function tellDenial(cause: string | undefined): string {
  const known = denialCauses.find((one) => one === cause);
  return known === undefined ? 'denied' : denials[known];
}

/**
 * `failed: mail bounced`; what is too wide leaves out its first word, `mail` or `email`. None for
 * words that are not a cause of ours.
 */
function shorten(outcome: string, cause: string): string | undefined {
  if (!failureCauses.some((known) => known === cause)) return undefined;
  const words = cause.split('_');
  const whole = `${outcome}: ${words.join(' ')}`;
  return whole.length <= OUTCOME_WIDTH ? whole : `${outcome}: ${words.slice(1).join(' ')}`;
}

const limitNames: Record<ReachedLimit, string> = {
  mailsPerUserPerMinute: 'minute',
  mailsPerUserPerDay: 'day',
  pendingPerUser: 'pending',
  muteSeconds: 'muted',
  denialsBeforePause: 'paused',
  mailsPerDay: 'mails',
};

/**
 * `own day` is the client's share of what a user is mailed by day, `day` what all clients have
 * together.
 */
function tellLimit({ limit, ofShare }: LimitReached): string {
  return ofShare ? `own ${limitNames[limit]}` : limitNames[limit];
}
