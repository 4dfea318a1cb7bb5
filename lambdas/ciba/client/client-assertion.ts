/**
 * Client assertions (RFC 7523 section 3, OpenID Connect Core 9, RFC 10070): `client_secret_jwt` and
 * `private_key_jwt`, with the algorithm and the keys of the registration, for this provider alone,
 * once.
 */

import { findKindFault, jwtKinds } from '../jwt/jwt-kinds.ts';
import {
  acceptableUntil,
  isInstant,
  isJti,
  isSignedBy,
  judgeTimes,
  namesAlgorithm,
  type SignedJwt,
} from '../jwt/signed-jwt.ts';
import {
  type AssertionAlgorithm,
  assertionAlgorithm,
  type Client,
  isLongEnough,
  isSecretAlgorithm,
} from './client.ts';
import { type KeyAlgorithm, keysFor } from './client-keys.ts';

/** RFC 7523, 2.2. */
export const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Longest lifetime of an assertion, in seconds. */
export const ASSERTION_LIFETIME_SECONDS = 300;

/** Whom an assertion may be addressed to. */
export interface AssertionAudience {
  issuer: string;
  /** Every URL at which the two endpoints answer; CIBA Core 7.1 lets clients name them. */
  endpoints: readonly string[];
}

/**
 * A `jti` that has to be burned before the request goes on, and how long it is to be remembered
 * (epoch seconds).
 */
export interface SingleUse {
  jti: string;
  until: number;
}

export type AssertionJudgement =
  | { proved: true; singleUse: SingleUse }
  | { proved: false; cause: string };

/**
 * Judges a client's assertion. It proves the client only once its `jti` is burned.
 * @param client whose id the assertion names
 * @param secrets the live secrets of a `client_secret_jwt` client; none for any other
 */
export async function judgeClientAssertion(
  jwt: SignedJwt,
  client: Client,
  secrets: readonly string[],
  audience: AssertionAudience,
  now: number,
): Promise<AssertionJudgement> {
  const alg = assertionAlgorithm(client);
  if (alg === undefined) return refused('not the registered method');
  if (!namesAlgorithm(jwt.alg, alg)) return refused('not the registered algorithm');
  const keys = keysOf(client, alg, jwt.kid, secrets);
  if (keys.length === 0) return refused('no key');
  if (!(await isSignedBy(jwt, alg, keys))) return refused('wrong signature');
  return judgeClaims(jwt, client, audience, now);
}

function refused(cause: string): AssertionJudgement {
  return { proved: false, cause: `assertion: ${cause}` };
}

function keysOf(
  client: Client,
  alg: AssertionAlgorithm,
  kid: string | undefined,
  secrets: readonly string[],
) {
  if (isSecretAlgorithm(alg)) return secrets.filter((secret) => isLongEnough(secret, alg));
  return registeredKeys(client, alg, kid);
}

function registeredKeys(client: Client, alg: KeyAlgorithm, kid: string | undefined) {
  return keysFor(client.jwks?.keys ?? [], alg, kid);
}

function judgeClaims(
  jwt: SignedJwt,
  client: Client,
  audience: AssertionAudience,
  now: number,
): AssertionJudgement {
  const { claims } = jwt;
  const { iss, sub, aud, exp, jti } = claims;
  if (iss !== client.client_id || sub !== client.client_id) return refused('iss or sub');
  const kindFault = findKindFault(jwt, jwtKinds.clientAssertion);
  if (kindFault !== undefined) return refused(kindFault);
  if (!isAudience(aud, audience, client)) return refused('aud');
  const fault = judgeTimes(claims, now, ASSERTION_LIFETIME_SECONDS);
  if (fault !== undefined || !isInstant(exp)) return refused(fault ?? 'malformed');
  if (!isJti(jti)) return refused('jti');
  return { proved: true, singleUse: { jti, until: acceptableUntil(exp) } };
}

/**
 * RFC 10070: the issuer identifier as the sole value, so that no other server can lure a client
 * into signing an assertion that works here. Ours is an origin, which is the same with a slash at
 * its end. A client registered for `ciba-core` may name the endpoints too, as CIBA Core 7.1 lets
 * it, and several of our names in a list (RFC 7519 4.1.3).
 */
function isAudience(
  aud: unknown,
  { issuer, endpoints }: AssertionAudience,
  client: Client,
): boolean {
  const names: readonly unknown[] = [issuer, `${issuer}/`];
  if (client.client_assertion_audience === 'issuer') return names.includes(aud);
  const ours = [...names, ...endpoints];
  const named: unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.length > 0 && named.every((one) => ours.includes(one));
}
