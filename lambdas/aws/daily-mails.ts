/**
 * The mails of a day, in the table of requests: of all clients in a few counters, so that no single
 * item is written by every request, and of each client in an item of its own.
 *
 * The counters hold mails alone. A client's item holds what it asked, which its share is judged by,
 * and how many of these were decoys, which count against the total for this client alone: so it
 * sees the same, whether it asks for users or for nobody, and no other client loses a mail by its
 * decoys. A write that is repeated after a lost answer, and a function that dies in between, make a
 * count too high; what would make it too low, taking a mail back, is tried once.
 */

import { dayOf } from '../ciba/day.ts';
import { limitShare } from '../ciba/policy/limit-share.ts';
import type { CountedMail, MailOfDay, NotificationQuotas } from '../ports.ts';
import { FORGET_SECONDS } from './asked-users-table.ts';
import type { DynamoTable } from './dynamo-table.ts';
import { besideRequests } from './formats.ts';

/** How many counters the mails of one day are spread over. */
const DAY_COUNTERS = 8;

/** All counters, from one of them on. */
function rotated(first: number): number[] {
  return Array.from({ length: DAY_COUNTERS }, (_, step) => (first + step) % DAY_COUNTERS);
}

interface DailyMailStores {
  /** The same table, by a client that makes every call once. */
  unrepeated: DynamoTable;
  /** A number from 0 up to that, without it. */
  draw: (below: number) => number;
}

/** Both methods of the port that count mails of a day. */
export function dailyMails(
  table: DynamoTable,
  { unrepeated, draw }: DailyMailStores,
): Pick<NotificationQuotas, 'countMail' | 'uncountMail'> {
  return {
    async countMail(mail) {
      const decoysBefore = await countOfClient(table, mail);
      if (decoysBefore === undefined) return { outcome: 'over', ofShare: true };
      const drawn = rotated(draw(DAY_COUNTERS));
      const inOrder = mail.hasDecoys
        ? await roomiestFirst(table, mail, { drawn, decoysBefore })
        : drawn;
      const counter = await countInTotal(table, mail, inOrder);
      if (counter !== undefined) return { outcome: 'counted', counted: { ...mail, counter } };
      await uncountOfClient(unrepeated, mail);
      return { outcome: 'over', ofShare: false };
    },

    async uncountMail(counted) {
      await uncountInTotal(unrepeated, counted);
      await uncountOfClient(unrepeated, counted);
    },
  };
}

/**
 * Policies with the same number have it in common; one with another number does not use up theirs.
 */
function dayKey({ at, mailsPerDay }: MailOfDay): string {
  return `${dayOf(at)}#${mailsPerDay}`;
}

function counterKey(mail: MailOfDay, counter: number): string {
  return `${besideRequests.mails}${dayKey(mail)}#${counter}`;
}

function clientKey(mail: MailOfDay): string {
  return `${besideRequests.clientMails}${dayKey(mail)}#${mail.clientId}`;
}

/** Together the counters hold exactly the limit. */
function roomOf(counter: number, mailsPerDay: number): number {
  return Math.floor((limitShare(mailsPerDay).total + counter) / DAY_COUNTERS);
}

/**
 * One more of the client's share: how many decoys it had before, or `undefined` if the share is
 * used up.
 */
async function countOfClient(table: DynamoTable, mail: MailOfDay): Promise<number | undefined> {
  const decoy = mail.isDecoy ? 1 : 0;
  const counted = await table.update(clientKey(mail), {
    update: 'SET #ttl = :ttl ADD #asks :one, #decoys :decoy',
    condition: 'attribute_not_exists(#asks) OR #asks < :share',
    values: {
      ':ttl': forgetAt(mail),
      ':one': 1,
      ':decoy': decoy,
      ':share': limitShare(mail.mailsPerDay).share,
    },
    returning: 'ALL_NEW',
  });
  return counted.written ? Number(counted.item['decoys']) - decoy : undefined;
}

/**
 * What a client with decoys sees, whomever it asks for: the counters with most room first, of which
 * one is as good for a decoy as for a mail, and none at all if its decoys are all the room there
 * is.
 */
async function roomiestFirst(
  table: DynamoTable,
  mail: MailOfDay,
  { drawn, decoysBefore }: { drawn: number[]; decoysBefore: number },
): Promise<number[]> {
  const read = await Promise.all(
    drawn.map(async (counter) => {
      const { mails = 0 } = (await table.read(counterKey(mail, counter))) ?? {};
      return { counter, mails: Number(mails) };
    }),
  );
  const mails = read.reduce((sum, one) => sum + one.mails, 0);
  if (mails + decoysBefore >= limitShare(mail.mailsPerDay).total) return [];
  const left = (one: (typeof read)[number]) => roomOf(one.counter, mail.mailsPerDay) - one.mails;
  return read.toSorted((one, other) => left(other) - left(one)).map(({ counter }) => counter);
}

/** The counter that had room; a decoy makes the same writes and adds nothing. */
async function countInTotal(
  table: DynamoTable,
  mail: MailOfDay,
  inOrder: readonly number[],
): Promise<number | undefined> {
  for (const counter of inOrder) {
    const room = roomOf(counter, mail.mailsPerDay);
    if (room > 0 && (await countIn(table, mail, { counter, room }))) return counter;
  }
  return undefined;
}

async function countIn(
  table: DynamoTable,
  mail: MailOfDay,
  { counter, room }: { counter: number; room: number },
): Promise<boolean> {
  const counted = await table.update(counterKey(mail, counter), {
    update: 'SET #ttl = :ttl ADD #mails :mail',
    condition: 'attribute_not_exists(#mails) OR #mails < :room',
    values: { ':ttl': forgetAt(mail), ':mail': mail.isDecoy ? 0 : 1, ':room': room },
  });
  return counted.written;
}

async function uncountInTotal(unrepeated: DynamoTable, counted: CountedMail): Promise<void> {
  await unrepeated.update(counterKey(counted, counted.counter), {
    update: 'ADD #mails :mail',
    condition: '#mails > :none',
    values: { ':mail': counted.isDecoy ? 0 : -1, ':none': 0 },
  });
}

async function uncountOfClient(unrepeated: DynamoTable, mail: MailOfDay): Promise<void> {
  await unrepeated.update(clientKey(mail), {
    update: 'ADD #asks :back, #decoys :decoy',
    condition: '#asks > :none',
    values: { ':back': -1, ':decoy': mail.isDecoy ? -1 : 0, ':none': 0 },
  });
}

function forgetAt({ at }: MailOfDay): number {
  return Math.ceil(at) + FORGET_SECONDS;
}
