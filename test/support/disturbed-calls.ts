/**
 * Calls of an SDK client that go wrong where a test says so: throttled, lost on the way back, or
 * with something done before.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** A call that is about to be made: its command's name and its input as JSON. */
export interface CallToCome {
  command: string;
  input: string;
}

/**
 * Runs this before each call of the client, retries of the SDK aside; what it throws is what the
 * call throws. With `after`, the call is made first.
 */
export function disturb(
  client: DynamoDBClient,
  disturbance: (call: CallToCome) => Promise<void> | void,
  when: 'before' | 'after' = 'before',
): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const call = { command: context.commandName ?? 'unknown', input: JSON.stringify(args.input) };
      if (when === 'before') await disturbance(call);
      const answer = await next(args);
      if (when === 'after') await disturbance(call);
      return answer;
    },
    { step: 'initialize' },
  );
}
