/**
 * The flow as a Step Functions Express state machine. Its input is the public ref and nothing else.
 */
import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Flow } from '../ports.ts';

/** Starts executions of one state machine; the execution is named after the ref, which an operator can search for. */
export function stepFunctionsFlow(client: SFNClient, stateMachineArn: string): Flow {
  return {
    async start(ref) {
      await client.send(
        new StartExecutionCommand({ stateMachineArn, name: ref, input: JSON.stringify({ ref }) }),
      );
    },
  };
}
