/**
 * The notification quotas in memory: the pure judgement over a history for each addressee, in one
 * synchronous step.
 */

import { dayOf } from '../../lambdas/ciba/day.ts';
import { othersToRead } from '../../lambdas/ciba/policy/asked-users.ts';
import { limitShare } from '../../lambdas/ciba/policy/limit-share.ts';
import {
  type AskedHistory,
  judgeAsked,
  refsToRead,
  uncountAsked,
} from '../../lambdas/ciba/policy/notification-policy.ts';
import type {
  Addressee,
  AskedUsers,
  AuthenticationRequestStore,
  MailOfDay,
  NotificationQuotas,
} from '../../lambdas/ports.ts';
import { builtInNotificationPolicies } from '../../lib/stack/policy-settings.ts';

/** What the quotas keep, so that a test can look at it, or change it as an operator does. */
export interface KeptInMemory {
  histories: Map<string, AskedHistory>;
  /** Mails of all clients, by day and limit. */
  mails: Map<string, number>;
}

export function inMemoryQuotas({
  find,
}: Pick<AuthenticationRequestStore, 'find'>): NotificationQuotas & AskedUsers & KeptInMemory {
  const histories = new Map<string, AskedHistory>();
  const mails = new Map<string, number>();
  const ofClients = new Map<string, { asks: number; decoys: number }>();
  return {
    histories,
    mails,
    async countAsked(addressee, asked, policy) {
      const key = keyOf(addressee);
      const refs = refsToRead(histories.get(key), asked, policy);
      const found = await Promise.all(refs.map((ref) => find(ref)));
      const byRef = new Map(found.flatMap((one) => (one ? [[one.ref, one] as const] : [])));
      const judged = judgeAsked(histories.get(key), byRef, asked, policy);
      if (judged.outcome === 'over') return { limit: judged.limit, ofShare: judged.ofShare };
      histories.set(key, judged.next);
      return undefined;
    },
    async uncountAsked(addressee, asked) {
      const next = uncountAsked(histories.get(keyOf(addressee)), asked);
      if (next) histories.set(keyOf(addressee), next);
    },
    async othersPending(sub, ref, now) {
      const refs = othersToRead(histories.get(keyOf({ sub })), ref, now);
      const found = await Promise.all(refs.map((one) => find(one)));
      return found.flatMap((one) => (one?.status === 'pending' ? [one.createdAt] : []));
    },
    async countMail(mail) {
      const { total, share } = limitShare(mail.mailsPerDay);
      const { day, own } = countsOf(mail);
      const sent = mails.get(day) ?? 0;
      if (own.asks >= share) return { outcome: 'over', ofShare: true };
      if (sent + own.decoys >= total) return { outcome: 'over', ofShare: false };
      own.asks += 1;
      own.decoys += mail.isDecoy ? 1 : 0;
      mails.set(day, sent + (mail.isDecoy ? 0 : 1));
      return { outcome: 'counted', counted: { ...mail, counter: 0 } };
    },
    async uncountMail(counted) {
      const { day, own } = countsOf(counted);
      own.asks -= 1;
      own.decoys -= counted.isDecoy ? 1 : 0;
      mails.set(day, (mails.get(day) ?? 0) - (counted.isDecoy ? 0 : 1));
    },
  };

  function countsOf({ at, mailsPerDay, clientId }: MailOfDay) {
    const day = `${dayOf(at)} of ${mailsPerDay}`;
    const key = `${day} by ${clientId}`;
    const own = ofClients.get(key) ?? { asks: 0, decoys: 0 };
    ofClients.set(key, own);
    return { day, own };
  }
}

function keyOf(addressee: Addressee): string {
  return JSON.stringify(addressee);
}

/** Policies that distribute nothing and limit nobody. */
export const plainPolicies = {
  flowPolicies: { byDefault: 'standard', policies: { standard: { 'ciba-flow': 100 } } },
  notificationPolicies: { byDefault: 'none', policies: { none: {} } },
};

const { muteSeconds: _, ...withoutMute } = builtInNotificationPolicies.standard;

/** The limits that a deployment has unless told otherwise, but for the mute after a report. */
export const standardPolicy = withoutMute;
