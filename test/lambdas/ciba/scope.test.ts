/**
 * Scope values (RFC 6749 3.3) and what a request may ask of its client's registration (CIBA Core
 * 7.1, OpenID Connect Core 11).
 */
import { describe, expect, it } from 'vitest';
import { OAuthError } from '../../../lambdas/ciba/oauth-error.ts';
import {
  isScope,
  isWithinScope,
  requestedScope,
  scopeValues,
} from '../../../lambdas/ciba/scope.ts';

describe('isScope takes the syntax of RFC 6749 3.3 and no other', () => {
  it.each([
    ['one value', 'openid', true],
    ['several values', 'openid profile email', true],
    ['every sign that a value may have', "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", true],
    ['the longest', 'x'.repeat(160), true],
    ['one character more', 'x'.repeat(161), false],
    ['nothing', '', false],
    ['a space alone', ' ', false],
    ['a space before', ' openid', false],
    ['a space behind', 'openid ', false],
    ['two spaces', 'openid  profile', false],
    ['a tab', 'openid\tprofile', false],
    ['a line feed', 'openid\nprofile', false],
    ['a line feed behind', 'openid\n', false],
    ['a quotation mark', 'openid "x"', false],
    ['a backslash', 'openid a\\b', false],
    ['delete', 'openid \x7f', false],
    ['NUL', 'openid\0', false],
    ['a letter outside ASCII', 'openid é', false],
    ['a no-break space', 'openid\u00a0profile', false],
  ])('%s', (_what, text, answer) => {
    expect(isScope(text)).toBe(answer);
  });
});

it('scopeValues names each value once, in the order given', () => {
  expect(scopeValues('openid email openid profile email')).toEqual(['openid', 'email', 'profile']);
});

describe('requestedScope', () => {
  const registered = 'openid profile email offline_access payments:read';

  it.each([
    ['all of the registration', registered, registered],
    ['less than the registration', 'openid', 'openid'],
    ['another order, kept as asked', 'email openid', 'email openid'],
    ['a value twice, asked once', 'openid openid email', 'openid email'],
  ])('grants %s', (_what, asked, granted) => {
    expect(requestedScope(asked, { scope: registered, mayRefresh: true })).toBe(granted);
  });

  it('ignores offline_access of a client without the refresh grant (OpenID Connect Core 11)', () => {
    const client = { scope: registered, mayRefresh: false };
    expect(requestedScope('openid offline_access email', client)).toBe('openid email');
  });

  it('ignores offline_access of a client that is not registered for it (OpenID Connect Core 11)', () => {
    expect(requestedScope('offline_access openid', { scope: 'openid', mayRefresh: true })).toBe(
      'openid',
    );
  });

  it.each([
    ['no openid (CIBA 7.1)', 'profile'],
    ['openid in another case', 'OPENID'],
    ['openid as a part of a value', 'openid2 xopenid'],
    ['a value that is not registered', 'openid address'],
    ['a registered value in another case', 'openid Profile'],
    ['a part of a registered value', 'openid payments'],
    ['a malformed scope', 'openid  profile'],
    ['a scope that is too long', `openid ${'x'.repeat(154)}`],
  ])('refuses %s as invalid_scope (CIBA 13)', (_what, asked) => {
    const refusal = expect(() => requestedScope(asked, { scope: registered, mayRefresh: true }));
    refusal.toThrow(OAuthError);
    refusal.toThrow(expect.objectContaining({ code: 'invalid_scope' }));
  });
});

describe('isWithinScope', () => {
  it.each([
    ['the same', 'openid email', 'openid email', true],
    ['another order', 'email openid', 'openid email', true],
    ['less', 'openid', 'openid email', true],
    ['more', 'openid email', 'openid', false],
    ['a value of which only a part is registered', 'openid email:read', 'openid email', false],
  ])('judges %s', (_what, granted, registered, answer) => {
    expect(isWithinScope(granted, registered)).toBe(answer);
  });
});
