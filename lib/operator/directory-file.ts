/**
 * Reads the operator's directory files: clients and users under their registered names, in JSON or YAML. Every fault is
 * told at once, each with the entry and the member it is in. A logo may be a file beside them.
 */
import { createPublicKey } from 'node:crypto';
import type * as z from 'zod/mini';
import type { ClientRegistration } from '../../lambdas/ciba/client-registration.ts';
import { type Directory, directoryFile, logins } from '../../lambdas/ciba/directory.ts';
import { readDataFile } from './data-file.ts';
import { DirectoryError } from './directory-error.ts';
import { inlineLogos } from './inline-logos.ts';

export type { Directory };

/**
 * The directory in a file of JSON or YAML.
 * @throws DirectoryError naming the file, and the entry and member at fault
 */
export async function readDirectoryFile(path: string): Promise<Directory> {
  const { value, faults: logoFaults } = await inlineLogos(path, await readDataFile(path));
  const judged = judgeDirectory(value);
  const faults = [
    ...logoFaults.map(
      ({ index, reason }) => `${entryName('clients', index, value)} logo_uri: ${reason}`,
    ),
    ...judged.faults,
  ];
  if (faults.length > 0) throw new DirectoryError(`${path}:\n${faults.join('\n')}`);
  return judged.directory;
}

/**
 * One directory of several files.
 * @throws DirectoryError naming the files and what is at fault; an entry or a login in two of them, with both
 */
export async function readDirectoryFiles(paths: readonly string[]): Promise<Directory> {
  const files: DirectoryFile[] = [];
  for (const path of paths) files.push({ path, directory: await readDirectoryFile(path) });
  const faults = findRepeatedEntries(files);
  if (faults.length > 0) throw new DirectoryError(faults.join('\n'));
  return {
    clients: files.flatMap(({ directory }) => directory.clients),
    users: files.flatMap(({ directory }) => directory.users),
  };
}

interface DirectoryFile {
  path: string;
  directory: Directory;
}

function findRepeatedEntries(files: readonly DirectoryFile[]): string[] {
  const firstIn = new Map<string, DirectoryFile>();
  return files.flatMap((file) =>
    namesIn(file.directory).flatMap((name) => {
      const first = firstIn.get(name) ?? file;
      firstIn.set(name, first);
      return first === file ? [] : [`${name}: is in ${first.path} and in ${file.path}`];
    }),
  );
}

/** What only one entry of all files may be called. */
function namesIn({ clients, users }: Directory): string[] {
  return [
    ...clients.map(({ client_id }) => `client ${client_id}`),
    ...users.flatMap((user) => [
      `user ${user.sub}`,
      ...logins(user).map((login) => `login ${login}`),
    ]),
  ];
}

/**
 * A directory from its JSON value, with the defaults filled in.
 * @throws DirectoryError with one line for each fault
 */
export function parseDirectory(value: unknown): Directory {
  const { directory, faults } = judgeDirectory(value);
  if (faults.length > 0) throw new DirectoryError(faults.join('\n'));
  return directory;
}

/** A directory, which is empty if its form is at fault, and what is wrong with it. */
function judgeDirectory(value: unknown): { directory: Directory; faults: string[] } {
  const parsed = directoryFile.safeParse(value);
  if (parsed.success) {
    return { directory: parsed.data, faults: parsed.data.clients.flatMap(keyFaults) };
  }
  const faults = parsed.error.issues.map((issue) => describe(issue, value));
  return { directory: { clients: [], users: [] }, faults };
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
