/**
 * The refresh grant (OpenID Connect Core 12, RFC 6749 section 6): new tokens for what the user
 * approved once, as long as nobody has revoked it and it still counts with client and user as they
 * are by now, as it would at a redemption.
 */
import { type Client, REFRESH_GRANT_TYPE } from '../ciba/client/client.ts';
import { type Handle, hashSecret, parseHandle } from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import type { RedeemedRequest } from '../ciba/request/authentication-request.ts';
import { refreshableRequest, refreshedScope } from '../ciba/request/refresh-token.ts';
import { tokenResponse } from '../ciba/request/tokens.ts';
import type { Form } from '../http/form.ts';
import type { Trace } from '../http/oauth-endpoint.ts';
import type { AuthenticatedForm } from './authenticated-form.ts';
import { issueTokens, readGrant, type TokenDeps } from './issue-tokens.ts';

/**
 * Answers a refresh with new tokens. The checks are in the order of RFC 6749 section 6, each with
 * its clause. Writes nothing: any number of refreshes at once all answer, so a lost answer costs
 * nothing.
 * @throws OAuthError `invalid_grant`, in one body for a refresh token that is unknown, malformed,
 * another client's, revoked, at its end, or of an approval that no longer counts: of a user who is
 * gone, disabled or reached elsewhere
 */
export async function refresh(
  deps: TokenDeps,
  { form, client }: AuthenticatedForm,
  trace: Trace,
): Promise<object> {
  // RFC 6749 6: refresh_token is required, and an invalid_grant (5.2) where it is none.
  const handle = refreshTokenOf(form);
  const now = deps.clock();
  // RFC 6749 5.2, 10.4, invalid_grant: it is known, this client's, not revoked and before its end.
  const request = await findRefreshable(deps, handle, client, now);
  // RFC 6749 5.2: client and user, read again, are those it was approved for.
  const present = await readGrant(deps, request, REFRESH_GRANT_TYPE, noSuchToken);
  trace.ref = request.ref;
  // RFC 6749 6, invalid_scope: no more than was granted, as far as the client is still registered.
  const scope = refreshedScope(form.get('scope'), request.scope, present.client.scope);

  const grant = { issuer: deps.issuer, request, scope, user: present.user, now };
  return tokenResponse(await issueTokens(deps, present.client, grant));
}

function refreshTokenOf(form: Form): Handle {
  const refreshToken = form.get('refresh_token');
  if (refreshToken === undefined) {
    throw new OAuthError('invalid_request', 'The parameter refresh_token is missing.');
  }
  const handle = parseHandle(refreshToken);
  if (!handle) throw noSuchToken('malformed');
  return handle;
}

async function findRefreshable(
  { requests }: TokenDeps,
  handle: Handle,
  client: Client,
  now: number,
): Promise<RedeemedRequest> {
  const presented = { secretHash: hashSecret(handle.secret), clientId: client.client_id };
  const request = refreshableRequest(await requests.find(handle.ref), presented, now);
  if (!request) throw noSuchToken('not found, foreign, revoked or at its end');
  return request;
}

function noSuchToken(cause: string): OAuthError {
  return new OAuthError('invalid_grant', 'The refresh_token is not valid.', { cause });
}
