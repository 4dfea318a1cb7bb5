/**
 * What is stored of a client secret that is only compared (RFC 6749, 2.3.1): an HMAC under a key of
 * the deployment, because people choose secrets. Whoever reads the directory and not the table of
 * keys can try no list of words, and equal secrets of two clients look unlike.
 */
import { createHmac } from 'node:crypto';

/** A key that secrets are stored under, and its name in what is stored. */
export interface MacKey {
  kid: string;
  key: Uint8Array;
}

/**
 * `kid "." HMAC-SHA-256`, the latter in base64url, of the client and the hash of its secret. It is
 * made of the hash so that an item which has the hash alone, as they once were, is brought under a
 * key without anybody knowing the secret.
 * @param hash of the secret, as `hashSecret` makes it
 */
export function macSecretHash({ kid, key }: MacKey, clientId: string, hash: string): string {
  // Neither part has a vertical bar, so no two pairs read alike.
  const mac = createHmac('sha256', key).update(`${clientId}|${hash}`).digest('base64url');
  return `${kid}.${mac}`;
}

/** The name of the key that a stored secret was made under. */
export function macKeyId(mac: string): string {
  return mac.slice(0, mac.lastIndexOf('.'));
}
