/**
 * The audit in words, columns and members: what a person reads, a spreadsheet opens and a program
 * parses.
 */

import type { DecisionOrigin } from '../../../lambdas/ciba/request/decision-origin.ts';
import type { User } from '../../../lambdas/ciba/user/user.ts';
import type { Tone } from '../terminal/output.ts';
import type { TimeZone } from '../terminal/parse-time.ts';
import { dayIn, timeIn, zoneName } from '../terminal/show-time.ts';
import {
  COLUMN_GAP,
  displayWidth,
  fitColumns,
  inColumns,
  LINE_WIDTH,
  wrap,
} from '../terminal/text-layout.ts';
import type { AuditEntry, AuditOutcome, Moment } from './audit-entry.ts';
import { OUTCOME_WIDTH, tellOutcome } from './tell-outcome.ts';

/** In UTC to the millisecond, as programs take it. */
export function isoTime(at: number): string {
  return new Date(Math.round(at * 1000)).toISOString();
}

type Value = string | number | undefined;

/** What an entry says, under the names that the provider's files and tokens have; times in UTC. */
const members: [name: string, of: (entry: AuditEntry) => Value][] = [
  ['asked_at', ({ askedAt }) => isoTime(askedAt)],
  ['event', ({ event }) => event],
  ['outcome', ({ outcome }) => outcome],
  ['at', ({ at }) => isoTime(at)],
  ['client_id', ({ clientId }) => clientId],
  ['sub', ({ sub }) => sub],
  ['ref', ({ ref }) => ref],
  ['code', ({ code }) => code],
  ['cause', ({ cause }) => cause],
  ['decoy', ({ decoy }) => decoy],
  ['flow', ({ flow }) => flow],
  ['mailed_at', ({ mailedAt }) => maybeTime(mailedAt)],
  ['mail_failure', ({ mailFailure }) => mailFailure],
  ['mail_failed_at', ({ mailFailedAt }) => maybeTime(mailFailedAt)],
  ['decision', ({ decision }) => decision],
  ['decided_at', ({ decidedAt }) => maybeTime(decidedAt)],
  ['redeemed_at', ({ redeemedAt }) => maybeTime(redeemedAt)],
  ['expires_at', ({ expiresAt }) => maybeTime(expiresAt)],
  ['replayed_at', ({ replayedAt }) => maybeTime(replayedAt)],
  ['revoked_at', ({ revokedAt }) => maybeTime(revokedAt)],
  ['polls', ({ polls }) => polls],
  ['confirmation_level', ({ confirmationLevel }) => confirmationLevel],
  ['wrong_codes', ({ wrongCodes }) => wrongCodes],
  ['decided_from', ({ decisionOrigin }) => decisionOrigin?.from],
  ['decided_with', ({ decisionOrigin }) => decisionOrigin?.agent],
];

function maybeTime(at: number | undefined): string | undefined {
  return at === undefined ? undefined : isoTime(at);
}

/** An entry for a program: every member, `null` for what it does not have. */
export function entryMembers(entry: AuditEntry): Record<string, string | number | null> {
  return Object.fromEntries(members.map(([name, of]) => [name, of(entry) ?? null]));
}

/** The same as columns, and an entry's cells in them. */
export const csvColumns: string[] = members.map(([name]) => name);

export function csvCells(entry: AuditEntry): string[] {
  return members.map(([, of]) => String(of(entry) ?? ''));
}

const tones: Record<AuditOutcome, Tone> = {
  pending: 'strong',
  approved: 'good',
  redeemed: 'good',
  denied: 'warning',
  expired: 'quiet',
  failed: 'bad',
  refused: 'bad',
  throttled: 'bad',
  unreadable: 'bad',
};

/** The columns of the list: 80 characters with two between each. */
const columns: [head: string, width: number][] = [
  ['TIME', 8],
  ['CLIENT', 8],
  ['USER', 8],
  ['OUTCOME', OUTCOME_WIDTH],
  ['REQUEST ID', 26],
];

/** How wide the columns are: outcomes that need less leave the rest to clients and users. */
export type ListWidths = readonly number[];

/** The widths for entries that are not known yet. */
export const standardWidths: ListWidths = columns.map(([, width]) => width);

/** The widths for these entries and no others. */
export function fittingWidths(entries: readonly AuditEntry[], nameOf: NameUser): ListWidths {
  const cells = [
    columns.map(([head]) => head),
    ...entries.map((entry) => listCells(entry, nameOf)),
  ];
  const widest = (at: number) => Math.max(...cells.map((row) => displayWidth(row[at] ?? '')));
  return fitColumns(
    columns.map(([, width], at) => ({
      natural: [1, 2, 3].includes(at) ? widest(at) : width,
      isWhole: ![1, 2].includes(at),
    })),
    LINE_WIDTH,
  );
}

/** The name of a subject where it is known. */
export type NameUser = (sub: string) => string;

/** The head of the list. */
export function listHead(widths: ListWidths): string {
  return inColumns(
    columns.map(([head]) => head),
    widths,
  );
}

/** The line above the entries of a day; it says whose time theirs is. */
export function dayLine(at: number, zone: TimeZone): string {
  return `${dayIn(zone)(at)} ${zoneName(zone, at)}`;
}

/**
 * An entry as a row of the list: a line, and more below it where a refusal has a reason that the
 * columns are too few for.
 */
export function listRow(entry: AuditEntry, { zone, nameOf, widths, tone }: ListForm): string {
  const { outcome, askedAt } = entry;
  const time = timeIn(zone)(askedAt).slice(-TIME_OF_DAY.length);
  const cells = [time, ...listCells(entry, nameOf).slice(1)];
  const line = inColumns(cells, widths, (text, at) =>
    at === 3 ? tone(tones[outcome], text) : text,
  );
  const { reason } = tellOutcome(entry);
  if (reason === undefined) return line;
  const indent = ' '.repeat(TIME_OF_DAY.length + COLUMN_GAP.length);
  const below = wrap(reason, LINE_WIDTH - indent.length).map((text) => `${indent}${text}`);
  return [line, ...below].join('\n');
}

const TIME_OF_DAY = '00:00:00';

/** What a list looks like. */
export interface ListForm {
  zone: TimeZone;
  nameOf: NameUser;
  widths: ListWidths;
  tone(tone: Tone, text: string): string;
}

function listCells(entry: AuditEntry, nameOf: NameUser): string[] {
  const { clientId, ref } = entry;
  return ['', clientId, nameInList(entry, nameOf), tellOutcome(entry).text, ref];
}

/** A decoy for a user who is there has their name: that nobody is asked stands with the outcome. */
function nameInList({ sub, decoy }: AuditEntry, nameOf: NameUser): string {
  if (sub !== undefined) return nameOf(sub);
  return decoy === undefined ? '' : 'decoy';
}

/** What happened, as a sentence without its subject, and what more there is to say of it. */
export function tellMoment(moment: Moment, now: number): string[] {
  switch (moment.what) {
    case 'asked': {
      const { clientId, scope, bindingMessage, confirmationLevel } = moment;
      return [
        `asked by ${clientId}`,
        ...(bindingMessage === undefined ? [] : [`binding message "${bindingMessage}"`]),
        ...(confirmationLevel === undefined ? [] : ['which the user has to type as a code']),
        ...(scope === undefined ? [] : [`scope ${scope}`]),
      ];
    }
    case 'refused':
      return [`refused: ${moment.code}`, ...causeLine(moment)];
    case 'throttled':
      return [`throttled: ${moment.code}`, ...causeLine(moment)];
    case 'unreadable':
      return ['stored in a format that this version does not know'];
    case 'located':
      return [`located: the hint leads to user ${moment.sub}`];
    case 'not_located':
      return [
        `decoy: nobody can be asked (${moment.reason}), and nothing is sent`,
        'the client is not to learn that: it polls as for any other request',
        ...(moment.sub === undefined ? [] : [`the hint leads to user ${moment.sub}`]),
      ];
    case 'flow_chosen':
      return [`flow chosen: ${moment.flow}`];
    case 'link_made':
      return ['link made for the mail'];
    case 'mail_claimed':
      return [
        moment.until > now
          ? 'mail is being sent'
          : 'mail was being sent, and nobody knows how it ended',
      ];
    case 'mailed':
      return ['mail accepted for delivery'];
    case 'mail_failed':
      return [`news of the mail: ${moment.cause}`];
    case 'approved':
      return ['approved by the user', ...originLine(moment)];
    case 'wrong_codes':
      return [`a wrong code was typed ${times(moment.wrongCodes)}`];
    case 'denied':
      return [tellDenial(moment), ...originLine(moment)];
    case 'polled':
      return [tellPolls(moment)];
    case 'redeemed':
      return [
        moment.refreshToken
          ? 'redeemed: tokens issued, with a refresh token'
          : 'redeemed: tokens issued',
      ];
    case 'replayed':
      return ['replayed: the auth_req_id was shown again; its refresh token ends'];
    case 'revoked':
      return ['refresh token revoked by the operator'];
    case 'all_revoked':
      return [`revoked by the operator, with all else of the ${moment.of}`];
    case 'refresh_token_ends':
      return [isToCome(moment, now) ? 'the refresh token will end' : 'the refresh token ended'];
    case 'failed':
      return [`failed: ${moment.cause}`];
    case 'expires':
      return [tellExpiry(moment, now)];
  }
}

function causeLine({ cause }: { cause?: string }): string[] {
  return cause === undefined ? [] : [`cause: ${cause}`];
}

function originLine({ decisionOrigin }: { decisionOrigin?: DecisionOrigin }): string[] {
  if (!decisionOrigin) return [];
  const { from, agent } = decisionOrigin;
  return [agent === '' ? `from ${from}` : `from ${from} with ${agent}`];
}

function tellPolls({ polls, interval }: { polls: number; interval: number }): string {
  if (polls === 0) return 'not polled by the client';
  return `polled ${times(polls)} up to then, at intervals of ${interval} s`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function tellDenial({ cause }: Extract<Moment, { what: 'denied' }>): string {
  if (cause === 'reported') return 'denied by the user: this was not me';
  return cause === 'wrong_codes'
    ? 'denied, since the code was wrong too often'
    : 'denied by the user';
}

function tellExpiry(moment: Extract<Moment, { what: 'expires' }>, now: number): string {
  const what = moment.approved ? 'approved, and no tokens were fetched' : 'nobody decided';
  return isToCome(moment, now) ? 'will expire' : `expired: ${what}`;
}

/** Whether it is a time in the future. */
export function isToCome({ at }: Moment, now: number): boolean {
  return at !== undefined && at > now;
}

/** A moment's members; its time in UTC. */
export function momentMembers({ at, what, ...details }: Moment): Record<string, unknown> {
  const members = Object.entries(details).map(([name, value]): [string, unknown] => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    name === 'until' && typeof value === 'number' ? isoTime(value) : value,
  ]);
  return { at: at === undefined ? null : isoTime(at), what, ...Object.fromEntries(members) };
}

/** `alice (u-alice)`, or the subject alone of a user who is not known. */
export function nameUser(sub: string | undefined, user: User | undefined): string {
  if (sub === undefined) return '';
  return user === undefined ? sub : `${user.username} (${sub})`;
}
