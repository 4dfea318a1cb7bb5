/**
 * The handles: their alphabet, their bits, and that none can be taken for another (CIBA Core 7.3;
 * threats T7, T10).
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  formatHandle,
  formatRef,
  formatSecret,
  hashSecret,
  isRef,
  parseHandle,
} from '../../../lambdas/ciba/handles.ts';

describe('formatRef', () => {
  it('makes 26 lower-case base32 characters, five random bits each: 130 in all', () => {
    const everyLetter = Uint8Array.from({ length: 26 }, (_, index) => index + 6);
    expect(formatRef(everyLetter)).toBe('ghijklmnopqrstuvwxyz234567');
    expect(formatRef(new Uint8Array(26))).toBe('a'.repeat(26));
  });

  it('uses every letter equally often, whatever the other bits of a byte are', () => {
    const letters = Array.from(
      { length: 256 },
      (_, byte) => formatRef(new Uint8Array(26).fill(byte))[0],
    );
    const counts = new Map(
      letters.map((letter) => [letter, letters.filter((one) => one === letter).length]),
    );
    expect(counts.size).toBe(32);
    expect(new Set(counts.values())).toEqual(new Set([8]));
  });

  it.each([0, 25, 27])('refuses %i bytes', (length) => {
    expect(() => formatRef(new Uint8Array(length))).toThrow(RangeError);
  });
});

describe('a handle', () => {
  const ref = 'k3f7qz2m4xw6hbn5vty2a3c4d7';
  const secret = 'A'.repeat(43);

  it('has only the characters that CIBA 7.3 allows, and survives parsing', () => {
    for (let round = 0; round < 100; round += 1) {
      const handle = { ref: formatRef(randomBytes(26)), secret: formatSecret(randomBytes(32)) };
      const text = formatHandle(handle);
      expect(text).toMatch(/^[A-Za-z0-9._-]{70}$/);
      expect(parseHandle(text)).toEqual(handle);
    }
  });

  it.each([
    '',
    ref,
    `${ref}.`,
    `.${secret}`,
    `${ref}${secret}`,
    `${ref}.${secret}.`,
    `${ref}.${secret}=`,
    `${ref}.${secret} `,
    ` ${ref}.${secret}`,
    `${ref}.${secret}\n`,
    `${ref}.${secret.slice(1)}`,
    `${ref}.${secret}A`,
    `${ref.toUpperCase()}.${secret}`,
    `${ref.slice(1)}1.${secret}`,
    `${ref.slice(1)}8.${secret}`,
    `${ref}.${secret.slice(1)}+`,
    `${ref}.${secret.slice(1)}/`,
    '003d2608-adeb-49af-8e8d-ec22f2a6198d',
  ])('is not %j', (text) => {
    expect(parseHandle(text)).toBeUndefined();
  });

  it('refuses a secret of another length than 256 bits', () => {
    expect(() => formatSecret(new Uint8Array(31))).toThrow(RangeError);
  });
});

it('hashSecret is SHA-256 in base64url (golden: the digest of "abc", FIPS 180-4)', () => {
  expect(Buffer.from(hashSecret('abc'), 'base64url').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

it.each([
  ['a'.repeat(26), true],
  ['a'.repeat(25), false],
  ['A'.repeat(26), false],
  ['0'.repeat(26), false],
  [`${'a'.repeat(25)}1`, false],
  [`${'a'.repeat(25)}8`, false],
])('isRef(%s) is %s', (text, answer) => {
  expect(isRef(text)).toBe(answer);
});
