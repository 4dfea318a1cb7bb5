/**
 * What every function takes from the runtime it lives in: the clock, a stopwatch, randomness, standard output.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { secondsUntilAnswer } from '../ciba/answer-time.ts';
import { createLog } from '../log.ts';
import type { Clock, Entropy, StartSteps } from '../ports.ts';

const clock: Clock = () => Date.now() / 1000;
const entropy: Entropy = (bytes) => randomBytes(bytes);

/** A timer keeps whole milliseconds; what is left of the wait, seconds, is spent looking at the stopwatch. */
const TIMER_SECONDS = 0.002;

const startSteps: StartSteps = () => {
  const stopwatch = () => performance.now() / 1000;
  const started = stopwatch();
  return async (step) => {
    const now = stopwatch();
    const end = now + secondsUntilAnswer(started, now, step);
    const rest = end - now - TIMER_SECONDS;
    if (rest > 0) await setTimeout(Math.floor(rest * 1000));
    while (stopwatch() < end);
  };
};

/** Resolves after so many seconds. */
const wait = (seconds: number): Promise<void> => setTimeout(seconds * 1000);

/** One log line per event goes to standard output as it is. */
const log = createLog((line) => process.stdout.write(line));

export const runtime = { clock, wait, entropy, startSteps, log };
