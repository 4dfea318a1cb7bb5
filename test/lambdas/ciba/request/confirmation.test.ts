/**
 * Confirmation levels: which one a request is made at, which binding messages can be typed, and how
 * a code is compared (CIBA Core 7.1; threats T1, T2).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authenticationContext,
  type ConfirmationLevel,
} from '../../../../lambdas/ciba/client/confirmation-level.ts';
import {
  confirmationLevel,
  isBlank,
  isCode,
  isTypeable,
  levelFor,
  shownMessage,
} from '../../../../lambdas/ciba/request/confirmation.ts';
import { anyText } from '../../../support/any-text.ts';

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
    ['link', `  ${code}  ${code} `, 'code'],
    ['link', `${link} ${code}`, 'link'],
    ['link', 'https://other.example/acr/code', 'link'],
    ['link', 'code', 'link'],
    ['code', undefined, 'code'],
    ['code', link, 'code'],
    ['code', `${link} ${code}`, 'code'],
  ])('of a client of level %s, asked for %j, is %s', (registered, acrValues, level) => {
    expect(levelFor(registered, acrValues, issuer, 'PX-4711')).toBe(level);
  });

  it.each<[string, string | undefined, ConfirmationLevel]>([
    [`${code} ${link}`, undefined, 'link'],
    [`${code} ${link}`, '471', 'link'],
    [`${code} ${link}`, '4711', 'code'],
    [`${code} phr ${code} ${link}`, '----', 'link'],
    [`${link} ${code}`, undefined, 'link'],
    [code, undefined, 'code'],
    [`phr ${code}`, '471', 'code'],
  ])('P15: asked for %j with the message %j, is %s', (acrValues, message, level) => {
    expect(levelFor('link', acrValues, issuer, message)).toBe(level);
    expect(levelFor('code', acrValues, issuer, message)).toBe('code');
  });

  it('P15: is the first that the request can meet, or else the first of ours that was asked for', () => {
    const value = fc.constantFrom(code, link, 'phr', 'urn:mace:incommon:iap:silver', '');
    const message = fc.constantFrom<[string | undefined, boolean]>(
      [undefined, false],
      ['Px-4', false],
      ['Px-47', true],
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), message, (values, [text, isGood]) => {
        const ours = values.filter((one) => one === link || one === code);
        const met = ours.find((one) => one === link || isGood);
        const expected = met ?? ours[0] ?? link;
        const level = levelFor('link', values.join(' '), issuer, text);
        expect(authenticationContext(issuer, level)).toBe(expected);
      }),
    );
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

describe('P36: acr_values with a value of this issuer that is no level', () => {
  const refused = {
    code: 'invalid_request',
    message:
      'The parameter acr_values has a value of this issuer that is none of its acr_values_supported.',
  };
  const isRefused = (acrValues: string, of = issuer) =>
    expect(() => levelFor('link', acrValues, of, 'PX-4711')).toThrow(
      expect.objectContaining(refused),
    );

  it.each([
    `${code}/`,
    `${code}%20`,
    `${code}?`,
    `${code}#x`,
    `${code}s`,
    `${code},${link}`,
    `${code}\t${link}`,
    `${code}\u00a0`,
    `"${code}"`,
    `["${code}"]`,
    `\u200b${code}`,
    code.toUpperCase(),
    code.replace('code', 'Code'),
    code.replace('https://ciba', 'HTTPS://Ciba'),
    code.replace('https:', 'http:'),
    code.replace('.example', '.example:443'),
    code.replace('.example', '.example:'),
    code.replace('https://', 'https://alice@'),
    code.replace('/acr', '//acr'),
    code.replace('/acr/', '/ACR/'),
    `${issuer}/acr/`,
    `${issuer}/acr`,
    `${issuer}/acr/pin`,
    `${code}/${'x'.repeat(400)}`,
    `${issuer}/`,
    `${issuer}:acr/code`,
    `${issuer}%20/acr/code`,
    issuer,
  ])('%j is refused, alone and beside levels, whatever the client is registered for', (value) => {
    isRefused(value);
    for (const values of [`${code} ${value}`, `${value} ${link}`, `phr ${value}`])
      isRefused(values);
    expect(() => levelFor('code', value, issuer, '4711')).toThrow(expect.objectContaining(refused));
  });

  it.each([
    'phr',
    'urn:mace:incommon:iap:silver',
    'https://ciba.example.evil/acr/code',
    'https://ciba.examples/acr/code',
    'https://ciba.example:8443/acr/code',
    'https://ciba.example@other.example/acr/code',
    'https://other.example/?at=https://ciba.example/acr/code',
    'https://xciba.example/acr/code',
    '/acr/code',
    'https://',
    '%',
  ])('%j is another’s, and passed over', (value) => {
    expect(levelFor('link', value, issuer, '4711')).toBe('link');
    expect(levelFor('link', `${value} ${code}`, issuer, '4711')).toBe('code');
  });

  it('is refused for a near miss of each level: any character put in, left out or changed after the host', () => {
    for (const of of [issuer, 'http://localhost:4010']) {
      const levels = ['/acr/code', '/acr/link'];
      const edit = fc.tuple(fc.constantFrom(...levels), fc.nat(8), fc.nat(1), anyText(1));
      fc.assert(
        fc.property(edit, ([path, at, gone, put]) => {
          const near = [...path].toSpliced(Math.max(at, 1), gone, put).join('');
          fc.pre(!levels.includes(near) && !near.includes(' '));
          isRefused(of + near, of);
        }),
        { numRuns: 500 },
      );
    }
  });
});

it.each([
  ['4711', true],
  ['A B C D', true],
  ['-4-7-1-1-', true],
  ['給油給油', true],
  ['٤٧١١', true],
  ['ﬁﬂ', true],
  ['4\u0301 7\u0301 1\u0301', false],
  ['471', false],
  ['4-7-1', false],
  ['é\u0301\u0301\u0301\u0301', false],
  ['????????', false],
  ['', false],
])('%j has four letters or digits: %s', (message, expected) => {
  expect(isTypeable(message)).toBe(expected);
});

describe('P17: a code', () => {
  it.each([
    ['PX-4711', 'px-4711'],
    ['px-4711', 'PX-4711'],
    ['PX-4711', ' P X-47\t11 '],
    ['PX 4711', 'PX4711'],
    ['K7P-X4T', 'K7PX4T'],
    ['K7PX4T', 'k7p-x4t'],
    ['K7P-X4T', 'K7P–X4T'],
    ['K7P-X4T', 'K7P\u00a0X4T'],
    ['K7P-X4T', '\u200bK7P\u00adX4T\ufeff'],
    ['K7P-X4T', '“K7P-X4T”.'],
    ['K7P-X4T', 'K7P_X4T #'],
    ['4711', '4\ufe0f\u20e37\ufe0f\u20e31\ufe0f\u20e31\ufe0f\u20e3'],
    ['4711', '4\u31647\u115f11'],
    ['4711', '④⑦⑴１'],
    ['4711', '٤٧١١'],
    ['4711', '४७११'],
    ['٤٧١١', '۴۷۱۱'],
    ['ＰＸ４７１１', 'px4711'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδοσ', 'οδος'],
    ['Straße', 'STRASSE'],
    ['STRAẞE', 'straße'],
    ['ﬁll it', 'FILL IT'],
    ['pin4', 'PİN4'],
    ['PIN4', 'pın4'],
    ['éclair', 'e\u0301clair'],
    ['éclair', 'e-\u0301clair'],
    ['각각각각', '각각각각'.normalize('NFD')],
    ['ガソリン', 'ｶﾞｿﾘﾝ'],
  ])('%j is typed as %j', (message, typed) => {
    expect(isCode(typed, message)).toBe(true);
  });

  it.each([
    ['PX-4711', 'PX-4712'],
    ['PX-4711', 'PX-471'],
    ['PX-4711', 'PX-47111'],
    ['PX-4711', 'XP-4711'],
    ['PX-4711', ''],
    ['PX-4711', '-'],
    ['eclair', 'éclair'],
    ['naive', 'naïve'],
    ['O000', '0000'],
    ['l111', '1111'],
    ['4711', '٤٧١٢'],
    ['АВЕК', 'ABEK'],
    ['ガソリン', 'カソリン'],
  ])('%j is not %j', (message, typed) => {
    expect(isCode(typed, message)).toBe(false);
  });

  it.each([
    ['', true],
    [' \t\n\u3000\u00a0', true],
    ['-', true],
    ['... ---', true],
    ['\u200b\ufeff\u3164', true],
    ['\u0301', true],
    ['😀', true],
    ['0', false],
    ['-x-', false],
    ['٠', false],
  ])('%j is blank: %s', (typed, expected) => {
    expect(isBlank(typed)).toBe(expected);
  });

  it('is nothing longer than the field takes, so that its work is bounded', () => {
    expect(isCode(`4711${'-'.repeat(196)}`, '4711')).toBe(true);
    expect(isCode(`4711${'-'.repeat(197)}`, '4711')).toBe(false);
    expect(isBlank('-'.repeat(201))).toBe(false);
  });

  it('is itself, in either case, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 64 }), (message) => {
        expect(isCode(message, message)).toBe(true);
        expect(isCode(message.toUpperCase(), message)).toBe(true);
        expect(isCode(message.toLowerCase(), message)).toBe(true);
      }),
    );
  });

  it('is the same whatever is put in or taken out, anywhere, that is no letter, digit or accent', () => {
    fc.assert(
      fc.property(
        anyText(12),
        fc.array(fc.tuple(fc.nat(12), noise), { maxLength: 4 }),
        (message, all) => {
          const typed = Array.from(message);
          for (const [index, text] of all) typed.splice(index, 0, text);
          expect(isCode(typed.join(''), message)).toBe(true);
          expect(isCode(message.replace(/[^\p{L}\p{N}\p{M}]/gu, ''), message)).toBe(true);
          expect(isBlank(typed.join(''))).toBe(isBlank(message));
          expect(isTypeable(typed.join(''))).toBe(isTypeable(message));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is another one when any letter or digit of it is another', () => {
    const message = fc.array(sign, { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(
        message,
        fc.nat(),
        sign,
        fc.constantFrom('', '-', ' '),
        (signs, at, other, dash) => {
          const index = at % signs.length;
          fc.pre(!isSame(signs[index] ?? '', other));
          const typed = signs.with(index, other).join(dash);
          expect(isCode(typed, signs.join('-'))).toBe(false);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is another one when any letter or digit is left out or put in', () => {
    const message = fc.array(sign, { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(message, fc.nat(), sign, (signs, at, other) => {
        const index = at % signs.length;
        expect(isCode(signs.toSpliced(index, 1).join(' '), signs.join(' '))).toBe(false);
        expect(isCode(signs.toSpliced(index, 0, other).join(' '), signs.join(' '))).toBe(false);
      }),
    );
  });

  it('has the value of each digit of Unicode, as far as that has a form in ASCII', () => {
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const digit = String.fromCodePoint(code);
      if (!/^\p{Nd}$/u.test(digit)) continue;
      const values = [...'0123456789'].filter((value) => isCode(digit, value));
      expect(values).toHaveLength(1);
      const folded = digit.normalize('NFKC');
      if (/^[0-9]$/.test(folded)) expect(values).toEqual([folded]);
    }
  });
});

/**
 * What nobody reads as part of a code: spaces, punctuation, signs, controls, and what is drawn as
 * nothing.
 */
const noise = anyText(3, 1).filter((text) => !/[\p{L}\p{N}\p{M}]/u.test(text));

/** A letter or digit as terminals show them, and some of other scripts. */
const sign = fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZabcxyz0123456789éÉñößΩжЖ給油٤४');

/** Whether two signs are one for a reader: of another case, or digits of one value. */
function isSame(one: string, other: string): boolean {
  const digits = ['4٤४'];
  return (
    one.toUpperCase() === other.toUpperCase() ||
    digits.some((same) => same.includes(one) && same.includes(other))
  );
}
