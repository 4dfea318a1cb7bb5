/**
 * How surely an approval comes from whoever stands before the consumption device: by the link of the mail alone, or by a
 * code as well. The code is the binding message (CIBA Core 7.1), which that device shows and mail and page then do not.
 */
import type { AuthenticationRequest } from './authentication-request.ts';

/** The confirmation levels a client can be registered with. */
export const confirmationLevels = ['link', 'code'] as const;

export type ConfirmationLevel = (typeof confirmationLevels)[number];

/** How often a code may be wrong: the last of so many denies the request. */
export const MOST_WRONG_CODES = 3;

/** The fewest letters and digits of a code, since fewer are soon guessed. */
export const LEAST_CODE_CHARACTERS = 4;

/** The authentication context class (`acr`) that stands for a level. */
export function authenticationContext(issuer: string, level: ConfirmationLevel): string {
  return `${issuer}/acr/${level}`;
}

/**
 * The level of a request to be made: the client's, or a higher one that `acr_values` names before any other level. They
 * are a wish in order of preference (CIBA Core 7.1), so values that are no level of ours are passed over.
 */
export function levelFor(
  registered: ConfirmationLevel,
  acrValues: string | undefined,
  issuer: string,
): ConfirmationLevel {
  const contexts = confirmationLevels.map((level) => authenticationContext(issuer, level));
  const preferred = acrValues?.split(' ').find((value) => contexts.includes(value));
  const asked = preferred === authenticationContext(issuer, 'code') ? 'code' : 'link';
  return registered === 'code' ? 'code' : asked;
}

/** The level a request was made at. It stays, whatever becomes of its client's registration. */
export function confirmationLevel({
  wrongCodes,
}: Pick<AuthenticationRequest, 'wrongCodes'>): ConfirmationLevel {
  return wrongCodes === undefined ? 'link' : 'code';
}

/** Whether a binding message has enough letters and digits to be typed as a code. */
export function isTypeable(bindingMessage: string): boolean {
  return (bindingMessage.match(/[\p{L}\p{Nd}]/gu)?.length ?? 0) >= LEAST_CODE_CHARACTERS;
}

/** What is shown of a binding message to the user: nothing of one that the user is to type. */
export function shownMessage(
  request: Pick<AuthenticationRequest, 'bindingMessage' | 'wrongCodes'>,
): string | undefined {
  return confirmationLevel(request) === 'code' ? undefined : request.bindingMessage;
}

/** Whether a text is the code as people type it: case, spaces and the width of characters make no difference. */
export function isCode(typed: string, bindingMessage: string): boolean {
  return foldCode(typed) === foldCode(bindingMessage);
}

/** Whether nothing was typed at all, as by a program that presses buttons. */
export function isBlank(typed: string): boolean {
  return foldCode(typed) === '';
}

/** Upper case, since some letters have two forms in lower case (the final sigma). */
function foldCode(text: string): string {
  return text.normalize('NFKC').toUpperCase().normalize('NFKC').replace(/\s/gu, '');
}
