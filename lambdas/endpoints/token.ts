/**
 * The token endpoint (CIBA Core 10.1, OpenID Connect Core 12): authenticates the client and hands
 * over to the grant.
 */

import {
  CIBA_GRANT_TYPE,
  mayRefresh,
  mayUseCiba,
  REFRESH_GRANT_TYPE,
} from '../ciba/client/client.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { refuseAuthorizationDetails } from '../ciba/request/authorization-details.ts';
import type { Caller } from '../http/api-gateway-event.ts';
import { oauthEndpoint } from '../http/oauth-endpoint.ts';
import { type AuthenticatedForm, readAuthenticatedForm } from './authenticated-form.ts';
import { redeemByPoll } from './ciba-grant.ts';
import type { TokenDeps } from './issue-tokens.ts';
import { refresh } from './refresh-grant.ts';

const grants = {
  [CIBA_GRANT_TYPE]: { isAllowed: mayUseCiba, answer: redeemByPoll },
  [REFRESH_GRANT_TYPE]: { isAllowed: mayRefresh, answer: refresh },
};

/**
 * The parameters of the endpoint beside those of client authentication: what is read, and what is
 * refused rather than ignored. Each may occur once; all others are ignored.
 */
export const tokenParameters = [
  'grant_type',
  'auth_req_id',
  'refresh_token',
  'scope',
  'authorization_details',
] as const;

/**
 * POST /token: the checks that both grants share; those of each follow in its own file, in order.
 */
export function tokenEndpoint(
  deps: TokenDeps,
): (request: Request, caller?: Caller) => Promise<Response> {
  return oauthEndpoint('token', deps, async (httpRequest, trace) => {
    // RFC 6749 3.2, CIBA Core 10.1: a posted form, no parameter twice; the client proves itself.
    const authenticated = await readAuthenticatedForm(httpRequest, deps, trace, tokenParameters);
    // RFC 6749 5.2: a grant type that is known, and that the client is registered for.
    const grant = grantOf(authenticated);
    // RFC 9396 5: no type of authorization_details is supported.
    refuseAuthorizationDetails(authenticated.form);
    return grant.answer(deps, authenticated, trace);
  });
}

function grantOf({ form, client }: AuthenticatedForm) {
  const grantType = form.get('grant_type');
  if (grantType === undefined) {
    throw new OAuthError('invalid_request', 'The parameter grant_type is missing.');
  }
  if (grantType !== CIBA_GRANT_TYPE && grantType !== REFRESH_GRANT_TYPE) {
    const allowed = Object.keys(grants).join(' or ');
    throw new OAuthError('unsupported_grant_type', `The grant_type must be ${allowed}.`);
  }
  const grant = grants[grantType];
  if (grant.isAllowed(client)) return grant;
  throw new OAuthError('unauthorized_client', 'The client is not registered for this grant.');
}
