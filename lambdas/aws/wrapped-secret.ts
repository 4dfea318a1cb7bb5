/**
 * Client secrets that must be recoverable (OpenID Connect Core 9, `client_secret_jwt`), wrapped
 * with a key of the deployment: AES-256-GCM, bound to their client, so that an item copied to
 * another client unwraps to nothing.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { base64url } from '../ciba/base64url.ts';

/** Random octets that each wrapping takes anew (NIST SP 800-38D, 8.2). */
export const WRAP_IV_BYTES = 12;

const TAG_BYTES = 16;

export interface WrappingKey {
  kid: string;
  key: KeyObject;
}

/**
 * `kid "." iv "." ciphertext and tag`, the last two in base64url.
 * @param iv {@link WRAP_IV_BYTES} random octets, never used with this key before
 */
export function wrapSecret(
  { kid, key }: WrappingKey,
  clientId: string,
  secret: string,
  iv: Uint8Array,
): string {
  if (iv.length !== WRAP_IV_BYTES) throw new RangeError(`an IV takes ${WRAP_IV_BYTES} octets`);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(clientId));
  const sealed = Buffer.concat([
    cipher.update(secret, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return [kid, base64url(iv), base64url(sealed)].join('.');
}

/** The id of the key a secret is wrapped with. */
export function wrappedWith(wrapped: string): string {
  return wrapped.split('.')[0] ?? '';
}

/**
 * The secret, if one of the keys wrapped it for this client.
 * @throws if the text was changed, or wrapped for another client
 */
export function unwrapSecret(
  keys: readonly WrappingKey[],
  clientId: string,
  wrapped: string,
): string | undefined {
  const [kid, iv = '', sealed = ''] = wrapped.split('.');
  const key = keys.find((one) => one.kid === kid)?.key;
  if (!key) return undefined;
  const octets = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(clientId))
    .setAuthTag(octets.subarray(-TAG_BYTES));
  const secret = Buffer.concat([decipher.update(octets.subarray(0, -TAG_BYTES)), decipher.final()]);
  return secret.toString('utf8');
}
