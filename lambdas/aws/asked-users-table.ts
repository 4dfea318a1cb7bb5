/**
 * How often each user was asked, and what else waits for one: an item for each user, and alike for
 * each hint that names nobody, in the table of requests.
 */
import * as z from 'zod/mini';
import { nameOfUser, othersToRead } from '../ciba/policy/asked-users.ts';
import type { AskedHistory } from '../ciba/policy/notification-policy.ts';
import { type AuthenticationRequest, isExpired } from '../ciba/request/authentication-request.ts';
import type { AskedUsers, AuthenticationRequestStore } from '../ports.ts';
import { type DynamoTable, putVersion } from './dynamo-table.ts';
import { besideRequests, partitionKey } from './formats.ts';
import { fromItem } from './requests-table.ts';

const askedItem = z.object({
  version: z.number(),
  day: z.string(),
  mails: z.number(),
  // An item of the format before has none.
  mailsOf: z._default(z.record(z.string(), z.number()), {}),
  recent: z.array(
    z.object({
      ref: z.string(),
      clientId: z.string(),
      at: z.number(),
      expiresAt: z.number(),
      deniedAt: z.optional(z.number()),
      reported: z.optional(z.literal(true)),
      lifted: z.optional(z.literal(true)),
    }),
  ),
});

/** A history that nobody has added to for so long limits nothing any more, in seconds. */
export const FORGET_SECONDS = 2 * 86_400;

/** As many others may change the same history in between; more is a fault rather than a race. */
export const HISTORY_ATTEMPTS = 25;

/** The partition key of a history, by the name of its addressee. */
export function askedKey(name: string): string {
  return `${besideRequests.asked}${name}`;
}

/**
 * What a client's mails go by in the item; no id of a client is a name that objects have of
 * themselves.
 */
export function mailsOfName(clientId: string): string {
  return `${MAILS_OF}${clientId}`;
}

const MAILS_OF = '@';

/** A history, and the version of it that the write which replaces it has to name; 0 is none yet. */
export interface VersionedHistory {
  history: AskedHistory | undefined;
  version: number;
}

export async function readHistory(table: DynamoTable, key: string): Promise<VersionedHistory> {
  const item = await table.read(key);
  if (!item) return { history: undefined, version: 0 };
  const { version, mailsOf, ...history } = askedItem.parse(item);
  const byClient = Object.entries(mailsOf).map(([name, mails]) => ({
    clientId: name.slice(MAILS_OF.length),
    mails,
  }));
  return { history: { ...history, mailsOf: byClient }, version };
}

/** Replaces a history in one step, unless another has done so since it was read; false then. */
export function replaceHistory(
  table: DynamoTable,
  ref: string,
  { mailsOf, ...history }: AskedHistory,
  { version, now }: { version: number; now: number },
): Promise<boolean> {
  const byClient = mailsOf.map(({ clientId, mails }) => [mailsOfName(clientId), mails] as const);
  const ttl = Math.ceil(now) + FORGET_SECONDS;
  // Whoever adds to it in one write looks there for an earlier try of its own.
  const last = history.recent.at(-1)?.ref;
  const item = { ref, ...history, mailsOf: Object.fromEntries(byClient), last, ttl };
  return putVersion(table, partitionKey.requests, item, version);
}

/** The requests of these public ids that are there. */
export async function readByRef(
  requests: Pick<AuthenticationRequestStore, 'find'>,
  refs: readonly string[],
): Promise<ReadonlyMap<string, AuthenticationRequest>> {
  const found = await Promise.all(refs.map((ref) => requests.find(ref)));
  return new Map(found.flatMap((one) => (one ? [[one.ref, one] as const] : [])));
}

/** What else is asked of users, by the same histories; it writes nothing and needs no key. */
export function askedUsers(table: DynamoTable): AskedUsers {
  return {
    async othersPending(sub, ref, now) {
      const { history } = await readHistory(table, askedKey(nameOfUser(sub)));
      const refs = othersToRead(history, ref, now);
      const found = new Map((await table.readAll(refs)).map((item) => [item['ref'], item]));
      return refs.flatMap((one) => {
        const request = fromItem(found.get(one));
        return request?.status === 'pending' && !isExpired(request, now) ? [request.createdAt] : [];
      });
    },
  };
}
