/**
 * What every function takes from the runtime it lives in: the clock, a stopwatch, randomness,
 * standard output.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { secondsUntilAnswer } from '../ciba/answer-time.ts';
import { createLog } from '../log.ts';
import type { Clock, Entropy, StartPadding } from '../ports.ts';

const clock: Clock = () => Date.now() / 1000;
const entropy: Entropy = (bytes) => randomBytes(bytes);

/** Seconds at the end of a wait that are polled for, because a timer keeps whole milliseconds. */
const TIMER_SECONDS = 0.002;

/** Resolves after so many seconds. */
const wait = (seconds: number): Promise<void> => setTimeout(seconds * 1000);

/** Padding by a stopwatch that tells seconds. Most of a wait is slept; its end is polled for. */
export function paddingBy(stopwatch: () => number, sleep: typeof wait): StartPadding {
  return () => {
    const started = stopwatch();
    return async (step) => {
      const now = stopwatch();
      const end = now + secondsUntilAnswer(started, now, step);
      const rest = end - now - TIMER_SECONDS;
      if (rest > 0) await sleep(rest);
      while (stopwatch() < end);
    };
  };
}

const startPadding = paddingBy(
  () => performance.now() / 1000,
  (seconds) => wait(Math.floor(seconds * 1000) / 1000),
);

/** Lambda's id of each invocation that is under way. */
const invocations = new AsyncLocalStorage<string | undefined>();

/** The handler of a function: whatever it logs on the way has Lambda's id of the invocation. */
export function inInvocation<Output>(
  handle: (input: unknown) => Promise<Output>,
): (input: unknown, context?: { awsRequestId: string }) => Promise<Output> {
  return (input, context) => invocations.run(context?.awsRequestId, () => handle(input));
}

/** One log line per event goes to standard output as it is. */
const log = createLog(
  (line) => process.stdout.write(line),
  () => invocations.getStore(),
);

export const runtime = { clock, wait, entropy, startPadding, log };
