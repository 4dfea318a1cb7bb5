/**
 * Files of users to import: CSV whose first row names the members, a JSON list, or a JSON object on each line. Rows keep
 * the line they stand in, and what they said, so that those who are rejected can be corrected and imported again.
 */
import { extname } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import * as z from 'zod/mini';
import { userRegistration } from '../../lambdas/ciba/user-registration.ts';
import { parseJson, readTextFile } from './data-file.ts';
import { DirectoryError } from './directory-error.ts';

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
  /** The same rows in the form of the file, each with why it was rejected, which an import leaves aside. */
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

const formats: Record<string, (path: string, text: string) => UserFile> = {
  '.csv': readCsv,
  '.json': readJson,
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
};

/**
 * Reads a file of users.
 * @throws DirectoryError naming the file, and where it can be told the line
 */
export async function readUserFile(path: string): Promise<UserFile> {
  const read = formats[extname(path).toLowerCase()];
  if (!read) {
    const allowed = Object.keys(formats).join(', ');
    throw new DirectoryError(
      `${path}: is of no known format; allowed: names that end in ${allowed}`,
    );
  }
  return read(path, await readTextFile(path));
}

const csvRecords = z.array(
  z.object({ record: z.array(z.string()), info: z.object({ lines: z.number() }) }),
);

function readCsv(path: string, text: string): UserFile {
  const delimiter = findDelimiter(text);
  const [header, ...records] = parseCsv(path, text, delimiter);
  if (!header) throw new DirectoryError(`${path}: is empty; the first row names the members`);
  const head = header.record;
  assertHead(path, head);
  const cellsOf = new Map<UserRow, string[]>();
  const rows = records.map((one) => {
    const row = rowOf(head, one);
    cellsOf.set(row, one.record);
    return row;
  });
  const quote = (cells: readonly string[]) =>
    cells.map((cell) => quoteCell(cell, delimiter)).join(delimiter);
  const kept = head
    .map((member, index) => ({ member, index }))
    .filter(({ member }) => member !== REJECTED);
  return {
    rows,
    rejectedExtension: '.csv',
    // Before the others, so that a row with too many cells stays as it was.
    formatRejected: (rejected) =>
      [
        [REJECTED, ...kept.map(({ member }) => member)],
        ...rejected.map(({ row, reason }) => {
          const cells = cellsOf.get(row) ?? [];
          return [
            describeRejected(row, reason),
            ...cells.filter((_, index) => head[index] !== REJECTED),
          ];
        }),
      ]
        .map((cells) => `${quote(cells)}\n`)
        .join(''),
  };
}

/** Spreadsheets of some countries write semicolons. */
function findDelimiter(text: string): string {
  const [head = ''] = text.split(/[\r\n]/, 1);
  return [',', ';', '\t'].find((delimiter) => head.includes(delimiter)) ?? ',';
}

function parseCsv(path: string, text: string, delimiter: string) {
  try {
    return csvRecords.parse(
      parse(text, {
        delimiter,
        info: true,
        trim: true,
        relax_column_count: true,
        skip_empty_lines: true,
        skip_records_with_empty_values: true,
      }),
    );
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Past a quote at the wrong place nobody knows which row is which.
    throw new DirectoryError(`${path}: is not CSV (${error.message})`, { cause: error });
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
  if (faults.length > 0) throw new DirectoryError(`${path}: first row: ${faults.join('; ')}`);
}

function rowOf(
  head: readonly string[],
  { record, info }: z.output<typeof csvRecords>[number],
): UserRow {
  const line = info.lines - record.join('').split('\n').length + 1;
  const members = Object.fromEntries(
    head.flatMap((member, index) => {
      const cell = record[index] ?? '';
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

function quoteCell(cell: string, delimiter: string): string {
  const isPlain = !cell.includes(delimiter) && !/["\r\n]|^\s|\s$/.test(cell);
  return isPlain ? cell : `"${cell.replaceAll('"', '""')}"`;
}

function describeRejected({ line }: UserRow, reason: string): string {
  return `line ${line}: ${reason}`;
}

const userList = z.union([z.array(z.unknown()), z.strictObject({ users: z.array(z.unknown()) })]);

function readJson(path: string, text: string): UserFile {
  const parsed = userList.safeParse(parseJson(path, text));
  if (!parsed.success) {
    throw new DirectoryError(`${path}: is no list of users; allowed: [ … ] or {"users": [ … ]}`);
  }
  const users = Array.isArray(parsed.data) ? parsed.data : parsed.data.users;
  const lines = linesOfElements(text);
  return jsonFile(users.map((value, index) => jsonRow(lines[index] ?? 0, value)));
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

function readJsonLines(path: string, text: string): UserFile {
  const rows = text.split('\n').flatMap((line, index): UserRow[] => {
    if (line.trim() === '') return [];
    try {
      return [jsonRow(index + 1, parseJson('row', line))];
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      return [{ line: index + 1, members: { text: line.trim() }, fault: error.message }];
    }
  });
  if (rows.length === 0) throw new DirectoryError(`${path}: is empty`);
  return jsonFile(rows);
}

const jsonObject = z.record(z.string(), z.unknown());

function jsonRow(line: number, value: unknown): UserRow {
  const parsed = jsonObject.safeParse(value);
  if (!parsed.success) return { line, members: { value }, fault: 'is no JSON object' };
  const { [REJECTED]: _before, ...members } = parsed.data;
  return { line, members };
}

function jsonFile(rows: UserRow[]): UserFile {
  return {
    rows,
    rejectedExtension: '.jsonl',
    formatRejected: (rejected) =>
      rejected
        .map(({ row, reason }) => ({ [REJECTED]: describeRejected(row, reason), ...row.members }))
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
  };
}
