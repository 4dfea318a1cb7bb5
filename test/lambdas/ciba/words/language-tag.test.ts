/**
 * Language tags by the grammar of RFC 5646 2.1, and that each of them leads to a language of mail
 * and page.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookUpTexts } from '../../../../lambdas/ciba/words/catalogue.ts';
import { isLanguageTag } from '../../../../lambdas/ciba/words/language-tag.ts';
import { LANGUAGE_TAG_LENGTH, lookUpLocale } from '../../../../lambdas/ciba/words/locale.ts';
import { userRegistration } from '../../../../lib/operator/directory/registration/user-registration.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';
import { providerInMemory } from '../../../support/provider-in-memory.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const digits = [...'0123456789'];

const chars = (from: string[], min: number, max = min) =>
  fc
    .array(fc.constantFrom(...from), { minLength: min, maxLength: max })
    .map((list) => list.join(''));
const alphanum = (min: number, max = min) => chars([...letters, ...digits], min, max);
const alpha = (min: number, max = min) => chars(letters, min, max);
const list = <Part>(part: fc.Arbitrary<Part>, max: number, min = 0) =>
  fc.array(part, { minLength: min, maxLength: max });

/** RFC 5646 2.1, production by production. */
const language = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('de', 'en', 'fr', 'es', 'ja', 'FR', 'eN', 'zh') },
  alpha(2, 3),
  fc.tuple(alpha(2, 3), list(alpha(3), 3, 1)).map(([first, more]) => [first, ...more].join('-')),
  alpha(4),
  alpha(5, 8),
);
const variant = fc.oneof(
  alphanum(5, 8),
  fc.tuple(chars(digits, 1), alphanum(3)).map((both) => both.join('')),
);
const extension = fc
  .tuple(
    chars([...letters.filter((letter) => !/x/i.test(letter)), ...digits], 1),
    list(alphanum(2, 8), 2, 1),
  )
  .map(([singleton, subtags]) => [singleton, ...subtags].join('-'));
const privateUse = list(alphanum(1, 8), 3, 1).map((subtags) => ['x', ...subtags].join('-'));
const unique = (parts: string[], by: (part: string) => string) =>
  new Set(parts.map((part) => by(part).toLowerCase())).size === parts.length;

const langtag = fc
  .tuple(
    language,
    list(alpha(4), 1),
    list(fc.oneof(alpha(2), chars(digits, 3)), 1),
    list(variant, 2).filter((parts) => unique(parts, (part) => part)),
    list(extension, 2).filter((parts) => unique(parts, (part) => part.charAt(0))),
    list(privateUse, 1),
  )
  .map((parts) => parts.flat().join('-'));

const grandfathered = [
  ...['en-GB-oed', 'i-ami', 'i-bnn', 'i-default', 'i-enochian', 'i-hak', 'i-klingon', 'i-lux'],
  ...['i-mingo', 'i-navajo', 'i-pwn', 'i-tao', 'i-tay', 'i-tsu', 'sgn-BE-FR', 'sgn-BE-NL'],
  ...['sgn-CH-DE', 'art-lojban', 'cel-gaulish', 'no-bok', 'no-nyn', 'zh-guoyu', 'zh-hakka'],
  ...['zh-min', 'zh-min-nan', 'zh-xiang'],
];

const wellFormed = fc
  .oneof(
    { weight: 6, arbitrary: langtag },
    { weight: 1, arbitrary: privateUse },
    { weight: 1, arbitrary: fc.constantFrom(...grandfathered) },
  )
  .filter((tag) => tag.length <= LANGUAGE_TAG_LENGTH);

/**
 * The longest beginning of the tag that there is, by whole subtags; a single character never ends
 * one (RFC 4647 3.4).
 */
function nearest(tag: string, available: string[]): string {
  const wanted = `${tag.toLowerCase()}-`;
  const fitting = available.filter((one) => wanted.startsWith(`${one.toLowerCase()}-`));
  return fitting.toSorted((one, other) => other.length - one.length)[0] ?? 'en';
}

it('P25: every well-formed tag is stored as it is written, and finds the nearest language of mail and page', () => {
  const languages = ['de', 'en', 'es', 'fr', 'ja'];
  const locales = ['de', 'de-CH', 'en', 'fr', 'fr-Latn', 'zh'];
  fc.assert(
    fc.property(wellFormed, (locale) => {
      expect([locale, isLanguageTag(locale)]).toEqual([locale, true]);
      const user = userRegistration.parse({ sub: 'u', username: 'u', locale });
      expect(user.locale).toBe(locale);
      expect(lookUpLocale([locale], locales)).toBe(nearest(locale, locales));
      expect(lookUpTexts([locale]).locale).toBe(nearest(locale, languages));
    }),
    { numRuns: 2000 },
  );
});

it.each([
  ['ca-valencia', 'en'],
  ['de-1996', 'de'],
  ['fr-CA-x-tom', 'fr'],
  ['en-GB-oed', 'en'],
  ['i-klingon', 'en'],
  ['x-fr', 'en'],
  ['zh-cmn-Hans-CN', 'en'],
  ['es-Latn-419-u-co-trad', 'es'],
])('P25: a user of %s is mailed in %s, and shown the page in it', async (locale, chosen) => {
  const provider = providerInMemory({ locales: ['de', 'en', 'es', 'fr', 'ja'] });
  const { users } = provider.directory;
  for (const [sub, user] of users) users.set(sub, { ...user, locale });
  const link = await provider.mailedLink(await provider.ask());
  expect(provider.now.at).toBe(EXAMPLE_NOW);
  expect(provider.mails[0]?.templateName).toBe(`a-template-${chosen}`);
  const page = await provider.approve(new Request(link));
  expect(page.headers.get('content-language')).toBe(chosen);
});

describe('P25: what is not well-formed is refused', () => {
  it.each([
    ['nothing', ''],
    ['one letter', 'e'],
    ['an underscore', 'en_US'],
    ['white space', 'en US'],
    ['a line break at the end', 'en\n'],
    ['an empty subtag', 'en--US'],
    ['one at the end', 'en-'],
    ['one at the beginning', '-en'],
    ['nine letters', 'abcdefghi'],
    ['a subtag of nine characters', 'en-abcdefghi'],
    ['a digit in the language', 'e1'],
    ['a region of four digits with nothing else', 'en-US-12'],
    ['four language subtags after the language', 'zh-aaa-bbb-ccc-ddd'],
    ['two scripts', 'en-Latn-Cyrl'],
    ['two regions', 'en-US-GB'],
    ['a variant before the region', 'de-1996-DE'],
    ['a variant twice', 'de-1996-1996'],
    ['a variant twice in other letters', 'de-rozaj-ROZAJ'],
    ['an extension twice (RFC 5646 2.2.9)', 'en-a-xx-b-yy-a-zz'],
    ['an extension twice in other letters', 'en-a-xx-A-zz'],
    ['an extension of nothing', 'en-a'],
    ['an extension of a single character', 'en-a-x'],
    ['private use of nothing', 'en-x'],
    ['private use alone of nothing', 'x'],
    ['an invented irregular tag', 'i-elvish'],
    ['a letter that is drawn alike', 'еn'],
    ['a letter that folds to one of ASCII', 'e\u212a'],
    ['a path', '../en'],
    ['36 characters', `en-x-${'abcdefgh-'.repeat(3)}abcd`],
  ])('%s', (_what, tag) => {
    expect(isLanguageTag(tag)).toBe(false);
  });

  it('by property: one well-formed tag with a fault put into it', () => {
    const faults: ((tag: string) => string)[] = [
      (tag) => `${tag}-`,
      (tag) => `-${tag}`,
      (tag) => tag.replace(/-|$/, '_'),
      (tag) => `${tag}-abcdefghi`,
      (tag) => tag.replace(/-|$/, '--'),
      (tag) => `${tag} `,
      (tag) => `${tag}-ä`,
    ];
    fc.assert(
      fc.property(wellFormed, fc.constantFrom(...faults), (tag, spoil) => {
        expect([spoil(tag), isLanguageTag(spoil(tag))]).toEqual([spoil(tag), false]);
      }),
      { numRuns: 1000 },
    );
  });
});
