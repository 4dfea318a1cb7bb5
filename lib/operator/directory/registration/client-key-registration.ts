/**
 * The public keys that a client registers inline as `jwks` (RFC 7517, OpenID Connect Registration
 * 2): what they may be. Members that are not understood are ignored (RFC 7517 4, 5), keys that
 * serve nothing here are skipped (RFC 7517 5), and only what is understood is stored. A key that
 * would serve but for a fault is an error: it is a slip. There is no `jwks_uri`: nothing is fetched
 * for a client.
 */
import * as z from 'zod/mini';
import { registrableKeyAlgorithms } from '../../../../lambdas/ciba/client/client-keys.ts';

/**
 * Most keys of one client that serve: the current one, the next and the last, and some to spare.
 */
const MOST_KEYS = 10;

/** Most entries of a set, whatever they are. */
const MOST_ENTRIES = 100;

/**
 * RFC 7518 3.3 and 3.5: "A key of size 2048 bits or larger MUST be used"; more than 8192 costs more
 * than it is worth.
 */
const RSA_BITS = { min: 2048, max: 8192 };

const base64url = z
  .string({ error: 'must be base64url' })
  .check(z.regex(/^[A-Za-z0-9_-]+$/, { error: 'must be base64url without padding' }));

/**
 * RFC 7518 6.2.1.2: a coordinate of P-256 takes 32 octets; RFC 8037 2: so does a key of Ed25519.
 */
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

/** The types of key that serve, and the curves of each. */
const servingCurves = { EC: ['P-256'], OKP: ['Ed25519'], RSA: [] } as const;

function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `allowed: ${names.join(', ')}` });
}

const kid = z.optional(
  z
    .string({ error: 'must be a text' })
    .check(z.regex(/^[\x21-\x7e]{1,128}$/, { error: 'must be 1 to 128 characters' })),
);

/** RFC 7517 4.2 and 4.3, of a key that serves; what it serves beside is of no interest here. */
const purpose = {
  use: z.optional(z.string({ error: 'must be a text' })),
  key_ops: z.optional(
    z.array(z.string({ error: 'must be a text' }), { error: 'must be a list' }).check(
      z.refine((operations) => new Set(operations).size === operations.length, {
        error: 'must name nothing twice',
      }),
    ),
  ),
};

const ecKey = z.object({
  kty: z.literal('EC'),
  crv: oneOf(servingCurves.EC),
  x: coordinate,
  y: coordinate,
  kid,
  alg: z.optional(oneOf(['ES256'])),
  ...purpose,
});

const okpKey = z.object({
  kty: z.literal('OKP'),
  crv: oneOf(servingCurves.OKP),
  x: coordinate,
  kid,
  // RFC 9864 2.2: one algorithm, two names; the first is the one that is stored.
  alg: z.optional(
    z.pipe(
      oneOf(['EdDSA', 'Ed25519']),
      z.transform(() => 'EdDSA' as const),
    ),
  ),
  ...purpose,
});

const rsaKey = z.object({
  kty: z.literal('RSA'),
  n: modulus,
  e: z.literal(['AQAB', 'Aw'], { error: 'allowed: AQAB, Aw' }),
  kid,
  alg: z.optional(oneOf(['PS256', 'RS256'])),
  ...purpose,
});

/** RFC 7518 6 and its successors: the members that hold a secret, of whichever type of key. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/**
 * Whether a private member is anywhere in a value. It should never have left the client, in
 * whatever it is wrapped.
 */
function hasPrivateMember(value: unknown): boolean {
  // A set that grows while it is walked; what YAML repeats by an alias is in it once.
  const found = new Set<unknown>([value]);
  for (const one of found) {
    if (typeof one !== 'object' || one === null) continue;
    if (privateMembers.some((member) => Object.hasOwn(one, member))) return true;
    for (const inner of Object.values(one)) found.add(inner);
  }
  return false;
}

const withoutPrivateMembers = z.refine((value: unknown) => !hasPrivateMember(value), {
  error: 'must be a public key, without private members',
  abort: true,
});

const anyKey = z.looseObject({}, { error: 'must be a JSON Web Key' }).check(withoutPrivateMembers);

/**
 * Why a key serves nothing here, as far as it says so itself (RFC 7517 5): its type, its curve, its
 * use or its algorithm is another. `undefined` for one that would serve, which may be at fault all
 * the same, and for what is no key at all.
 */
export function unservedBecause(key: unknown): string | undefined {
  const parsed = z.record(z.string(), z.unknown()).safeParse(key);
  if (!parsed.success) return undefined;
  const { kty, crv, use, key_ops: operations, alg } = parsed.data;
  if (typeof kty !== 'string') return undefined;
  if (!isServingType(kty)) return `kty ${kty}`;
  const curves: readonly string[] = servingCurves[kty];
  const isOfCurve = curves.length > 0 && typeof crv === 'string';
  if (isOfCurve && !curves.includes(crv)) return `crv ${crv}`;
  if (typeof use === 'string' && use !== 'sig') return `use ${use}`;
  if (Array.isArray(operations) && !operations.includes('verify')) return 'key_ops without verify';
  const isForeign = typeof alg === 'string' && !registrableKeyAlgorithms.some((one) => one === alg);
  return isForeign ? `alg ${alg}` : undefined;
}

function isServingType(kty: string): kty is keyof typeof servingCurves {
  return Object.hasOwn(servingCurves, kty);
}

const servingKey = z.discriminatedUnion('kty', [ecKey, okpKey, rsaKey], {
  error: 'kty: allowed: EC, OKP, RSA',
});

/** A key that serves: the members that are understood, its algorithm under one name. */
export const registeredJwk = z.pipe(anyKey, servingKey);

/** Undefined in the place of one that serves nothing. */
const entry = z.pipe(
  z.pipe(
    anyKey,
    z.transform((key) => (unservedBecause(key) === undefined ? key : undefined)),
  ),
  z.optional(servingKey),
);

const entries = z.pipe(
  z
    .array(entry, { error: 'must be a list' })
    .check(z.maxLength(MOST_ENTRIES, { error: `must hold ${MOST_ENTRIES} entries at most` })),
  z.transform((keys) => keys.filter((key) => key !== undefined)),
);

type RegisteredJwk = z.output<typeof registeredJwk>;

/** RFC 7517 5: the keys of one client that serve. */
export const registeredJwks = z.pipe(
  z.looseObject({}, { error: 'must be a JSON Web Key Set' }).check(
    // Each key is looked at by itself, to be named.
    z.refine(({ keys: _keys, ...members }: Record<string, unknown>) => !hasPrivateMember(members), {
      error: 'must be public keys, without private members',
      abort: true,
    }),
  ),
  z.object({
    keys: entries.check(
      z.refine((keys: RegisteredJwk[]) => keys.length <= MOST_KEYS, {
        error: `must hold ${MOST_KEYS} keys at most that serve`,
      }),
      z.refine(
        (keys: RegisteredJwk[]) => new Set(keys.map((key) => key.kid)).size === keys.length,
        { error: 'must have a kid of its own on each key if there is more than one' },
      ),
    ),
  }),
);

/**
 * The keys of a set that are skipped, by their places in it, each with what it is that does not
 * serve.
 */
export function skippedKeys(jwks: unknown): { index: number; because: string }[] {
  const set = z.object({ keys: z.array(z.unknown()) }).safeParse(jwks);
  return (set.data?.keys ?? []).flatMap((key, index) => {
    const because = unservedBecause(key);
    return because === undefined ? [] : [{ index, because }];
  });
}
