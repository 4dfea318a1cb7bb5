/**
 * Text files in the encodings that editors of the world save, as synth and the commands read them.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeText } from '../../lib/decode-text.ts';
import { readFlowDefinitions } from '../../lib/flows/flow-definitions.ts';
import { compileNotificationTemplates } from '../../lib/notification-templates/compile.ts';
import { readDirectoryFile } from '../../lib/operator/directory/directory-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ciba-encodings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const mark = Buffer.from([0xff, 0xfe]);

/** Each encodes a text of one line with an umlaut in it, before whatever the file has. */
const encodings: [string, (line: string, rest: string) => Buffer, RegExp][] = [
  ['Latin-1', (line, rest) => latin1(`${line}\n${rest}`), /is not UTF-8/],
  [
    'Shift JIS',
    (_, rest) => Buffer.concat([Buffer.from([0x82, 0xa0, 10]), Buffer.from(rest)]),
    /is not UTF-8/,
  ],
  [
    'GBK',
    (_, rest) => Buffer.concat([Buffer.from([0xc4, 0xe3, 10]), Buffer.from(rest)]),
    /is not UTF-8/,
  ],
  [
    'ISO-2022-JP',
    (_, rest) => Buffer.concat([Buffer.from([0x1b, 0x24, 0x42, 0x24, 0x22]), Buffer.from(rest)]),
    /U\+001B/,
  ],
  [
    'UTF-16 with a mark',
    (line, rest) => Buffer.concat([mark, utf16(`${line}\n${rest}`)]),
    /is not UTF-8/,
  ],
  [
    'UTF-16 without a mark, ASCII alone',
    (_, rest) => utf16(rest.replace(/[^\0-\x7f]/g, '?')),
    /U\+0000/,
  ],
  [
    'UTF-16 big-endian with a mark',
    (line, rest) => Buffer.concat([mark, utf16(`${line}\n${rest}`)]).swap16(),
    /is not UTF-8/,
  ],
  [
    'UTF-32',
    (line, rest) =>
      Buffer.from(Uint32Array.from([0xfeff, ...`${line}\n${rest}`].map(codePoint)).buffer),
    /is not UTF-8/,
  ],
  [
    'CESU-8',
    (_, rest) =>
      Buffer.concat([Buffer.from([0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80, 10]), Buffer.from(rest)]),
    /is not UTF-8/,
  ],
];

function codePoint(character: string | number): number {
  return typeof character === 'number' ? character : (character.codePointAt(0) ?? 0);
}

describe.each(encodings)('O16: a file in %s', (_name, encode, fault) => {
  it('is refused as a part of a mail, with file and line', () => {
    cpSync(join(root, 'lib/notification-templates'), folder, { recursive: true });
    for (const part of ['subject.txt', 'body.txt', 'body.html']) {
      const path = join(folder, 'ciba-with-binding-message/de', part);
      const whole = readFileSync(path);
      writeFileSync(path, encode('Bestätigung', whole.toString()));
      const compile = () => compileNotificationTemplates(folder);
      expect(compile).toThrow(new RegExp(`de/${part.replace('.', '\\.')}:1: .*${fault.source}`));
      writeFileSync(path, whole);
    }
  });

  it('is refused as a flow', () => {
    const path = join(folder, 'ciba-flow.asl.json');
    const whole = readFileSync(join(root, 'statemachines/ciba-flow.asl.json'), 'utf8');
    writeFileSync(path, encode('{ "Comment": "Bestätigung",', whole.slice(1)));
    const read = () => readFlowDefinitions({ functions: [], templates: [] }, folder);
    expect(read).toThrow(
      new RegExp(`ciba-flow\\.asl\\.json:\\d: .*${fault.source}.*allowed: UTF-8`),
    );
  });

  it.each(['directory.json', 'directory.yaml'])('is refused as %s', async (name) => {
    const path = join(folder, name);
    writeFileSync(path, encode('{ "users": [{ "name": "Zoë" }],', '"clients": [] }'));
    await expect(readDirectoryFile(path)).rejects.toThrow(fault);
  });
});

describe('O16: text in UTF-8', () => {
  it('is the same with a byte order mark', () => {
    const one = decodeText(Buffer.from('Bestätigung\r\n'));
    const other = decodeText(Buffer.from('\ufeffBestätigung\r\n'));
    expect(one).toEqual({ text: 'Bestätigung\r\n' });
    expect(other).toEqual(one);
  });

  it('makes the same mail with a byte order mark', () => {
    cpSync(join(root, 'lib/notification-templates'), folder, { recursive: true });
    const before = compileNotificationTemplates(folder);
    for (const part of ['subject.txt', 'body.txt', 'body.html']) {
      const path = join(folder, 'ciba-with-binding-message/de', part);
      writeFileSync(path, `\ufeff${readFileSync(path, 'utf8')}`);
    }
    expect(compileNotificationTemplates(folder)).toEqual(before);
  });

  it('is read as it is, whatever it says', () => {
    const character = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(character, (text) => {
        const wanted = text.replace(/^\ufeff/, '');
        expect(decodeText(Buffer.from(text))).toEqual({ text: wanted });
      }),
    );
  });

  it('says the line of the first fault', () => {
    fc.assert(
      fc.property(fc.nat({ max: 50 }), (lines) => {
        const octets = Buffer.from(`${'ä\n'.repeat(lines)}\n`, 'utf8');
        const broken = Buffer.concat([octets.subarray(0, -1), latin1('ä'), octets.subarray(-1)]);
        expect(decodeText(broken)).toMatchObject({ line: lines + 1 });
      }),
    );
  });
});
