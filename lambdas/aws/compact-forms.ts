/**
 * The forms in which a request's item keeps what would be longer as text: an item is to stay below
 * 1,024 bytes. Each has one form only, so that a condition can compare it; and what was stored as
 * text before version 3 is read as well.
 */

import type { MailFailure } from '../ciba/mail-failure.ts';
import { originOctets, originText } from '../ciba/request/decision-origin.ts';
import { LONGEST_STORED_MESSAGE } from '../ciba/request/item-budget.ts';

/** A text, or the octets that stand for it. */
export type Compact = string | Uint8Array;

/** Base64url as the octets it stands for; any other text as it is. */
export function compactBase64url(text: string): Compact {
  const octets = Buffer.from(text, 'base64url');
  return octets.toString('base64url') === text ? octets : text;
}

export function readBase64url(stored: Compact): string {
  return typeof stored === 'string' ? stored : Buffer.from(stored).toString('base64url');
}

/**
 * Hexadecimal digits of a code point. Those of the last plane, which have six, are private and in
 * no binding message.
 */
const CHARACTER_DIGITS = 5;

/**
 * A binding message as it is; one that UTF-8 makes longer than it has to be, as five hexadecimal
 * digits a character.
 */
export function compactMessage(text: string): Compact {
  if (Buffer.byteLength(text) <= LONGEST_STORED_MESSAGE) return text;
  const digits = Array.from(text, digitsOf);
  if (digits.some(({ length }) => length > CHARACTER_DIGITS)) return text;
  const padding = digits.length % 2 === 0 ? '' : '0';
  return Buffer.from(digits.join('') + padding, 'hex');
}

function digitsOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(CHARACTER_DIGITS, '0');
}

export function readMessage(stored: Compact): string {
  if (typeof stored === 'string') return stored;
  // What is left at the end is padding, and shorter than a character.
  const digits = Buffer.from(stored).toString('hex').match(/.{5}/g) ?? [];
  return String.fromCodePoint(...digits.map((character) => Number.parseInt(character, 16)));
}

/** An address or network as its octets; a text that is neither as it is. */
export function compactOrigin(from: string): Compact {
  return originOctets(from) ?? from;
}

export function readOrigin(stored: Compact): string {
  return typeof stored === 'string' ? stored : originText(stored);
}

const mailFailureLetters = {
  mail_bounced: 'b',
  mail_suppressed: 's',
  mail_complained: 'c',
  mail_undelivered: 'u',
  mail_rejected: 'r',
  mail_not_rendered: 'n',
} as const satisfies Record<MailFailure, string>;

const mailFailuresByLetter = new Map(
  Object.entries(mailFailureLetters).map(([failure, letter]): [string, string] => [
    letter,
    failure,
  ]),
);

/** What became of a mail, as a letter. */
export function compactMailFailure(failure: MailFailure): string {
  return mailFailureLetters[failure];
}

/**
 * The word of a letter, or a word that was stored itself; whether it is one of ours is for the
 * reader to say.
 */
export function readMailFailure(stored: string): string {
  return mailFailuresByLetter.get(stored) ?? stored;
}
