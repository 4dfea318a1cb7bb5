/**
 * Reads what an operator writes by hand: JSON, or YAML where the file's name says so. A member that is there twice is
 * refused in both, since two readers could take it for two things.
 */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { parseDocument } from 'yaml';
import { readStrictJson } from '../../lambdas/ciba/strict-json.ts';
import { DirectoryError } from './directory-error.ts';

/**
 * The text of a file in UTF-8, without the mark that some editors put before it.
 * @throws DirectoryError naming the file
 */
export async function readTextFile(path: string): Promise<string> {
  return decodeUtf8(path, await readOctets(path));
}

/** @throws DirectoryError naming the file */
export function decodeUtf8(path: string, octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch (error) {
    throw new DirectoryError(`${path}: is not UTF-8`, { cause: error });
  }
}

/** @throws DirectoryError naming the file */
export async function readOctets(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new DirectoryError(`${path}: cannot be read (${reason(error)})`, { cause: error });
  }
}

/**
 * The value that a file holds.
 * @throws DirectoryError naming the file, and for YAML line and column
 */
export async function readDataFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  return ['.yaml', '.yml'].includes(extname(path).toLowerCase())
    ? parseYaml(path, text)
    : parseJson(path, text);
}

/** @throws DirectoryError naming the file */
export function parseJson(path: string, text: string): unknown {
  const read = readStrictJson(text);
  if ('value' in read) return read.value;
  const { reason: what, index } = read.fault;
  if (index === undefined) throw new DirectoryError(`${path}: is not JSON (${what})`);
  const { line, column } = positionOf(text, index);
  throw new DirectoryError(`${path}: ${what} at line ${line}, column ${column}`);
}

function positionOf(text: string, index: number): { line: number; column: number } {
  const lines = text.slice(0, index).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

function parseYaml(path: string, text: string): unknown {
  const document = parseDocument(text, { stringKeys: true, uniqueKeys: true });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) throw new DirectoryError(`${path}: is not YAML (${firstLine(fault.message)})`);
  try {
    return document.toJS();
  } catch (error) {
    throw new DirectoryError(`${path}: is not YAML (${reason(error)})`, { cause: error });
  }
}

/** The lines after it show the place in the file, where a secret may stand. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/:$/, '');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
