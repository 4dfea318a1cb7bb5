/**
 * Comma-separated values (RFC 4180) that are safe to open in a spreadsheet: the one writer of them,
 * and the way back for what is read again.
 */

/** How a file of records is written. */
export interface CsvForm {
  delimiter: string;
  lineEnd: string;
}

const standardForm: CsvForm = { delimiter: ',', lineEnd: '\r\n' };

/** A cell that is quoted although it need not be, as where it comes from. */
export interface CsvCell {
  text: string;
  isQuoted: boolean;
}

/**
 * One record with its line break. What a spreadsheet would take for a formula is made a text in it.
 */
export function csvRecord(
  cells: readonly (string | CsvCell)[],
  { delimiter, lineEnd }: CsvForm = standardForm,
): string {
  return `${cells.map((cell) => csvCell(cell, delimiter)).join(delimiter)}${lineEnd}`;
}

function csvCell(cell: string | CsvCell, delimiter: string): string {
  const { text, isQuoted } = typeof cell === 'string' ? { text: cell, isQuoted: false } : cell;
  const safe = guardFormulas(text);
  return isQuoted || isSplit(safe, delimiter) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Whether a text is not one whole cell as it is; blanks at its ends are lost where cells are
 * trimmed.
 */
function isSplit(text: string, delimiter: string): boolean {
  return text.includes(delimiter) || /["\r\n]|^\s|\s$/.test(text);
}

/**
 * What begins a formula, in ASCII, in full width and small; apostrophes of the text's own may stand
 * before it.
 */
const FORMULA = "'*[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20\\ufe66\\ufe62\\ufe63\\ufe6b]";

/** Blanks, invisible signs, quotes, and what some spreadsheet or other splits cells at. */
const BETWEEN = '[\\s\\p{Cf}",;|]';

const splitsCells = /[,;|\t\r\n]/;

const formula = new RegExp(`(?<!${BETWEEN})(${BETWEEN}+|^)(${FORMULA})`, 'gu');
const guardedFormula = new RegExp(`(?<!${BETWEEN})(${BETWEEN}+|^)'(${FORMULA})`, 'gu');

/**
 * The text with an apostrophe before whatever a spreadsheet could take for the beginning of a
 * formula: at its own beginning, and behind each sign at which one that was told another delimiter
 * would split it. {@link unguardFormulas} takes back just that.
 */
export function guardFormulas(text: string): string {
  return text
    .replace(formula, (found: string, before: string, sign: string, at: number) =>
      beginsCell(before, at) ? `${before}'${sign}` : found,
    )
    .replace(/^(?='*[\t\r])/, "'");
}

/** The text that {@link guardFormulas} made this of. */
export function unguardFormulas(text: string): string {
  return text
    .replace(/^'(?='*[\t\r])/, '')
    .replace(guardedFormula, (found: string, before: string, sign: string, at: number) =>
      beginsCell(before, at) ? `${before}${sign}` : found,
    );
}

function beginsCell(before: string, at: number): boolean {
  return at === 0 || splitsCells.test(before);
}
