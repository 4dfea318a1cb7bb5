/**
 * Signed JWTs that others show us (RFC 7515, RFC 7519, RFC 8725): read strictly, verified with keys
 * and algorithms that we choose. Nothing in a header selects a key by itself, and none that carries
 * or fetches one is accepted.
 */
import { compactVerify, type JWK } from 'jose';
import { decodeUtf8 } from '../utf8.ts';
import { parseStrictObject } from './strict-json.ts';

/** Longest JWT that is read, in characters. */
export const JWT_LENGTH = 8192;

/** How far the clock of whoever signed may be from ours, in seconds. */
export const CLOCK_SKEW_SECONDS = 30;

/** The members of a public key (RFC 7518 6, RFC 8037 2) that a signature is verified with. */
export interface VerificationKey {
  kty: string;
  crv?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
  n?: string | undefined;
  e?: string | undefined;
}

export type Claims = Readonly<Record<string, unknown>>;

/** A JWT that was read and not yet verified. */
export interface SignedJwt {
  text: string;
  alg: string;
  kid: string | undefined;
  /** In lower case, without `application/` (RFC 7515 4.1.9). */
  typ: string | undefined;
  claims: Claims;
}

const compactSerialization = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Header members that bring or fetch a key, or change how the rest is read (RFC 7515 4.1, RFC 7797,
 * RFC 8725 3.5).
 */
const refusedMembers = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip'];

/**
 * The parts of a JWT, or `undefined` for a text that is none, or one that could be read in two
 * ways.
 */
export function readSignedJwt(text: string): SignedJwt | undefined {
  if (text.length > JWT_LENGTH || !compactSerialization.test(text)) return undefined;
  const parts = text.split('.');
  if (!parts.every(isCanonical)) return undefined;
  const [header, claims] = parts.map((part) => parseStrictObject(decodePart(part)));
  if (!header || !claims || refusedMembers.some((member) => member in header)) return undefined;
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !isTextOrAbsent(kid) || !isTextOrAbsent(typ)) return undefined;
  return { text, alg, kid, typ: typ === undefined ? undefined : mediaTypeOf(typ), claims };
}

/**
 * Base64url has several spellings of the same octets; only the one of RFC 4648 is a signed text's
 * own.
 */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

/** Invalid UTF-8 becomes no JSON. */
function decodePart(part: string): string {
  return decodeUtf8(Buffer.from(part, 'base64url')) ?? '';
}

/** ASCII alone is folded: in Unicode the Kelvin sign is a capital `k`. */
function mediaTypeOf(typ: string): string {
  const folded = typ.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return folded.replace(/^application\//, '');
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/**
 * Whether a header's `alg` names this algorithm. RFC 9864 2.2 calls EdDSA with Ed25519 by the
 * curve's name.
 */
export function namesAlgorithm(headerAlg: string, alg: string): boolean {
  return headerAlg === alg || (alg === 'EdDSA' && headerAlg === 'Ed25519');
}

/**
 * Whether one of the keys made the signature by this algorithm.
 * @param keys public keys, or secrets for HS256, HS384 and HS512; each of the algorithm's own type
 */
export async function isSignedBy(
  jwt: SignedJwt,
  alg: string,
  keys: readonly (VerificationKey | string)[],
): Promise<boolean> {
  if (!namesAlgorithm(jwt.alg, alg)) return false;
  for (const key of keys) if (await verifies(jwt, key)) return true;
  return false;
}

async function verifies(jwt: SignedJwt, key: VerificationKey | string): Promise<boolean> {
  try {
    await compactVerify(jwt.text, typeof key === 'string' ? Buffer.from(key) : bareKey(key), {
      algorithms: [jwt.alg],
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * The key's numbers alone: what the key says of itself has been judged, by names that RFC 9864 has
 * changed since.
 */
function bareKey({ kty, crv, x, y, n, e }: VerificationKey): JWK {
  return {
    kty,
    ...(crv !== undefined && { crv }),
    ...(x !== undefined && { x }),
    ...(y !== undefined && { y }),
    ...(n !== undefined && { n }),
    ...(e !== undefined && { e }),
  };
}

export type TimeFault = 'malformed' | 'expired' | 'not_yet_valid' | 'lifetime_too_long';

/**
 * What is wrong with the times of a JWT, if anything: `exp` is demanded, `nbf` and `iat` are judged
 * where they are (RFC 7519 4.1.4 to 4.1.6), each with {@link CLOCK_SKEW_SECONDS}.
 * @param lifetime most seconds from `iat` to `exp`, which one clock wrote; without `iat` from now,
 * as that clock may have it
 */
export function judgeTimes(claims: Claims, now: number, lifetime: number): TimeFault | undefined {
  const { exp, nbf, iat } = claims;
  if (!isInstant(exp) || !isInstantOrAbsent(nbf) || !isInstantOrAbsent(iat)) return 'malformed';
  if (exp <= now - CLOCK_SKEW_SECONDS) return 'expired';
  const begins = Math.max(nbf ?? 0, iat ?? 0);
  if (begins > now + CLOCK_SKEW_SECONDS) return 'not_yet_valid';
  if (exp - (iat ?? now + CLOCK_SKEW_SECONDS) > lifetime) return 'lifetime_too_long';
  return undefined;
}

/**
 * Until when a JWT that ends at `exp` may still be accepted, in epoch seconds: so long its `jti` is
 * remembered.
 */
export function acceptableUntil(exp: number): number {
  return Math.ceil(exp + CLOCK_SKEW_SECONDS);
}

/** RFC 7519, 2: a NumericDate. */
export function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isInstantOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isInstant(value);
}

/** RFC 7519 4.1.7: no longer than its JWT, which is bounded; what is stored of it is a hash. */
export function isJti(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
