/**
 * User names and addresses in one normal form, and the three kinds of login_hint (CIBA Core 7.1;
 * threats T29).
 */
import { describe, expect, it } from 'vitest';
import {
  isSub,
  loginHintLength,
  normaliseEmail,
  normaliseUsername,
  parseEmail,
  parseLoginHint,
} from '../../../../lambdas/ciba/user/login.ts';

describe('normaliseEmail', () => {
  it.each([
    ['alice@example.com', 'alice@example.com'],
    ['Alice@Example.COM', 'alice@example.com'],
    ['a.b+tag@sub.example.co', 'a.b+tag@sub.example.co'],
    ["o'neil@example.ie", "o'neil@example.ie"],
    ['a@web2.1und1.de', 'a@web2.1und1.de'],
    ['user@bücher.example', 'user@xn--bcher-kva.example'],
    ['user@BÜCHER.example', 'user@xn--bcher-kva.example'],
    ['user@例え.jp', 'user@xn--r8jz45g.jp'],
    ['user@xn--bcher-kva.example', 'user@xn--bcher-kva.example'],
    ['user@ｅｘａｍｐｌｅ.com', 'user@example.com'],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
    [`${'a'.repeat(57)}@${'x.'.repeat(97)}de`, `${'a'.repeat(57)}@${'x.'.repeat(97)}de`],
  ])('%s is %s', (text, normal) => {
    expect(normaliseEmail(text)).toBe(normal);
  });

  it.each([
    '',
    '@',
    'alice',
    'alice.example.com',
    'alice@',
    '@example.com',
    'alice@localhost',
    'alice@example',
    'alice@example.',
    'alice@.example.com',
    'alice@example..com',
    'alice@-example.com',
    'alice@example-.com',
    'alice@example.c',
    'alice@example.1',
    'alice@127.0.0.1',
    'alice@[127.0.0.1]',
    'alice@[IPv6:::1]',
    'alice@0x7f.1',
    'alice@example.com.',
    'alice@evil@example.com',
    'a@b@c',
    'alice@@example.com',
    'alice@example.com,bob@example.com',
    'alice@example.com;bob@example.com',
    'alice@example.com bob@example.com',
    'alice,bob@example.com',
    'alice @example.com',
    ' alice@example.com',
    'alice@example.com ',
    'alice@exam ple.com',
    'alice\n@example.com',
    'alice@example.com\r\nBcc: b@evil.test',
    'alice@example.com\0',
    'alice\0@example.com',
    '.alice@example.com',
    'alice.@example.com',
    'al..ice@example.com',
    '"alice"@example.com',
    '"a@b"@example.com',
    'alice(comment)@example.com',
    'Alice <alice@example.com>',
    '<alice@example.com>',
    'mailto:alice@example.com',
    'alice＠example.com',
    'alice@evil.com＠example.com',
    'älice@example.com',
    'alice\u200b@example.com',
    'alice@exam\u200bple.com',
    'alice@example\u3002com,x',
    'alice@example.com/path',
    'alice@example.com?x',
    'alice@example.com#x',
    'alice@example.com:25',
    'alice@user:pass@example.com',
    'alice@%65xample.com',
    'alice@exa_mple.com',
    'alice@*.com',
    'alice\\@example.com',
    `${'a'.repeat(65)}@example.com`,
    `alice@${'a'.repeat(64)}.com`,
    `alice@${'a.'.repeat(126)}com`,
    `${'a'.repeat(58)}@${'x.'.repeat(97)}de`,
  ])('T29: %j is no address', (text) => {
    expect(normaliseEmail(text)).toBeUndefined();
  });
});

describe('P18: parseEmail', () => {
  it.each([
    ['Mixed.Case@Example.COM', 'Mixed.Case@example.com'],
    ['USER@BÜCHER.example', 'USER@xn--bcher-kva.example'],
    ['User+Tag@ｅｘａｍｐｌｅ.com', 'User+Tag@example.com'],
    ["O'Neil@XN--BCHER-KVA.example", "O'Neil@xn--bcher-kva.example"],
    ['alice@example.com', 'alice@example.com'],
  ])('keeps of %s what its writer may mean: %s (RFC 5321 2.4)', (text, kept) => {
    expect(parseEmail(text)).toBe(kept);
    expect(parseEmail(kept)).toBe(kept);
    expect(normaliseEmail(text)).toBe(kept.toLowerCase());
  });
});

describe('normaliseUsername', () => {
  it.each([
    ['alice', 'alice'],
    ['ALICE', 'alice'],
    ['Ａｌｉｃｅ', 'alice'],
    ['Jörg', 'jörg'],
    ['Jo\u0308rg', 'jörg'],
    ['dom/user-1_x.y+z', 'dom/user-1_x.y+z'],
    ['利用者', '利用者'],
    ['x'.repeat(64), 'x'.repeat(64)],
  ])('%s is %s', (text, normal) => {
    expect(normaliseUsername(text)).toBe(normal);
  });

  it.each([
    '',
    ' ',
    'a b',
    'a@b',
    'a＠b',
    'a\u200bb',
    'a\nb',
    'x'.repeat(65),
    '<a>',
    '"a"',
    'a,b',
    '{a}',
  ])('%j is no user name', (text) => {
    expect(normaliseUsername(text)).toBeUndefined();
  });
});

/** JSON with every character of its texts written as six. */
function escaped(json: string): string {
  return json.replace(/"((?:[^"\\]|\\.)*)"/g, (text) => {
    const hex = (character: string) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    return `"${Array.from(String(JSON.parse(text)), hex).join('')}"`;
  });
}

describe('parseLoginHint', () => {
  const issuer = 'https://ciba.example';
  const issSub = (members: object) =>
    JSON.stringify({ format: 'iss_sub', iss: issuer, sub: 'u-alice', ...members });

  it.each<[string, object]>([
    ['Alice', { by: 'login', login: 'alice' }],
    ['Alice@Example.com', { by: 'login', login: 'alice@example.com' }],
    [issSub({}), { by: 'sub', sub: 'u-alice' }],
    [issSub({ iss: `${issuer}/` }), { by: 'sub', sub: 'u-alice' }],
  ])('reads %s', (hint, meaning) => {
    expect(parseLoginHint(hint, issuer)).toEqual(meaning);
  });

  it.each(['x', '"', '\\', '~', '/'])(
    'P21: reads a subject of 255 characters, each of them %s, however JSON writes it',
    (character) => {
      const sub = character.repeat(255);
      for (const hint of [issSub({ sub }), issSub({ sub, iss: `${issuer}/` })]) {
        for (const written of [hint, escaped(hint), ` ${hint}`.trim()]) {
          expect(parseLoginHint(written, issuer)).toEqual({ by: 'sub', sub });
          expect(written.length).toBeLessThanOrEqual(loginHintLength(written));
        }
      }
    },
  );

  it('P21: bounds a hint by its form: 512 characters, and 4,096 of JSON', () => {
    expect([loginHintLength('x'), loginHintLength('{'), loginHintLength('')]).toEqual([
      512, 4096, 512,
    ]);
    const longestIssuer = `https://${'a'.repeat(253)}:65535/`;
    const sub = 'x'.repeat(255);
    const longest = escaped(JSON.stringify({ format: 'iss_sub', iss: longestIssuer, sub }));
    expect(longest.length).toBeLessThanOrEqual(4096);
  });

  it.each([
    issSub({ iss: 'https://other.example' }),
    issSub({ iss: `${issuer}//` }),
    issSub({ iss: undefined }),
    issSub({ format: 'email' }),
    issSub({ sub: '' }),
    issSub({ sub: 1 }),
    issSub({ sub: ['u-alice'] }),
    issSub({ sub: 'x'.repeat(256) }),
    escaped(issSub({ sub: 'x'.repeat(256) })),
    issSub({ sub: 'ü'.repeat(10) }),
    '{}',
    '{',
    '{"format":"iss_sub"',
    'a b',
    'a@b@c.de',
  ])('names nobody by %s', (hint) => {
    expect(parseLoginHint(hint, issuer)).toBeUndefined();
  });
});

it.each([
  ['u-alice', true],
  ['auth0|5f7c', true],
  ['7', true],
  ['!~'.repeat(32), true],
  ['x'.repeat(65), true],
  ['"\\'.repeat(127), true],
  ['x'.repeat(255), true],
  ['', false],
  ['x'.repeat(256), false],
  ['x'.repeat(10_000), false],
  ['a b', false],
  ['a\n', false],
  ['ä', false],
])('P21: isSub(%j) is %s (OpenID Connect Core 2)', (text, answer) => {
  expect(isSub(text)).toBe(answer);
});
