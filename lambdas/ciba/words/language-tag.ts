/** Language tags, well-formed by RFC 5646 2.1 and 2.2.9 (BCP 47), whatever language they name. */

import { LANGUAGE_TAG_LENGTH } from './locale.ts';

const language = '(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})';
const script = '(?:-[a-z]{4})?';
const region = '(?:-(?:[a-z]{2}|[0-9]{3}))?';
const variants = '((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)';
const extensions = '((?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*)';
const privateUse = 'x(?:-[a-z0-9]{1,8})+';

const langtag = new RegExp(
  `^${language}${script}${region}${variants}${extensions}(?:-${privateUse})?$`,
);
const privateTag = new RegExp(`^${privateUse}$`);

/** Before letters are folded, which makes ASCII of some that are none. */
const subtagCharacters = new RegExp(`^[A-Za-z0-9-]{1,${LANGUAGE_TAG_LENGTH}}$`);

/**
 * The grandfathered tags that the grammar of the others does not have; those that the RFC calls
 * regular it has.
 */
const irregular = new Set([
  'en-gb-oed',
  'i-ami',
  'i-bnn',
  'i-default',
  'i-enochian',
  'i-hak',
  'i-klingon',
  'i-lux',
  'i-mingo',
  'i-navajo',
  'i-pwn',
  'i-tao',
  'i-tay',
  'i-tsu',
  'sgn-be-fr',
  'sgn-be-nl',
  'sgn-ch-de',
]);

/**
 * Whether a text is one well-formed language tag of at most {@link LANGUAGE_TAG_LENGTH} characters.
 */
export function isLanguageTag(text: string): boolean {
  if (!subtagCharacters.test(text)) return false;
  const tag = text.toLowerCase();
  if (irregular.has(tag) || privateTag.test(tag)) return true;
  const [matched, variant = '', extension = ''] = langtag.exec(tag) ?? [];
  if (matched === undefined) return false;
  // RFC 5646 2.2.5: no variant twice; 2.2.9: no singleton twice.
  return isUnique(subtagsOf(variant)) && isUnique(subtagsOf(extension).filter(isSingleton));
}

function subtagsOf(part: string): string[] {
  return part.split('-').filter((subtag) => subtag !== '');
}

function isSingleton(subtag: string): boolean {
  return subtag.length === 1;
}

function isUnique(subtags: readonly string[]): boolean {
  return new Set(subtags).size === subtags.length;
}
