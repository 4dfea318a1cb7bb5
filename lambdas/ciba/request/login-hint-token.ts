/**
 * The `login_hint_token` of CIBA Core 7.1: a JWT that the client itself signs, with a registered
 * key or its secret, to name the end-user in a way that nobody on the road can read into or replay.
 * Its form is left to each provider.
 */
import { type Client, isLongEnough, isSecretAlgorithm } from '../client/client.ts';
import type { SingleUse } from '../client/client-assertion.ts';
import { algorithmsOf, keysFor } from '../client/client-keys.ts';
import { findKindFault, jwtKinds, userClaims } from '../jwt/jwt-kinds.ts';
import {
  acceptableUntil,
  type Claims,
  isInstant,
  isJti,
  isSignedBy,
  judgeTimes,
  namesAlgorithm,
  readSignedJwt,
  type SignedJwt,
} from '../jwt/signed-jwt.ts';
import { isSub, type LoginHint, parseLogin } from '../user/login.ts';

/** Longest lifetime, in seconds: so long its `jti` is remembered. */
export const LOGIN_HINT_TOKEN_LIFETIME_SECONDS = 3600;

export type LoginHintTokenJudgement =
  | { outcome: 'named'; hint: LoginHint; singleUse: SingleUse }
  | { outcome: 'expired' }
  | { outcome: 'invalid'; cause: string };

/**
 * Judges a hint token. It names its user only once its `jti` is burned. `expired` is said of a
 * genuine token alone.
 * @param secrets the secrets that this request has proved
 */
export async function judgeLoginHintToken(
  text: string,
  client: Client,
  secrets: readonly string[],
  issuer: string,
  now: number,
): Promise<LoginHintTokenJudgement> {
  const jwt = readSignedJwt(text);
  if (!jwt) return invalid('not a signed JWT');
  if (!(await isGenuine(jwt, client, secrets))) return invalid('wrong signature');
  const { iss, aud, exp, jti } = jwt.claims;
  if (iss !== client.client_id) return invalid('iss');
  if (aud !== issuer) return invalid('aud');
  const kindFault = findKindFault(jwt, jwtKinds.loginHintToken);
  if (kindFault !== undefined) return invalid(kindFault);
  const fault = judgeTimes(jwt.claims, now, LOGIN_HINT_TOKEN_LIFETIME_SECONDS);
  if (fault === 'expired') return { outcome: 'expired' };
  if (fault !== undefined || !isInstant(exp)) return invalid(fault ?? 'malformed');
  if (!isJti(jti)) return invalid('jti');
  const hint = hintOf(jwt.claims);
  if (!hint) return invalid('no subject');
  return { outcome: 'named', hint, singleUse: { jti, until: acceptableUntil(exp) } };
}

function invalid(cause: string): LoginHintTokenJudgement {
  return { outcome: 'invalid', cause: `login_hint_token: ${cause}` };
}

/** A MAC is verified with a secret and a signature with a key: no header makes one of the other. */
async function isGenuine(
  jwt: SignedJwt,
  client: Client,
  secrets: readonly string[],
): Promise<boolean> {
  const { alg } = jwt;
  if (isSecretAlgorithm(alg)) {
    return isSignedBy(
      jwt,
      alg,
      secrets.filter((secret) => isLongEnough(secret, alg)),
    );
  }
  const keys = client.jwks?.keys ?? [];
  const registered = keys.flatMap(algorithmsOf).find((one) => namesAlgorithm(alg, one));
  if (registered === undefined) return false;
  return isSignedBy(jwt, registered, keysFor(keys, registered, jwt.kid));
}

/** Exactly one claim names the user. */
function hintOf(claims: Claims): LoginHint | undefined {
  const named = userClaims.filter((member) => Object.hasOwn(claims, member));
  const [member] = named;
  const value = member === undefined ? undefined : claims[member];
  if (named.length !== 1 || typeof value !== 'string') return undefined;
  if (member === 'sub') return isSub(value) ? { by: 'sub', sub: value } : undefined;
  const login = parseLogin(value);
  return login && login.kind === member ? { by: 'login', login: login.login } : undefined;
}
