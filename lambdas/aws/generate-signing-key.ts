/**
 * New private signing keys (RFC 7518 section 6): P-256 for ES256, 2048 bits of RSA for RS256.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { SigningAlgorithm } from '../ciba/client/client.ts';

const RSA_BITS = 2048;

/** A new private key as a JWK, from the platform's cryptographic random source. */
export function generateSigningKey(alg: SigningAlgorithm): Record<string, string> {
  const { privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: RSA_BITS });
  return Object.fromEntries(
    Object.entries(privateKey.export({ format: 'jwk' })).filter(
      (member): member is [string, string] => typeof member[1] === 'string',
    ),
  );
}
