/**
 * Wrapped client secrets: recoverable with the deployment's key, for their client, and in no other
 * way (threat T14).
 */
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  unwrapSecret,
  WRAP_IV_BYTES,
  type WrappingKey,
  wrappedWith,
  wrapSecret,
} from '../../../lambdas/aws/wrapped-secret.ts';
import { SECRET_KEY_BYTES } from '../../../lambdas/ciba/keys/key-rotation.ts';

function newKey(kid: string): WrappingKey {
  return { kid, key: createSecretKey(randomBytes(SECRET_KEY_BYTES)) };
}

const key = newKey('k1');
const secret = 'a secret of “64” characters';
const wrap = (clientId = 'pump-4') => wrapSecret(key, clientId, secret, randomBytes(WRAP_IV_BYTES));

describe('a wrapped secret', () => {
  it('comes back for its client, whichever keys are there besides', () => {
    expect(unwrapSecret([newKey('k0'), key], 'pump-4', wrap())).toBe(secret);
  });

  it('shows nothing of the secret, and is another each time', () => {
    const wrapped = wrap();
    expect(wrapped).not.toContain(secret);
    expect(Buffer.from(wrapped.split('.')[2] ?? '', 'base64url').toString()).not.toContain(
      'secret',
    );
    expect(wrap()).not.toBe(wrapped);
    expect(wrappedWith(wrapped)).toBe('k1');
  });

  it('is unknown where its key is', () => {
    expect(unwrapSecret([newKey('k2')], 'pump-4', wrap())).toBeUndefined();
    expect(unwrapSecret([], 'pump-4', wrap())).toBeUndefined();
  });

  it('copied to another client comes back for nobody', () => {
    expect(() => unwrapSecret([key], 'desk-1', wrap('pump-4'))).toThrow();
  });

  it('changed in any octet comes back for nobody', () => {
    const [kid, iv = '', sealed = ''] = wrap().split('.');
    for (const [position] of [...Buffer.from(sealed, 'base64url')].entries()) {
      const octets = Buffer.from(sealed, 'base64url');
      octets[position] = (octets[position] ?? 0) ^ 1;
      const changed = [kid, iv, octets.toString('base64url')].join('.');
      expect(() => unwrapSecret([key], 'pump-4', changed)).toThrow();
    }
    for (const cut of [0, 1, 15, 16]) {
      const short = [
        kid,
        iv,
        Buffer.from(sealed, 'base64url').subarray(0, cut).toString('base64url'),
      ];
      expect(() => unwrapSecret([key], 'pump-4', short.join('.'))).toThrow();
    }
    const another = [kid, randomBytes(WRAP_IV_BYTES).toString('base64url'), sealed].join('.');
    expect(() => unwrapSecret([key], 'pump-4', another)).toThrow();
  });

  it('under another key of the same name comes back for nobody', () => {
    expect(() => unwrapSecret([newKey('k1')], 'pump-4', wrap())).toThrow();
  });

  it('takes an IV of its length', () => {
    expect(() => wrapSecret(key, 'pump-4', secret, randomBytes(16))).toThrow(RangeError);
  });
});
