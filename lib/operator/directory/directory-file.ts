/**
 * Reads the operator's directory files: clients and users under their registered names, in JSON or
 * YAML. Every fault is told at once, each with the entry and the member it is in; and so is what is
 * left out without being a fault. A logo may be a file beside them.
 */

import { createPublicKey } from 'node:crypto';
import type * as z from 'zod/mini';
import { logins } from '../../../lambdas/ciba/user/login.ts';
import { usageError } from '../terminal/operator-error.ts';
import { type FileReading, fileName, readDataFile } from './data-file.ts';
import { inlineLogos } from './inline-logos.ts';
import { type EntryKind, entryKinds } from './plan.ts';
import { skippedKeys } from './registration/client-key-registration.ts';
import { droppedMembers, refusalOf } from './registration/client-metadata.ts';
import type { ClientRegistration } from './registration/client-registration.ts';
import { type Directory, directoryFile } from './registration/directory.ts';
import { userRegistration } from './registration/user-registration.ts';

export type { Directory };

/** Is told of each member and key that is left out of what is stored. */
type TakeNotice = (notice: string) => void;

/**
 * The directory in a file of JSON or YAML.
 * @throws OperatorError naming the file, and the entry and member at fault
 */
export async function readDirectoryFile(
  path: string,
  takeNotice: TakeNotice = () => {},
  reading?: FileReading,
): Promise<Directory> {
  return (await readFile(path, takeNotice, reading)).directory;
}

async function readFile(
  path: string,
  takeNotice: TakeNotice,
  reading?: FileReading,
): Promise<DirectoryFile> {
  const name = fileName(path);
  const { value, faults: logoFaults } = await inlineLogos(path, await readDataFile(path, reading));
  const judged = judgeDirectory(value);
  const faults = [
    ...logoFaults.map(
      ({ index, reason }) => `${entryName('clients', index, value)} logo_uri: ${reason}`,
    ),
    ...judged.faults,
  ];
  if (faults.length > 0) throw usageError(`${name}:\n${faults.join('\n')}`);
  for (const notice of noticesOf(value)) takeNotice(`${name}: ${notice}`);
  return { name, directory: judged.directory, kinds: namedKinds(value) };
}

/**
 * One directory, and the kinds that its files speak of: a list that is empty says that there are
 * none, no list says nothing.
 */
export interface WrittenDirectory extends Directory {
  kinds: EntryKind[];
}

/**
 * One directory of several files.
 * @throws OperatorError naming the files and what is at fault; an entry or a login in two of them,
 * with both
 */
export async function readDirectoryFiles(
  paths: readonly string[],
  takeNotice: TakeNotice = () => {},
  reading?: FileReading,
): Promise<WrittenDirectory> {
  const files: DirectoryFile[] = [];
  for (const path of paths) files.push(await readFile(path, takeNotice, reading));
  const faults = findRepeatedEntries(files);
  if (faults.length > 0) throw usageError(faults.join('\n'));
  return {
    clients: files.flatMap(({ directory }) => directory.clients),
    users: files.flatMap(({ directory }) => directory.users),
    kinds: [...new Set(files.flatMap(({ kinds }) => kinds))],
  };
}

interface DirectoryFile {
  /** As messages have it. */
  name: string;
  directory: Directory;
  kinds: EntryKind[];
}

function namedKinds(value: unknown): EntryKind[] {
  const lists = { client: 'clients', user: 'users' } as const;
  return entryKinds.filter((kind) => at(value, lists[kind]) !== undefined);
}

function findRepeatedEntries(files: readonly DirectoryFile[]): string[] {
  const firstIn = new Map<string, DirectoryFile>();
  return files.flatMap((file) =>
    namesIn(file.directory).flatMap((name) => {
      const first = firstIn.get(name) ?? file;
      firstIn.set(name, first);
      return first === file ? [] : [`${name}: is in ${first.name} and in ${file.name}`];
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
 * @throws OperatorError with one line for each fault
 */
export function parseDirectory(value: unknown): Directory {
  const { directory, faults } = judgeDirectory(value);
  if (faults.length > 0) throw usageError(faults.join('\n'));
  return directory;
}

/** A directory, which is empty if its form is at fault, and what is wrong with it. */
function judgeDirectory(value: unknown): { directory: Directory; faults: string[] } {
  const parsed = directoryFile.safeParse(value);
  if (parsed.success) {
    const faults = parsed.data.clients.flatMap((client, index) => keyFaults(client, index, value));
    return { directory: parsed.data, faults };
  }
  const faults = parsed.error.issues.flatMap((issue) => describe(issue, value));
  return { directory: { clients: [], users: [] }, faults };
}

/** Keys of the right form that are no keys all the same, such as a point beside the curve. */
function keyFaults({ jwks }: ClientRegistration, index: number, value: unknown): string[] {
  const written = at(at(at(value, 'clients'), index), 'jwks');
  const skipped = new Set(skippedKeys(written).map((key) => key.index));
  const places = [...listIn(written, 'keys').keys()].filter((place) => !skipped.has(place));
  return (jwks?.keys ?? []).flatMap((key, position) => {
    try {
      createPublicKey({ key: { ...key }, format: 'jwk' });
      return [];
    } catch {
      const entry = entryName('clients', index, value);
      return [`${entry} jwks.keys.${places[position]}: is no key of its type`];
    }
  });
}

/** What is left out of the clients of a directory that has no fault. */
function noticesOf(value: unknown): string[] {
  return listIn(value, 'clients').flatMap((client, index) => {
    const entry = entryName('clients', index, value);
    return [
      ...droppedMembers(client).map((member) => `${entry} ${member}: is not kept`),
      ...skippedKeys(at(client, 'jwks')).map(
        (key) => `${entry} jwks.keys.${key.index}: is skipped (${key.because})`,
      ),
    ];
  });
}

function listIn(value: unknown, key: string): unknown[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}

/** `clients[0] (pump-4) token_endpoint_auth_method: allowed: …` */
function describe(issue: z.core.$ZodIssue, value: unknown): string[] {
  const [list, index, ...member] = issue.path;
  const entry = list === undefined ? 'directory' : entryName(String(list), index, value);
  if (list === 'clients' && issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => describeNotTaken(entry, key));
  }
  const name = member.length > 0 ? ` ${member.join('.')}` : '';
  return [`${entry}${name}: ${sentence(issue, value)}`];
}

/** A member that is registered and asks for what there is not, or one that nobody knows. */
function describeNotTaken(entry: string, member: string): string {
  const refusal = refusalOf(member);
  return refusal === undefined
    ? `${entry}: unknown member ${member}`
    : `${entry} ${member}: ${refusal}`;
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
  if (issue.code === 'unrecognized_keys') return describeUnknown(issue);
  const given = issue.path.reduce<unknown>((inner, key) => at(inner, key), value);
  const isMissing = given === undefined && issue.path.length > 2;
  return isMissing ? `is missing; ${issue.message}` : issue.message;
}

function describeUnknown({ keys, path }: z.core.$ZodIssueUnrecognizedKeys): string {
  const { shape } = path[0] === 'users' ? userRegistration : directoryFile;
  return `unknown member ${keys.join(', ')}; allowed: ${Object.keys(shape).join(', ')}`;
}
