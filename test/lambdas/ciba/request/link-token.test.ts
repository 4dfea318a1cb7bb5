/**
 * The link's token and the form's: what proves them, for how long, and that neither stands in for
 * the other (threats T10, T11).
 */
import { createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseHandle } from '../../../../lambdas/ciba/handles.ts';
import {
  FORM_TOKEN_STEP_SECONDS,
  formToken,
  isFormToken,
  isLinkToken,
  linkToken,
} from '../../../../lambdas/ciba/request/link-token.ts';

const bytes = Buffer.alloc(32, 7);
const key = createSecretKey(bytes);
const otherKey = createSecretKey(Buffer.alloc(32, 8));
const ref = 'k3f7qz2m4xw6hbn5vty2a3c4d7';
const otherRef = 'a'.repeat(26);
const nonce = 'n'.repeat(22);
const now = 1_700_000_000;

function handleOf(token: string) {
  const handle = parseHandle(token);
  if (!handle) throw new Error('no handle');
  return handle;
}

describe('the link token', () => {
  const handle = handleOf(linkToken(key, ref, nonce));

  it('is ref "." HMAC-SHA-256 over purpose, ref and nonce', () => {
    const mac = createHmac('sha256', bytes).update(`link|${ref}|${nonce}`).digest('base64url');
    expect(linkToken(key, ref, nonce)).toBe(`${ref}.${mac}`);
  });

  it('is the same for every mail of the request', () => {
    expect(linkToken(key, ref, nonce)).toBe(linkToken(key, ref, nonce));
  });

  it('F19: is proved by any of the keys, the retired one included', () => {
    expect(isLinkToken([key], handle, nonce)).toBe(true);
    expect(isLinkToken([otherKey, key], handle, nonce)).toBe(true);
    expect(isLinkToken([otherKey], handle, nonce)).toBe(false);
    expect(isLinkToken([], handle, nonce)).toBe(false);
  });

  it('T10: is not another request’s, nor of another nonce, nor a form token', () => {
    expect(isLinkToken([key], { ...handle, ref: otherRef }, nonce)).toBe(false);
    expect(isLinkToken([key], handle, 'o'.repeat(22))).toBe(false);
    expect(isLinkToken([key], { ref, secret: formToken(key, ref, now) }, nonce)).toBe(false);
    expect(isLinkToken([key], { ref, secret: handle.secret.slice(1) }, nonce)).toBe(false);
  });
});

describe('the form token', () => {
  const step = FORM_TOKEN_STEP_SECONDS;

  it('is made anew every five minutes', () => {
    expect(step).toBe(300);
  });

  const start = Math.floor(now / step) * step;
  const token = formToken(key, ref, start);

  it.each([
    ['at once', start, true],
    ['at the end of its step', start + step - 0.001, true],
    ['in the next step', start + step, true],
    ['at the end of the next step', start + 2 * step - 0.001, true],
    ['two steps later', start + 2 * step, false],
    ['before it was made', start - 1, false],
  ])('%s: %s is %s', (_when, at, answer) => {
    expect(isFormToken([key], token, ref, at)).toBe(answer);
  });

  it('T11: is useless for another request, under another key, or as the link token', () => {
    expect(isFormToken([key], token, otherRef, start)).toBe(false);
    expect(isFormToken([otherKey], token, ref, start)).toBe(false);
    const { secret } = handleOf(linkToken(key, ref, nonce));
    expect(isFormToken([key], secret, ref, start)).toBe(false);
  });

  it.each(['', 'x', `${token} `, `${token}A`])('is not %j', (text) => {
    expect(isFormToken([key], text, ref, start)).toBe(false);
  });
});
