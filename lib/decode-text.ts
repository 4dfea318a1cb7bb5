/**
 * Text files as people save them: UTF-8, with or without a byte order mark. Any other encoding is
 * told, and not guessed.
 */
import { decodeUtf8 } from '../lambdas/ciba/utf8.ts';

/** The text without its byte order mark, or what is wrong with it and in which line, from 1. */
export type Decoded = { text: string } | { fault: string; line: number };

/** What is wrong with a file, as synth tells it: `file:line: fault; what is allowed`. */
export function tellUndecoded(
  file: string,
  { fault, line }: Extract<Decoded, { fault: string }>,
): string {
  return `${file}:${line}: ${fault}; allowed: UTF-8`;
}

/** Tab, line feed, form feed and carriage return. */
const layout = [0x09, 0x0a, 0x0c, 0x0d];

/** Decodes a file. Line ends stay what they are. */
export function decodeText(octets: Uint8Array): Decoded {
  const text = decodeUtf8(octets)?.replace(/^\ufeff/, '');
  if (text === undefined) return { fault: 'is not UTF-8', line: firstLineWith(octets, isForeign) };
  // UTF-16 without a mark, and the encodings that switch by ESC, are valid UTF-8.
  const control = octets.find(isControl);
  if (control === undefined) return { text };
  const code = control.toString(16).toUpperCase().padStart(4, '0');
  return {
    fault: `is not text in UTF-8: it has the control character U+${code}`,
    line: firstLineWith(octets, (line) => line.includes(control)),
  };
}

/** Of ASCII; those that text is laid out by are none. */
function isControl(octet: number): boolean {
  return octet < 0x20 && !layout.includes(octet);
}

function isForeign(line: Uint8Array): boolean {
  return decodeUtf8(line) === undefined;
}

/** No character of UTF-8 has the octet of a line end within. */
function firstLineWith(octets: Uint8Array, isWrong: (line: Uint8Array) => boolean): number {
  let [line, start] = [1, 0];
  for (;;) {
    const end = octets.indexOf(0x0a, start);
    if (end === -1 || isWrong(octets.subarray(start, end))) return line;
    [line, start] = [line + 1, end + 1];
  }
}
