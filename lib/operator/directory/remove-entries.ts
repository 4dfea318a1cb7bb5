/**
 * Removes single users and clients, with all that is kept for them beside the audit. Each step is
 * found done by a run that comes after one that was interrupted.
 */
import { logoItem } from '../../../lambdas/aws/client-logos-table.ts';
import { loginItem } from '../../../lambdas/aws/directory-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { isSub, parseLogin } from '../../../lambdas/ciba/user/login.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { applyPlan } from './carry-out-plan.ts';
import { dropLogo } from './client-logos.ts';
import { type DirectoryStore, directoryTable, scanItems } from './directory-items.ts';
import { planRemoval } from './make-plan.ts';
import type { EntryKind } from './plan.ts';
import { removeHistory } from './user-limits.ts';
import { findUser, type NamedBy } from './users.ts';

/** Somebody, or something, that is to be removed. */
export interface Removable {
  /** As the operator named it. */
  name: string;
  /** The sub or the client id; `undefined` for a login that leads to nobody. */
  id: string | undefined;
  /** The user name of a user, the name of a client. */
  title: string | undefined;
  /** Whether there is one; what is left of one who was removed is cleared all the same. */
  isThere: boolean;
}

/**
 * The user of this name, or whoever had it: a sub of nobody may have left something behind, and so
 * may a login whose user is gone.
 * @throws OperatorError if the text is the subject of one user and the user name of another
 */
export async function findRemovableUser(
  store: DirectoryStore,
  name: string,
  by: NamedBy | undefined,
): Promise<Removable> {
  const found = await findUser(store, name, by);
  if (found) {
    const { sub, username } = found.user;
    return { name, id: sub, title: username, isThere: true };
  }
  const login = by === 'sub' ? undefined : parseLogin(name)?.login;
  const leading = login && (await directoryTable(store).read(directoryKey.login(login)));
  const left = leading ? loginItem.parse(leading).sub : undefined;
  const isGone = left !== undefined && !(await directoryTable(store).read(directoryKey.user(left)));
  const id = isGone ? left : by !== 'login' && isSub(name) ? name : undefined;
  return { name, id, title: undefined, isThere: false };
}

/**
 * Removes users with all that names them but what the audit keeps: their items, what limits count
 * of them, and the logins that lead to them. Of who is gone already, what is left.
 * @throws OperatorError if somebody else changes one of them at the same moment
 */
export async function eraseUsers(
  deployment: Deployment,
  store: DirectoryStore,
  removals: readonly Removable[],
): Promise<void> {
  const subs = removals.flatMap(({ id }) => id ?? []);
  for (const sub of subs) {
    await removeEntry(store, 'user', sub);
    await removeHistory(deployment, sub);
  }
  const given = removals.flatMap(({ name }) => parseLogin(name)?.login ?? []);
  await clearLogins(store, new Set(subs), new Set(given));
}

/**
 * Removes a client, if there is one, and its logo. @throws OperatorError if somebody else changes
 * it at the same moment
 */
export async function eraseClient(store: DirectoryStore, clientId: string): Promise<void> {
  await removeEntry(store, 'client', clientId);
  const directory = directoryTable(store);
  // As an interrupted run has left it.
  const item = await directory.read(directoryKey.logo(clientId));
  if (item) await dropLogo(directory, clientId, logoItem.parse(item).hash);
}

/**
 * Removes an entry, if there is one, with the logo of a client, unless somebody else changes it at
 * the same moment. The logins of a user stay for {@link clearLogins}.
 * @throws OperatorError
 */
async function removeEntry(store: DirectoryStore, kind: EntryKind, id: string): Promise<void> {
  const item = await directoryTable(store).read(directoryKey[kind](id));
  if (!item) return;
  const removal = { ...planRemoval(kind, id, item), givenUp: [] };
  const { fault } = await applyPlan(store, { entries: [removal] });
  if (fault !== undefined) throw fault;
}

/**
 * Removes every login that leads to these users, also those that an interrupted change has left.
 * @param last those that are removed after all others: by them a run that comes after an
 * interrupted one finds its users
 */
async function clearLogins(
  store: DirectoryStore,
  subs: ReadonlySet<string>,
  last: ReadonlySet<string>,
): Promise<void> {
  if (subs.size === 0) return;
  const table = directoryTable(store);
  const found: { pk: string; sub: string }[] = [];
  for await (const { pk, ...item } of scanItems(store, { kind: 'login' })) {
    const { sub } = loginItem.parse(item);
    if (subs.has(sub)) found.push({ pk, sub });
  }
  const isLast = ({ pk }: { pk: string }) => last.has(pk.slice(directoryKey.login('').length));
  const ordered = found.toSorted((one, other) => Number(isLast(one)) - Number(isLast(other)));
  for (const { pk, sub } of ordered) {
    await table.remove(pk, { condition: '#sub = :sub', values: { ':sub': sub } });
  }
}
