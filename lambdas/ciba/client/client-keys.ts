/**
 * The public keys of a client (RFC 7517, OpenID Connect Registration 2), as they are stored, and
 * which algorithm (RFC 7518, 8037) each of them verifies.
 */
import * as z from 'zod/mini';

/** RFC 7518 3.1, RFC 8037 3.1: the signatures that a client's key can be registered for. */
export const keyAlgorithms = ['ES256', 'PS256', 'RS256', 'EdDSA'] as const;

export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** The names under which they are registered: RFC 9864 2.2 calls EdDSA by the name of the curve. */
export const registrableKeyAlgorithms = [...keyAlgorithms, 'Ed25519'] as const;

const text = z.optional(z.string());

/** A stored key: the numbers of its type, and what it says of itself. */
export const clientJwk = z.object({
  kty: z.enum(['EC', 'OKP', 'RSA']),
  kid: text,
  alg: z.optional(z.enum(keyAlgorithms)),
  crv: text,
  x: text,
  y: text,
  n: text,
  e: text,
});

export type ClientJwk = z.output<typeof clientJwk>;

/**
 * The algorithms whose signatures this key verifies, by its type and what it says of itself (RFC
 * 7517 4.4).
 */
export function algorithmsOf(key: ClientJwk): readonly KeyAlgorithm[] {
  if (key.alg !== undefined) return [key.alg];
  switch (key.kty) {
    case 'EC':
      return ['ES256'];
    case 'OKP':
      return ['EdDSA'];
    case 'RSA':
      return ['PS256', 'RS256'];
  }
}

/**
 * The keys that may have made a signature: of this algorithm, and of this `kid` where the header
 * names one.
 */
export function keysFor(
  keys: readonly ClientJwk[],
  alg: KeyAlgorithm,
  kid: string | undefined,
): ClientJwk[] {
  return keys.filter(
    (key) =>
      algorithmsOf(key).includes(alg) &&
      (kid === undefined || key.kid === undefined || key.kid === kid),
  );
}
