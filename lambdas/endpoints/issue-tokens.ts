/**
 * What both grants of the token endpoint need, and the tokens they answer with (OpenID Connect Core
 * 2, RFC 9068).
 */

import { base64url } from '../ciba/base64url.ts';
import type { Client } from '../ciba/client/client.ts';
import { ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE } from '../ciba/jwt/jwt-kinds.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import type { ApprovedRequest, RedeemedRequest } from '../ciba/request/authentication-request.ts';
import { judgeGrant, type UsedGrant } from '../ciba/request/grant.ts';
import {
  accessTokenClaims,
  type Grant,
  type IssuedTokens,
  idTokenClaims,
} from '../ciba/request/tokens.ts';
import { scopeValues } from '../ciba/scope.ts';
import type { ReachableUser } from '../ciba/user/user.ts';
import type { Log } from '../log.ts';
import type { AuthenticationRequestStore, Entropy, TokenSigner, UserDirectory } from '../ports.ts';
import type { ClientAuthenticationDeps } from './authenticated-form.ts';

export interface TokenDeps extends ClientAuthenticationDeps {
  accessTokenAudience: string;
  requests: Pick<
    AuthenticationRequestStore,
    'find' | 'stampPoll' | 'slowDown' | 'redeem' | 'recordReplay'
  >;
  users: Pick<UserDirectory, 'findUser'>;
  signer: TokenSigner;
  entropy: Entropy;
  log: Log;
}

/** Random bytes of a `jti`. */
const ID_BYTES = 16;

/** The client and the user of what was approved, as they are right now. */
export interface PresentGrant {
  client: Client;
  user: ReachableUser;
}

/**
 * The client and the user of what was approved, as they are right now, if it still counts with
 * them.
 * @param overBy the error of this grant for an approval that is over, made of the reason
 * @throws OAuthError `unauthorized_client` if the client may use no grant of this type; else what
 * `overBy` makes
 */
export async function readGrant(
  { clients, users }: TokenDeps,
  request: ApprovedRequest | RedeemedRequest,
  grantType: UsedGrant['grantType'],
  overBy: (reason: string) => OAuthError,
): Promise<PresentGrant> {
  const [client, user] = await Promise.all([
    clients.findClient(request.clientId, 'consistent'),
    users.findUser(request.sub),
  ]);
  const judgement = judgeGrant({ request, grantType }, client, user);
  if (judgement.counts) return judgement;
  if (judgement.lapsed === 'approval') throw overBy(judgement.reason);
  throw new OAuthError('unauthorized_client', 'The client may no longer use this grant.', {
    cause: judgement.reason,
  });
}

/** The tokens of a grant, signed and not yet given to anybody. */
export async function issueTokens(
  { signer, entropy, accessTokenAudience }: TokenDeps,
  client: Client,
  grant: Grant,
): Promise<IssuedTokens> {
  const isOpenId = scopeValues(grant.scope).includes('openid');
  const accessClaims = accessTokenClaims(grant, accessTokenAudience, base64url(entropy(ID_BYTES)));
  const [idToken, accessToken] = await Promise.all([
    isOpenId
      ? signer.sign(client.id_token_signed_response_alg, ID_TOKEN_TYPE, idTokenClaims(grant))
      : undefined,
    signer.sign('ES256', ACCESS_TOKEN_TYPE, accessClaims),
  ]);
  return { accessToken, idToken, scope: grant.scope };
}
