/**
 * State LocateUser of the flow: whether the user of a request can be reached by mail, and whether
 * there is a binding message to branch on. What can never succeed is an outcome; only what may pass
 * is thrown, so that the flow retries it.
 */
import * as z from 'zod/mini';
import { isRef } from '../ciba/handles.ts';
import { isExpired } from '../ciba/request/authentication-request.ts';
import { shownMessage } from '../ciba/request/confirmation.ts';
import { judgeReachability, type UnreachableReason } from '../ciba/user/user.ts';
import type { Log } from '../log.ts';
import type { AuthenticationRequestStore, Clock, UserDirectory } from '../ports.ts';
import { loggedTask } from './logged-task.ts';

export interface LocateUserDeps {
  requests: Pick<AuthenticationRequestStore, 'find'>;
  users: Pick<UserDirectory, 'findUser'>;
  clock: Clock;
  log: Log;
}

const locateUserInput = z.object({ ref: z.string().check(z.refine(isRef)) });

interface Located {
  outcome: 'located' | 'over' | UnreachableReason;
  /** Whether there is a binding message to show in the mail: BindingMessageCheck branches on it. */
  bindingMessage: boolean;
}

/** Reads, and changes nothing. `over` is a request that needs no mail any more. */
export function locateUserTask(deps: LocateUserDeps): (input: unknown) => Promise<Located> {
  return loggedTask('locate_user', deps, locateUserInput, async ({ ref }) => {
    const request = await deps.requests.find(ref);
    const isOver = request?.status !== 'pending' || isExpired(request, deps.clock());
    // A decoy is left alone until it expires, as if its user looked at no mail.
    if (isOver || request.decoy !== undefined) {
      return { outcome: 'over', bindingMessage: false };
    }
    const reachability = judgeReachability(await deps.users.findUser(request.sub));
    return {
      outcome: reachability.reachable ? 'located' : reachability.reason,
      bindingMessage: shownMessage(request) !== undefined,
    };
  });
}
