/** The texts of every language there is, and the choice among them by what a reader wants. */
import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { ja } from './ja.ts';
import { DEFAULT_LOCALE, findLocale } from './locale.ts';
import type { Texts } from './texts.ts';

const languages: Record<string, Texts> = { de, en, es, fr, ja };

/**
 * The texts in the first of the wanted languages that there is, or `undefined` if there is none of
 * them.
 */
export function findTexts(wanted: readonly string[]): Texts | undefined {
  const locale = findLocale(wanted, Object.keys(languages));
  return locale === undefined ? undefined : languages[locale];
}

/** The texts in the first of the wanted languages that there is, or else in that of everything. */
export function lookUpTexts(wanted: readonly string[]): Texts {
  return findTexts([...wanted, DEFAULT_LOCALE]) ?? en;
}
