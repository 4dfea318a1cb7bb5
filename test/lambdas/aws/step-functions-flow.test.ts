/**
 * The flows on Step Functions: which state machine is started, under which name, and what it is
 * told.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { stepFunctionsFlow } from '../../../lambdas/aws/step-functions-flow.ts';

const arn = (name: string) => `arn:aws:states:eu-central-1:111122223333:stateMachine:${name}`;

/** Flows of which the calls are kept. */
function flows() {
  const client = new SFNClient({ region: 'eu-central-1' });
  const inputs: unknown[] = [];
  client.middlewareStack.add(
    () => async (args) => {
      inputs.push(args.input);
      return { output: { $metadata: {} }, response: {} };
    },
    { step: 'initialize' },
  );
  const arns = new Map(['ciba-flow', 'another-flow'].map((name) => [name, arn(name)]));
  return { flow: stepFunctionsFlow(client, arns), inputs };
}

describe('stepFunctionsFlow', () => {
  it.each(['ciba-flow', 'another-flow'])(
    'starts %s with the public ref alone, and names the execution after it (T26)',
    async (name) => {
      const { flow, inputs } = flows();
      await flow.start('a-ref', name);
      expect(inputs).toEqual([
        { stateMachineArn: arn(name), name: 'a-ref', input: '{"ref":"a-ref"}' },
      ]);
    },
  );

  it.each(['no-flow', '', 'constructor'])(
    'starts nothing for %j, which there is not',
    async (name) => {
      const { flow, inputs } = flows();
      await expect(flow.start('a-ref', name)).rejects.toThrow(`There is no flow ${name}`);
      expect(inputs).toEqual([]);
    },
  );
});
