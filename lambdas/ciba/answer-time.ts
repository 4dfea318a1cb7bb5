/**
 * When an answer leaves that must not tell by its time whether a user or a client exists (CIBA Core 14): in steps, far
 * wider than what the look-ups of one and another differ by.
 */

/** Width of the steps, in seconds. */
export const answerSteps = {
  /** Of an acknowledgement that may be a decoy's: a put, a start of the flow, two look-ups. */
  acknowledgement: 0.1,
  /** Of a failed client authentication: one look-up. Narrow, since whoever floods us pays nothing for our time. */
  failedAuthentication: 0.025,
} as const;

/** Seconds to wait before an answer to what came in at `started`, until the next step of that width. */
export function secondsUntilAnswer(started: number, now: number, step: number): number {
  const steps = Math.max(1, Math.ceil((now - started) / step));
  return Math.max(0, started + steps * step - now);
}
