/** Plans a whole directory: who and what is added, changed, kept, and with pruning removed. */

import type { Item } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { storedClient } from '../../../lambdas/ciba/client/client.ts';
import { logins } from '../../../lambdas/ciba/user/login.ts';
import { storedUser } from '../../../lambdas/ciba/user/user.ts';
import { conflict } from '../terminal/operator-error.ts';
import { type DirectoryStore, scanItems } from './directory-items.ts';
import { type DirectoryPlan, type EntryKind, entryKinds, type PlannedEntry } from './plan.ts';
import { planClients, versioned } from './plan-clients.ts';
import { planUsers } from './plan-users.ts';
import type { Directory } from './registration/directory.ts';

export interface PlanOptions {
  /**
   * The kinds of which those are removed whom the directory does not name; `true` is every kind,
   * `false` none.
   */
  prune: boolean | readonly EntryKind[];
  /** Is told how many of the reads of {@link countReads} are done. */
  told?: ((count: number) => void) | undefined;
}

/**
 * Reads what is stored and computes what applying would do. Nothing is written.
 * @throws OperatorError with a line for each entry that cannot be applied, such as a login of
 * another user
 */
export async function planDirectory(
  store: DirectoryStore,
  directory: Directory,
  { prune, told }: PlanOptions,
): Promise<DirectoryPlan> {
  const kinds = prune === true ? entryKinds : prune || [];
  const { removals, stored } = await planRemovals(store, directory, kinds);
  const clients = await planClients(store, directory.clients);
  const removedUsers = removals.filter(({ kind }) => kind === 'user').map(({ id }) => id);
  const wanted = directory.users.map((user) => ({ sub: user.sub, register: () => user }));
  const users = await planUsers(store, wanted, new Set(removedUsers), told);
  if (users.refused.length > 0) {
    const faults = users.refused.map(({ sub, reason }) => `user ${sub}: ${reason}`);
    throw conflict(faults.join('\n'));
  }
  return { entries: [...removals, ...clients, ...users.planned], stored };
}

/** How many reads planning tells of. */
export function countReads({ users }: Directory): number {
  return users.reduce((reads, user) => reads + 1 + logins(user).length, 0);
}

async function planRemovals(
  store: DirectoryStore,
  { clients, users }: Directory,
  kinds: readonly EntryKind[],
): Promise<{ removals: PlannedEntry[]; stored: Partial<Record<EntryKind, number>> }> {
  const kept: Record<EntryKind, Set<string>> = {
    client: new Set(clients.map(({ client_id }) => client_id)),
    user: new Set(users.map(({ sub }) => sub)),
  };
  const removals: PlannedEntry[] = [];
  const stored: Partial<Record<EntryKind, number>> = {};
  for (const kind of kinds) {
    stored[kind] = 0;
    for await (const item of scanItems(store, { kind })) {
      stored[kind] += 1;
      const id = item.pk.slice(directoryKey[kind]('').length);
      if (!kept[kind].has(id)) removals.push(planRemoval(kind, id, item));
    }
  }
  return { removals, stored };
}

/**
 * What removing one entry does, and what goes with it: the logins of a user, the logo of a client.
 */
export function planRemoval(kind: EntryKind, id: string, item: Item): PlannedEntry {
  const user = kind === 'user' ? storedUser.safeParse(item) : undefined;
  const client = kind === 'client' ? storedClient.safeParse(item) : undefined;
  return {
    kind,
    id,
    action: 'remove',
    changes: [],
    version: versioned.parse(item).version,
    members: {},
    dropped: [],
    claims: [],
    givenUp: user?.success ? logins(user.data) : [],
    waitsFor: [],
    logo: client?.data && { before: client.data.logo_hash, after: undefined },
  };
}
