/** Prints the audit: entries as a list, one request's story, and sums with a chart. */
import { type AuditEntry, type Moment, timeLine } from '../../lambdas/ciba/audit.ts';
import { type AuditStats, approvalRate, sumsOfDays } from './audit-stats.ts';
import { bar } from './bar-chart.ts';
import type { FoundRequest } from './open-audit.ts';
import type { Output } from './output.ts';
import { type AuditPage, formatCursor } from './read-audit.ts';
import type { TimeZone } from './read-time.ts';
import {
  clip,
  csvCells,
  csvColumns,
  entryMembers,
  isToCome,
  listHead,
  listLine,
  momentMembers,
  nameUser,
  tellMoment,
} from './show-audit.ts';
import { localDay, showLocalTime, showSpan, showTime } from './show-time.ts';

/** How it is printed. */
export interface AuditPrinting {
  output: Output;
  zone: TimeZone;
  /** Whether entries are comma-separated values. */
  csv: boolean;
}

function timeIn(zone: TimeZone): (at: number) => string {
  return zone === 'utc' ? showTime : showLocalTime;
}

/** The day of an instant, as `2026-11-25`. */
export function dayIn(zone: TimeZone): (at: number) => string {
  return zone === 'utc' ? (at) => showTime(at).slice(0, 10) : localDay;
}

/** A page: as a table, as one JSON value, or as CSV with its head. How to go on is a note. */
export function printPage(printing: AuditPrinting, { entries, next, looked }: AuditPage): void {
  const { output, zone, csv } = printing;
  const cursor = next && formatCursor(next);
  if (csv) {
    output.csv(csvColumns);
    for (const entry of entries) output.csv(csvCells(entry));
  } else {
    output.json({ entries: entries.map(entryMembers), next: cursor ?? null });
    if (entries.length > 0) output.line(output.tone('quiet', listHead()));
    for (const entry of entries) output.line(listLine(entry, timeIn(zone), output.tone));
    if (entries.length === 0) output.line(looked > 0 ? `None of ${looked} requests.` : 'No entry.');
  }
  if (cursor === undefined || output.isJson) return;
  const among = looked > entries.length ? `These are of ${looked} requests. ` : '';
  output.note(`${among}Older ones: --after ${cursor}`);
}

/** What comes before entries that are printed one by one. */
export function printHead({ output, csv }: AuditPrinting): void {
  if (csv) output.csv(csvColumns);
  else output.line(output.tone('quiet', listHead()));
}

/** One entry, on a line of its own in whatever form. */
export function printEntry({ output, zone, csv }: AuditPrinting, entry: AuditEntry): void {
  if (csv) {
    output.csv(csvCells(entry));
    return;
  }
  output.json(entryMembers(entry));
  output.line(listLine(entry, timeIn(zone), output.tone));
}

/** What is left of 100 characters beside time, span and an indent. */
const STORY_WIDTH = 64;

/** One request: what it is, and its time line. */
export function printStory(
  { output, zone }: AuditPrinting,
  { audited, entry, client, user }: FoundRequest,
  now: number,
): void {
  const moments = timeLine(audited, { client, user });
  output.json({
    ...entryMembers(entry),
    username: user?.username ?? null,
    time_line: moments.map(momentMembers),
  });
  const event = entry.event ?? 'none yet';
  output.line(`Request ID  ${entry.ref}`);
  output.line(`Event       ${event}`);
  output.line(`Outcome     ${entry.outcome}${tellReason(entry)}`);
  output.line(`Client      ${entry.clientId}`);
  output.line(`User        ${nameUser(entry.sub, user)}`);
  output.line('');
  output.table(
    ['TIME', 'AFTER', 'WHAT'],
    moments.flatMap((moment) => storyRows(moment, entry.askedAt, timeIn(zone), now)),
  );
}

function tellReason({ outcome, decision, cause, code }: AuditEntry): string {
  if (outcome === 'expired' && decision === 'approved') return ', approved before';
  const reason = [code, cause].filter((text) => text !== undefined).join(', ');
  return reason === '' ? '' : ` (${reason})`;
}

/** The moment with its time, and below it what more there is to say. */
function storyRows(
  moment: Moment,
  askedAt: number,
  showTime: (at: number) => string,
  now: number,
): string[][] {
  const { at } = moment;
  const lines = tellMoment(moment, now).flatMap((text) => wrap(text, STORY_WIDTH));
  const time = at === undefined ? '' : showTime(at);
  const after = at === undefined || isToCome(moment, now) ? '' : tellSpan(at - askedAt);
  return lines.map((text, index) => (index === 0 ? [time, after, text] : ['', '', `  ${text}`]));
}

function tellSpan(seconds: number): string {
  return seconds < 1000 ? `${seconds.toFixed(1)} s` : showSpan(seconds);
}

/** Lines of words; what has no space is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(clip(word, width));
  }
  return lines;
}

const BAR_WIDTH = 48;

/** Sums by day and client, and a bar for each day. */
export function printStats(
  { output }: AuditPrinting,
  stats: readonly AuditStats[],
  { isUtf8, range }: { isUtf8: boolean; range: { from: string; to: string } },
): void {
  output.json({ ...range, stats: stats.map(statsMembers) });
  if (stats.length === 0) {
    output.line('No entry.');
    return;
  }
  output.table(statsHead, stats.map(statsRow));
  output.line('');
  const days = sumsOfDays(stats);
  const largest = Math.max(...days.map(({ asked }) => asked));
  for (const sum of days) {
    const drawn = output.tone('good', bar(sum.asked, largest, BAR_WIDTH, isUtf8));
    output.line(`${sum.day}  ${drawn} ${sum.asked} asked, ${percent(approvalRate(sum))} approved`);
  }
}

const statsHead = [
  'DAY',
  'CLIENT',
  'ASKED',
  'APPROVED',
  'DENIED',
  'EXPIRED',
  'FAILED',
  'REFUSED',
  'OPEN',
  'RATE',
  'MEDIAN',
  'MAILS',
];

/** What is left of 100 characters. */
const STATS_CLIENT_WIDTH = 15;

/**
 * A request is in one of the columns between ASKED and RATE: an approval in its own, whatever became of the tokens; what
 * was throttled among the refused; what is unreadable among the failed.
 */
function statsRow(stats: AuditStats): string[] {
  const { day, clientId, asked, approved, denied, outcomes, medianSeconds, mails } = stats;
  const failed = outcomes.failed + outcomes.unreadable;
  const refused = outcomes.refused + outcomes.throttled;
  const open = outcomes.pending;
  const expired = asked - approved - denied - failed - refused - open;
  const counts = [asked, approved, denied, expired, failed, refused, open];
  return [
    day.slice('2026-'.length),
    clip(clientId, STATS_CLIENT_WIDTH),
    ...counts.map((count, index) => String(count).padStart(statsHead[index + 2]?.length ?? 0)),
    percent(approvalRate(stats)).padStart(4),
    (medianSeconds === undefined ? '' : `${medianSeconds.toFixed(1)} s`).padStart(6),
    String(mails).padStart(5),
  ];
}

function percent(rate: number | undefined): string {
  return rate === undefined ? '-' : `${Math.round(rate * 100)}%`;
}

function statsMembers(stats: AuditStats): Record<string, unknown> {
  const { day, clientId, asked, outcomes, approved, denied, medianSeconds, mails } = stats;
  return {
    day,
    client_id: clientId,
    asked,
    outcomes,
    approved,
    denied,
    approval_rate: approvalRate(stats) ?? null,
    median_seconds_to_decide: medianSeconds ?? null,
    mails_sent: mails,
  };
}
