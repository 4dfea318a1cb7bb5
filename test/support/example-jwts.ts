/**
 * JWTs as clients sign them, and as nobody should: built by hand with node:crypto, so that a test
 * can bend every part.
 */
import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  sign as signData,
} from 'node:crypto';
import type { ClientJwk } from '../../lambdas/ciba/client/client-keys.ts';
import { JWT_LENGTH } from '../../lambdas/ciba/jwt/signed-jwt.ts';
import { registeredJwk } from '../../lib/operator/directory/registration/client-key-registration.ts';

export function base64url(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** The signature of each algorithm over a signing input, with a private key or a secret. */
const signers: Record<string, (input: Buffer, key: KeyObject | string) => Buffer> = {
  ES256: (input, key) => signData('sha256', input, { ...keyOf(key), dsaEncoding: 'ieee-p1363' }),
  RS256: (input, key) => signData('sha256', input, keyOf(key)),
  PS256: (input, key) =>
    signData('sha256', input, {
      ...keyOf(key),
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    }),
  EdDSA: (input, key) => signData(null, input, keyOf(key)),
  Ed25519: (input, key) => signData(null, input, keyOf(key)),
  HS256: (input, key) => createHmac('sha256', key).update(input).digest(),
  HS384: (input, key) => createHmac('sha384', key).update(input).digest(),
  HS512: (input, key) => createHmac('sha512', key).update(input).digest(),
};

function keyOf(key: KeyObject | string): { key: KeyObject } {
  if (typeof key === 'string') throw new Error('a secret makes no signature');
  return { key };
}

/**
 * `header.claims.signature`; each of the first two parts an object, or text that stands there as it
 * is.
 */
export function signJwt(
  header: Record<string, unknown> | string,
  claims: object | string,
  key: KeyObject | string,
  alg = typeof header === 'string' ? '' : String(header['alg']),
): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  const signer = signers[alg];
  if (!signer) throw new Error(`no signer for ${alg}`);
  return `${input}.${signer(Buffer.from(input), key).toString('base64url')}`;
}

/** The longest `jti` with which the JWT that `sign` makes is still read, and that JWT. */
export function longestJti(sign: (jti: string) => string): { jti: string; text: string } {
  let length = JWT_LENGTH;
  while (sign('j'.repeat(length)).length > JWT_LENGTH) length -= 1;
  const jti = 'j'.repeat(length);
  return { jti, text: sign(jti) };
}

/** A client's key pair: the private half, and the public one as registered. */
export interface ClientKeyPair {
  privateKey: KeyObject;
  jwk: ClientJwk;
}

/** A new key pair of the type that the algorithm takes. */
export function generateClientKey(
  alg: 'ES256' | 'PS256' | 'RS256' | 'EdDSA',
  members: object = {},
): ClientKeyPair {
  const { privateKey, publicKey } = generatePair(alg);
  const jwk = registeredJwk.parse({ ...publicKey.export({ format: 'jwk' }), ...members });
  return { privateKey, jwk };
}

function generatePair(alg: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}
