/**
 * State RecordFailure of the flow: marks a request failed, with the cause, unless the user has
 * decided meanwhile.
 */
import * as z from 'zod/mini';
import { isRef } from '../ciba/handles.ts';
import { type FailureCause, failureCauses } from '../ciba/request/authentication-request.ts';
import type { Log } from '../log.ts';
import type { AuthenticationRequestStore, Clock } from '../ports.ts';
import { loggedTask } from './logged-task.ts';

export interface RecordFailureDeps {
  requests: Pick<AuthenticationRequestStore, 'fail'>;
  clock: Clock;
  log: Log;
}

const outcome = z.optional(z.object({ outcome: z.string() }));

/** The state of the execution: what each step before left, and the error of the one that threw. */
const recordFailureInput = z.object({
  ref: z.string().check(z.refine(isRef)),
  user: outcome,
  mail: outcome,
  error: z.optional(z.unknown()),
});

/** Changes a pending request only; a decision stays a decision. */
export function recordFailureTask(
  deps: RecordFailureDeps,
): (input: unknown) => Promise<{ outcome: 'recorded' | 'over' }> {
  return loggedTask('record_failure', deps, recordFailureInput, async (execution) => {
    const recorded = await deps.requests.fail(execution.ref, causeOf(execution), deps.clock());
    return { outcome: recorded ? 'recorded' : 'over' };
  });
}

function causeOf({ user, mail, error }: z.output<typeof recordFailureInput>): FailureCause {
  if (error !== undefined) return 'flow_error';
  const last = mail?.outcome ?? user?.outcome;
  return failureCauses.find((cause) => cause === last) ?? 'flow_error';
}
