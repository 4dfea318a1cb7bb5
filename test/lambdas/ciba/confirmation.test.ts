/**
 * Confirmation levels: which one a request is made at, which binding messages can be typed, and how a code is compared
 * (CIBA Core 7.1; threats T1, T2).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authenticationContext,
  type ConfirmationLevel,
  confirmationLevel,
  isBlank,
  isCode,
  isTypeable,
  levelFor,
  shownMessage,
} from '../../../lambdas/ciba/confirmation.ts';

const issuer = 'https://ciba.example';
const link = authenticationContext(issuer, 'link');
const code = authenticationContext(issuer, 'code');

describe('the level of a request', () => {
  it.each<[ConfirmationLevel, string | undefined, ConfirmationLevel]>([
    ['link', undefined, 'link'],
    ['link', '', 'link'],
    ['link', 'mfa phr', 'link'],
    ['link', link, 'link'],
    ['link', code, 'code'],
    ['link', `phr ${code} ${link}`, 'code'],
    ['link', `${link} ${code}`, 'link'],
    ['link', code.toUpperCase(), 'link'],
    ['link', `${code}/`, 'link'],
    ['link', 'https://other.example/acr/code', 'link'],
    ['link', 'code', 'link'],
    ['code', undefined, 'code'],
    ['code', link, 'code'],
    ['code', `${link} ${code}`, 'code'],
  ])('of a client of level %s, asked for %j, is %s', (registered, acrValues, level) => {
    expect(levelFor(registered, acrValues, issuer)).toBe(level);
  });

  it('is what it was made at', () => {
    expect(confirmationLevel({})).toBe('link');
    expect(confirmationLevel({ wrongCodes: 0 })).toBe('code');
  });

  it('decides whether its message is shown', () => {
    expect(shownMessage({ bindingMessage: 'PX-4711' })).toBe('PX-4711');
    expect(shownMessage({ bindingMessage: 'PX-4711', wrongCodes: 2 })).toBeUndefined();
    expect(shownMessage({})).toBeUndefined();
  });
});

it.each([
  ['4711', true],
  ['A B C D', true],
  ['-4-7-1-1-', true],
  ['給油給油', true],
  ['٤٧١١', true],
  ['471', false],
  ['4-7-1', false],
  ['é\u0301\u0301\u0301\u0301', false],
  ['????????', false],
  ['', false],
])('%j has four letters or digits: %s', (message, expected) => {
  expect(isTypeable(message)).toBe(expected);
});

describe('a code', () => {
  it.each([
    ['PX-4711', 'px-4711'],
    ['px-4711', 'PX-4711'],
    ['PX-4711', ' P X-47\t11 '],
    ['PX 4711', 'PX4711'],
    ['ＰＸ４７１１', 'px4711'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδοσ', 'οδος'],
    ['Straße', 'STRASSE'],
    ['éclair', 'e\u0301clair'],
  ])('%j is typed as %j', (message, typed) => {
    expect(isCode(typed, message)).toBe(true);
  });

  it.each([
    ['PX-4711', 'PX-4712'],
    ['PX-4711', 'PX4711'],
    ['PX-4711', 'PX-471'],
    ['PX-4711', 'PX-47111'],
    ['PX-4711', ''],
    ['eclair', 'éclair'],
    ['O000', '0000'],
  ])('%j is not %j', (message, typed) => {
    expect(isCode(typed, message)).toBe(false);
  });

  it.each([
    ['', true],
    [' \t\n\u3000\u00a0', true],
    ['-', false],
    ['0', false],
  ])('%j is blank: %s', (typed, expected) => {
    expect(isBlank(typed)).toBe(expected);
  });

  it('is itself, in either case, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 64 }), (message) => {
        expect(isCode(message, message)).toBe(true);
        expect(isCode(message.toUpperCase(), message)).toBe(true);
      }),
    );
  });
});
