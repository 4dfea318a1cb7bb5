/**
 * Lambda's asynchronous invocations on this machine: nobody waits for an answer, so what fails is
 * tried again and then kept.
 */
import type { LocalFunction } from '../template/read-stack.ts';
import type { Invoke } from './serve-step-functions.ts';

/** How often a function that throws is called again. */
const REPEATS = 2;

/**
 * Calls functions as Lambda does what is invoked asynchronously: three times at most, here without
 * the minutes in between. An event that fails to the end goes to the function's dead-letter queue,
 * if it has one.
 */
export function invokeAsynchronously(
  invoke: Invoke,
  functions: Pick<LocalFunction, 'arn' | 'deadLetterQueue'>[],
  keep: (queueArn: string, event: unknown) => void,
): Invoke {
  return async (functionArn, event) => {
    try {
      return await invokeRepeatedly(invoke, functionArn, event);
    } catch (error) {
      const queue = functions.find(({ arn }) => arn === functionArn)?.deadLetterQueue;
      if (queue !== undefined) keep(queue, event);
      throw error;
    }
  };
}

async function invokeRepeatedly(
  invoke: Invoke,
  functionArn: string,
  event: unknown,
): Promise<unknown> {
  const repeats = Array.from({ length: REPEATS });
  return repeats.reduce<Promise<unknown>>(
    (run) => run.catch(() => invoke(functionArn, event)),
    invoke(functionArn, event),
  );
}
