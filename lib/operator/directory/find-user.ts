/** The user whom an operator means, and the client of a request. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { clientDirectory, userDirectory } from '../../../lambdas/aws/directory-table.ts';
import type { Client } from '../../../lambdas/ciba/client/client.ts';
import { isSub, parseLogin, SUB_RULE } from '../../../lambdas/ciba/user/login.ts';
import type { User } from '../../../lambdas/ciba/user/user.ts';
import { inParallel } from '../deployment/in-parallel.ts';
import { usageError } from '../terminal/operator-error.ts';

/** Where users are looked up. */
export interface UserTable {
  dynamodb: DynamoDBClient;
  directoryTable: string;
}

/**
 * The subject that a user name, an e-mail address or a subject stands for, and whether the
 * directory has it. A text that is nobody's login is taken for a subject: who was removed is in the
 * audit all the same. Where the directory may not be read, every text is a subject that is taken to
 * be there.
 * @throws OperatorError for a text that can be none of them
 */
export async function findSub(
  { dynamodb, directoryTable }: UserTable,
  text: string,
): Promise<{ sub: string; isThere: boolean }> {
  const login = parseLogin(text)?.login;
  const directory = userDirectory(dynamodb, directoryTable);
  const found = await unlessDenied(
    Promise.all([
      login === undefined ? undefined : directory.findUserByLogin(login),
      isSub(text) ? directory.findUser(text) : undefined,
    ]),
  );
  const [user] = found?.filter((one) => one !== undefined) ?? [];
  if (user) return { sub: user.sub, isThere: true };
  if (isSub(text)) return { sub: text, isThere: found === undefined };
  throw usageError(
    `--user: ${JSON.stringify(text)} is nobody's; allowed: a user name, an e-mail address, a subject (${SUB_RULE})`,
  );
}

/** Whether a client is registered; taken to be where the directory may not be read. */
export async function isClientThere(
  { dynamodb, directoryTable }: UserTable,
  clientId: string,
): Promise<boolean> {
  const { findClient: find } = clientDirectory(dynamodb, directoryTable, () => 0);
  const looked = await unlessDenied(
    find(clientId, 'consistent').then((found) => ({ isThere: found !== undefined })),
  );
  return looked?.isThere ?? true;
}

/**
 * Names for subjects: the user name of each, or the subject itself of who is not there any more,
 * and where the directory may not be read. Each is looked up once.
 */
export function userNames(table: UserTable) {
  const names = new Map<string, string>();
  return {
    /** Looks up whom these are of. */
    async learn(entries: Iterable<{ sub?: string | undefined }>): Promise<void> {
      const subs = new Set<string>();
      for (const { sub } of entries) if (sub !== undefined && !names.has(sub)) subs.add(sub);
      await inParallel(subs, async (sub) => {
        names.set(sub, (await findUser(table, sub))?.username ?? sub);
      });
    },
    nameOf: (sub: string) => names.get(sub) ?? sub,
  };
}

/** The user of a subject, if there is one still and the directory may be read. */
export function findUser(
  { dynamodb, directoryTable }: UserTable,
  sub: string,
): Promise<User | undefined> {
  return unlessDenied(userDirectory(dynamodb, directoryTable).findUser(sub));
}

/** The client of an id, if there is one still and the directory may be read. */
export function findClient(
  { dynamodb, directoryTable }: UserTable,
  clientId: string,
): Promise<Client | undefined> {
  // Nothing is remembered for a consistent read, so no time is needed.
  const { findClient: find } = clientDirectory(dynamodb, directoryTable, () => 0);
  return unlessDenied(find(clientId, 'consistent'));
}

/**
 * What is found, or `undefined` where it may not be looked for: rights on the audit and on the
 * directory are given apart.
 */
export async function unlessDenied<Found>(finding: Promise<Found>): Promise<Found | undefined> {
  try {
    return await finding;
  } catch (error) {
    if (error instanceof Error && isDenied(error.cause)) return undefined;
    throw error;
  }
}

function isDenied(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AccessDeniedException';
}
