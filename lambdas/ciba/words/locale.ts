/**
 * Which of the languages that something exists in a reader is shown: the lookup of RFC 4647,
 * section 3.4, over language tags of BCP 47.
 */

/** What everything that is translated exists in. */
export const DEFAULT_LOCALE = 'en';

/** RFC 5646 4.4.1: no tag in use is longer. A longer one is neither kept nor taken apart. */
export const LANGUAGE_TAG_LENGTH = 35;

/** A language range without wildcards: what a lookup can match. */
const rangePattern = /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/;

/**
 * The first of the available locales that fits, as it is written there: for each wanted one, the
 * best first, it itself or else the nearest that is less specific (`fr-CA`, then `fr`); `undefined`
 * if none does. What is no language tag, as `fr_CA` or `*`, is passed over.
 * @param wanted in the order of preference
 */
export function findLocale(
  wanted: readonly string[],
  available: readonly string[],
): string | undefined {
  const byTag = new Map(available.map((locale) => [locale.toLowerCase(), locale]));
  for (const range of wanted) {
    for (const tag of fallbackChain(range.toLowerCase())) {
      const locale = byTag.get(tag);
      if (locale !== undefined) return locale;
    }
  }
  return undefined;
}

/** The same, or else the default. */
export function lookUpLocale(wanted: readonly string[], available: readonly string[]): string {
  return findLocale(wanted, available) ?? DEFAULT_LOCALE;
}

/**
 * More languages than anybody reads, and more characters than it takes to name them; a header may
 * have thousands.
 */
const MOST_LANGUAGES = 20;
const ACCEPT_LANGUAGE_LENGTH = 1024;

/**
 * The languages of an `Accept-Language` header, the best first and equals in their order (RFC 9110,
 * 12.5.4); without those that are refused by a weight of 0 or have none that the grammar knows.
 */
export function acceptedLanguages(header: string): string[] {
  return header
    .slice(0, ACCEPT_LANGUAGE_LENGTH)
    .split(',', MOST_LANGUAGES)
    .flatMap((entry) => {
      const [, range, weight] = acceptedPattern.exec(entry.trim()) ?? [];
      return range === undefined ? [] : [{ range, weight: Number(weight ?? 1) }];
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((one, other) => other.weight - one.weight)
    .map(({ range }) => range);
}

const acceptedPattern =
  /^([A-Za-z0-9-]+|\*)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/;

/**
 * A range and what it is shortened to; a subtag of one character only introduces the next and goes
 * with it.
 */
function fallbackChain(range: string): string[] {
  if (range.length > LANGUAGE_TAG_LENGTH || !rangePattern.test(range)) return [];
  const subtags = range.split('-');
  return subtags
    .map((_, index) => subtags.slice(0, subtags.length - index))
    .filter((kept) => kept.length === subtags.length || kept.at(-1)?.length !== 1)
    .map((kept) => kept.join('-'));
}
