/**
 * End-users as an operator registers them (OpenID Connect Core 5.1), and whom a mail can be sent to
 * (threats T29).
 */
import { describe, expect, it } from 'vitest';
import {
  judgeContact,
  judgeReachability,
  storedUser,
  type User,
} from '../../../../lambdas/ciba/user/user.ts';
import { userRegistration } from '../../../../lib/operator/directory/registration/user-registration.ts';
import { exampleUser } from '../../../support/example-directory.ts';
import { faultsOf } from '../../../support/registration-faults.ts';

const least = { sub: 'u-alice', username: 'alice' };

describe('a registration', () => {
  it('needs a subject and a user name; an address is unverified unless the operator says so', () => {
    expect(userRegistration.parse(least)).toEqual({
      ...least,
      email_verified: false,
      enabled: true,
    });
  });

  it.each<[string, object]>([
    ['another identity provider’s subject', { sub: 'auth0|5f7c8ec7c33c6c004bbafe82' }],
    ['P21: the longest subject', { sub: '~'.repeat(255) }],
    ['a user name of another script', { username: '利用者' }],
    ['an address with its domain in another script', { email: 'alice@bücher.example' }],
    ['a verified address', { email: 'alice@example.com', email_verified: true }],
    ['a name of 128 characters', { name: 'é'.repeat(128) }],
    ['a disabled account', { enabled: false }],
    ...['en', 'pt-BR', 'zh-Hant', 'zh-Hant-TW', 'es-419', 'gsw', 'ca-valencia'].map(
      (locale): [string, object] => [`the locale ${locale}`, { locale }],
    ),
  ])('may have %s', (_what, members) => {
    expect(userRegistration.parse({ ...least, ...members })).toMatchObject(members);
  });

  it.each<[string, unknown[]]>([
    ['sub', [undefined, '', 'x'.repeat(256), 'a b', 'é', 'a\n', 'a\0', 7, null]],
    [
      'username',
      [
        undefined,
        '',
        'al\u00adice',
        'al\u3164ice',
        'al\ufe0fice',
        ' ',
        'a b',
        'alice@example.com',
        'x'.repeat(65),
        '<b>',
        'a\n',
        7,
      ],
    ],
    ['email', ['', 'alice', 'a@b@example.com', 'a@example.com,b@example.com', 'a＠example.com', 7]],
    ['email_verified', ['true', 1, null, true]],
    ['name', ['', 'x'.repeat(129), 'a\u200bb', 'a\u202eb', 'a\nb', 'a\0', 'a\u2028b', '\ud83d', 7]],
    ['locale', ['', 'e', 'en_US', 'en-', 'en-US-GB', 'abcdefghi', '../en', 7]],
    ['enabled', ['false', 0, null]],
    ['password', ['x']],
    ['contact_version', [1]],
    ['phone_number', ['+49 1']],
  ])('with a wrong or unknown %s is refused and names it', (member, values) => {
    for (const value of values) {
      const found = faultsOf(userRegistration, { ...least, [member]: value });
      expect([value, found]).toEqual([value, [member]]);
    }
  });
});

it('a stored user has a contact version', () => {
  const { contact_version: _missing, ...rest } = exampleUser;
  expect(storedUser.parse(exampleUser)).toEqual(exampleUser);
  expect(faultsOf(storedUser, rest)).toEqual(['contact_version']);
});

describe('judgeReachability', () => {
  const { email: _email, ...withoutAddress } = exampleUser;

  it('lets a mail go to an enabled user with a verified address', () => {
    expect(judgeReachability(exampleUser)).toEqual({ reachable: true, user: exampleUser });
  });

  it.each<[string, User | undefined, string]>([
    ['one who does not exist', undefined, 'user_unknown'],
    ['a disabled one', { ...exampleUser, enabled: false }, 'user_disabled'],
    [
      'one whose address nobody verified',
      { ...exampleUser, email_verified: false },
      'email_unverified',
    ],
    ['one without an address', withoutAddress, 'email_unverified'],
    [
      'a disabled one without an address',
      { ...withoutAddress, enabled: false, email_verified: false },
      'user_disabled',
    ],
  ])('T29: lets none go to %s', (_whom, user, reason) => {
    expect(judgeReachability(user)).toEqual({ reachable: false, reason });
    expect(judgeContact(user)).toEqual({ reachable: false, reason });
  });

  const undeliverable = { email: 'alice@example.com', cause: 'mail_bounced', at: 1 } as const;

  it('F10: lets none go to an address that mail came back from, whose user may decide all the same', () => {
    const user: User = { ...exampleUser, undeliverable };
    expect(judgeReachability(user)).toEqual({ reachable: false, reason: 'email_undeliverable' });
    expect(judgeContact(user)).toEqual({ reachable: true, user });
  });

  it('lets one go to another address than the one that mail came back from', () => {
    const user: User = { ...exampleUser, email: 'alice@example.net', undeliverable };
    expect(judgeReachability(user)).toEqual({ reachable: true, user });
  });
});
