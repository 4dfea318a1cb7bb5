/**
 * Ends the refresh token of one request for the operator (threats T24). A function of its own does
 * it: rights on the table cannot tell this write from one that approves, so that no person is given
 * any.
 */
import * as z from 'zod/mini';
import { isRef } from '../ciba/handles.ts';
import type { Log } from '../log.ts';
import type { AuthenticationRequestStore, Clock, RevokeOutcome } from '../ports.ts';
import { loggedTask } from './logged-task.ts';

export interface RevokeRefreshTokenDeps {
  requests: Pick<AuthenticationRequestStore, 'revoke'>;
  clock: Clock;
  log: Log;
}

const revokeInput = z.strictObject({ ref: z.string().check(z.refine(isRef)) });

/**
 * Once, however often it is asked: the first time is kept and answered. It does nothing else to a
 * request.
 */
export function revokeRefreshTokenTask(
  deps: RevokeRefreshTokenDeps,
): (input: unknown) => Promise<RevokeOutcome> {
  return loggedTask('revoke_refresh_token', deps, revokeInput, ({ ref }) =>
    deps.requests.revoke(ref, deps.clock()),
  );
}
