/**
 * The choice of a locale: the lookup of RFC 4647, section 3.4, with the examples of the standard.
 */
import { describe, expect, it } from 'vitest';
import {
  acceptedLanguages,
  DEFAULT_LOCALE,
  findLocale,
  lookUpLocale,
} from '../../../../lambdas/ciba/words/locale.ts';

const available = ['de', 'de-CH', 'en', 'es-419', 'fr', 'pt-BR', 'zh-Hant', 'zh-Hant-TW'];

describe('lookUpLocale', () => {
  it.each([
    ['the very locale', 'de-CH', 'de-CH'],
    ['the language without the region', 'fr-CA', 'fr'],
    ['the script without the region', 'zh-Hant-HK', 'zh-Hant'],
    ['a region by its number', 'es-419', 'es-419'],
    ['a locale in other letters, as it is written where it is', 'PT-br', 'pt-BR'],
    ['the example of RFC 4647, which has extensions', 'zh-Hant-CN-x-private1-private2', 'zh-Hant'],
    ['the default for a language that there is not', 'it', 'en'],
    ['the default for a region of it, since a longer locale is no answer to a shorter', 'pt', 'en'],
    ['the default for another script', 'zh-Hans-TW', 'en'],
    ['the default for what is written with an underscore', 'fr_CA', 'en'],
    ['the default for what is no language tag', 'fr-', 'en'],
    ['the default for nothing', '', 'en'],
    ['the default for a wildcard, which a lookup passes over', '*', 'en'],
  ])('answers %s', (_, wanted, chosen) => {
    expect(lookUpLocale([wanted], available)).toBe(chosen);
  });

  it('shortens a single letter away with what it introduces', () => {
    expect(lookUpLocale(['zh-x-private'], ['en', 'zh', 'zh-x'])).toBe('zh');
    expect(lookUpLocale(['zh-x'], ['en', 'zh', 'zh-x'])).toBe('zh-x');
  });

  it('takes the first wanted locale that leads to one, however far it is shortened', () => {
    expect(lookUpLocale(['it', 'fr-CA', 'de-CH'], available)).toBe('fr');
    expect(lookUpLocale(['*', 'fr_CA', 'de-CH'], available)).toBe('de-CH');
  });

  it('answers the default where nothing is wanted', () => {
    expect(lookUpLocale([], available)).toBe(DEFAULT_LOCALE);
  });
});

describe('P1: a tag', () => {
  it.each([
    ['the longest that RFC 5646 knows of', `en${'-a'.repeat(16)}`.concat('b'), 'en'],
    ['one that has the length of it', 'fr-x-1234567-1234567-1234567-12345', 'fr'],
    ['one that is a character longer', `fr-x-1234567-1234567-1234567-${'1'.repeat(7)}`, undefined],
    ['one of thousands of subtags', `de${'-a'.repeat(4500)}`, undefined],
    ['one without a hyphen', 'd'.repeat(9000), undefined],
  ])('%s leads to what it may', (_what, tag, chosen) => {
    expect(findLocale([tag], available)).toBe(chosen);
  });

  it('behind one that is too long is heard all the same', () => {
    const header = `${'x-'.repeat(100)}y, de-CH;q=0.5`;
    expect(findLocale(acceptedLanguages(header), available)).toBe('de-CH');
  });

  it('beyond the first thousand characters of a header is not looked for', () => {
    expect(acceptedLanguages(`${' '.repeat(2000)}de`)).toEqual([]);
    expect(acceptedLanguages(`fr, ${'x'.repeat(2000)}, de`)[0]).toBe('fr');
  });
});

describe('findLocale', () => {
  it('answers nothing where none of the wanted ones leads to one', () => {
    expect(findLocale(['it', '*', ''], available)).toBeUndefined();
    expect(findLocale(['it', 'fr-CA'], available)).toBe('fr');
  });
});

describe('acceptedLanguages', () => {
  it.each<[string, string, string[]]>([
    ['one language', 'de', ['de']],
    ['the order of the header for equals', 'fr, de', ['fr', 'de']],
    ['the best first', 'en;q=0.2, fr-CA , de;q=0.9', ['fr-CA', 'de', 'en']],
    ['a weight with spaces around it', 'en ; q=0.5, fr;Q=0.75', ['fr', 'en']],
    ['nothing that is refused', 'en;q=0, de;q=0.000, fr', ['fr']],
    ['a wildcard as what it is', 'fr, *;q=0.5', ['fr', '*']],
    ['nothing that has no such grammar', 'en;q=2, de;q=x, f r, q=1, ;q=1, <b>', []],
    ['nothing of nothing', '', []],
  ])('gives %s', (_what, header, languages) => {
    expect(acceptedLanguages(header)).toEqual(languages);
  });

  it('reads no more than twenty of a header that names thousands', () => {
    expect(acceptedLanguages('xx,'.repeat(2000))).toHaveLength(20);
  });
});
