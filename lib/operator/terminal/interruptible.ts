/** Work that Ctrl-C asks to end, so that it can tell what it has done. */
import { OperatorError } from './operator-error.ts';

/**
 * Does work with a signal that aborts on the first Ctrl-C; a second one ends the process as ever.
 * What is under way is for the work to finish.
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(interrupted());
  process.once('SIGINT', interrupt);
  try {
    return await work(interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function interrupted(): OperatorError {
  return new OperatorError(
    'Interrupted: what was written stays written, and running the command again goes on.',
  );
}
