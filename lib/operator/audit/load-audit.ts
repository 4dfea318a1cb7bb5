/**
 * Pages of the audit: as many entries as are asked for, of an event or an outcome, and where the
 * next page begins.
 */

import { isRef } from '../../../lambdas/ciba/handles.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import { type AuditEntry, type AuditEvent, type AuditOutcome, auditEntry } from './audit-entry.ts';
import type { AuditPosition, AuditQuery, AuditTable, ListedRequest } from './audit-table.ts';
import { causesOf } from './tell-outcome.ts';

/** What only the items tell; nothing said is everything. */
export interface AuditFilter {
  event?: AuditEvent | undefined;
  /** `reported` is a denial whose user said that it was not theirs. */
  outcomes?: readonly AskedOutcome[] | undefined;
  /** Those of which one is a cause. */
  causes?: readonly string[] | undefined;
}

export type AskedOutcome = AuditOutcome | 'reported';

export interface AuditPage {
  entries: AuditEntry[];
  /** Where the next page begins, which may have nothing; missing if there is none for sure. */
  next?: AuditPosition;
  /** How many requests were looked at. */
  looked: number;
}

interface PageOptions {
  query: AuditQuery;
  filter: AuditFilter;
  limit: number;
  now: number;
}

/**
 * Requests that are looked at for one page; a filter that lets fewer pass makes a short page, and
 * the next goes on.
 */
const MOST_LOOKED_AT = 20_000;

const BATCH_SIZE = 100;

/** One page, newest first. */
export async function readPage(
  table: AuditTable,
  { query, filter, limit, now }: PageOptions,
): Promise<AuditPage> {
  const list = table.list(query);
  const entries: AuditEntry[] = [];
  let looked = 0;
  let end: AuditPosition | undefined;
  while (entries.length < limit && looked < MOST_LOOKED_AT) {
    const batch = await take(list, batchSize(filter, limit - entries.length));
    if (batch.length === 0) return { entries, looked };
    looked += batch.length;
    end = batch.at(-1);
    for (const audited of await table.read(batch)) {
      const entry = auditEntry(audited, now);
      if (!passes(entry, filter)) continue;
      entries.push(entry);
      if (entries.length < limit) continue;
      end = audited;
      break;
    }
  }
  return { entries, looked, ...(end && { next: positionOf(end) }) };
}

function positionOf({ createdAt, ref }: AuditPosition): AuditPosition {
  return { createdAt, ref };
}

/** Exactly what is missing, unless some of it will not pass. */
function batchSize({ event, outcomes, causes }: AuditFilter, missing: number): number {
  const passesAll = event === undefined && outcomes === undefined && causes === undefined;
  return passesAll ? missing : BATCH_SIZE;
}

/** The next ones, as many as there are. */
export async function take(
  list: AsyncGenerator<ListedRequest, void>,
  count: number,
): Promise<ListedRequest[]> {
  const taken: ListedRequest[] = [];
  while (taken.length < count) {
    const { value } = await list.next();
    if (!value) break;
    taken.push(value);
  }
  return taken;
}

/** Whether an entry is of what was asked for. */
export function passes(entry: AuditEntry, { event, outcomes, causes }: AuditFilter): boolean {
  if (event !== undefined && entry.event !== event) return false;
  const known = causesOf(entry);
  if (causes !== undefined && !causes.some((cause) => known.includes(cause))) return false;
  if (outcomes === undefined || outcomes.includes(entry.outcome)) return true;
  return outcomes.includes('reported') && known.includes('reported');
}

/** A position as `--after` takes it. */
export function formatCursor({ createdAt, ref }: AuditPosition): string {
  return Buffer.from(`${createdAt} ${ref}`).toString('base64url');
}

/** @throws OperatorError for a text that no page has given out */
export function parseCursor(text: string): AuditPosition {
  const decoded = Buffer.from(text, 'base64url').toString();
  const [, createdAt, ref] = /^(\d{1,11}(?:\.\d{1,3})?) (.+)$/.exec(decoded) ?? [];
  if (createdAt === undefined || ref === undefined || !isRef(ref)) {
    throw usageError('--after: is not what a page of the audit ended with; copy it whole');
  }
  return { createdAt: Number(createdAt), ref };
}

/**
 * The Request ID in a Request ID, in a correlation id, or in a handle that begins with it. What
 * follows the Request ID is not looked at.
 * @throws OperatorError for anything else
 */
export function readRef(name: string, text: string): string {
  const [first = '', ...rest] = text.trim().split('.');
  if (isRef(first)) return first;
  if (rest.length === 0 && /^[A-Za-z0-9_-]{12}$/.test(first)) {
    throw new OperatorError(
      `${name}: a correlation id without a Request ID in front: no request of the caller's was proved, so it is in the log alone (member correlation_id of the function's log lines)`,
    );
  }
  throw usageError(
    `${name}: is no Request ID and no correlation id; allowed: the Request ID of a mail or of the audit (26 characters a-z and 2-7), or the text after "Correlation ID:" in an error`,
  );
}

/** Every entry of a query, newest first; `looked` hears of each batch. */
export async function* readAll(
  table: AuditTable,
  query: AuditQuery,
  now: number,
  looked: (count: number) => void,
): AsyncGenerator<AuditEntry, void> {
  const list = table.list(query);
  for (;;) {
    const batch = await take(list, BATCH_SIZE * 4);
    if (batch.length === 0) return;
    for (const audited of await table.read(batch)) yield auditEntry(audited, now);
    looked(batch.length);
  }
}
