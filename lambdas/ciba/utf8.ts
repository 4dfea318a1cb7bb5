/**
 * Octets as text in UTF-8 (RFC 3629), which JWTs (RFC 7519 3) and forms (RFC 6749 appendix B) are
 * in.
 */

/**
 * The text, with its byte order mark if it begins with one, or `undefined` for octets that are not
 * UTF-8.
 */
export function decodeUtf8(octets: ArrayBuffer | Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
