/**
 * When a function stops calling services for one request: late enough for slow answers, and early
 * enough that what was begun ends, and the answer is the endpoint's own, before Lambda ends the
 * function.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** From the beginning of a request. A try takes 3 s at most after it, and a function has 10. */
export const LAST_CALL_SECONDS = 5;

const deadlines = new AsyncLocalStorage<number>();

/**
 * The handler, whose calls through clients of {@link refuseLate} begin within
 * {@link LAST_CALL_SECONDS}, repeated tries included. A call that has begun is waited for, since
 * what it wrote could not be told otherwise.
 */
export function withCallDeadline<Event, Result>(
  handler: (event: Event) => Promise<Result>,
): (event: Event) => Promise<Result> {
  return (event) =>
    deadlines.run(performance.now() + LAST_CALL_SECONDS * 1000, () => handler(event));
}

/**
 * Middleware for each try of a call: beyond the deadline of its request, if it has one, none
 * begins.
 */
export function refuseLate<Args, Output>(next: (args: Args) => Promise<Output>) {
  return async (args: Args): Promise<Output> => {
    const deadline = deadlines.getStore();
    if (deadline !== undefined && performance.now() >= deadline) throw new TooLate();
    return next(args);
  };
}

/** Thrown in place of a call, which was not made. */
class TooLate extends Error {
  override readonly name = 'TooLate';
}
