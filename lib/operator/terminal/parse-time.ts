/**
 * Times as an operator writes them: `2h` ago, yesterday, a day, or an instant; without a zone in
 * the zone of this machine, or in UTC.
 */
import { usageError } from './operator-error.ts';
import { dayIn } from './show-time.ts';

/** How times are meant and shown. */
export type TimeZone = 'local' | 'utc';

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

const instantPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;

interface ReadTime {
  /** The option, for the error. */
  option: string;
  zone: TimeZone;
  now: number;
  /** Whether a day stands for its end, as the last day of a range does. */
  endOfDay?: boolean;
}

/**
 * Epoch seconds of a text.
 * @throws OperatorError that names the option and what is allowed
 */
export function readTime(text: string, { option, zone, now, endOfDay }: ReadTime): number {
  const day = dayNamed(text, zone, now) ?? text;
  const at = readSpan(text, now) ?? readInstant(day, zone, endOfDay === true);
  if (at !== undefined) return at;
  throw usageError(
    `${option}: ${JSON.stringify(text)} is not allowed; allowed: a span back from now such as 30m, 2h or 7d, today, yesterday, a day such as 2026-11-25, a time such as 2026-11-25T19:30 or 2026-11-25T19:30:00Z`,
  );
}

/** The day that a word means in the zone, as it is written. */
function dayNamed(text: string, zone: TimeZone, now: number): string | undefined {
  const day = dayIn(zone)(now);
  if (text === 'today') return day;
  if (text !== 'yesterday') return undefined;
  // By noon, so that no change of the clocks makes it the day before that.
  return new Date(Date.parse(`${day}T12:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

function readSpan(text: string, now: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : now - Number(count) * (unitSeconds[unit] ?? 0);
}

function readInstant(text: string, zone: TimeZone, endOfDay: boolean): number | undefined {
  const match = instantPattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const numbers = [year, month, day, hour, minute, second].map((digits) => Number(digits ?? 0));
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = numbers;
  const fields: Fields = [years, months - 1, days, hours, minutes, seconds];
  if (!isOfCalendar(fields)) return undefined;
  if (hour === undefined && endOfDay) fields[2] += 1;
  const isUtc = zone === 'utc' || offset !== undefined;
  const milliseconds = isUtc ? Date.UTC(...fields) : new Date(...fields).getTime();
  return milliseconds / 1000 + Number(fraction ?? 0) - offsetSeconds(offset);
}

type Fields = [number, number, number, number, number, number];

/** JavaScript takes the 30th of February for the 2nd of March. */
function isOfCalendar(fields: Fields): boolean {
  const date = new Date(Date.UTC(...fields));
  const read = [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  return read.every((field, index) => field === fields[index]);
}

function offsetSeconds(offset: string | undefined): number {
  if (offset === undefined || offset === 'Z') return 0;
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  return (offset.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}
