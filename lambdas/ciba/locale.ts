/**
 * Which of the languages that something exists in a reader is shown: the lookup of RFC 4647, section 3.4, over language
 * tags of BCP 47.
 */

/** What everything that is translated exists in. */
export const DEFAULT_LOCALE = 'en';

/** A language range without wildcards: what a lookup can match. */
const rangePattern = /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/;

/**
 * The first of the available locales that fits, as it is written there: for each wanted one, the best first, it itself or
 * else the nearest that is less specific (`fr-CA`, then `fr`); the default if none does. What is no language tag, as `fr_CA`
 * or `*`, is passed over.
 * @param wanted in the order of preference
 */
export function lookUpLocale(wanted: readonly string[], available: readonly string[]): string {
  const byTag = new Map(available.map((locale) => [locale.toLowerCase(), locale]));
  for (const range of wanted) {
    for (const tag of fallbackChain(range.toLowerCase())) {
      const locale = byTag.get(tag);
      if (locale !== undefined) return locale;
    }
  }
  return DEFAULT_LOCALE;
}

/** A range and what it is shortened to; a subtag of one character only introduces the next and goes with it. */
function fallbackChain(range: string): string[] {
  if (!rangePattern.test(range)) return [];
  const subtags = range.split('-');
  return subtags
    .map((_, index) => subtags.slice(0, subtags.length - index))
    .filter((kept) => kept.length === subtags.length || kept.at(-1)?.length !== 1)
    .map((kept) => kept.join('-'));
}
