/** What limits say of a user, as the command line tells it: by client, as JSON and as a table. */
import { limitShare } from '../../../lambdas/ciba/policy/limit-share.ts';
import { overLimitCause } from '../../../lambdas/ciba/policy/over-limit.ts';
import type { Output } from '../terminal/output.ts';
import { showTime } from '../terminal/show-time.ts';
import { showInstant } from './describe-entry.ts';
import type { ShownLimits } from './user-limits.ts';

/**
 * A count against a limit: the client's own, and what it and all together may have; no more than a
 * count without one.
 */
interface ShownCount {
  count: number;
  share?: number;
  total?: number;
}

/** One client, for a program. */
export function limitsJson({ clientId, policy, ...limits }: ShownLimits) {
  const { mutedUntil, pausedUntil, reached } = limits;
  return {
    client_id: clientId,
    last_minute: showCount(limits.lastMinute, policy.mailsPerUserPerMinute),
    today: showCount(limits.today, policy.mailsPerUserPerDay),
    pending: showCount(limits.pending, policy.pendingPerUser),
    denials: limits.denials,
    muted_until: mutedUntil === undefined ? null : showTime(mutedUntil),
    paused_until: pausedUntil === undefined ? null : showTime(pausedUntil),
    refused: reached ? overLimitCause(reached) : null,
  };
}

function showCount(count: number, limit: number | undefined): ShownCount {
  return limit === undefined ? { count } : { count, ...limitShare(limit) };
}

/** All clients, for a person. */
export function printLimits(output: Output, limits: readonly ShownLimits[]): void {
  output.table(
    ['CLIENT', 'LAST MINUTE', 'TODAY', 'PENDING', 'ITS NEXT REQUEST'],
    limits
      .map(limitsJson)
      .map((one) => [
        one.client_id,
        ...[one.last_minute, one.today, one.pending].map(
          ({ count, share }) => `${count}${share === undefined ? '' : ` of ${share}`}`,
        ),
        fateOf(one),
      ]),
  );
}

function fateOf({ refused, muted_until, paused_until }: ReturnType<typeof limitsJson>): string {
  const ends = [
    ...(muted_until === null ? [] : [`muted until ${showDate(muted_until)}`]),
    ...(paused_until === null ? [] : [`paused until ${showDate(paused_until)}`]),
  ];
  if (refused === null) return 'goes through';
  return ['refused', ...(ends.length > 0 ? ends : [refused])].join('\n');
}

function showDate(time: string): string {
  return showInstant(Date.parse(time) / 1000);
}
