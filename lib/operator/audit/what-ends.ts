/**
 * What ends when a user or a client is removed, as the audit tells it: requests that wait,
 * approvals whose tokens were not fetched yet, and refresh tokens that are worth something.
 */

import { EXPIRES_IN_BOUNDS } from '../../../lambdas/ciba/client/client.ts';
import { isExpired } from '../../../lambdas/ciba/request/authentication-request.ts';
import { REFRESH_TOKEN_SECONDS } from '../../../lambdas/ciba/request/refresh-token.ts';
import type { Audited } from './audit-entry.ts';
import type { AuditTable } from './audit-table.ts';
import { take } from './load-audit.ts';

/** What of a request ends. */
export type Ending = 'pending' | 'unfetched' | 'refresh_token';

/** A request of which something ends. */
export interface EndingRequest {
  ends: Ending;
  ref: string;
  clientId: string;
  sub: string;
}

/** Whose requests they are. */
type Whose = { sub: string } | { clientId: string };

const BATCH_SIZE = 400;

/**
 * What ends at this instant of one user's requests, or of one client's, newest first; looked for as
 * far back as a refresh token lives.
 */
export async function findEnding(
  table: AuditTable,
  whose: Whose,
  now: number,
): Promise<EndingRequest[]> {
  const from = now - REFRESH_TOKEN_SECONDS - EXPIRES_IN_BOUNDS.max;
  const list = table.list({ ...whose, from, to: now + 1 });
  const ending: EndingRequest[] = [];
  for (;;) {
    const batch = await take(list, BATCH_SIZE);
    if (batch.length === 0) return ending;
    for (const audited of await table.read(batch)) {
      const ends = endingOf(audited, now);
      const { ref, clientId, sub = '' } = audited;
      if (ends !== undefined) ending.push({ ends, ref, clientId, sub });
    }
  }
}

function endingOf(audited: Audited, now: number): Ending | undefined {
  switch (audited.status) {
    case 'pending':
      return isExpired(audited, now) ? undefined : 'pending';
    case 'approved':
      return isExpired(audited, now) ? undefined : 'unfetched';
    case 'redeemed': {
      const { refreshEndsAt = 0, replayedAt, revokedAt } = audited;
      const isOver = replayedAt !== undefined || revokedAt !== undefined || now >= refreshEndsAt;
      return isOver ? undefined : 'refresh_token';
    }
    default:
      return undefined;
  }
}

/** `1 request that waits can be approved no more, 2 refresh tokens end.` */
export function describeEnding(ending: readonly EndingRequest[]): string {
  const count = (wanted: Ending) => ending.filter(({ ends }) => ends === wanted).length;
  const waiting = count('pending');
  const unfetched = count('unfetched');
  const tokens = count('refresh_token');
  const parts = [
    ...(waiting > 0 ? [`${waiting} pending ${requests(waiting)} can be approved no more`] : []),
    ...(unfetched > 0 ? [`${unfetched} approved ${requests(unfetched)} will give no tokens`] : []),
    ...(tokens > 0 ? [`${tokens} refresh ${tokens === 1 ? 'token ends' : 'tokens end'}`] : []),
  ];
  return parts.length === 0
    ? 'Nothing is pending, and no refresh token ends.'
    : `${parts.join(', ')}.`;
}

function requests(count: number): string {
  return count === 1 ? 'request' : 'requests';
}
