/**
 * Which texts are shown to an end-user: the rule for `binding_message` (CIBA Core 7.1) and
 * `client_name`, and what tries to slip through it (threats T5).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findUnreadable } from '../../../lambdas/ciba/readable-text.ts';
import { anyText } from '../../support/any-text.ts';

const at = (position: number) => `${String.fromCodePoint(position)}`;

describe('a readable text', () => {
  it.each([
    'PUMP-4 50.00 EUR',
    'Pump #4: 50,00 € (+ tip)?',
    "it's “quoted”, 100% & more = 1+1",
    'Säule 4, Größe 12',
    '給油 5,000円（4番）',
    'عملية رقم 4',
    'दो लीटर',
    'Ω 12',
    '1',
    'x'.repeat(64),
    '𠀀'.repeat(64),
    'e\u0301',
    '50.00',
    'v1.5',
    '3.a',
    'a. b',
  ])('is %j', (text) => {
    expect(findUnreadable(text)).toBeUndefined();
  });
});

describe('refused by its character, with the position', () => {
  it.each<[string, string, number]>([
    ['less than', 'a<b', 2],
    ['greater than', 'a>b', 2],
    ['an opening brace', '{{7*7}}', 1],
    ['a template of ours', '${magicLink}', 2],
    ['a backslash', 'a\\b', 2],
    ['a backquote', 'a`b', 2],
    ['a vertical bar', 'a|b', 2],
    ['a tilde', 'a~', 2],
    ['a line feed', 'a\nBcc: b', 2],
    ['a carriage return', 'a\rb', 2],
    ['a tab', 'a\tb', 2],
    ['NUL', 'a\0', 2],
    ['delete', `a${at(0x7f)}`, 2],
    ['a C1 control', `a${at(0x85)}`, 2],
    ['a line separator', `a${at(0x2028)}b`, 2],
    ['a paragraph separator', `a${at(0x2029)}b`, 2],
    ['a no-break space', `a${at(0xa0)}b`, 2],
    ['an ideographic space', `a${at(0x3000)}b`, 2],
    ['an emoji', 'pay 😀', 5],
    ['a flag', '🇩🇪', 1],
    ['a keycap', '4️⃣', 2],
    ['a private-use character', `a${at(0xe000)}`, 2],
    ['half a surrogate pair', 'a\ud83d', 2],
    ['a Hangul filler', `a${at(0x3164)}`, 2],
    ['a half-width Hangul filler', `a${at(0xffa0)}`, 2],
    ['a Hangul choseong filler', `a${at(0x115f)}`, 2],
    ['a combining grapheme joiner', `a${at(0x34f)}`, 2],
    ['a variation selector', `a${at(0xfe0f)}`, 2],
    ['a tag character', `a${at(0xe0041)}`, 2],
    ['a soft hyphen', `a${at(0xad)}`, 2],
    ['only spaces', '   ', 1],
  ])('%s', (_what, text, position) => {
    expect(findUnreadable(text)).toEqual({ position, reason: 'character' });
  });

  const bidiControls = [
    0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
  ];
  const zeroWidth = [0x200b, 0x200c, 0x200d, 0x2060, 0xfeff];

  it.each([...bidiControls, ...zeroWidth].map((code) => [code.toString(16), at(code)]))(
    'T5: the control U+%s',
    (_code, control) => {
      expect(findUnreadable(`Pump 4${control}`)).toEqual({ position: 7, reason: 'character' });
    },
  );
});

describe('refused as something that a mail client makes a link of, with the position', () => {
  it.each<[string, number]>([
    ['evil.\ufb01', 4],
    ['at \ufb01x.\ufb01', 5],
    ['evil.com', 4],
    ['see evil.com', 8],
    ['evil1.com', 5],
    ['4.co', 1],
    ['münchen.de', 7],
    ['пример.рф', 6],
    ['www.evil', 1],
    ['WWW.evil', 1],
    ['http://evil', 5],
    ['javascript://x', 11],
    ['mail a@b', 7],
    ['ｅｖｉｌ．ｃｏｍ', 4],
    ['a＠b', 2],
    ['h：//x', 2],
  ])('%s', (text, position) => {
    expect(findUnreadable(text)).toEqual({ position, reason: 'link' });
  });
});

describe('P37: what a mail program makes a link of, or a number to dial, is refused from where it begins', () => {
  it.each<[string, number]>([
    ['evil。com/pay', 4],
    ['evil．com/pay', 4],
    ['evil｡com/pay', 4],
    ['evil﹒com', 4],
    ['evil․com', 4],
    ['お支払い。com', 4],
    ['例え。xn--p1ai', 2],
    ['www。evil', 1],
    ['evil_.com', 5],
    ['evil-.com', 5],
    ['evil.\u0301com', 4],
    ['evil.com:8080/pay', 4],
    ['EVIL.COM.', 4],
    ['(evil.com)', 5],
    ['a.b.c.evil.com', 5],
    ['xn--80ak6aa92e.com', 14],
    ['evil.xn--p1ai', 4],
    ['пример.рф/оплата', 6],
    ['ftp.evil.com', 3],
    ['1.1.1.1/pay', 1],
    ['at 192.168.0.10:8080', 4],
    ['１。１。１。１', 1],
    ['mailto:mallory', 7],
    ['tel:5550101', 4],
    ['Tel：0800', 4],
    ['sms:12345', 4],
    ['javascript:alert(1)', 11],
    ['data:text/html,x', 5],
    ['HTTP:evil', 5],
    ['https:/evil', 6],
    ['(facetime:mallory)', 10],
    ['alice@evil', 6],
    ['alice﹫evil', 6],
    ['Fraud desk: call 1-202-555-0101', 18],
    ['202-555-0101', 1],
    ['call 202.555.0101 now', 6],
    ['(202) 555-0101', 1],
    ['(202)555-0101', 1],
    ['202–555–0101', 1],
    ['+49 30 1234567', 1],
    ['call +1 (202) 555-0101', 6],
    ['+442079460000', 1],
  ])('%j', (text, position) => {
    expect(findUnreadable(text)).toEqual({ position, reason: 'link' });
  });

  it('after any label, before any that a top-level domain may be, by every dot there is (UTS 46)', () => {
    const label = fc.constantFrom(
      'evil',
      '4',
      'münchen',
      'пример',
      '例え',
      'xn--80ak6aa92e',
      'a-b',
    );
    const domain = fc.constantFrom('com', 'UK', 'xn--p1ai', 'рф', 'भारत', 'museum');
    const around = fc.constantFrom('', ' ', '(', '“', 'pay ', '/', ': ');
    fc.assert(
      fc.property(around, label, fc.constantFrom(...'.。．｡'), domain, around, (...parts) => {
        expect(findUnreadable(parts.join(''))).toMatchObject({ reason: 'link' });
      }),
    );
  });
});

describe('P30: an ordinary sentence', () => {
  it.each([
    'Install v2.1.b now?',
    'Upgrade from 10.4 to 11.0.2',
    'Section 4.2.1, page 3.',
    'Buy 10 AAPL at 189.50 USD',
    'Pay 10.50 EUR. Thank you.',
    'Pay 1.250.000,50 EUR',
    'Pay 10.50EUR at 10.30am',
    'Due 27.11.2026, 10.30',
    'Due 2026-11-27 10:30:00',
    'By 5 p.m., e.g. today',
    'In the U.S.A. (i.e. abroad)',
    'For J. R. R. Tolkien',
    'J.R.R. asks, No.5',
    'No.5, St. Mary St.',
    'Fuel & Go Co. Ltd.',
    'Restart host web-1 in eu-west-1',
    'Restart example dot com',
    'Delete report. Then stop',
    'Hotel:12, Total:50, PIN:4711',
    'Data: 5 GB, file: report',
    'Order 12345678',
    'Order 114-1234567-1234567',
    'Card 4111 1111 1111 1111',
    'IBAN DE89 3704 0044 0532 0130 00',
    '50.00 + 5.00 = 55.00 EUR',
    'Change: + 1 500 000 EUR',
    '3+4711=4714',
    'wait...ok, and …so on',
    'evil .com',
    '給油しました。確認してください。',
    '5,000円です。4番。コード1234。',
    '支払100元。確定吗？',
    '결제입니다。확인',
  ])('%j is taken', (text) => {
    expect(findUnreadable(text)).toBeUndefined();
  });

  it.each<[string, number, string]>([
    ['Do you want to buy 10 AAPL.US?', 26, 'Do you want to buy 10 AAPL dot US?'],
    ['Restart web-1.example.com', 13, 'Restart web-1 dot example dot com'],
    ['Install v2.1.beta', 12, 'Install v2.1. beta'],
    ['Delete report.pdf', 13, 'Delete report dot pdf'],
    ['Fuel & Go Co.Ltd', 12, 'Fuel & Go Co. Ltd'],
    ['For J.R.R.Tolkien', 9, 'For J.R.R. Tolkien'],
    ['Pay 12.EUR', 6, 'Pay 12. EUR'],
    ['Done.Next', 4, 'Done. Next'],
    ['給油です。OK?', 4, '給油です。 OK?'],
    ['Open 10.0.0.1', 6, 'Open 10.0.0. 1'],
    ['Write to alice@example', 15, 'Write to alice at example'],
    ['Tel:0800', 4, 'Tel: 0800'],
    ['Ref 500-300-2000', 5, 'Ref 500300-2000'],
    ['Gain +1.500.000 EUR', 6, 'Gain + 1.500.000 EUR'],
  ])('%j is refused at %i and can be written %j', (text, position, instead) => {
    expect(findUnreadable(text)).toEqual({ position, reason: 'link' });
    expect(findUnreadable(instead)).toBeUndefined();
  });
});

it.each([
  ['a letter with its accent apart', 'cafe\u0301.com'],
  ['a Devanagari name', '\u0921\u093e\u091f\u093e.com'],
  [
    'a Devanagari top-level domain',
    '\u0909\u0926\u093e\u0939\u0930\u0923.\u092d\u093e\u0930\u0924',
  ],
])('T5: is refused as a link in spite of %s', (_what, text) => {
  expect(findUnreadable(text)?.reason).toBe('link');
});

it('is refused over 64 characters, counted as characters and not as bytes', () => {
  expect(findUnreadable('x'.repeat(65))).toEqual({ position: 65, reason: 'too_long' });
  expect(findUnreadable('𠀀'.repeat(65))).toEqual({ position: 65, reason: 'too_long' });
});

it('T5: is refused where marks are stacked, from the first that is too many', () => {
  const stacked = (marks: number) => `Pump ${'a'.concat('\u0301'.repeat(marks))}`;
  expect(findUnreadable(stacked(6))).toBeUndefined();
  expect(findUnreadable(stacked(7))).toEqual({ position: 13, reason: 'character' });
});

it('is refused when empty', () => {
  expect(findUnreadable('')).toEqual({ position: 1, reason: 'character' });
});

it('never holds anything that is not drawn as itself, whatever it is made of', () => {
  fc.assert(
    fc.property(anyText(20), (text) => {
      if (findUnreadable(text) !== undefined) return;
      expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}<>{}\\`]/u);
    }),
    { numRuns: 2000 },
  );
});

it('T5: holds no character of Unicode that is drawn as nothing, as a picture, as another space or from the other side', () => {
  const never =
    /^[\p{C}\p{Zl}\p{Zp}\p{Emoji_Presentation}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{White_Space}]$/u;
  const accepted: string[] = [];
  for (let code = 0; code <= 0x10ffff; code += 1) {
    if (code === 0x20 || !never.test(at(code))) continue;
    if (findUnreadable(`a${at(code)}`) === undefined) accepted.push(code.toString(16));
  }
  expect(accepted).toEqual([]);
});
