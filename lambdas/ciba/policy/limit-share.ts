/**
 * How much of a limit that clients have in common one of them may use (ASVS 5.0 2.3.2): a limit
 * protects users from clients, and clients from one another.
 */

/** The most of all clients together, and the most of each. */
export interface LimitShare {
  total: number;
  share: number;
}

/**
 * Half of a limit, rounded up, is one client's share, so that no client alone uses it up. Of a
 * limit of 1 there is no half: each client may have one, and all together two.
 */
export function limitShare(limit: number): LimitShare {
  return limit === 1 ? { total: 2, share: 1 } : { total: limit, share: Math.ceil(limit / 2) };
}
