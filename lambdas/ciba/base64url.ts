/**
 * How octets are written as text wherever they are an id, a nonce or a secret (RFC 4648, section 5;
 * no padding).
 */
export function base64url(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64url');
}
