/** The user whom an operator means, and the client of a request. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { clientDirectory, userDirectory } from '../../lambdas/aws/directory-table.ts';
import type { Client } from '../../lambdas/ciba/client.ts';
import { isSub, parseLogin, SUB_RULE } from '../../lambdas/ciba/login.ts';
import type { User } from '../../lambdas/ciba/user.ts';
import { usageError } from './operator-error.ts';

/** Where users are looked up. */
export interface UserTable {
  dynamodb: DynamoDBClient;
  directoryTable: string;
}

/**
 * The subject that a user name, an e-mail address or a subject stands for. A text that is nobody's login is taken for a
 * subject: who was removed is in the audit all the same. So is every text where the directory may not be read.
 * @throws OperatorError for a text that can be none of them
 */
export async function findSub(
  { dynamodb, directoryTable }: UserTable,
  text: string,
): Promise<string> {
  const login = parseLogin(text)?.login;
  const user =
    login === undefined
      ? undefined
      : await unlessDenied(userDirectory(dynamodb, directoryTable).findUserByLogin(login));
  if (user) return user.sub;
  if (isSub(text)) return text;
  throw usageError(
    `--user: ${JSON.stringify(text)} is nobody's; allowed: a user name, an e-mail address, a subject (${SUB_RULE})`,
  );
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

/** What is found, or `undefined` where it may not be looked for: rights on the audit and on the directory are given apart. */
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
