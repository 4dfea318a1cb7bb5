/**
 * The compact forms of an item: each text comes back as it was, has one form, and is no longer than
 * it has to be.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  compactBase64url,
  compactMailFailure,
  compactMessage,
  readBase64url,
  readMailFailure,
  readMessage,
} from '../../../lambdas/aws/compact-forms.ts';
import { mailFailures } from '../../../lambdas/ciba/mail-failure.ts';

it('base64url comes back as it was, whatever it is, and takes three quarters if it is one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      const text = Buffer.from(octets).toString('base64url');
      const stored = compactBase64url(text);
      return readBase64url(stored) === text && stored.length === octets.length;
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => readBase64url(compactBase64url(text)) === text));
});

it.each(['nonce-1', 'a', 'ab', 'é', 'AA==', 'A A'])(
  '%s is no base64url, and stays a text',
  (text) => {
    expect(compactBase64url(text)).toBe(text);
  },
);

it('a binding message comes back as it was, and 64 characters take 160 bytes at most', () => {
  const character = fc.oneof(
    fc.constantFrom('a', 'é', '給', '𠀀', '𞤀', '\u{fffff}'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  );
  fc.assert(
    fc.property(fc.array(character, { maxLength: 64 }), (characters) => {
      const text = Array.from(characters.join('')).slice(0, 64).join('');
      const stored = compactMessage(text);
      expect(readMessage(stored)).toBe(text);
      expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(160);
    }),
    { numRuns: 1000 },
  );
});

it.each(['', 'PUMP-4 50.00 EUR', '給'.repeat(53), '𠀀'.repeat(40)])(
  'an ordinary message stays a text in the table: %s',
  (text) => {
    expect(compactMessage(text)).toBe(text);
  },
);

it('a message with a private character of the last plane, which none has, is not cut', () => {
  const text = '\u{10ffff}'.repeat(64);
  expect(readMessage(compactMessage(text))).toBe(text);
});

it.each(mailFailures)('%s is one letter of its own, and its word is read as well', (failure) => {
  const letter = compactMailFailure(failure);
  expect(letter).toHaveLength(1);
  expect([readMailFailure(letter), readMailFailure(failure)]).toEqual([failure, failure]);
  expect(mailFailures.map(compactMailFailure).filter((other) => other === letter)).toHaveLength(1);
});
