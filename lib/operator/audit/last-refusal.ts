/**
 * The last refusal of a client as the audit has it: what a client's developer asks first, without a
 * query.
 */

import { DAY_SECONDS } from '../../../lambdas/ciba/day.ts';
import type { Audited } from './audit-entry.ts';
import type { AuditTable } from './audit-table.ts';
import { take } from './load-audit.ts';

/** What is looked through: the newest requests of so many days. */
export const LOOKED_THROUGH = { days: 7, requests: 1000 } as const;

const BATCH_SIZE = 100;

export type Refusal = Extract<Audited, { status: 'refused' }>;

/**
 * The newest refusal among the {@link LOOKED_THROUGH} requests of a client, refused ones included.
 * What failed before its client was authenticated is in the log alone: no stranger writes into a
 * table.
 */
export async function findLastRefusal(
  table: AuditTable,
  clientId: string,
  now: number,
): Promise<Refusal | undefined> {
  const from = now - LOOKED_THROUGH.days * DAY_SECONDS;
  const list = table.list({ clientId, from, to: now + 1 });
  for (let looked = 0; looked < LOOKED_THROUGH.requests; looked += BATCH_SIZE) {
    const batch = await take(list, BATCH_SIZE);
    if (batch.length === 0) return undefined;
    const found = (await table.read(batch)).find((audited) => audited.status === 'refused');
    if (found) return found;
  }
  return undefined;
}
