/**
 * The magic link's token and the approval page's form token: HMACs over the request's public id, so
 * that neither the link key nor the table alone forges one. Both are compared in constant time.
 */
import { createHmac, type KeyObject } from 'node:crypto';
import { equalTexts } from '../equal-texts.ts';
import { formatHandle, HANDLE_LENGTH, type Handle, parseHandle } from '../handles.ts';
import { decodePercent } from '../percent-encoding.ts';

/** Random bytes of a link nonce. */
export const LINK_NONCE_BYTES = 16;

/** How long one form token is issued, in seconds; the previous one is still accepted. */
export const FORM_TOKEN_STEP_SECONDS = 300;

/**
 * The token of the link in one request's mail: `ref "." HMAC(link key, "link" ‖ ref ‖ nonce)`.
 * The same for every mail of the request, because the nonce is.
 */
export function linkToken(linkKey: KeyObject, ref: string, nonce: string): string {
  return formatHandle({ ref, secret: authenticate(linkKey, 'link', ref, nonce) });
}

/** Longest text behind a link that is looked at, in characters. */
const SURPLUS_LENGTH = 64;

/**
 * The link token at the beginning of a path, whatever a mail program took for a part of it: a
 * slash, a full stop, a bracket, a quotation mark, a space, percent-encoded or not. No letter and
 * no digit is surplus: such a text was changed on the way, and opens nothing.
 * @param path as it was sent
 */
export function parseLink(path: string): Handle | undefined {
  if (path.length > HANDLE_LENGTH + SURPLUS_LENGTH) return undefined;
  const text = decodePercent(path) ?? '';
  return /[\p{L}\p{N}]/u.test(text.slice(HANDLE_LENGTH))
    ? undefined
    : parseHandle(text.slice(0, HANDLE_LENGTH));
}

/** Whether the handle is the link token of this request under one of the keys. */
export function isLinkToken(
  linkKeys: readonly KeyObject[],
  handle: Handle,
  nonce: string,
): boolean {
  return linkKeys.some((key) =>
    equalTexts(handle.secret, authenticate(key, 'link', handle.ref, nonce)),
  );
}

/**
 * The token that a page's form carries: `HMAC(link key, "form" ‖ ref ‖ five-minute step)`.
 * It shows that a POST comes from a page of ours, shown for this request, not long ago.
 * @param now epoch seconds
 */
export function formToken(linkKey: KeyObject, ref: string, now: number): string {
  return authenticate(linkKey, 'form', ref, String(formStep(now)));
}

/** Whether the token is this request's, of the current five-minute step or the one before. */
export function isFormToken(
  linkKeys: readonly KeyObject[],
  token: string,
  ref: string,
  now: number,
): boolean {
  const step = formStep(now);
  return linkKeys.some((key) =>
    [step, step - 1].some((one) => equalTexts(token, authenticate(key, 'form', ref, String(one)))),
  );
}

function formStep(now: number): number {
  return Math.floor(now / FORM_TOKEN_STEP_SECONDS);
}

/**
 * The parts are of fixed alphabets without the separator, so no two different inputs read alike.
 */
function authenticate(
  key: KeyObject,
  ...parts: [purpose: 'link' | 'form', ref: string, bound: string]
): string {
  return createHmac('sha256', key).update(parts.join('|')).digest('base64url');
}
