/**
 * EventBridge's rules with a rate on this machine: each calls its function with a constant input,
 * over and over.
 */
import type { LocalSchedule } from '../template/read-stack.ts';
import type { Invoke } from './serve-step-functions.ts';

/** A timer of Node's counts to 24 days at most. */
const LONGEST_WAIT_MILLISECONDS = 24 * 86_400_000;

/**
 * Starts the schedules, each after one whole period, as a rule that was just made. They keep no
 * process alive.
 * @returns what ends them
 */
export function runSchedules(schedules: LocalSchedule[], invoke: Invoke): () => Promise<void> {
  const timers = schedules.map(({ functionArn, everySeconds, input }) =>
    repeat(everySeconds * 1000, () => {
      // What a function threw is told where it was thrown.
      invoke(functionArn, input).catch(() => {});
    }),
  );
  return async () => {
    for (const end of timers) end();
  };
}

/** Calls `act` after every period; answers what ends it. */
function repeat(milliseconds: number, act: () => void): () => void {
  let due = Date.now() + milliseconds;
  let timer = wait();
  function wait(): NodeJS.Timeout {
    const remaining = Math.max(due - Date.now(), 0);
    return setTimeout(look, Math.min(remaining, LONGEST_WAIT_MILLISECONDS)).unref();
  }
  function look(): void {
    if (Date.now() >= due) {
      due += milliseconds;
      act();
    }
    timer = wait();
  }
  return () => clearTimeout(timer);
}
