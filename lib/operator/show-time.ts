/** Times and spans as the command line prints them: in UTC, and in the largest unit that says enough. */

/** `2026-11-25T19:34:26Z`. @param at epoch seconds */
export function showTime(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
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
