/**
 * The flows as Step Functions Express state machines. Their input is the public ref and nothing
 * else.
 */
import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Flow } from '../ports.ts';

/**
 * Starts executions of these state machines, whose ARNs are found by the names of their flows. An
 * execution is named after the ref, which an operator can search for.
 */
export function stepFunctionsFlow(
  client: SFNClient,
  stateMachineArns: ReadonlyMap<string, string>,
): Flow {
  return {
    async start(ref, flowName) {
      const stateMachineArn = stateMachineArns.get(flowName);
      if (stateMachineArn === undefined) throw new Error(`There is no flow ${flowName}`);
      await client.send(
        new StartExecutionCommand({ stateMachineArn, name: ref, input: JSON.stringify({ ref }) }),
      );
    },
  };
}
