/**
 * A pending request with known facts, for tests that need one.
 */

import { formatRef, hashSecret } from '../../lambdas/ciba/handles.ts';
import type { PendingRequest } from '../../lambdas/ciba/request/authentication-request.ts';

/** When the example request was made: 14 November 2023, 22:13:20 UTC. */
export const EXAMPLE_NOW = 1_700_000_000;

/** The secret half of the example's auth_req_id. */
export const EXAMPLE_SECRET = 's'.repeat(43);

let made = 0;

/**
 * A request of client `pump-4` for user `u-alice`, ending 120 s after {@link EXAMPLE_NOW}; each
 * call another ref.
 */
export function exampleRequest(changes: Partial<PendingRequest> = {}): PendingRequest {
  made += 1;
  const entropy = Uint8Array.from(
    { length: 26 },
    (_, index) => Math.floor(made / 32 ** index) % 32,
  );
  return {
    status: 'pending',
    ref: formatRef(entropy),
    secretHash: hashSecret(EXAMPLE_SECRET),
    clientId: 'pump-4',
    sub: 'u-alice',
    contactVersion: 1,
    scope: 'openid profile',
    bindingMessage: 'PUMP-4 50.00 EUR',
    flow: 'ciba-flow',
    createdAt: EXAMPLE_NOW,
    expiresAt: EXAMPLE_NOW + 120,
    forgetAt: EXAMPLE_NOW + 120 + 30 * 86_400,
    interval: 2,
    polls: 0,
    ...changes,
  };
}
