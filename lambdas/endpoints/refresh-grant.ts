/**
 * The refresh grant (OpenID Connect Core 12, RFC 6749 section 6): new tokens for what the user approved once, as long as
 * nobody has revoked it and client and user still are what they were.
 */
import { mayRefresh } from '../ciba/client.ts';
import { hashSecret, parseHandle } from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { refreshableRequest, refreshedScope } from '../ciba/refresh-token.ts';
import { tokenResponse } from '../ciba/tokens.ts';
import { isActive } from '../ciba/user.ts';
import type { Trace } from '../http/oauth-endpoint.ts';
import type { AuthenticatedForm } from './authenticated-form.ts';
import { issueTokens, type TokenDeps } from './issue-tokens.ts';

/**
 * Writes nothing: any number of refreshes at once all answer, so a lost answer costs nothing.
 * @throws OAuthError `invalid_grant`, in one body for a refresh token that is unknown, malformed, another client's,
 * revoked, at its end or of a user who is gone
 */
export async function refresh(
  deps: TokenDeps,
  { form, client }: AuthenticatedForm,
  trace: Trace,
): Promise<object> {
  const refreshToken = form.get('refresh_token');
  if (refreshToken === undefined) {
    throw new OAuthError('invalid_request', 'The parameter refresh_token is missing.');
  }
  const handle = parseHandle(refreshToken);
  if (!handle) throw noSuchToken('malformed');
  const presented = { secretHash: hashSecret(handle.secret), clientId: client.client_id };
  const now = deps.clock();
  const request = refreshableRequest(await deps.requests.find(handle.ref), presented, now);
  if (!request) throw noSuchToken('not found, foreign, revoked or at its end');

  const registered = await deps.clients.findClient(client.client_id, 'consistent');
  const user = await deps.users.findUser(request.sub);
  if (!isActive(user)) throw noSuchToken('user gone or disabled');
  if (!registered || !mayRefresh(registered)) {
    throw new OAuthError('unauthorized_client', 'The client may no longer use this grant.');
  }
  trace.ref = request.ref;

  const scope = refreshedScope(form.get('scope'), request.scope, registered.scope);
  const grant = { issuer: deps.issuer, request, scope, user, now };
  return tokenResponse(await issueTokens(deps, registered, grant));
}

function noSuchToken(cause: string): OAuthError {
  return new OAuthError('invalid_grant', 'The refresh_token is not valid.', { cause });
}
