/** Plurals by the rules of each language (CLDR), as Intl knows them. */

/** A text for one, and one for any other number. */
export interface PluralForms {
  one: string;
  other: string;
}

/** The form that a language takes for so many; one that is neither is the other one. */
export function pluralForm(locale: string, count: number, { one, other }: PluralForms): string {
  return new Intl.PluralRules(locale).select(count) === 'one' ? one : other;
}
