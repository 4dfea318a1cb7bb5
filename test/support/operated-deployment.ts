/**
 * A deployment for tests of the operator's commands: real SDK clients that a test answers for, and
 * no network.
 */
import {
  type AwsClients,
  createClients,
  type Deployment,
} from '../../lib/operator/deployment/deployment.ts';
import { OperatorError } from '../../lib/operator/terminal/operator-error.ts';

/**
 * Answers a call by the name of its command, `InvokeCommand`, and its input; or throws what AWS
 * would.
 */
export type AnswerCall = (command: string, input: unknown) => Promise<object> | object;

/** Clients whose every call this answers, except for those that a test brings itself. */
export function answeredClients(answer: AnswerCall, own: Partial<AwsClients> = {}): AwsClients {
  const clients = createClients();
  for (const client of Object.values(clients)) {
    client.middlewareStack.add(
      (_: unknown, { commandName }: { commandName?: string }) =>
        async ({ input }: { input: unknown }) => ({
          response: {},
          output: await answer(commandName ?? 'unknown', input),
        }),
      { step: 'initialize', priority: 'high' },
    );
  }
  return { ...clients, ...own };
}

/** The deployment of the stack `CibaProvider` with these outputs. */
export function operatedDeployment(
  outputs: Record<string, string>,
  clients: AwsClients,
  status = 'CREATE_COMPLETE',
): Deployment {
  return {
    stackName: 'CibaProvider',
    status,
    region: 'us-east-1',
    outputs,
    clients,
    output(name) {
      const value = outputs[name];
      if (value === undefined) throw new OperatorError(`no output ${name}`);
      return value;
    },
  };
}

/** What AWS throws. */
export function awsError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: {} });
}
