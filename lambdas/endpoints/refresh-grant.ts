/**
 * The refresh grant (OpenID Connect Core 12, RFC 6749 section 6): new tokens for what the user approved once, as long as
 * nobody has revoked it and it still counts with client and user as they are by now, as it would at a redemption.
 */
import { REFRESH_GRANT_TYPE } from '../ciba/client/client.ts';
import { hashSecret, parseHandle } from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { refreshableRequest, refreshedScope } from '../ciba/request/refresh-token.ts';
import { tokenResponse } from '../ciba/request/tokens.ts';
import type { Trace } from '../http/oauth-endpoint.ts';
import type { AuthenticatedForm } from './authenticated-form.ts';
import { issueTokens, readGrant, type TokenDeps } from './issue-tokens.ts';

/**
 * Writes nothing: any number of refreshes at once all answer, so a lost answer costs nothing.
 * @throws OAuthError `invalid_grant`, in one body for a refresh token that is unknown, malformed, another client's,
 * revoked, at its end, or of an approval that no longer counts: of a user who is gone, disabled or reached elsewhere
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

  const present = await readGrant(deps, request, REFRESH_GRANT_TYPE, noSuchToken);
  trace.ref = request.ref;

  const { user } = present;
  const scope = refreshedScope(form.get('scope'), request.scope, present.client.scope);
  const grant = { issuer: deps.issuer, request, scope, user, now };
  return tokenResponse(await issueTokens(deps, present.client, grant));
}

function noSuchToken(cause: string): OAuthError {
  return new OAuthError('invalid_grant', 'The refresh_token is not valid.', { cause });
}
