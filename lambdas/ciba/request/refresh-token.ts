/**
 * Refresh tokens (OpenID Connect Core 11 and 12, RFC 6749 section 6): who gets one, how long it is
 * worth something, and what a refresh may ask for. They live on the item of the request they came
 * from and are not rotated, since every client is confidential (RFC 9700, 2.2.2).
 */

import { type Client, mayRefresh } from '../client/client.ts';
import { hashSecret } from '../handles.ts';
import { OAuthError } from '../oauth-error.ts';
import { isScope, isWithinScope, OFFLINE_ACCESS, scopeValues } from '../scope.ts';
import type { AuthenticationRequest, RedeemedRequest } from './authentication-request.ts';
import { judge } from './rule.ts';
import { type NewRefreshToken, type Owner, refreshing } from './rules.ts';

/** Absolute lifetime of a refresh token, in seconds: 30 days. */
export const REFRESH_TOKEN_SECONDS = 30 * 86_400;

/** Whether the tokens of this request come with a refresh token. */
export function isOffline(request: Pick<AuthenticationRequest, 'scope'>, client: Client): boolean {
  return mayRefresh(client) && scopeValues(request.scope).includes(OFFLINE_ACCESS);
}

/**
 * What is kept of a new refresh token. The item is not forgotten before the token ends.
 * @param secret the secret half, as {@link formatSecret} makes it
 */
export function newRefreshToken(
  request: Pick<AuthenticationRequest, 'forgetAt'>,
  secret: string,
  now: number,
): NewRefreshToken {
  const endsAt = Math.floor(now) + REFRESH_TOKEN_SECONDS;
  return { hash: hashSecret(secret), endsAt, forgetAt: Math.max(request.forgetAt, endsAt) };
}

/**
 * The request whose refresh token this is, if it is worth something now: of this client, not
 * revoked, before its end.
 * @param presented the hash of the presented secret half, and the authenticated client
 */
export function refreshableRequest(
  request: AuthenticationRequest | undefined,
  presented: Omit<Owner, 'ref'>,
  now: number,
): RedeemedRequest | undefined {
  if (judge(refreshing(presented, now), request) !== undefined) return undefined;
  return request?.status === 'redeemed' ? request : undefined;
}

/**
 * The scope of the tokens of a refresh: the granted one, or the part of it that is asked for (RFC
 * 6749, 6), as far as the client is still registered for it. Values that were granted and have been
 * withdrawn since are left out, named or not, and the answer's `scope` says so (RFC 6749, 3.3): an
 * operator who narrows a client leaves nobody without a refresh.
 * @throws OAuthError `invalid_scope` for what was not granted, or where nothing is left
 */
export function refreshedScope(
  requested: string | undefined,
  granted: string,
  registered: string,
): string {
  const scope = requested ?? granted;
  if (!isScope(scope) || !isWithinScope(scope, granted)) {
    throw new OAuthError('invalid_scope', 'The scope must be a part of what was granted.');
  }
  const left = scopeValues(scope).filter((value) => isWithinScope(value, registered));
  if (left.length === 0) {
    throw new OAuthError('invalid_scope', 'The client is no longer registered for the scope.');
  }
  return left.join(' ');
}
