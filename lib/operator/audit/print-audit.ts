/** Prints the audit: entries as a list, one request's story, and sums with a chart. */

import { stackedBar } from '../terminal/bar-chart.ts';
import type { Output, Tone } from '../terminal/output.ts';
import type { TimeZone } from '../terminal/parse-time.ts';
import { showSpan, timeIn, zoneName } from '../terminal/show-time.ts';
import { displayWidth, fitColumns, inColumns, LINE_WIDTH, wrap } from '../terminal/text-layout.ts';
import { type AuditEntry, type Moment, timeLine } from './audit-entry.ts';
import {
  type AuditStats,
  approvedOfDecided,
  type DaySums,
  type PartSums,
  type StatsPart,
  statsParts,
  sumsOfDays,
} from './audit-stats.ts';
import type { FoundRequest } from './connect-audit.ts';
import { type AuditPage, formatCursor } from './load-audit.ts';
import {
  csvCells,
  csvColumns,
  dayLine,
  entryMembers,
  fittingWidths,
  isoTime,
  isToCome,
  type ListForm,
  type ListWidths,
  listHead,
  listRow,
  momentMembers,
  type NameUser,
  nameUser,
  standardWidths,
  tellMoment,
} from './show-audit.ts';

/** How it is printed. */
export interface AuditPrinting {
  output: Output;
  zone: TimeZone;
  /** Whether entries are comma-separated values. */
  csv: boolean;
}

/** A page: as a table, as one JSON value, or as CSV with its head. How to go on is a note. */
export function printPage(
  printing: AuditPrinting,
  { entries, next, looked }: AuditPage,
  nameOf: NameUser,
): void {
  const { output, csv } = printing;
  const cursor = next && formatCursor(next);
  output.json({ items: entries.map(entryMembers), next: cursor ?? null });
  if (csv || entries.length > 0) {
    const list = printList(printing, nameOf, fittingWidths(entries, nameOf));
    for (const entry of entries) list.entry(entry);
  } else output.line(looked > 0 ? `None of ${looked} requests.` : 'No entry.');
  if (cursor === undefined || output.isJson) return;
  const among = looked > entries.length ? `These are of ${looked} requests. ` : '';
  output.note(`${among}Older ones: --after ${cursor}`);
}

/** A list that is printed entry by entry, as a person or a spreadsheet reads it. */
export interface PrintedList {
  entry(entry: AuditEntry): void;
}

/** Begins a list with its head; above the first entry of a day stands the day. */
export function printList(
  { output, zone, csv }: AuditPrinting,
  nameOf: NameUser,
  widths: ListWidths = standardWidths,
): PrintedList {
  if (csv) {
    output.csv(csvColumns);
    return { entry: (entry) => output.csv(csvCells(entry)) };
  }
  output.line(output.tone('quiet', listHead(widths)));
  const form: ListForm = { zone, nameOf, widths, tone: output.tone };
  let day: string | undefined;
  return {
    entry(entry) {
      const itsDay = dayLine(entry.askedAt, zone);
      if (itsDay !== day) output.line(output.tone('quiet', itsDay));
      day = itsDay;
      output.line(listRow(entry, form));
    },
  };
}

/** What is left of 80 characters beside time, span and an indent. */
const STORY_WIDTH = 45;

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
  printField(output, 'Request ID', entry.ref);
  printField(output, 'Event', event);
  printField(output, 'Outcome', `${entry.outcome}${tellReason(entry)}`);
  printField(output, 'Client', entry.clientId);
  printField(output, 'User', nameUser(entry.sub, user));
  output.line('');
  output.table(
    [`TIME (${zoneName(zone, entry.askedAt)})`, 'AFTER', 'WHAT'],
    moments.flatMap((moment) => storyRows(moment, entry.askedAt, timeIn(zone), now)),
  );
}

const FIELD_WIDTH = 12;

function printField(output: Output, name: string, value: string): void {
  const [first = '', ...more] = wrap(value, LINE_WIDTH - FIELD_WIDTH);
  output.line(`${name.padEnd(FIELD_WIDTH)}${first}`.trimEnd());
  for (const line of more) output.line(`${' '.repeat(FIELD_WIDTH)}${line}`);
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

/** What a person calls each part, and its sign in a bar: of the terminal's, and of ASCII. */
const told: Record<StatsPart, { words: string; sign: string; ascii: string; tone: Tone }> = {
  approved: { words: 'approved', sign: '█', ascii: '#', tone: 'good' },
  denied: { words: 'denied', sign: '▓', ascii: 'x', tone: 'warning' },
  ran_out: { words: 'ran out', sign: '░', ascii: '.', tone: 'quiet' },
  failed: { words: 'failed', sign: '!', ascii: '!', tone: 'bad' },
  refused: { words: 'refused', sign: '▒', ascii: '-', tone: 'bad' },
  open: { words: 'open', sign: '?', ascii: '?', tone: 'strong' },
  unreadable: { words: 'unreadable', sign: '*', ascii: '*', tone: 'bad' },
};

/** Sums by day and client, and for each day a bar of its parts. */
export function printStats(
  { output, zone }: AuditPrinting,
  stats: readonly AuditStats[],
  { isUtf8, range }: { isUtf8: boolean; range: { from: number; to: number } },
): void {
  output.json({
    from: isoTime(range.from),
    to: isoTime(range.to),
    items: stats.map(statsMembers),
    next: null,
  });
  if (stats.length === 0) {
    output.line('No entry.');
    return;
  }
  printRates(output, stats, `DAY (${zoneName(zone, range.to)})`);
  output.line('');
  const days = sumsOfDays(stats);
  const largest = Math.max(...days.map(({ asked }) => asked));
  for (const sum of days) printDay(output, sum, largest, isUtf8);
  const used = statsParts.filter((part) => days.some(({ parts }) => parts[part] > 0));
  const legend = used.map((part) => `${signOf(part, isUtf8)} ${told[part].words}`);
  output.line(output.tone('quiet', legend.join('  ')));
}

/** For each day and client a line of rates, and below it its sums. */
function printRates(output: Output, stats: readonly AuditStats[], dayHead: string): void {
  const head = [dayHead, 'CLIENT', ...ratesHead];
  const rowOf = (one: AuditStats) => [one.day, one.clientId, ...ratesOf(one)];
  const rows = stats.map(rowOf);
  const widths = fitColumns(
    head.map((title, at) => ({
      natural: Math.max(...[title, ...rows.map((row) => row[at] ?? '')].map(displayWidth)),
      isWhole: at !== 1,
    })),
    LINE_WIDTH,
  );
  output.line(output.tone('quiet', inColumns(head, widths)));
  for (const one of stats) {
    output.line(inColumns(rowOf(one), widths));
    for (const line of indented(tellParts(one))) output.line(line);
  }
}

const INDENT = '  ';

/** Lines that end behind a comma, so that no number is parted from its word. */
function indented(text: string): string[] {
  const unbroken = text.replaceAll(' ', '\u00a0').replaceAll(',\u00a0', ', ');
  const lines = wrap(unbroken, LINE_WIDTH - INDENT.length);
  return lines.map((line) => INDENT + line.replaceAll('\u00a0', ' '));
}

const ratesHead = ['OF DECIDED', 'DECIDED IN', 'MAILS'];

function ratesOf(stats: AuditStats): string[] {
  const { medianSeconds, mails } = stats;
  const seconds = medianSeconds === undefined ? '-' : `${medianSeconds.toFixed(1)} s`;
  const rates = [percent(approvedOfDecided(stats)), seconds, String(mails)];
  return rates.map((rate, at) => rate.padStart(ratesHead[at]?.length ?? 0));
}

/** The day and its sums, and below them the bar. */
function printDay(output: Output, sum: DaySums, largest: number, isUtf8: boolean): void {
  const line = `${sum.day}  ${tellParts(sum)}`;
  if (displayWidth(line) <= LINE_WIDTH) output.line(line);
  else for (const part of [sum.day, ...indented(tellParts(sum))]) output.line(part);
  const parts = statsParts.map((part) => ({ value: sum.parts[part], sign: signOf(part, isUtf8) }));
  const bar = stackedBar(parts, largest, LINE_WIDTH - INDENT.length);
  output.line(INDENT + dressBar(output, bar, isUtf8));
}

function signOf(part: StatsPart, isUtf8: boolean): string {
  return isUtf8 ? told[part].sign : told[part].ascii;
}

/** Each part in the tone that says how good it is. */
function dressBar({ tone }: Output, bar: string, isUtf8: boolean): string {
  return statsParts
    .map((part) => {
      const signs = Array.from(bar).filter((sign) => sign === signOf(part, isUtf8));
      return signs.length === 0 ? '' : tone(told[part].tone, signs.join(''));
    })
    .join('');
}

/**
 * `28 asked: 7 approved, 4 denied (1 not me), 15 ran out, 2 refused`; what is nothing is left out.
 */
export function tellParts({ asked, parts, reported }: PartSums): string {
  const counted = statsParts
    .filter((part) => parts[part] > 0)
    .map((part) => {
      const notMe = part === 'denied' && reported > 0 ? ` (${reported} not me)` : '';
      return `${parts[part]} ${told[part].words}${notMe}`;
    });
  return `${asked} asked: ${counted.join(', ')}`;
}

function percent(rate: number | undefined): string {
  return rate === undefined ? '-' : `${Math.round(rate * 100)}%`;
}

function statsMembers(stats: AuditStats): Record<string, unknown> {
  const { day, clientId, asked, parts, reported, outcomes, medianSeconds, mails } = stats;
  return {
    day,
    client_id: clientId,
    asked,
    ...parts,
    reported,
    outcomes,
    approved_of_decided: approvedOfDecided(stats) ?? null,
    median_seconds_to_decide: medianSeconds ?? null,
    mails_sent: mails,
  };
}
