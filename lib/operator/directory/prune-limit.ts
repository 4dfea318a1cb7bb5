/**
 * How many entries pruning may take away before somebody has to say their number: whoever applies a
 * file that is not whole would else remove nearly everybody with one word.
 */

import { usageError } from '../terminal/operator-error.ts';
import { type DirectoryPlan, type EntryKind, entryKinds } from './plan.ts';

/** Beyond so many entries, or this part of a kind, `--yes` alone does not suffice. */
export const UNSAID_REMOVALS = { entries: 20, part: 1 / 10 } as const;

/** Most entries of a table that anybody has; a limit beyond is a slip. */
export const LARGEST_LIMIT = 100_000_000;

/** What a plan removes of one kind. */
interface Removals {
  kind: EntryKind;
  removed: number;
  stored: number;
}

/** What a plan removes, by kind; nothing of the kinds of which it removes none. */
function removalsOf({ entries, stored }: DirectoryPlan): Removals[] {
  return entryKinds
    .map((kind) => ({
      kind,
      removed: entries.filter((entry) => entry.kind === kind && entry.action === 'remove').length,
      stored: stored?.[kind] ?? 0,
    }))
    .filter(({ removed }) => removed > 0);
}

/** How many entries a plan removes, of all kinds together. */
export function countRemovals(plan: DirectoryPlan): number {
  return removalsOf(plan).reduce((sum, { removed }) => sum + removed, 0);
}

/**
 * Whether a plan removes so much that its number has to be said: by `--prune-limit`, or typed where
 * it is asked for.
 */
export function isLargeRemoval(plan: DirectoryPlan): boolean {
  const isLargePart = ({ removed, stored }: Removals) => removed > stored * UNSAID_REMOVALS.part;
  return countRemovals(plan) > UNSAID_REMOVALS.entries || removalsOf(plan).some(isLargePart);
}

/** `2,010 of 2,011 users and 1 of 40 clients`; empty where nothing is removed. */
export function describeRemovals(plan: DirectoryPlan): string {
  return removalsOf(plan)
    .toReversed()
    .map(({ kind, removed, stored }) => `${number(removed)} of ${number(stored)} ${kind}s`)
    .join(' and ');
}

/** @throws OperatorError for a plan that removes more than was said to be the most */
export function assertWithinLimit(plan: DirectoryPlan, limit: number | undefined): void {
  const removed = countRemovals(plan);
  if (limit === undefined || removed <= limit) return;
  throw usageError(
    `--prune-limit: ${limit} is less than what would be removed, ${describeRemovals(plan)}; nothing was written. Allowed: ${removed} or more`,
  );
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}
