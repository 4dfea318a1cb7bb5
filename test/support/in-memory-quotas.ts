/**
 * The notification quotas in memory: the pure judgement over a history for each addressee, in one synchronous step.
 */
import { othersToRead } from '../../lambdas/ciba/asked-users.ts';
import {
  type AskedHistory,
  dayOf,
  judgeAsked,
  type NotificationPolicy,
  refsToRead,
} from '../../lambdas/ciba/notification-policy.ts';
import type {
  AskedUsers,
  AuthenticationRequestStore,
  NotificationQuotas,
} from '../../lambdas/ports.ts';

export function inMemoryQuotas({
  find,
}: Pick<AuthenticationRequestStore, 'find'>): NotificationQuotas & AskedUsers {
  const histories = new Map<string, AskedHistory>();
  const mails = new Map<string, number>();
  return {
    async countAsked(addressee, asked, policy) {
      const key = JSON.stringify(addressee);
      const refs = refsToRead(histories.get(key), asked, policy);
      const found = await Promise.all(refs.map((ref) => find(ref)));
      const byRef = new Map(found.flatMap((one) => (one ? [[one.ref, one] as const] : [])));
      const judged = judgeAsked(histories.get(key), byRef, asked, policy);
      if (judged.outcome === 'over') return judged.limit;
      histories.set(key, judged.next);
      return undefined;
    },
    async othersPending(sub, ref, now) {
      const refs = othersToRead(histories.get(JSON.stringify({ sub })), ref, now);
      const found = await Promise.all(refs.map((one) => find(one)));
      return found.flatMap((one) => (one?.status === 'pending' ? [one.createdAt] : []));
    },
    async countMail(at, mailsPerDay) {
      const day = dayOf(at);
      const count = mails.get(day) ?? 0;
      if (count >= mailsPerDay) return false;
      mails.set(day, count + 1);
      return true;
    },
  };
}

/** Policies that distribute nothing and limit nobody. */
export const plainPolicies = {
  flowPolicies: { byDefault: 'standard', policies: { standard: { 'ciba-flow': 100 } } },
  notificationPolicies: { byDefault: 'none', policies: { none: {} } },
};

/** The limits that a deployment has unless told otherwise. */
export const standardPolicy = {
  mailsPerUserPerMinute: 5,
  mailsPerUserPerDay: 20,
  pendingPerUser: 3,
  denialsBeforePause: 2,
  denialWindowSeconds: 600,
  pauseSeconds: 1800,
} satisfies NotificationPolicy;
