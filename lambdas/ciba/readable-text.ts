/**
 * Which texts we are willing to show to an end-user: the rule for `binding_message` (CIBA Core 7.1)
 * and `client_name`. A text that mail and page cannot show faithfully, or that a mail program would
 * turn into a link, is refused, never mended. There is one rule, since no such text is shown by the
 * page alone: what a mail does not show, as a code, no page does.
 */

/** Longest readable text, in characters (Unicode code points). */
export const READABLE_TEXT_LENGTH = 64;

/** Most marks on one character; more climb out of their line. */
const MOST_MARKS = 6;

/** Letters, marks, digits, punctuation and currency signs of any script, the space, and `+ = &`. */
const shown = /^[\p{L}\p{M}\p{Nd}\p{P}\p{Sc} +=&]$/u;

/** What markup, templates or terminals give a meaning, and what is drawn as nothing at all. */
const neverShown = /^[<>{}\\`\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]$/u;

/**
 * A full stop of Chinese, Japanese and Korean is one before a letter of theirs, and the dot of a
 * host before any other.
 */
const dot = '(?:\\.|。(?!\\p{M}*[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}ー]))';

/** Schemes that mail programs know without the two slashes. */
const schemes =
  'https?|ftps?|file|mailto|news|nntp|tel|callto|sms|smsto|mms|facetime|skype|sips?|xmpp|geo|maps|webcal|magnet|intent|market|bitcoin|data|javascript|vbscript';

/** Between the groups of a telephone number. */
const gap = '[ ./\\p{Pd}]';

/**
 * What mail programs make a link of, in text and in HTML, with or without a scheme. All of them
 * know what a top-level domain is and their lists differ and grow, so that any two letters after a
 * dot count as one.
 */
const linkLike = new RegExp(
  [
    // A scheme, from its colon.
    '://',
    `(?<=(?<![\\p{L}\\p{Nd}])(?:${schemes})):(?! |$)`,
    // A host: by its first label, its last label, or the four numbers of IPv4.
    `www${dot}`,
    `[\\p{L}\\p{Nd}_-]\\p{M}*${dot}\\p{M}*\\p{L}\\p{M}*\\p{L}`,
    '(?<![0-9])[0-9]{1,3}(?:[.。][0-9]{1,3}){3}(?![0-9])',
    // An address.
    '@',
    // A telephone number: of any country (E.164), or grouped as in North America.
    `(?<![\\p{L}\\p{Nd}])\\+\\(?[0-9](?:(?:[()]|${gap})*[0-9]){6}`,
    `(?<![0-9])(?:1${gap}?)?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}${gap})[2-9][0-9]{2}${gap}[0-9]{4}(?![0-9])`,
  ].join('|'),
  'iu',
);

export interface UnreadableText {
  /** The first character at fault, counted from 1. */
  position: number;
  reason: 'too_long' | 'character' | 'link';
}

/**
 * What is wrong with a text, or `undefined` if it may be shown: 1 to {@link READABLE_TEXT_LENGTH}
 * characters, not only spaces, each of a kind that is drawn as itself, nothing that reads as a
 * link.
 */
export function findUnreadable(text: string): UnreadableText | undefined {
  const characters = Array.from(text);
  if (characters.length > READABLE_TEXT_LENGTH) {
    return { position: READABLE_TEXT_LENGTH + 1, reason: 'too_long' };
  }
  const foreign = characters.findIndex((one) => !shown.test(one) || neverShown.test(one));
  if (foreign >= 0) return { position: foreign + 1, reason: 'character' };
  if (text.trim() === '') return { position: 1, reason: 'character' };

  const stacked = findStackedMarks(characters);
  if (stacked >= 0) return { position: stacked + 1, reason: 'character' };

  const folded = characters.map((character) => character.normalize('NFKC'));
  const link = linkLike.exec(folded.join(''));
  return link ? { position: positionOf(link.index, folded), reason: 'link' } : undefined;
}

/**
 * Where more marks stand on one character than any script puts there, counted from 0; -1 if
 * nowhere.
 */
function findStackedMarks(characters: string[]): number {
  let marks = 0;
  return characters.findIndex((character) => {
    marks = /^\p{M}$/u.test(character) ? marks + 1 : 0;
    return marks > MOST_MARKS;
  });
}

/**
 * The character, counted from 1, whose look-alike form reaches beyond this index: a ligature is
 * more than one letter.
 */
function positionOf(index: number, folded: string[]): number {
  let end = 0;
  return (
    folded.findIndex((form) => {
      end += form.length;
      return index < end;
    }) + 1
  );
}
