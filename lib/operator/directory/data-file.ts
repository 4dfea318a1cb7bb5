/**
 * Reads what an operator writes by hand: JSON, or YAML where the file's name says so. A member that
 * is there twice is refused in both, since two readers could take it for two things. Where a
 * command takes a file, `-` is what is piped into it.
 */

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { parseDocument } from 'yaml';
import { readStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { decodeText } from '../../decode-text.ts';
import { usageError } from '../terminal/operator-error.ts';

/**
 * Stands for what is piped into the command, wherever a command takes a file; `./-` is a file of
 * that name.
 */
export const STDIN = '-';

/** All that is piped into the command. @throws OperatorError if nothing is */
export type ReadStdin = () => Promise<Uint8Array>;

export const dataFormats = ['json', 'yaml'] as const;

/** How the files of a command are read. */
export interface FileReading<Format = (typeof dataFormats)[number]> {
  /** @default `-` is refused */
  readStdin?: ReadStdin | undefined;
  /** @default what a file's name ends in says it, and of what is piped the content */
  format?: Format | undefined;
}

/** What a file is called in messages. */
export function fileName(path: string): string {
  return path === STDIN ? 'stdin' : path;
}

/**
 * The octets of a file, or of what is piped into the command.
 * @throws OperatorError naming the file
 */
export async function readNamed(
  path: string,
  { readStdin }: Pick<FileReading, 'readStdin'>,
): Promise<Uint8Array> {
  if (path !== STDIN) return readOctets(path);
  if (readStdin) return readStdin();
  throw usageError('-: stands for stdin, which is not read here; ./- is a file of that name');
}

/** @throws OperatorError naming the file */
export function decodeUtf8(path: string, octets: Uint8Array): string {
  const decoded = decodeText(octets);
  if ('text' in decoded) return decoded.text;
  throw usageError(`${path}: ${decoded.fault}, in line ${decoded.line}`);
}

/** @throws OperatorError naming the file */
export async function readOctets(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw usageError(`${path}: cannot be read (${reason(error)})`, error);
  }
}

/**
 * The value that a file holds.
 * @throws OperatorError naming the file, and for YAML line and column
 */
export async function readDataFile(path: string, reading: FileReading = {}): Promise<unknown> {
  const name = fileName(path);
  const text = decodeUtf8(name, await readNamed(path, reading));
  const format = reading.format ?? formatOf(path, text);
  return format === 'yaml' ? parseYaml(name, text) : parseJson(name, text);
}

function formatOf(path: string, text: string): (typeof dataFormats)[number] {
  const isYaml =
    path === STDIN
      ? !/^\s*[{[]/.test(text)
      : ['.yaml', '.yml'].includes(extname(path).toLowerCase());
  return isYaml ? 'yaml' : 'json';
}

/** @throws OperatorError naming the file */
export function parseJson(path: string, text: string): unknown {
  const read = readStrictJson(text);
  if ('value' in read) return read.value;
  const { reason: what, index } = read.fault;
  if (index === undefined) throw usageError(`${path}: is not JSON (${what})`);
  const { line, column } = positionOf(text, index);
  throw usageError(`${path}: ${what} at line ${line}, column ${column}`);
}

function positionOf(text: string, index: number): { line: number; column: number } {
  const lines = text.slice(0, index).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

function parseYaml(path: string, text: string): unknown {
  const document = parseDocument(text, { stringKeys: true, uniqueKeys: true });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) throw usageError(`${path}: is not YAML (${firstLine(fault.message)})`);
  try {
    return document.toJS();
  } catch (error) {
    throw usageError(`${path}: is not YAML (${reason(error)})`, error);
  }
}

/** The lines after it show the place in the file, where a secret may stand. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/:$/, '');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
