/**
 * Scope values (RFC 6749 section 3.3, OpenID Connect Core 5.4 and 11) and what a request may ask of
 * its client's registration.
 */
import { OAuthError } from './oauth-error.ts';

/** Longest scope we store and show, in characters: a request's item stays below one write unit. */
export const SCOPE_LENGTH = 160;

/** RFC 6749 3.3: scope-token *( SP scope-token ). */
const scopeSyntax = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** OpenID Connect Core 11: asks for a refresh token. */
export const OFFLINE_ACCESS = 'offline_access';

/** Whether a text is a scope in the syntax of RFC 6749, section 3.3, and not too long. */
export function isScope(text: string): boolean {
  return text.length <= SCOPE_LENGTH && scopeSyntax.test(text);
}

/** The values of a scope, each once, in the order given. */
export function scopeValues(scope: string): string[] {
  return [...new Set(scope.split(' '))];
}

/**
 * The scope to ask the end-user for. It contains `openid` (CIBA Core 7.1) and only values the
 * client is registered for; `offline_access` is left out for a client that cannot refresh (OpenID
 * Connect Core 11 lets an OP ignore it).
 * @throws OAuthError `invalid_scope`
 */
export function requestedScope(
  requested: string,
  { scope: registered, mayRefresh }: { scope: string; mayRefresh: boolean },
): string {
  if (!isScope(requested)) {
    throw new OAuthError('invalid_scope', 'The scope is malformed or too long.');
  }
  const asked = scopeValues(requested);
  if (!asked.includes('openid')) {
    throw new OAuthError('invalid_scope', 'The scope must contain openid.');
  }
  const allowed = new Set(scopeValues(registered));
  const mayBeOffline = mayRefresh && allowed.has(OFFLINE_ACCESS);
  const wanted = asked.filter((value) => mayBeOffline || value !== OFFLINE_ACCESS);
  if (!wanted.every((value) => allowed.has(value))) {
    throw new OAuthError(
      'invalid_scope',
      'The client is not registered for every value of the scope.',
    );
  }
  return wanted.join(' ');
}

/** Whether every value of a granted scope is still part of the client's registration. */
export function isWithinScope(granted: string, registered: string): boolean {
  const allowed = new Set(scopeValues(registered));
  return scopeValues(granted).every((value) => allowed.has(value));
}
