/**
 * `Content-Type` by its grammar (RFC 9110 8.3.1, 5.6.6), and which forms are taken by it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readForm } from '../../../lambdas/http/form.ts';
import { parseMediaType } from '../../../lambdas/http/media-type.ts';

const formType = 'application/x-www-form-urlencoded';

describe('a media type', () => {
  it.each<[string, string, [string, string][]]>([
    ['text/plain', 'text/plain', []],
    ['Text/PLAIN', 'text/plain', []],
    ['a/b;', 'a/b', []],
    ['a/b ;; ; ', 'a/b', []],
    ['a/b;c=d', 'a/b', [['c', 'd']]],
    [
      'a/b \t;\t C=d;e=F',
      'a/b',
      [
        ['c', 'd'],
        ['e', 'F'],
      ],
    ],
    ['a/b;c="d"', 'a/b', [['c', 'd']]],
    ['a/b;c=""', 'a/b', [['c', '']]],
    [
      'a/b;c="d;e=\\"f\\", \\\\";g=h',
      'a/b',
      [
        ['c', 'd;e="f", \\'],
        ['g', 'h'],
      ],
    ],
    ['a/b;c="é"', 'a/b', [['c', 'é']]],
    [
      'a/b;c=d;c=e',
      'a/b',
      [
        ['c', 'd'],
        ['c', 'e'],
      ],
    ],
    ["!#$%&'*+-.^_`|~/a", "!#$%&'*+-.^_`|~/a", []],
  ])('is read: %s', (text, essence, parameters) => {
    expect(parseMediaType(text)).toEqual({ essence, parameters });
  });

  it.each([
    ...['', 'a', 'a/', '/b', 'a /b', 'a/ b', 'a/b c', ' a/b', 'a/b,', 'a/b, a/b', 'a/b;c=d, a/b'],
    ...['a/b;c', 'a/b;=d', 'a/b;c=', 'a/b;c =d', 'a/b;c= d', 'a/b;c="d', 'a/b;c="d"e', 'a/b;c=d"'],
    ...['a/b;c="\\', 'a/b;c="\\"', 'a/b;c=d e', 'a/b;c=é', 'a/b;é=d', 'a/b;c="\n"', 'a/b;c="\0"'],
    `a/b${';'.repeat(1022)}`,
  ])('is not: %j', (text) => {
    expect(parseMediaType(text)).toBeUndefined();
  });
});

function read(type: string, body: string | Uint8Array<ArrayBuffer> = 'a=1') {
  const headers = { 'Content-Type': type };
  return readForm(new Request('https://ciba.example/', { method: 'POST', body, headers }), ['a']);
}

const space = fc.stringMatching(/^[ \t]{0,3}$/);
const tokenText = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/);
const quoted = fc
  .array(fc.oneof(fc.stringMatching(/^[\t !#-[\]-~]$/), fc.stringMatching(/^\\[\t !-~]$/)), {
    maxLength: 8,
  })
  .map((characters) => `"${characters.join('')}"`);
const unknown = fc
  .tuple(tokenText, fc.oneof(tokenText, quoted))
  .filter(([name]) => name.toLowerCase() !== 'charset')
  .map(([name, value]) => `${name}=${value}`);
const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => Array.from(text, (one, at) => (upper[at] ? one.toUpperCase() : one)).join(''));
const utf8 = fc
  .tuple(anyCase('charset='), anyCase('utf-8'), fc.boolean())
  .map(([name, value, isQuoted]) => name + (isQuoted ? `"${value}"` : value));

describe('P24: a form', () => {
  it('is taken however its media type is written', async () => {
    const section = fc.tuple(space, space, fc.oneof(unknown, fc.constant('')));
    const sections = fc.array(section, { maxLength: 5 });
    const header = fc
      .tuple(anyCase(formType), sections, fc.option(utf8), sections)
      .map(([essence, before, charset, after]) => {
        const named: typeof before = charset === null ? [] : [['', ' ', charset]];
        const all = [...before, ...named, ...after];
        return essence + all.map(([left, right, text]) => `${left};${right}${text}`).join('');
      });
    await fc.assert(
      fc.asyncProperty(header, async (type) => {
        expect(await read(type)).toEqual(new Map([['a', '1']]));
      }),
      { numRuns: 500 },
    );
  });

  const ascii = 'a=1&x=%41';
  const accented = 'a=é';
  const percentAccented = 'a=%C3%A9';
  const unreadAccented = 'a=1&%C3%A9=1';

  it.each([
    ...['utf-8', 'UTF-8', '"utf-8"', 'utf8'].flatMap((charset) =>
      [ascii, accented, percentAccented, unreadAccented].map((body) => [charset, body] as const),
    ),
    ...['us-ascii', 'US-ASCII', 'iso-8859-1', '"ISO-8859-15"', 'latin1', 'windows-1252'].map(
      (charset) => [charset, ascii] as const,
    ),
  ])('with charset=%s is taken where it makes no difference: %s', async (charset, body) => {
    expect((await read(`${formType};charset=${charset}`, body)).has('a')).toBe(true);
  });

  it.each<readonly [string, string]>([
    ...['us-ascii', 'iso-8859-1', 'latin1', 'windows-1252'].flatMap((charset) =>
      [accented, percentAccented, unreadAccented].map((body) => [charset, body] as const),
    ),
    ...['utf-16', 'utf-16le', 'utf-32', 'utf-7', 'shift_jis', 'cp037', 'x', '""', '"utf-8 "'].map(
      (charset) => [charset, ascii] as const,
    ),
    ['utf-8;charset=utf-8', ascii],
    ['utf-8;charset=latin1', ascii],
  ])('with charset=%s is refused where it may make one: %s', async (charset, body) => {
    await expect(read(`${formType};charset=${charset}`, body)).rejects.toMatchObject({
      code: 'invalid_request',
      status: undefined,
    });
  });

  it.each([
    ...['text/plain', 'application/json', 'multipart/form-data; boundary=x', `x${formType}`],
    ...[`${formType}x`, `${formType}/x`, `${formType}+json`, `${formType}, text/plain`, ''],
    ...[`${formType},${formType}`, `${formType};a=1,${formType}`, `${formType} x`, `${formType};a`],
    `${formType}${' '.repeat(2000)}`.concat(';a=b'),
  ])('is none with the media type %s', async (type) => {
    await expect(read(type)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('P44: a content coding', () => {
  const coded = (coding: string) => {
    let isRead = false;
    const headers = new Headers({ 'content-encoding': coding, 'content-type': formType });
    const arrayBuffer = async () => {
      isRead = true;
      return new TextEncoder().encode('a=1').buffer;
    };
    const request = Object.assign(
      new Request('https://ciba.example/', { method: 'POST', headers }),
      {
        arrayBuffer,
      },
    );
    return { read: readForm(request, ['a']), isRead: () => isRead };
  };

  it.each([
    ...['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'x-gzip', 'compress', 'aes128gcm', 'made-up', '*'],
    ...['gzip, identity', 'identity, gzip', 'identity;q=1', 'identity identity', '"identity"'],
  ])('%s is refused with 415 before the body is read, and told what is taken', async (coding) => {
    const { read: reading, isRead } = coded(coding);
    await expect(reading).rejects.toMatchObject({
      code: 'invalid_request',
      status: 415,
      headers: { 'Accept-Encoding': 'identity' },
    });
    expect(isRead()).toBe(false);
  });

  it.each(['identity', 'Identity', '', 'identity, identity', ' , identity'])(
    '%j is none',
    async (coding) => {
      expect(await coded(coding).read).toEqual(new Map([['a', '1']]));
    },
  );
});
