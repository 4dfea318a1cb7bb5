/**
 * Signing keys as they are kept and published (RFC 7517): which one signs, and its public half.
 */
import * as z from 'zod/mini';
import type { SigningAlgorithm } from '../client/client.ts';

/** How long functions use the keys they have read, and verifiers those of /jwks, in seconds. */
export const KEYS_REMEMBERED_SECONDS = 300;

/**
 * How old an ID Token may be that is shown as `id_token_hint`, in seconds; so long its key stays
 * published.
 */
export const ID_TOKEN_HINT_SECONDS = 90 * 86_400;

/** RFC 7518, 6.2.1 and 6.3.1: the public members, and only those. */
const publicEcKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
});
const publicRsaKey = z.object({ kty: z.literal('RSA'), n: z.string(), e: z.string() });

const published = { kid: z.string(), use: z.literal('sig') };

/** One key of /jwks. Unknown members, the private ones above all, do not survive parsing. */
export const publicJwk = z.discriminatedUnion('kty', [
  z.extend(publicEcKey, { ...published, alg: z.literal('ES256') }),
  z.extend(publicRsaKey, { ...published, alg: z.literal('RS256') }),
]);

export type PublicJwk = z.output<typeof publicJwk>;

/** A private key in the table of keys. */
export const signingKey = z.object({
  kid: z.string(),
  /** The private key as a JWK. */
  jwk: z.record(z.string(), z.string()),
  /** Epoch seconds; a key without it was made shortly before it signed first. */
  createdAt: z.optional(z.number()),
  /** Epoch seconds; set once the public half is published. Without it the key does not sign. */
  signsFrom: z.optional(z.number()),
});

export type SigningKey = z.output<typeof signingKey>;

/**
 * The key that signs now: of those already allowed to, the newest.
 * @param now epoch seconds
 */
export function currentSigningKey<Key extends Pick<SigningKey, 'signsFrom'>>(
  keys: readonly Key[],
  now: number,
): Key | undefined {
  return keys
    .filter((key) => key.signsFrom !== undefined && key.signsFrom <= now)
    .toSorted((one, other) => (other.signsFrom ?? 0) - (one.signsFrom ?? 0))[0];
}

/** The public half of a private JWK, named and bound to its one use. */
export function publicHalf(
  kid: string,
  alg: SigningAlgorithm,
  jwk: Record<string, unknown>,
): PublicJwk {
  return publicJwk.parse({ ...jwk, kid, alg, use: 'sig' });
}
