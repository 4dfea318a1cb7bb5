/**
 * How surely an approval comes from whoever stands before the consumption device: by the link of
 * the mail alone, or by a code as well. The code is the binding message (CIBA Core 7.1), which that
 * device shows and mail and page then do not.
 */

import {
  authenticationContext,
  type ConfirmationLevel,
  confirmationLevels,
} from '../client/confirmation-level.ts';
import { OAuthError } from '../oauth-error.ts';
import { parseUrl } from '../parse-url.ts';
import type { AuthenticationRequest } from './authentication-request.ts';

/** How often a code may be wrong: the last of so many denies the request. */
export const MOST_WRONG_CODES = 3;

/** The fewest letters and digits of a code, since fewer are soon guessed. */
export const LEAST_CODE_CHARACTERS = 4;

/**
 * The longest text that is taken for a typed code, in UTF-16 units: what the field of the page
 * takes.
 */
export const TYPED_LENGTH = 200;

/**
 * The level of a request to be made: what its client is registered for, which no request lowers, or
 * else the first of the asked ones that it can meet. One that asks for the code alone and cannot
 * meet it is of that level all the same: it is refused, since mail and page would show what was
 * meant to be typed.
 * @throws OAuthError `invalid_request` for `acr_values` with a value of ours that is no level
 */
export function levelFor(
  registered: ConfirmationLevel,
  acrValues: string | undefined,
  issuer: string,
  bindingMessage: string | undefined,
): ConfirmationLevel {
  const asked = askedLevels(acrValues, issuer);
  if (registered === 'code') return 'code';
  const canBeTyped = isTypeable(bindingMessage ?? '');
  return asked.find((level) => level === 'link' || canBeTyped) ?? asked[0] ?? 'link';
}

/**
 * The levels that `acr_values` names, in its order of preference (CIBA Core 7.1). Values of others
 * are passed over, since the list is a wish; one of our own host that is no level is a slip, and to
 * pass it over would lower what was asked for.
 */
function askedLevels(acrValues: string | undefined, issuer: string): ConfirmationLevel[] {
  const levels = new Map(
    confirmationLevels.map((level) => [authenticationContext(issuer, level), level]),
  );
  return [...new Set((acrValues ?? '').split(' '))].flatMap((value) => {
    const level = levels.get(value);
    if (level) return [level];
    if (!namesHost(value, issuer)) return [];
    throw new OAuthError(
      'invalid_request',
      'The parameter acr_values has a value of this issuer that is none of its acr_values_supported.',
    );
  });
}

/**
 * A host has ended within so many characters of its URL; the rest is not read, which may be long.
 */
const HOST_AT_MOST = 300;

/**
 * Whether a value leads to the host of the issuer, in any spelling of it, or begins with the issuer
 * and leads nowhere. What stands before its first letter does not count: a quote, a bracket.
 */
function namesHost(value: string, issuer: string): boolean {
  // Neither a URL nor an issuer is without one; to look for it costs less than to parse thousands
  // of values.
  if (!value.includes(':')) return false;
  const start = value.replace(/^[^a-z]+/i, '').slice(0, HOST_AT_MOST);
  const url = parseUrl(start);
  if (url) return url.host === new URL(issuer).host;
  return start.toLowerCase().startsWith(issuer);
}

/**
 * The level a request was made at. It stays, whatever becomes of its client's registration. The
 * counter of wrong codes is the one fact that says it: the writes demand the counter, and a second
 * attribute could contradict it.
 */
export function confirmationLevel({
  wrongCodes,
}: Pick<AuthenticationRequest, 'wrongCodes'>): ConfirmationLevel {
  return wrongCodes === undefined ? 'link' : 'code';
}

/**
 * Whether a binding message has enough letters and digits, of those that are compared, to be typed
 * as a code.
 */
export function isTypeable(bindingMessage: string): boolean {
  return Array.from(foldCode(bindingMessage)).length >= LEAST_CODE_CHARACTERS;
}

/** What is shown of a binding message to the user: nothing of one that the user is to type. */
export function shownMessage(
  request: Pick<AuthenticationRequest, 'bindingMessage' | 'wrongCodes'>,
): string | undefined {
  return confirmationLevel(request) === 'code' ? undefined : request.bindingMessage;
}

/**
 * Whether a text is the code as people type it: its letters and digits are, whatever stands between
 * them.
 */
export function isCode(typed: string, bindingMessage: string): boolean {
  return typed.length <= TYPED_LENGTH && foldCode(typed) === foldCode(bindingMessage);
}

/** Whether no letter and no digit was typed, as by a program that presses buttons. */
export function isBlank(typed: string): boolean {
  return typed.length <= TYPED_LENGTH && foldCode(typed) === '';
}

/**
 * All but letters, digits and the marks on them; of the letters, those that are drawn as nothing
 * (Hangul fillers).
 */
const between = /[^\p{L}\p{N}\p{M}]|\p{Default_Ignorable_Code_Point}/gu;

/** All but letters and digits: a mark counts where it makes another letter, as an accent does. */
const unread = /[^\p{L}\p{N}]/gu;

/**
 * What is compared of a code: its letters and digits, whatever their case, width or form. What
 * stands between them goes first, so that a letter finds its accent; some forms bring more of it
 * (`⑷`, `½`), which goes last.
 */
function foldCode(text: string): string {
  const letters = foldCase(text.replace(between, '').normalize('NFKC')).replace(unread, '');
  return letters.replace(/\p{Nd}/gu, digitValue);
}

/**
 * By way of both cases, since some letters have two forms in one of them (the final sigma, the
 * capital sharp s). All four forms of `i` are one, because a Turkish keyboard makes `İ` of it.
 */
function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase().normalize('NFKC').replaceAll('İ', 'I');
}

/**
 * `4` for `٤`, since a keyboard types the digits of its own script: Unicode has those of each in
 * order, from nought.
 */
function digitValue(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let nought = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(nought - 1))) nought -= 1;
  return String((code - nought) % 10);
}
