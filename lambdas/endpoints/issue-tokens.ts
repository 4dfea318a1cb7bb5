/**
 * What both grants of the token endpoint need, and the tokens they answer with (OpenID Connect Core 2, RFC 9068).
 */
import { base64url } from '../ciba/base64url.ts';
import type { Client } from '../ciba/client.ts';
import { ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE } from '../ciba/jwt-kinds.ts';
import { scopeValues } from '../ciba/scope.ts';
import { accessTokenClaims, type Grant, type IssuedTokens, idTokenClaims } from '../ciba/tokens.ts';
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

/** Random bytes of an attempt id and of a `jti`. */
const ID_BYTES = 16;

/** The tokens of a grant, signed and not yet given to anybody. */
export async function issueTokens(
  { signer, entropy, accessTokenAudience }: TokenDeps,
  client: Client,
  grant: Grant,
): Promise<IssuedTokens> {
  const isOpenId = scopeValues(grant.scope).includes('openid');
  const accessClaims = accessTokenClaims(grant, accessTokenAudience, randomId(entropy));
  const [idToken, accessToken] = await Promise.all([
    isOpenId
      ? signer.sign(client.id_token_signed_response_alg, ID_TOKEN_TYPE, idTokenClaims(grant))
      : undefined,
    signer.sign('ES256', ACCESS_TOKEN_TYPE, accessClaims),
  ]);
  return { accessToken, idToken, scope: grant.scope };
}

export function randomId(entropy: Entropy): string {
  return base64url(entropy(ID_BYTES));
}
