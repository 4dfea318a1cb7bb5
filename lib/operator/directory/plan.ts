/** What applying a directory would do, entry by entry, computed before anything is written. */
import { isDeepStrictEqual } from 'node:util';
import type { Item } from '../../../lambdas/aws/dynamo-table.ts';
import type { LogoChange } from './client-logos.ts';

export const entryKinds = ['client', 'user'] as const;

export type EntryKind = (typeof entryKinds)[number];

export type PlannedAction = 'add' | 'change' | 'keep' | 'remove';

/** A member that becomes another. A secret is told by a note, never by its value. */
export interface MemberChange {
  member: string;
  before?: unknown;
  after?: unknown;
  note?: string;
}

/** A login that a user takes, and whose it was when the plan was made. */
export interface LoginClaim {
  login: string;
  holder: string | undefined;
}

/** The write of one client or user. */
export interface EntryWrite {
  kind: EntryKind;
  id: string;
  /**
   * Of the item as it was read; what is written is written on the condition that it is still so.
   * `undefined`: none.
   */
  version: number | undefined;
  /** What the item has from then on; other attributes stay. */
  members: Item;
  /** Attributes that the item has no longer. */
  dropped: string[];
}

/** One client or user, and what becomes of it. */
export interface PlannedEntry extends EntryWrite {
  action: PlannedAction;
  changes: MemberChange[];
  /** Of a user. */
  claims: LoginClaim[];
  givenUp: string[];
  /** Users who give up a login that this one takes: they go before. */
  waitsFor: string[];
  /** A secret that was made because there was none. */
  generatedSecret?: string | undefined;
  /** Of a client whose logo comes, goes or becomes another. */
  logo?: LogoChange | undefined;
}

/** Everything that applying does, in its order. */
export interface DirectoryPlan {
  entries: PlannedEntry[];
  /** How many entries there are of each kind that is pruned, before anything is done. */
  stored?: Partial<Record<EntryKind, number>>;
}

/** How many entries are added, changed, removed and kept. */
export type PlanCounts = Record<PlannedAction, number>;

export function countActions(entries: Iterable<Pick<PlannedEntry, 'action'>>): PlanCounts {
  const counts: PlanCounts = { add: 0, change: 0, keep: 0, remove: 0 };
  for (const { action } of entries) counts[action] += 1;
  return counts;
}

/** Whether applying it would write nothing. */
export function isEmpty({ entries }: DirectoryPlan): boolean {
  return entries.every(({ action }) => action === 'keep');
}

/** The members that are not equal before and after. */
export function changesOf(
  members: readonly string[],
  before: Item | undefined,
  after: Item,
): MemberChange[] {
  return members
    .filter((member) => !isDeepStrictEqual(before?.[member], after[member]))
    .map((member) => ({
      member,
      ...(before?.[member] !== undefined && { before: before[member] }),
      ...(after[member] !== undefined && { after: after[member] }),
    }));
}
