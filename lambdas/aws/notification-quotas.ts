/**
 * How often users were asked, in the table of requests: one item for each user, and alike for each hint that names nobody,
 * changed by its version; and for each day a few counters of all mails, so that no single item is written by every request.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type AskedHistory, dayOf, judgeAsked, refsToRead } from '../ciba/notification-policy.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import type { AddresseeNames, AuthenticationRequestStore, NotificationQuotas } from '../ports.ts';
import { askedKey, readHistory } from './asked-users.ts';
import { type DynamoTable, dynamoTable } from './dynamo-table.ts';

/** What the partition keys of the counters begin with. */
const mailsPrefix = 'mails#';

/** How many counters one day's mails are spread over. */
const DAY_COUNTERS = 8;

/** As many others may change the same history in between; more is a fault rather than a race. */
const ATTEMPTS = 25;

/** A history that nobody has added to for so long limits nothing any more, in seconds. */
const FORGET_SECONDS = 2 * 86_400;

interface QuotaStores {
  names: AddresseeNames;
  requests: Pick<AuthenticationRequestStore, 'find'>;
  /** A number from 0 up to that, without it. */
  draw: (below: number) => number;
}

/** The quotas in the table `tableName`. Every promise of the port is kept by single conditional writes. */
export function notificationQuotas(
  client: DynamoDBClient,
  tableName: string,
  { names, requests, draw }: QuotaStores,
): NotificationQuotas {
  const table = dynamoTable(client, tableName, 'ref');
  return {
    async countAsked(addressee, asked, policy) {
      const key = askedKey(await names.nameOf(addressee));
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { history, version } = await readHistory(table, key);
        const refs = refsToRead(history, asked, policy);
        const found = await Promise.all(refs.map((ref) => requests.find(ref)));
        const byRef = new Map(found.flatMap((one) => (one ? [[one.ref, one] as const] : [])));
        const judged = judgeAsked(history, byRef, asked, policy);
        if (judged.outcome === 'over') return judged.limit;
        // Counted before: a write whose answer was lost meets itself here.
        if (judged.next === history) return undefined;
        if (await writeHistory(table, key, judged.next, version, asked.at)) return undefined;
      }
      throw new OAuthError(
        'temporarily_unavailable',
        'The server cannot answer right now. Try again.',
        { cause: 'too many requests for one user at once' },
      );
    },

    async countMail(at, mailsPerDay) {
      const first = draw(DAY_COUNTERS);
      for (let step = 0; step < DAY_COUNTERS; step += 1) {
        const counter = (first + step) % DAY_COUNTERS;
        if (await countIn(table, at, counter, shareOf(counter, mailsPerDay))) return true;
      }
      return false;
    },
  };
}

function writeHistory(
  table: DynamoTable,
  ref: string,
  history: AskedHistory,
  version: number,
  now: number,
): Promise<boolean> {
  const ttl = Math.ceil(now) + FORGET_SECONDS;
  return table.put(
    { ref, ...history, version: version + 1, ttl },
    version === 0
      ? { condition: 'attribute_not_exists(#ref)' }
      : { condition: '#version = :version', values: { ':version': version } },
  );
}

/** Together the counters hold exactly the limit. */
function shareOf(counter: number, mailsPerDay: number): number {
  return Math.floor((mailsPerDay + counter) / DAY_COUNTERS);
}

async function countIn(
  table: DynamoTable,
  at: number,
  counter: number,
  share: number,
): Promise<boolean> {
  if (share === 0) return false;
  const counted = await table.update(`${mailsPrefix}${dayOf(at)}#${counter}`, {
    update: 'SET #ttl = :ttl ADD #mails :one',
    condition: 'attribute_not_exists(#mails) OR #mails < :share',
    values: { ':ttl': Math.ceil(at) + FORGET_SECONDS, ':one': 1, ':share': share },
  });
  return counted.written;
}
