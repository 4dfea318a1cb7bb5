/**
 * The times at which an answer leaves, so that its timing does not reveal whether a user or a
 * client exists (CIBA Core 14). An answer is padded to the next multiple of a step, which is far
 * wider than the difference between two look-ups.
 */

/** The step of each padded answer, in seconds. */
export const answerTimes = {
  /** An acknowledgement that may be a decoy's takes a put, a start of the flow and two look-ups. */
  acknowledgement: 0.1,
  /**
   * A failed client authentication takes one look-up. The step is narrow: a flood costs us time.
   */
  failedAuthentication: 0.025,
} as const;

/** The seconds from `now` to the next multiple of the step after `started`, at least one step. */
export function secondsUntilAnswer(started: number, now: number, step: number): number {
  const steps = Math.max(1, Math.ceil((now - started) / step));
  return Math.max(0, started + steps * step - now);
}
