/**
 * Text in columns: how wide it is on a terminal, cut or wrapped to a width, and how wide columns
 * may be to fit together.
 */
import { stripVTControlCharacters } from 'node:util';

/** The width that every table fits, whatever it is shown on. */
export const LINE_WIDTH = 80;

/** Between two columns. */
export const COLUMN_GAP = '  ';

/** What terminals draw two columns wide: the scripts of East Asia, full-width forms, emoji. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

const invisible = /[\p{M}\p{Cf}]/u;

/** How many columns of a terminal a line takes; colours take none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) width += widthOf(character);
  return width;
}

function widthOf(character: string): number {
  if (invisible.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Cut to a width, with a sign that it was. */
export function clip(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${beginning(text, width - 1)}…`;
}

/** The same with its end kept as well: ids that are named alike often differ there. */
export function clipMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const atEnd = Math.floor((width - 1) / 2);
  const end = reversed(beginning(reversed(text), atEnd));
  return `${beginning(text, width - 1 - atEnd)}…${end}`;
}

function reversed(text: string): string {
  return Array.from(text).toReversed().join('');
}

/** As many of the first characters as fit. */
function beginning(text: string, width: number): string {
  let kept = '';
  let left = width;
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    kept += character;
  }
  return kept;
}

/** Lines of whole words; a word that is wider than a line goes on in the next. Nothing is lost. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, width));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of line.split(' ').flatMap((one) => breakWord(one, width))) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(last) + 1 + displayWidth(word) <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

function breakWord(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word];
  const head = beginning(word, width);
  // A character wider than the line stands alone on it.
  const taken = head === '' ? Array.from(word).slice(0, 1).join('') : head;
  return taken === word ? [word] : [taken, ...breakWord(word.slice(taken.length), width)];
}

/** Help in lines that fit: paragraphs are wrapped anew, and what is indented stays as it is. */
export function reflow(text: string): string {
  const joined = text.replace(/(?<=^|\n)(\S[^\n]*)\n(?=\S)/g, '$1 ');
  return joined
    .split('\n')
    .flatMap((line) => (line.startsWith(' ') ? [line] : wrap(line, LINE_WIDTH)))
    .join('\n');
}

/** No column is made narrower than this, so that a word still shows. */
const NARROWEST = 6;

/** A column: how wide its widest cell is, and whether it has to be. */
export interface Column {
  natural: number;
  isWhole: boolean;
}

/**
 * Widths that fit beside each other in `lineWidth`, as far as possible: the widest columns give way
 * first.
 */
export function fitColumns(columns: readonly Column[], lineWidth: number): number[] {
  const widths = columns.map(({ natural }) => natural);
  const room = lineWidth - COLUMN_GAP.length * (columns.length - 1);
  for (let excess = sum(widths) - room; excess > 0; excess -= 1) {
    const widest = Math.max(
      ...widths.filter((width, at) => !columns[at]?.isWhole && width > NARROWEST),
    );
    const at = widths.findIndex((width, index) => width === widest && !columns[index]?.isWhole);
    if (at < 0) break;
    widths[at] = widest - 1;
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Cells beside each other, each cut in its middle to its column. @param dress adds colours */
export function inColumns(
  cells: readonly string[],
  widths: readonly number[],
  dress = (text: string, _at: number) => text,
): string {
  const padded = cells.map((cell, at) => {
    const width = widths[at] ?? 0;
    const text = clipMiddle(cell, width);
    return `${dress(text, at)}${' '.repeat(width - displayWidth(text))}`;
  });
  return padded.join(COLUMN_GAP).trimEnd();
}
