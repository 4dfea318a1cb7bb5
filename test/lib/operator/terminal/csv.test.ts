/**
 * The one writer of comma-separated values: cells that no spreadsheet takes for a formula, and the
 * way back.
 */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  csvRecord,
  guardFormulas,
  unguardFormulas,
} from '../../../../lib/operator/terminal/csv.ts';

const signs = ['=', '+', '-', '@', '\uff1d', '\uff0b', '\uff0d', '\uff20', '\ufe66', '\ufe62'];

/** Texts of what formulas, delimiters and their disguises are made of. */
const text = fc
  .array(fc.constantFrom(...signs, ...'\';,|\t\r\n" a1', '\u00a0', '\u3000', '\u200b', '\ufeff'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

/**
 * What somebody sees who splits a cell at every sign at which some spreadsheet does, and looks past
 * blanks and quotes.
 */
function beginsFormula(cell: string): boolean {
  const begin = new RegExp(`^[\\s\\p{Cf}"]*[${signs.join('').replace('-', '\\-')}]`, 'u');
  return cell.split(/[,;|\t\r\n]/).some((part) => begin.test(part));
}

describe('O38: a guarded text', () => {
  it('begins no formula, wherever it is split, and is itself again on the way back', () => {
    fc.assert(
      fc.property(text, (one) => {
        const guarded = guardFormulas(one);
        expect(beginsFormula(guarded)).toBe(false);
        expect(unguardFormulas(guarded)).toBe(one);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['=1+1', "'=1+1"],
    ["'=1+1", "''=1+1"],
    ['\uff1dHYPERLINK("x")', '\'\uff1dHYPERLINK("x")'],
    ['a;=1', "a;'=1"],
    ['a, "@x', 'a, "\'@x'],
    [' \u200b-1', " \u200b'-1"],
    ['"=1', '"\'=1'],
    ['a=b - c', 'a=b - c'],
    ["O'Hara-Smith", "O'Hara-Smith"],
  ])('of %j is %j', (given, guarded) => {
    expect(guardFormulas(given)).toBe(guarded);
  });

  it('takes a time that grows with the text alone', () => {
    for (const long of ['\t'.repeat(200_000), "'".repeat(200_000), ' ;'.repeat(100_000)]) {
      expect(unguardFormulas(guardFormulas(`${long}x`))).toBe(`${long}x`);
    }
  });
});

it.each([',', ';', '\t'])(
  'O38: a record with %j between its cells is read as it was written',
  (delimiter) => {
    const cells = fc.array(text, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(cells, fc.constantFrom('\n', '\r\n'), (record, lineEnd) => {
        const written = csvRecord(
          record.map((one) => ({ text: one, isQuoted: one.length % 2 === 0 })),
          { delimiter, lineEnd },
        );
        expect(written.endsWith(lineEnd)).toBe(true);
        const [read] = parse(written, { delimiter, record_delimiter: lineEnd, trim: true });
        expect(read?.map(unguardFormulas)).toEqual(record);
      }),
      { numRuns: 1000 },
    );
  },
);
