/** The users of a deployment, as an operator is shown them. */

import { loginItem } from '../../../lambdas/aws/directory-table.ts';
import type { DynamoTable, Item } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { isSub, logins, parseLogin } from '../../../lambdas/ciba/user/login.ts';
import { storedUser, type User } from '../../../lambdas/ciba/user/user.ts';
import { conflict } from '../terminal/operator-error.ts';
import { type DirectoryStore, directoryTable, scanItems } from './directory-items.ts';
import { versioned } from './plan-clients.ts';

/** A user, and the version of the item. */
export interface ShownUser {
  user: User;
  version: number;
}

/** A page of users, and after whom the next one begins, if there is one. */
export interface UserPage {
  users: ShownUser[];
  next: string | undefined;
}

/**
 * Up to `limit` users after the one named, in the order of the table, which is none; no more than a
 * page is read.
 */
export async function listUsers(
  store: DirectoryStore,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<UserPage> {
  const users: ShownUser[] = [];
  for await (const item of scanItems(store, { kind: 'user', after })) {
    if (users.length === limit) return { users, next: users.at(-1)?.user.sub };
    users.push(showUser(item));
  }
  return { users, next: undefined };
}

function showUser(item: Item): ShownUser {
  return { user: storedUser.parse(item), version: versioned.parse(item).version };
}

/** How a user may be named; without it, whichever leads to one. */
export type NamedBy = 'sub' | 'login';

/**
 * The user of a subject, or of a user name or address that leads to them now.
 * @throws OperatorError if the text is the subject of one user and the user name of another
 */
export async function findUser(
  store: DirectoryStore,
  name: string,
  by?: NamedBy,
): Promise<ShownUser | undefined> {
  const table = directoryTable(store);
  const bySub = by === 'login' ? undefined : await findBySub(table, name);
  const byLogin = by === 'sub' ? undefined : await findByLogin(table, name);
  if (bySub && byLogin && bySub.user.sub !== byLogin.user.sub) {
    throw conflict(
      `${name} is the sub of one user and the login of ${byLogin.user.sub}: --by sub or --by login says which is meant`,
    );
  }
  return bySub ?? byLogin;
}

async function findBySub(table: DynamoTable, sub: string): Promise<ShownUser | undefined> {
  if (!isSub(sub)) return undefined;
  const item = await table.read(directoryKey.user(sub));
  return item && showUser(item);
}

async function findByLogin(table: DynamoTable, text: string): Promise<ShownUser | undefined> {
  const login = parseLogin(text)?.login;
  if (login === undefined) return undefined;
  const leading = await table.read(directoryKey.login(login));
  const found = leading && (await findBySub(table, loginItem.parse(leading).sub));
  // A login that the user has given up may still lead here for a moment.
  return found && logins(found.user).includes(login) ? found : undefined;
}
