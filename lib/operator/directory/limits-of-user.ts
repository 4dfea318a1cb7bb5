/**
 * What limits say of one user at one moment, as an operator is shown it, and how it is lifted
 * (threats T3): a limit that nobody could lift would be a lock-out.
 */
import {
  type AskedHistory,
  countAll,
  type LimitReached,
  learn,
  limitReached,
  mayBeDenied,
  mutedUntil,
  type NotificationPolicy,
  pausedUntil,
  type RequestsByRef,
} from '../../../lambdas/ciba/policy/notification-policy.ts';

/** How one client stands with one user. */
export interface ClientLimits {
  clientId: string;
  /** What counts against the limits by minute and day, and of pending requests. */
  lastMinute: number;
  today: number;
  pending: number;
  /** Those that a pause or a mute may look at, over or not. */
  denials: number;
  /** Epoch seconds; none if it is neither. */
  mutedUntil: number | undefined;
  pausedUntil: number | undefined;
  /** By what the client's next request is refused. */
  reached: LimitReached | undefined;
}

/**
 * Of each client whom the history knows, in the order of their ids; all that is in it has to be
 * read.
 */
export function limitsOfUser(
  history: AskedHistory,
  requests: RequestsByRef,
  now: number,
  policyOfClient: (clientId: string) => NotificationPolicy,
): ClientLimits[] {
  const known = learn(history, requests, now);
  const counts = countAll(known, requests, now);
  const clients = [...known.recent, ...known.mailsOf].map(({ clientId }) => clientId);
  return [...new Set(clients)].toSorted().map((clientId) => {
    const policy = policyOfClient(clientId);
    const own = known.recent.filter((one) => one.clientId === clientId);
    return {
      clientId,
      lastMinute: counts.mailsPerUserPerMinute.of.get(clientId) ?? 0,
      today: counts.mailsPerUserPerDay.of.get(clientId) ?? 0,
      pending: counts.pendingPerUser.of.get(clientId) ?? 0,
      denials: own.filter(({ deniedAt }) => deniedAt !== undefined).length,
      mutedUntil: after(now, mutedUntil(own, policy)),
      pausedUntil: after(now, pausedUntil(own, policy)),
      reached: limitReached(known, requests, { clientId, at: now }, policy),
    };
  });
}

function after(now: number, end: number | undefined): number | undefined {
  return end !== undefined && now < end ? end : undefined;
}

/**
 * The history in which nothing counts against any limit that was asked so far, by this client or by
 * all. What waits for the user stays, since pages tell of it (threats T4); a denial of it that
 * comes yet counts again.
 */
export function liftLimits(
  history: AskedHistory,
  requests: RequestsByRef,
  now: number,
  clientId?: string | undefined,
): AskedHistory {
  const known = learn(history, requests, now);
  const isLifted = (one: { clientId: string }) =>
    clientId === undefined || one.clientId === clientId;
  const lifted = known.mailsOf.filter(isLifted);
  return {
    ...known,
    mails:
      clientId === undefined ? 0 : known.mails - lifted.reduce((sum, { mails }) => sum + mails, 0),
    mailsOf: known.mailsOf.filter((one) => !isLifted(one)),
    recent: known.recent.flatMap((one) => {
      if (!isLifted(one)) return [one];
      return mayBeDenied(one, requests, now) ? [{ ...one, lifted: true as const }] : [];
    }),
  };
}
