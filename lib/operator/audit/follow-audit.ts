/** The audit as it is written: what is asked from now on, and what becomes of it. */

import type { Whose } from '../../../lambdas/aws/day-partitions.ts';
import { EXPIRES_IN_BOUNDS } from '../../../lambdas/ciba/client/client.ts';
import type { Clock } from '../../../lambdas/ports.ts';
import { type AuditEntry, type AuditOutcome, auditEntry } from './audit-entry.ts';
import type { AuditTable, ListedRequest } from './audit-table.ts';
import { type AuditFilter, passes, take } from './load-audit.ts';

interface FollowOptions {
  table: AuditTable;
  whose: Whose;
  filter: AuditFilter;
  /** What was asked up to here has been shown, in epoch seconds. */
  shownUntil: number;
  clock: Clock;
  /** Waits a while; false when nobody wants more. */
  pause(): Promise<boolean>;
}

/**
 * The index and other machines' clocks are late; what was asked so long ago is listed once more.
 */
const LATE_SECONDS = 60;

/**
 * Each request that was asked after what has been shown, once it is listed, and again whenever its
 * outcome has changed; open ones of before when they change. The oldest change comes first.
 */
export async function* followAudit(options: FollowOptions): AsyncGenerator<AuditEntry, void> {
  const { clock, filter, pause, shownUntil } = options;
  const known = new Map<string, Known>();
  const found = await readChanges(options, known, clock() - EXPIRES_IN_BOUNDS.max);
  yield* inOrder(found.filter(({ askedAt }) => askedAt > shownUntil));
  while (await pause()) {
    yield* inOrder(await readChanges(options, known, clock() - LATE_SECONDS));
  }

  function inOrder(changed: AuditEntry[]): AuditEntry[] {
    return changed.filter((entry) => passes(entry, filter)).toSorted(byTime);
  }
}

/** A request that was seen, and its outcome then. */
interface Known {
  listed: ListedRequest;
  outcome: AuditOutcome;
}

function byTime(one: AuditEntry, other: AuditEntry): number {
  return one.at - other.at || (one.ref < other.ref ? -1 : 1);
}

/** Reads what is new since `from` and what was open, and remembers it. */
async function readChanges(
  { table, whose, clock }: FollowOptions,
  known: Map<string, Known>,
  from: number,
): Promise<AuditEntry[]> {
  const list = table.list({ ...whose, from, to: clock() + LATE_SECONDS });
  const listed = await take(list, Number.POSITIVE_INFINITY);
  const isNew = listed.filter(({ ref }) => !known.has(ref));
  const open = [...known.values()].filter(({ outcome }) => isOpen(outcome));
  const toRead = [...isNew, ...open.map((request) => request.listed)];
  const byRef = new Map(toRead.map((request) => [request.ref, request]));
  const changed: AuditEntry[] = [];
  for (const audited of await table.read(toRead)) {
    const entry = auditEntry(audited, clock());
    const request = byRef.get(entry.ref);
    if (!request || known.get(entry.ref)?.outcome === entry.outcome) continue;
    known.set(entry.ref, { listed: request, outcome: entry.outcome });
    changed.push(entry);
  }
  forget(known, from);
  return changed;
}

function isOpen(outcome: AuditOutcome): boolean {
  return outcome === 'pending' || outcome === 'approved';
}

/** What is over and no longer listed cannot change. */
function forget(known: Map<string, Known>, from: number): void {
  for (const [ref, { listed, outcome }] of known) {
    if (listed.createdAt < from && !isOpen(outcome)) known.delete(ref);
  }
}
