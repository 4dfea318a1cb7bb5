/**
 * How often users were asked, in the table of requests: one item for each user, and alike for each
 * hint that names nobody, changed by its version.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dayOf } from '../ciba/day.ts';
import {
  type AskedHistory,
  type AskedUser,
  CROWDED,
  judgeAsked,
  limitsUsers,
  MOST_CLIENTS,
  refsToRead,
  uncountAsked,
} from '../ciba/policy/notification-policy.ts';
import {
  type AddresseeNames,
  type AuthenticationRequestStore,
  type NotificationQuotas,
  Unavailable,
} from '../ports.ts';
import {
  askedKey,
  FORGET_SECONDS,
  HISTORY_ATTEMPTS,
  mailsOfName,
  readByRef,
  readHistory,
  replaceHistory,
} from './asked-users-table.ts';
import { dailyMails } from './daily-mails.ts';
import { type DynamoTable, dynamoTable } from './dynamo-table.ts';
import { partitionKey } from './formats.ts';

interface QuotaStores {
  names: AddresseeNames;
  requests: Pick<AuthenticationRequestStore, 'find'>;
  /** A number from 0 up to that, without it. */
  draw: (below: number) => number;
  /** A client that makes every call once, whatever comes of it. */
  unrepeated: DynamoDBClient;
}

/**
 * The quotas in the table `tableName`. Every promise of the port is kept by single conditional
 * writes.
 */
export function notificationQuotas(
  client: DynamoDBClient,
  tableName: string,
  { names, requests, draw, unrepeated }: QuotaStores,
): NotificationQuotas {
  const table = dynamoTable(client, tableName, partitionKey.requests);
  return {
    async countAsked(addressee, asked, policy) {
      const key = askedKey(await names.nameOf(addressee));
      for (let attempt = 0; attempt < HISTORY_ATTEMPTS; attempt += 1) {
        // Nothing is to be judged: writers that need not look at each other do not wait for each
        // other.
        if (!limitsUsers(policy) && (await append(table, key, asked))) return undefined;
        const { history, version } = await readHistory(table, key);
        const byRef = await readByRef(requests, refsToRead(history, asked, policy));
        const judged = judgeAsked(history, byRef, asked, policy);
        if (judged.outcome === 'over') return { limit: judged.limit, ofShare: judged.ofShare };
        // Counted before: a write whose answer was lost meets itself here.
        if (judged.next === history) return undefined;
        if (await replaceHistory(table, key, judged.next, { version, now: asked.at })) {
          return undefined;
        }
      }
      throw tooManyAtOnce();
    },

    async uncountAsked(addressee, asked) {
      const key = askedKey(await names.nameOf(addressee));
      for (let attempt = 0; attempt < HISTORY_ATTEMPTS; attempt += 1) {
        const { history, version } = await readHistory(table, key);
        const next: AskedHistory | undefined = uncountAsked(history, asked);
        if (!next || (await replaceHistory(table, key, next, { version, now: asked.at }))) return;
      }
      throw tooManyAtOnce();
    },

    ...dailyMails(table, {
      unrepeated: dynamoTable(unrepeated, tableName, partitionKey.requests),
      draw,
    }),
  };
}

function tooManyAtOnce(): Error {
  return new Unavailable('too many requests for one user at once');
}

/**
 * Adds one to a history of today that has room, in one write: what {@link judgeAsked} would add
 * under a policy that limits nobody. A write that is repeated after a lost answer recognises itself
 * if no other came between; if one did, it counts twice, which is too high and never too low.
 */
async function append(table: DynamoTable, key: string, asked: AskedUser): Promise<boolean> {
  const { ref, clientId, at, expiresAt } = asked;
  const appended = await table.update(key, {
    update:
      'SET #recent = list_append(#recent, :asked), #mailsOf.#client = if_not_exists(#mailsOf.#client, :none) + :one, #last = :ref, #ttl = :ttl ADD #mails :one, #version :one',
    condition:
      '#day = :day AND attribute_exists(#mailsOf) AND size(#mailsOf) < :clients AND size(#recent) < :crowded AND (attribute_not_exists(#last) OR #last <> :ref)',
    names: { '#client': mailsOfName(clientId) },
    values: {
      ':asked': [{ ref, clientId, at, expiresAt }],
      ':ref': ref,
      ':day': dayOf(at),
      ':ttl': Math.ceil(at) + FORGET_SECONDS,
      ':clients': MOST_CLIENTS,
      ':crowded': CROWDED,
      ':none': 0,
      ':one': 1,
    },
  });
  return appended.written;
}
