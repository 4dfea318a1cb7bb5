/**
 * A backchannel authentication request that was refused to an authenticated client (CIBA Core 13),
 * as the audit keeps it.
 */
import type { OAuthErrorCode } from '../oauth-error.ts';

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

/**
 * Faults of ours and of what we depend on are for the log and the alarms; what the client was
 * refused is for the audit.
 */
export function isRefusal(code: OAuthErrorCode): boolean {
  return code !== 'server_error' && code !== 'temporarily_unavailable';
}
