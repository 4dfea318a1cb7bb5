/**
 * A request store whose writes take a while: what was not awaited is not there yet when the caller
 * has answered, just as a function in AWS is frozen once it has.
 */
import { setImmediate } from 'node:timers/promises';
import type { AuthenticationRequestStore } from '../../lambdas/ports.ts';

/**
 * The store, with every transition of the flow's tasks applied only after the event loop has
 * turned.
 */
export function slowRequests(store: AuthenticationRequestStore): AuthenticationRequestStore {
  return {
    ...store,
    recordMailed: slowly(store.recordMailed),
    releaseMail: slowly(store.releaseMail),
    fail: slowly(store.fail),
  };
}

function slowly<Args extends unknown[], Answer>(method: (...args: Args) => Promise<Answer>) {
  return async (...args: Args): Promise<Answer> => {
    await setImmediate();
    return method(...args);
  };
}
