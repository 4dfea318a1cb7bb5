/** Days (UTC), which mails are counted by and requests are listed by. */

export const DAY_SECONDS = 86_400;

/** The day of an instant in epoch seconds: `2026-11-23`. */
export function dayOf(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 10);
}
