/**
 * Texts of any characters of Unicode, for properties that hold whatever is written.
 */
import fc from 'fast-check';

const ascii = fc.integer({ min: 0, max: 0x7f });
const beforeSurrogates = fc.integer({ min: 0x80, max: 0xd7ff });
const afterSurrogates = fc.integer({ min: 0xe000, max: 0x10ffff });

/**
 * One character, as often of ASCII as of the rest; never half a surrogate pair, which has no UTF-8.
 */
const character = fc
  .oneof({ weight: 2, arbitrary: ascii }, beforeSurrogates, afterSurrogates)
  .map((code) => String.fromCodePoint(code));

/** Texts of up to `maxLength` such characters. */
export function anyText(maxLength: number, minLength = 0): fc.Arbitrary<string> {
  return fc.string({ unit: character, minLength, maxLength });
}
