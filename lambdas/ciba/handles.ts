/**
 * The handles of one authentication request: `ref` is public, `auth_req_id` (CIBA Core 7.3) is the
 * client's. The caller supplies the random bytes, so that this room stays free of randomness.
 */
import { createHash } from 'node:crypto';
import { base64url } from './base64url.ts';

/** RFC 4648, section 6, in lower case: 32 letters, so one random byte gives five unbiased bits. */
const base32Alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Random bytes that {@link formatRef} consumes. */
export const REF_ENTROPY_BYTES = 26;

/** Random bytes of a secret: 256 bits, where CIBA Core 7.3 demands 128 and advises 160. */
export const SECRET_ENTROPY_BYTES = 32;

/** Random bytes of an attempt's name: enough that no two attempts on a request share one. */
export const ATTEMPT_ENTROPY_BYTES = 8;

/** The characters of a handle. */
export const HANDLE_LENGTH = 26 + 1 + 43;

const refPattern = /^[a-z2-7]{26}$/;
const handlePattern = /^([a-z2-7]{26})\.([A-Za-z0-9_-]{43})$/;

/**
 * The public id of a request: 26 base32 characters, 130 random bits. It is the item's key, the
 * workflow's input, the Request ID of the mail and the audit's key; it proves nothing.
 * @param entropy {@link REF_ENTROPY_BYTES} random bytes
 */
export function formatRef(entropy: Uint8Array): string {
  if (entropy.length !== REF_ENTROPY_BYTES) {
    throw new RangeError(`a ref takes ${REF_ENTROPY_BYTES} random bytes`);
  }
  return Array.from(entropy, (byte) => base32Alphabet.charAt(byte & 31)).join('');
}

/** Whether the text has the form of a {@link formatRef ref}. */
export function isRef(text: string): boolean {
  return refPattern.test(text);
}

/**
 * The secret half of a handle: base64url without padding, so that only characters of CIBA Core 7.3
 * occur.
 * @param entropy {@link SECRET_ENTROPY_BYTES} random bytes
 */
export function formatSecret(entropy: Uint8Array): string {
  if (entropy.length !== SECRET_ENTROPY_BYTES) {
    throw new RangeError(`a secret takes ${SECRET_ENTROPY_BYTES} random bytes`);
  }
  return base64url(entropy);
}

/** A handle as it travels: the item's key and what proves the right to it. */
export interface Handle {
  ref: string;
  secret: string;
}

/** `ref "." secret`, the form of an auth_req_id and of a link token. */
export function formatHandle({ ref, secret }: Handle): string {
  return `${ref}.${secret}`;
}

/** The two halves of a handle, or `undefined` for a text that can be none. */
export function parseHandle(text: string): Handle | undefined {
  const match = handlePattern.exec(text);
  if (!match) return undefined;
  const [, ref, secret] = match;
  return ref !== undefined && secret !== undefined ? { ref, secret } : undefined;
}

/**
 * SHA-256 in base64url: what is stored of a secret. Secrets of 256 random bits need no stretching.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('base64url');
}
