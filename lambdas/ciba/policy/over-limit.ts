/**
 * The causes of refusals because of a limit (CIBA Core 13): the audit and an alarm know such a
 * request by its cause.
 */
import type { RefusedRequest } from '../request/refused-request.ts';
import { type LimitReached, reachedLimits } from './notification-policy.ts';

/**
 * The cause of a refusal because of a limit, by which the audit knows it: whether the client's
 * share or all is used up.
 */
export function overLimitCause({ limit, ofShare }: LimitReached): string {
  return `${ofShare ? OVER_SHARE : OVER}${limit}`;
}

const OVER = 'over ';

/** By this beginning an alarm knows that a client is at its share. */
export const OVER_SHARE = `${OVER}own share of `;

/** What {@link overLimitCause} made the cause of; nothing where it is another cause. */
export function limitOfCause(cause: string): LimitReached | undefined {
  return reachedLimits
    .flatMap((limit) => [true, false].map((ofShare) => ({ limit, ofShare })))
    .find((reached) => overLimitCause(reached) === cause);
}

/** Whether it was refused because of a limit of notifications alone. */
export function isThrottled({ code, cause }: Pick<RefusedRequest, 'code' | 'cause'>): boolean {
  return code === 'access_denied' && cause?.startsWith(OVER) === true;
}
