/** The names of flows and of mail templates, which are those of their files and folders. */

/** What such a name is made of, for an operator. */
export const HYPHENATED_NAME_RULE =
  'words of lower-case letters and digits, a letter first, with hyphens between them';

/** Words that begin with a letter: no two names become the same in the camelCase of a flow. */
export function isHyphenatedName(text: string): boolean {
  return /^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(text);
}
