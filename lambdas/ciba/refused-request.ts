/**
 * A backchannel authentication request that was refused to an authenticated client (CIBA Core 13), as the audit keeps it.
 */
import { type LimitReached, reachedLimits } from './notification-policy.ts';
import type { OAuthErrorCode } from './oauth-error.ts';

export interface RefusedRequest {
  /** The public id: the error's correlation id begins with it. */
  ref: string;
  clientId: string;
  /** The user, if the hint named one. */
  sub?: string | undefined;
  code: OAuthErrorCode;
  /** Why, in words of ours. */
  cause?: string | undefined;
  createdAt: number;
  /** When the audit may forget it; whole seconds. */
  forgetAt: number;
}

/** Longer causes are cut: the item is to stay small. */
export const CAUSE_LENGTH = 120;

/** The cause of a refusal because of a limit, by which the audit knows it: whether the client's share or all is used up. */
export function overLimitCause({ limit, ofShare }: LimitReached): string {
  return `${ofShare ? OVER_SHARE : OVER}${limit}`;
}

const OVER = 'over ';

/** By this beginning an alarm knows that a client is at its share. */
export const OVER_SHARE = `${OVER}own share of `;

/** What {@link overLimitCause} made the cause of; nothing where it is another cause. */
export function limitOfCause(cause: string): LimitReached | undefined {
  return reachedLimits
    .flatMap((limit) => [true, false].map((ofShare) => ({ limit, ofShare })))
    .find((reached) => overLimitCause(reached) === cause);
}

/** Whether it was refused because of a limit of notifications alone. */
export function isThrottled({ code, cause }: Pick<RefusedRequest, 'code' | 'cause'>): boolean {
  return code === 'access_denied' && cause?.startsWith(OVER) === true;
}

/** Faults of ours and of what we depend on are for the log and the alarms; what the client was refused is for the audit. */
export function isRefusal(code: OAuthErrorCode): boolean {
  return code !== 'server_error' && code !== 'temporarily_unavailable';
}
