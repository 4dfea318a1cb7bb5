/**
 * The public keys that a client registers inline as `jwks` (RFC 7517, OpenID Connect Registration 2): what they may be.
 * There is no `jwks_uri`: nothing is fetched for a client.
 */
import * as z from 'zod/mini';
import type { KeyAlgorithm } from './client-keys.ts';

/** Most keys of one client: the current one, the next and the last, and some to spare. */
const MOST_KEYS = 10;

/** RFC 7518 3.3 and 3.5: "A key of size 2048 bits or larger MUST be used"; more than 8192 costs more than it is worth. */
const RSA_BITS = { min: 2048, max: 8192 };

const base64url = z
  .string({ error: 'must be base64url' })
  .check(z.regex(/^[A-Za-z0-9_-]+$/, { error: 'must be base64url without padding' }));

/** RFC 7518 6.2.1.2: a coordinate of P-256 takes 32 octets; RFC 8037 2: so does a key of Ed25519. */
const coordinate = base64url.check(
  z.length(43, { error: 'must be 32 octets in base64url (43 characters)' }),
);

const modulus = base64url.check(
  z.refine((text) => bitsOf(text) >= RSA_BITS.min && bitsOf(text) <= RSA_BITS.max, {
    error: `must be a modulus of ${RSA_BITS.min} to ${RSA_BITS.max} bits`,
  }),
);

function bitsOf(text: string): number {
  const octets = Buffer.from(text, 'base64url');
  const first = octets.findIndex((octet) => octet !== 0);
  if (first < 0) return 0;
  return (octets.length - first - 1) * 8 + (32 - Math.clz32(octets[first] ?? 0));
}

function named(algorithms: readonly KeyAlgorithm[]) {
  const error = `allowed: ${algorithms.join(', ')}`;
  return {
    kid: z.optional(
      z.string().check(z.regex(/^[\x21-\x7e]{1,128}$/, { error: 'must be 1 to 128 characters' })),
    ),
    use: z.optional(z.literal('sig', { error: 'allowed: sig' })),
    key_ops: z.optional(
      z.array(z.literal('verify', { error: 'allowed: verify' }), { error: 'must be a list' }),
    ),
    alg: z.optional(z.enum(algorithms, { error })),
  };
}

const ecKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256', { error: 'allowed: P-256' }),
  x: coordinate,
  y: coordinate,
  ...named(['ES256']),
});

const okpKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519', { error: 'allowed: Ed25519' }),
  x: coordinate,
  ...named(['EdDSA']),
});

const rsaKey = z.strictObject({
  kty: z.literal('RSA'),
  n: modulus,
  e: z.literal(['AQAB', 'Aw'], { error: 'allowed: AQAB, Aw' }),
  ...named(['PS256', 'RS256']),
});

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** One key of a registration. Private members are refused, whatever they hold: they should never have left the client. */
const clientKey = z.looseObject({}, { error: 'must be a JSON Web Key' }).check(
  z.refine((key) => !privateMembers.some((member) => member in key), {
    error: 'must be a public key, without private members',
    abort: true,
  }),
);

export const registeredJwk = z.pipe(
  clientKey,
  z.discriminatedUnion('kty', [ecKey, okpKey, rsaKey], { error: 'kty: allowed: EC, OKP, RSA' }),
);

/** RFC 7517 5: the keys of one client. */
export const registeredJwks = z.strictObject({
  keys: z.array(registeredJwk, { error: 'must be a list' }).check(
    z.maxLength(MOST_KEYS, { error: `must hold ${MOST_KEYS} keys at most` }),
    z.refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, {
      error: 'must have a kid of its own on each key if there is more than one',
    }),
  ),
});
