/**
 * What a poll is answered (CIBA Core 10.1 and 11): judged from the request as it was before the
 * poll stamped it.
 */

import type { Client } from '../client/client.ts';
import {
  type ApprovedRequest,
  type AuthenticationRequest,
  isExpired,
} from './authentication-request.ts';

/**
 * How much earlier than the interval a poll may arrive, in seconds. CIBA Core 10.1 counts the
 * interval between sendings; what reaches us has been through two networks and two clocks.
 */
export const POLL_LEEWAY_SECONDS = 0.5;

/** How long before the end of a request its client is to have polled once more, in seconds. */
const LAST_POLL_SECONDS = 1;

/** The longest wait a pending answer asks for, in seconds, unless the interval itself is longer. */
export const LONGEST_RETRY_AFTER = 8;

export type PollJudgement =
  | { answer: 'authorization_pending'; retryAfter: number | undefined }
  | { answer: 'slow_down' }
  | { answer: 'access_denied' }
  | { answer: 'expired_token' }
  | { answer: 'approved'; request: ApprovedRequest };

/**
 * Judges a poll. State comes before speed: a decided request is answered at once, even when polled
 * too early; `slow_down` is only for pending ones.
 * @param before the request as the last poll left it
 * @param client says what it wants to hear of a flow that failed for good
 */
export function judgePoll(
  before: AuthenticationRequest,
  { failed_flow }: Pick<Client, 'failed_flow'>,
  now: number,
): PollJudgement {
  if (before.status === 'denied') return { answer: 'access_denied' };
  if (isFailureTold(before, failed_flow)) return { answer: 'access_denied' };
  if (isExpired(before, now)) return { answer: 'expired_token' };
  if (before.status === 'approved') return { answer: 'approved', request: before };
  if (isTooEarly(before, now)) return { answer: 'slow_down' };
  return { answer: 'authorization_pending', retryAfter: retryAfter(before, now) };
}

/**
 * A client may choose to hear of a flow that failed for good; never of a decoy, whose failure names
 * its user.
 */
function isFailureTold(before: AuthenticationRequest, failedFlow: Client['failed_flow']): boolean {
  return before.status === 'failed' && failedFlow === 'deny' && before.decoy === undefined;
}

/**
 * The first poll is never too early: the clock starts with it. Nor is one that kept what the answer
 * before it asked for, though the end made that shorter than the interval. Where it asked for
 * nothing any more, so near the end, the acknowledged interval will do.
 */
function isTooEarly(before: AuthenticationRequest, now: number): boolean {
  const { polledAt, interval, firstInterval = interval } = before;
  if (polledAt === undefined) return false;
  const asked = untilLastPoll(interval, before, polledAt) ?? firstInterval;
  return now - polledAt < asked - POLL_LEEWAY_SECONDS;
}

type Polled = Pick<AuthenticationRequest, 'createdAt' | 'expiresAt' | 'interval'>;

/**
 * How long to wait before the next poll, in whole seconds: as long as the request is old, so that
 * an unhurried user costs few polls, at most {@link LONGEST_RETRY_AFTER}, and never less than the
 * interval; but so that a poll comes before the end. `undefined` where the end is so near that none
 * does.
 */
export function retryAfter(request: Polled, now: number): number | undefined {
  const stretched = Math.min(LONGEST_RETRY_AFTER, Math.floor(now - request.createdAt));
  return untilLastPoll(Math.max(request.interval, stretched), request, now);
}

/**
 * A wait, cut so that the poll after it comes before the end by {@link LAST_POLL_SECONDS}; whole
 * seconds, as they are sent.
 */
export function untilLastPoll(
  wait: number,
  { expiresAt }: Pick<AuthenticationRequest, 'expiresAt'>,
  now: number,
): number | undefined {
  const left = Math.floor(expiresAt - now - LAST_POLL_SECONDS);
  return left < 1 ? undefined : Math.min(wait, left);
}
