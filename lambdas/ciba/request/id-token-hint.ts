/**
 * The `id_token_hint` of CIBA Core 7.1: an ID Token that this provider issued to this client. It
 * may have expired (CIBA Core 14), as long as it is not older than its key is kept.
 */
import { findKindFault, jwtKinds } from '../jwt/jwt-kinds.ts';
import {
  CLOCK_SKEW_SECONDS,
  type Claims,
  isInstant,
  isSignedBy,
  readSignedJwt,
} from '../jwt/signed-jwt.ts';
import { ID_TOKEN_HINT_SECONDS, type PublicJwk } from '../keys/signing-keys.ts';
import { isSub, type LoginHint } from '../user/login.ts';

export type IdTokenHintJudgement =
  | { outcome: 'named'; hint: LoginHint }
  | { outcome: 'invalid'; cause: string };

/** Judges a hint by the keys that are published, those that no longer sign included. */
export async function judgeIdTokenHint(
  text: string,
  clientId: string,
  keys: readonly PublicJwk[],
  issuer: string,
  now: number,
): Promise<IdTokenHintJudgement> {
  const jwt = readSignedJwt(text);
  if (!jwt) return invalid('not a signed JWT');
  const key = keys.find(({ kid }) => kid === jwt.kid);
  if (!key || !(await isSignedBy(jwt, key.alg, [key]))) return invalid('wrong signature');
  // Access tokens are signed with the same keys; their kind is another.
  const kindFault = findKindFault(jwt, jwtKinds.idToken);
  return kindFault === undefined
    ? judgeClaims(jwt.claims, clientId, issuer, now)
    : invalid(kindFault);
}

function judgeClaims(
  { iss, aud, iat, sub }: Claims,
  clientId: string,
  issuer: string,
  now: number,
): IdTokenHintJudgement {
  if (iss !== issuer) return invalid('iss');
  if (aud !== clientId) return invalid('aud');
  if (!isInstant(iat) || iat > now + CLOCK_SKEW_SECONDS) return invalid('iat');
  if (iat < now - ID_TOKEN_HINT_SECONDS) return invalid('too old');
  if (typeof sub !== 'string' || !isSub(sub)) return invalid('sub');
  return { outcome: 'named', hint: { by: 'sub', sub } };
}

function invalid(cause: string): IdTokenHintJudgement {
  return { outcome: 'invalid', cause: `id_token_hint: ${cause}` };
}
