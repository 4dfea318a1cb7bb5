/**
 * Reads the operator's directory file: clients and users under their registered names. Every fault is told at once, each
 * with the entry and the member it is in.
 */
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type * as z from 'zod/mini';
import type { ClientRegistration } from '../../lambdas/ciba/client-registration.ts';
import { type Directory, directoryFile } from '../../lambdas/ciba/directory.ts';

export type { Directory };

/** A directory that cannot be applied; the message is meant for the operator. */
export class DirectoryError extends Error {
  override readonly name = 'DirectoryError';
}

/**
 * The directory in a JSON file.
 * @throws DirectoryError naming the file, and the entry and member at fault
 */
export async function readDirectoryFile(path: string): Promise<Directory> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new DirectoryError(`${path}: cannot be read (${reason(error)})`, { cause: error });
  }
  try {
    return parseDirectory(JSON.parse(text));
  } catch (error) {
    if (error instanceof DirectoryError) throw new DirectoryError(`${path}:\n${error.message}`);
    throw new DirectoryError(`${path}: is not JSON (${reason(error)})`, { cause: error });
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A directory from its JSON value, with the defaults filled in.
 * @throws DirectoryError with one line for each fault
 */
export function parseDirectory(value: unknown): Directory {
  const parsed = directoryFile.safeParse(value);
  if (parsed.success) {
    const faults = parsed.data.clients.flatMap(keyFaults);
    if (faults.length > 0) throw new DirectoryError(faults.join('\n'));
    return parsed.data;
  }
  throw new DirectoryError(parsed.error.issues.map((issue) => describe(issue, value)).join('\n'));
}

/** Keys of the right form that are no keys all the same, such as a point beside the curve. */
function keyFaults({ client_id, jwks }: ClientRegistration, index: number): string[] {
  return (jwks?.keys ?? []).flatMap((key, position) => {
    try {
      createPublicKey({ key: { ...key }, format: 'jwk' });
      return [];
    } catch {
      return [`clients[${index}] (${client_id}) jwks.keys.${position}: is no key of its type`];
    }
  });
}

/** `clients[0] (pump-4) token_endpoint_auth_method: allowed: …` */
function describe(issue: z.core.$ZodIssue, value: unknown): string {
  const [list, index, ...member] = issue.path;
  const entry = list === undefined ? 'directory' : entryName(String(list), index, value);
  const name = member.length > 0 ? ` ${member.join('.')}` : '';
  return `${entry}${name}: ${sentence(issue, value)}`;
}

function entryName(list: string, index: PropertyKey | undefined, value: unknown): string {
  if (index === undefined) return list;
  const entry = at(at(value, list), index);
  const id = at(entry, 'client_id') ?? at(entry, 'sub');
  return `${list}[${String(index)}]${typeof id === 'string' ? ` (${id})` : ''}`;
}

function at(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') return `unknown member ${issue.keys.join(', ')}`;
  const given = issue.path.reduce<unknown>((inner, key) => at(inner, key), value);
  return given === undefined && issue.path.length > 2 ? 'is missing' : issue.message;
}
