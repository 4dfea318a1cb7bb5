/**
 * What the flow's tasks have in common: the input is parsed, and each run leaves one log line.
 */
import type * as z from 'zod/mini';
import { type Fault, faultOf, type Log, type LogEvent, startLine } from '../log.ts';
import type { Clock } from '../ports.ts';

interface TaskDeps {
  clock: Clock;
  log: Log;
}

/**
 * A task that logs its outcome, or the name and the place of what was thrown, which is all that
 * leaves it.
 */
export function loggedTask<
  Schema extends z.ZodMiniType<{ ref: string }>,
  Result extends { outcome: string; cause?: string },
>(
  event: LogEvent['event'],
  deps: TaskDeps,
  schema: Schema,
  run: (input: z.output<Schema>) => Promise<Result>,
): (input: unknown) => Promise<Result> {
  return async (input) => {
    const log = startLine(deps);
    let ref: string | undefined;
    try {
      const task = schema.parse(input);
      ref = task.ref;
      const result = await run(task);
      const { outcome, cause } = result;
      log({ event, outcome, ref, ...(cause !== undefined && { cause }) });
      return result;
    } catch (error) {
      const fault = faultOf(error);
      log({ event, outcome: 'error', ...fault, ...(ref !== undefined && { ref }) });
      throw withoutItsText(fault);
    }
  };
}

/**
 * What the flow is told of an error: its name, by which it decides, and where it was thrown. The
 * text may quote what was sent, and would stand in the runtime's own log line and in the
 * execution's history.
 */
function withoutItsText({ cause: name, at = [] }: Fault): Error {
  const message = 'See the log line of this run.';
  const stack = [`${name}: ${message}`, ...at].join('\n    at ');
  return Object.assign(new Error(message), { name, stack });
}
