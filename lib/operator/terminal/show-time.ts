/**
 * Times and spans as the command line prints them: in UTC unless they say otherwise, and in the
 * largest unit that says enough.
 */
import type { TimeZone } from './parse-time.ts';

/** `2026-11-25T19:34:26Z`. @param at epoch seconds */
export function showTime(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
}

/** `2026-11-25 19:34:26` in the zone of this machine. @param at epoch seconds */
export function showLocalTime(at: number): string {
  const date = new Date(at * 1000);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${localDay(at)} ${[hours, minutes, seconds].map(twoDigits).join(':')}`;
}

/** `2026-11-25`, the day in the zone of this machine. @param at epoch seconds */
export function localDay(at: number): string {
  const date = new Date(at * 1000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
}

/** An instant as it is shown in a column whose head has the zone: `2026-11-25 19:34:26`. */
export function timeIn(zone: TimeZone): (at: number) => string {
  return zone === 'utc' ? showUtcTime : showLocalTime;
}

/** `2026-11-25 19:34:26`, in UTC. @param at epoch seconds */
export function showUtcTime(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** The day of an instant, as `2026-11-25`. */
export function dayIn(zone: TimeZone): (at: number) => string {
  return zone === 'utc' ? (at) => showUtcTime(at).slice(0, 10) : localDay;
}

/**
 * `UTC`, or how far this machine's zone is from it at that instant: `UTC+01:00`. @param at epoch
 * seconds
 */
export function zoneName(zone: TimeZone, at: number): string {
  const minutes = zone === 'utc' ? 0 : -new Date(at * 1000).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const ahead = Math.abs(minutes);
  const [hours, rest] = [Math.floor(ahead / 60), ahead % 60].map(twoDigits);
  return `UTC${minutes < 0 ? '-' : '+'}${hours}:${rest}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

const units: [string, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3 days`, `1 hour`, `40 seconds`: rounded down, and exact below a minute. */
export function showSpan(seconds: number): string {
  for (const [unit, length] of units) {
    if (seconds >= length) return counted(Math.floor(seconds / length), unit);
  }
  return counted(Math.max(0, Math.floor(seconds)), 'second');
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
