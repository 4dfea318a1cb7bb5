/** Times and spans as the command line prints them: in UTC unless they say otherwise, and in the largest unit that says enough. */

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
