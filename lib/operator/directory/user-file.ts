/**
 * Files of users to import: CSV whose first row names the members, a JSON list, or a JSON object on
 * each line. Rows keep the line they stand in, and what they said, so that those who are rejected
 * can be corrected and imported again.
 */

import { extname } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import * as z from 'zod/mini';
import { readStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { type CsvCell, csvRecord, unguardFormulas } from '../terminal/csv.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import {
  decodeUtf8,
  type FileReading,
  fileName,
  parseJson,
  readNamed,
  STDIN,
} from './data-file.ts';
import { userRegistration } from './registration/user-registration.ts';

/** One user as the file has it. */
export interface UserRow {
  /** The line in which it begins. */
  line: number;
  /** The members it names; a list, a text and whatever else is no object has none. */
  members: Record<string, unknown>;
  /** Why it can be no user, whatever its members are. */
  fault?: string;
}

export interface UserFile {
  rows: UserRow[];
  /**
   * The same rows in the form of the file, with its mark, line ends, delimiter and quotes, each
   * with why it was rejected, which an import leaves aside.
   */
  formatRejected(rejected: readonly RejectedRow[]): string;
  /** How the name of a file with rejected rows ends. */
  rejectedExtension: '.csv' | '.jsonl';
}

/** A row that was not imported. */
export interface RejectedRow {
  row: UserRow;
  reason: string;
}

/** The column and member that says why a row was rejected. */
const REJECTED = 'rejected';

const userMembers = Object.keys(userRegistration.shape);

export const userFileFormats = ['csv', 'json', 'jsonl'] as const;

type UserFileFormat = (typeof userFileFormats)[number];

const formatOfExtension: Record<string, UserFileFormat> = {
  '.csv': 'csv',
  '.json': 'json',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

const readers: Record<UserFileFormat, (source: Source) => UserFile> = {
  csv: readCsv,
  json: readJson,
  jsonl: readJsonLines,
};

/** What a file says, and how it says it. */
interface Source {
  /** As messages have it. */
  name: string;
  text: string;
  /** The mark by which spreadsheets know UTF-8, if the file begins with it. */
  mark: string;
  lineEnd: string;
}

/**
 * Reads a file of users, or what is piped in its place.
 * @throws OperatorError naming the file, and where it can be told the line
 */
export async function readUserFile(
  path: string,
  { readStdin, format }: FileReading<UserFileFormat> = {},
): Promise<UserFile> {
  const name = fileName(path);
  const named = format ?? formatOfExtension[extname(path).toLowerCase()];
  if (named === undefined && path !== STDIN) {
    const allowed = Object.keys(formatOfExtension).join(', ');
    throw usageError(
      `${path}: is of no known format; allowed: names that end in ${allowed}, or --format`,
    );
  }
  const octets = await readNamed(path, { readStdin });
  const text = decodeUtf8(name, octets);
  const [lineEnd = '\n'] = /\r\n|\n|\r/.exec(text) ?? [];
  const mark = text.length < new TextDecoder('utf-8', { ignoreBOM: true }).decode(octets).length;
  return readers[named ?? formatOfContent(text)]({
    name,
    text,
    lineEnd,
    mark: mark ? '\ufeff' : '',
  });
}

/**
 * A list is JSON, an object that is whole on its line is one of many unless it has users, and
 * anything else is CSV.
 */
function formatOfContent(text: string): UserFileFormat {
  const begin = text.trimStart();
  if (begin.startsWith('[')) return 'json';
  if (!begin.startsWith('{')) return 'csv';
  const [line = ''] = begin.split('\n', 1);
  const read = readStrictJson(line);
  const isRow = 'value' in read && !userList.safeParse(read.value).success;
  return isRow ? 'jsonl' : 'json';
}

/** A cell, and whether it is in quotes where it is read. */
const csvCell = z.object({ text: z.string(), isQuoted: z.boolean() });

const csvRecords = z.array(
  z.object({ record: z.array(csvCell), info: z.object({ lines: z.number() }) }),
);

type ReadRecord = z.output<typeof csvRecords>[number];

function readCsv({ name, text, mark, lineEnd }: Source): UserFile {
  const { delimiter, records: body } = findRecords(text);
  const [header, ...records] = parseCsv(name, body, delimiter);
  if (!header) throw usageError(`${name}: is empty; the first row names the members`);
  const head = header.record.map((cell) => cell.text);
  assertHead(name, head);
  // What an earlier import wrote is guarded against spreadsheets; nothing else is taken to be.
  const isReport = head.includes(REJECTED);
  const cellsOf = new Map<UserRow, CsvCell[]>();
  const rows = records.map((one) => {
    const record = isReport ? unguarded(one.record) : one.record;
    const row = rowOf(head, { ...one, record });
    cellsOf.set(row, record);
    return row;
  });
  const withoutReason = (cells: CsvCell[]) => cells.filter((_, index) => head[index] !== REJECTED);
  const write = (cells: (string | CsvCell)[]) => csvRecord(cells, { delimiter, lineEnd });
  return {
    rows,
    rejectedExtension: '.csv',
    // Before the others, so that a row with too many cells stays as it was.
    formatRejected: (rejected) =>
      [
        mark,
        write([REJECTED, ...withoutReason(header.record)]),
        ...rejected.map(({ row, reason }) =>
          write([describeRejected(row, reason), ...withoutReason(cellsOf.get(row) ?? [])]),
        ),
      ].join(''),
  };
}

function unguarded(cells: readonly CsvCell[]): CsvCell[] {
  return cells.map(({ text, isQuoted }) => ({ text: unguardFormulas(text), isQuoted }));
}

const delimiters = [',', ';', '\t'];

/**
 * The records of a file, every one in its line, and what separates their cells: whatever the first
 * of them has most members with, for spreadsheets of some countries write semicolons. What may
 * stand before it is left out: blank lines, rows without a text in them, and the line `sep=;` by
 * which some programs tell others.
 */
function findRecords(text: string): { delimiter: string; records: string } {
  const blank = blankLines(text);
  const said = /^"?sep=([,;\t])"?[ \t]*(?:\r\n|\n|\r)/i.exec(text.slice(blank.length));
  const saying = blank + (said?.[0] ?? '');
  const before = saying + blankLines(text.slice(saying.length));
  const records = text.slice(before.length);
  const delimiter = said?.[1] ?? mostMembers(records);
  return { delimiter, records: `${'\n'.repeat(countLines(before))}${records}` };
}

/** The lines at the beginning that have no text, whole lines only. */
function blankLines(text: string): string {
  const [blank = ''] = /^(?:[\s,;]|"")*/.exec(text) ?? [];
  return blank.slice(0, Math.max(blank.lastIndexOf('\n'), blank.lastIndexOf('\r')) + 1);
}

function countLines(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

function mostMembers(records: string): string {
  const [best = ','] = delimiters.toSorted(
    (one, other) => countMembers(records, other) - countMembers(records, one),
  );
  return best;
}

function countMembers(records: string, delimiter: string): number {
  try {
    const [head] = csvRecords.parse(parse(records, { ...parsing, delimiter, to: 1 }));
    return head?.record.filter(({ text }) => userMembers.includes(text)).length ?? 0;
  } catch (error) {
    if (error instanceof CsvError) return 0;
    throw error;
  }
}

const parsing = {
  record_delimiter: ['\r\n', '\n', '\r'],
  cast: (text: string, { quoting }: { quoting: boolean }) => ({ text, isQuoted: quoting }),
  info: true,
  trim: true,
  relax_column_count: true,
  skip_empty_lines: true,
};

function parseCsv(name: string, text: string, delimiter: string): ReadRecord[] {
  try {
    const records = csvRecords.parse(parse(text, { ...parsing, delimiter }));
    return records.filter(({ record }) => record.some((cell) => cell.text.trim() !== ''));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Past a quote at the wrong place nobody knows which row is which.
    throw usageError(`${name}: is not CSV (${error.message})`, error);
  }
}

function assertHead(path: string, head: readonly string[]): void {
  const known = [...userMembers, REJECTED];
  const unknown = head.filter((member) => !known.includes(member));
  const repeated = head.filter((member, index) => head.indexOf(member) !== index);
  const missing = ['sub', 'username'].filter((member) => !head.includes(member));
  const faults = [
    ...unknown.map(
      (member) => `unknown member ${JSON.stringify(member)}; allowed: ${userMembers.join(', ')}`,
    ),
    ...repeated.map((member) => `member ${member} is there twice`),
    ...missing.map((member) => `member ${member} is missing`),
  ];
  if (faults.length > 0) throw usageError(`${path}: first row: ${faults.join('; ')}`);
}

function rowOf(head: readonly string[], { record, info }: ReadRecord): UserRow {
  const line = info.lines - countLines(record.map(({ text }) => text).join('\0'));
  const members = Object.fromEntries(
    head.flatMap((member, index) => {
      const cell = record[index]?.text ?? '';
      return cell === '' || member === REJECTED ? [] : [[member, readCell(member, cell)]];
    }),
  );
  if (record.length === head.length) return { line, members };
  return {
    line,
    members,
    fault: `has ${record.length} cells where the first row has ${head.length}`,
  };
}

const flags = new Map([
  ['true', true],
  ['false', false],
]);

/** What is no flag stays as it is, for the rule of the registration to refuse. */
function readCell(member: string, cell: string): unknown {
  const isFlag = member === 'email_verified' || member === 'enabled';
  return isFlag ? (flags.get(cell.toLowerCase()) ?? cell) : cell;
}

function describeRejected({ line }: UserRow, reason: string): string {
  return `line ${line}: ${reason}`;
}

const userList = z.union([z.array(z.unknown()), z.strictObject({ users: z.array(z.unknown()) })]);

function readJson({ name, text, ...form }: Source): UserFile {
  const parsed = userList.safeParse(parseJson(name, text));
  if (!parsed.success) {
    throw usageError(`${name}: is no list of users; allowed: [ … ] or {"users": [ … ]}`);
  }
  const users = Array.isArray(parsed.data) ? parsed.data : parsed.data.users;
  const lines = linesOfElements(text);
  return jsonFile(
    users.map((value, index) => jsonRow(lines[index] ?? 0, value)),
    form,
  );
}

const jsonToken = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * The lines in which the elements of the outermost list begin.
 * @param text valid JSON
 */
function linesOfElements(text: string): number[] {
  const lines: number[] = [];
  let [depth, listDepth, line, counted] = [0, 0, 1, 0];
  for (const { 0: token, index } of text.matchAll(jsonToken)) {
    if (token === '}' || token === ']') depth -= 1;
    if (token === '{' || token === '[') depth += 1;
    if (token === '[' && listDepth === 0) listDepth = depth;
    const isBefore = (token === '[' || token === ',') && depth === listDepth;
    if (!isBefore) continue;
    const start = index + 1 + (/^\s*/.exec(text.slice(index + 1))?.[0].length ?? 0);
    line += text.slice(counted, start).split('\n').length - 1;
    counted = start;
    lines.push(line);
  }
  return lines;
}

function readJsonLines({ name, text, ...form }: Source): UserFile {
  const rows = text.split('\n').flatMap((line, index): UserRow[] => {
    if (line.trim() === '') return [];
    try {
      return [jsonRow(index + 1, parseJson('row', line))];
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      return [{ line: index + 1, members: { text: line.trim() }, fault: error.message }];
    }
  });
  if (rows.length === 0) throw usageError(`${name}: is empty`);
  return jsonFile(rows, form);
}

const jsonObject = z.record(z.string(), z.unknown());

function jsonRow(line: number, value: unknown): UserRow {
  const parsed = jsonObject.safeParse(value);
  if (!parsed.success) return { line, members: { value }, fault: 'is no JSON object' };
  const { [REJECTED]: _before, ...members } = parsed.data;
  return { line, members };
}

function jsonFile(rows: UserRow[], { mark, lineEnd }: Pick<Source, 'mark' | 'lineEnd'>): UserFile {
  return {
    rows,
    rejectedExtension: '.jsonl',
    formatRejected: (rejected) =>
      rejected
        .map(({ row, reason }) => ({ [REJECTED]: describeRejected(row, reason), ...row.members }))
        .reduce((file, row) => `${file}${JSON.stringify(row)}${lineEnd}`, mark),
  };
}
