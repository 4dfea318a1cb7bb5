/**
 * Work of a deployment that may be refused at first: IAM and KMS tell all their servers of a new
 * role or key within seconds to a minute, and until then the calls of its function are denied.
 */
import type { Clock } from '../ports.ts';

/** How time passes. */
export interface Pace {
  clock: Clock;
  /** Resolves after so many seconds. */
  wait(seconds: number): Promise<void>;
}

/** How long a refusal is taken for one that passes, in seconds. */
const PATIENCE_SECONDS = 60;

/** Between two tries, in seconds; the last one again and again. */
const PAUSES = [1, 2, 4, 5];

/** Between the three tries of an answer, in seconds. */
const ANSWER_PAUSES = [1, 2];

/**
 * What `work` returns, which is tried anew for a minute whatever service refused it and whatever
 * the service calls that: a first deployment that gave up would be rolled back as a whole. A fault
 * of the program or of stored data is thrown at once.
 * @throws the error of the last try
 */
export async function keepTrying<Result>(
  work: () => Promise<Result>,
  { clock, wait }: Pace,
): Promise<Result> {
  const end = clock() + PATIENCE_SECONDS;
  return tryAgain(work, wait, (tries, error) => {
    const pause = PAUSES[Math.min(tries, PAUSES.length) - 1] ?? 0;
    return isLasting(error) || clock() + pause > end ? undefined : pause;
  });
}

/**
 * What `work` returns, of three tries with 1 and 2 seconds between them. @throws the error of the
 * third
 */
export async function tryThrice<Result>(
  work: () => Promise<Result>,
  { wait }: Pick<Pace, 'wait'>,
): Promise<Result> {
  return tryAgain(work, wait, (tries) => ANSWER_PAUSES[tries - 1]);
}

/**
 * @param pauseAfter the seconds to wait once so many tries have failed; after none it is given up
 */
async function tryAgain<Result>(
  work: () => Promise<Result>,
  wait: Pace['wait'],
  pauseAfter: (tries: number, error: unknown) => number | undefined,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const pause = pauseAfter(tries, error);
      if (pause === undefined) throw error;
      await wait(pause);
    }
  }
}

/**
 * No waiting mends these; the last is what zod throws, whose class would bring all of zod along.
 */
const lasting = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', '$ZodError'];

function isLasting(error: unknown): boolean {
  return error instanceof Error && lasting.includes(error.name);
}
