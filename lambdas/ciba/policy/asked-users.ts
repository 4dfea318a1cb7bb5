/**
 * What is asked of a user beside one request: read by the approval page, which has neither a policy
 * nor a key of the counters (threats T4).
 */
import { createHash } from 'node:crypto';
import type { AskedHistory } from './notification-policy.ts';

/** So many of the latest others are looked at for a page. */
const MOST_OTHERS = 10;

/**
 * The name that a user's history is kept under. No secret goes into it: every request in the same
 * table says the `sub`.
 */
export function nameOfUser(sub: string): string {
  return createHash('sha256').update(`sub|${sub}`).digest('base64url');
}

/** Requests of this history that may be pending beside one of them, the latest ones. */
export function othersToRead(
  history: Pick<AskedHistory, 'recent'> | undefined,
  ref: string,
  now: number,
): string[] {
  return (history?.recent ?? [])
    .filter((one) => one.ref !== ref && now < one.expiresAt)
    .map((one) => one.ref)
    .slice(-MOST_OTHERS);
}
