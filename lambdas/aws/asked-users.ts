/**
 * How often each user was asked, and what else waits for one: an item for each user, and alike for each hint that names
 * nobody, in the table of requests.
 */
import * as z from 'zod/mini';
import { nameOfUser, othersToRead } from '../ciba/asked-users.ts';
import { isExpired } from '../ciba/authentication-request.ts';
import type { AskedHistory } from '../ciba/notification-policy.ts';
import type { AskedUsers, AuthenticationRequestStore } from '../ports.ts';
import type { DynamoTable } from './dynamo-table.ts';

const askedItem = z.object({
  version: z.number(),
  day: z.string(),
  mails: z.number(),
  recent: z.array(
    z.object({ ref: z.string(), clientId: z.string(), at: z.number(), expiresAt: z.number() }),
  ),
});

/** The partition key of a history, by the name of its addressee. */
export function askedKey(name: string): string {
  return `asked#${name}`;
}

/** A history, and the version of it that the write which replaces it has to name; 0 is none yet. */
export async function readHistory(
  table: DynamoTable,
  key: string,
): Promise<{ history: AskedHistory | undefined; version: number }> {
  const item = await table.read(key);
  if (!item) return { history: undefined, version: 0 };
  const { version, ...history } = askedItem.parse(item);
  return { history, version };
}

/** What else is asked of users, by the same histories; it writes nothing and needs no key. */
export function askedUsers(
  table: DynamoTable,
  requests: Pick<AuthenticationRequestStore, 'find'>,
): AskedUsers {
  return {
    async othersPending(sub, ref, now) {
      const { history } = await readHistory(table, askedKey(nameOfUser(sub)));
      const refs = othersToRead(history, ref, now);
      const found = await Promise.all(refs.map((one) => requests.find(one)));
      return found.flatMap((one) =>
        one?.status === 'pending' && !isExpired(one, now) ? [one.createdAt] : [],
      );
    },
  };
}
