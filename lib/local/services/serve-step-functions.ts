/**
 * Step Functions on this machine: an endpoint for `StartExecution` and `DescribeStateMachine` of
 * Express state machines, and the interpreter that runs the very definition of the template behind
 * it.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod/mini';
import { parseJson } from '../../parse-json.ts';
import type { LocalLog } from '../local-log.ts';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
  programsOnly,
  readBody,
} from '../loopback.ts';
import type { LocalStateMachine } from '../template/read-stack.ts';
import { localArn } from '../template/resource-names.ts';
import { runFlow } from './run-flow.ts';

/** Step Functions takes an input of at most 256 KiB. */
const BODY_BYTES = 1_048_576;

/** A running Step Functions. */
export interface LocalStepFunctions {
  endpoint: string;
  /** Ends every execution that is under way, as a power cut would. */
  stop(): Promise<void>;
}

/** Calls a function, by name or ARN. */
export type Invoke = (functionId: string, event: unknown) => Promise<unknown>;

/** Starts the endpoint. A started execution is answered at once and runs in the background. */
export async function serveStepFunctions(
  stateMachines: LocalStateMachine[],
  invoke: Invoke,
  log: LocalLog,
): Promise<LocalStepFunctions> {
  const machines = new Map(stateMachines.map((machine) => [machine.arn, machine]));
  const running = new Set<AbortController>();
  const createdAt = Date.now() / 1000;
  const server = createAsyncServer(
    programsOnly(async (request, response) => send(response, await answer(request))),
  );

  async function answer(request: IncomingMessage): Promise<Reply> {
    const target = request.headers['x-amz-target'];
    if (target === 'AWSStepFunctions.DescribeStateMachine') return describe(request);
    if (target === 'AWSStepFunctions.StartExecution') return start(request);
    return refuse(400, 'UnknownOperationException', `The local host does not know ${target}`);
  }

  async function describe(request: IncomingMessage): Promise<Reply> {
    const parsed = describeStateMachine.safeParse(parseJson(await readBody(request, BODY_BYTES)));
    if (!parsed.success) return refuse(400, 'ValidationException', 'stateMachineArn is a text');
    const { stateMachineArn: arn } = parsed.data;
    const machine = machines.get(arn);
    if (machine === undefined) return noStateMachine(arn);
    const { name, definition } = machine;
    return {
      status: 200,
      body: {
        stateMachineArn: arn,
        name,
        status: 'ACTIVE',
        type: 'EXPRESS',
        definition: JSON.stringify(definition),
        roleArn: localArn('iam:role/', name),
        creationDate: createdAt,
      },
    };
  }

  async function start(request: IncomingMessage): Promise<Reply> {
    const parsed = startExecution.safeParse(parseJson(await readBody(request, BODY_BYTES)));
    if (!parsed.success)
      return refuse(400, 'ValidationException', 'stateMachineArn and input are texts');
    const { stateMachineArn: arn, name = randomUUID(), input: text } = parsed.data;
    const machine = machines.get(arn);
    if (machine === undefined) return noStateMachine(arn);
    const input = parseJson(text);
    if (input === undefined) return refuse(400, 'InvalidExecutionInput', 'The input is not JSON');
    const execution = new AbortController();
    running.add(execution);
    void runExecution(machine, { name, input, signal: execution.signal }, invoke, log).finally(() =>
      running.delete(execution),
    );
    const executionArn = localArn('states:express:', `${machine.name}:${name}:${randomUUID()}`);
    return { status: 200, body: { executionArn, startDate: Date.now() / 1000 } };
  }

  const endpoint = loopbackUrl(await listenOnLoopback(server, { port: 0 }));
  return {
    endpoint,
    async stop() {
      for (const execution of running) execution.abort();
      await closeServer(server);
    },
  };
}

interface Reply {
  status: number;
  body: object;
}

function noStateMachine(arn: string): Reply {
  return refuse(400, 'StateMachineDoesNotExist', `No state machine ${arn}`);
}

const describeStateMachine = z.object({ stateMachineArn: z.string() });

const startExecution = z.object({
  stateMachineArn: z.string(),
  name: z.optional(z.string()),
  input: z._default(z.string(), '{}'),
});

interface Execution {
  name: string;
  input: unknown;
  signal: AbortSignal;
}

/**
 * Runs to the end, whichever it is, which the log tells; of an execution that was stopped it tells
 * nothing.
 */
async function runExecution(
  { name: machine, definition }: LocalStateMachine,
  { name, input, signal }: Execution,
  invoke: Invoke,
  log: LocalLog,
): Promise<void> {
  const states: string[] = [];
  const surroundings = {
    invoke,
    wait: (seconds: number) => setTimeout(seconds * 1000, undefined, { signal }),
    random: Math.random,
    onState: (state: string) => void states.push(state),
  };
  try {
    await runFlow(definition, input, surroundings, signal);
    log('flow', `${machine} ${name} ended: ${states.join(' > ')}`);
  } catch (error) {
    if (signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    log('failure', `${machine} ${name} failed: ${states.join(' > ')}: ${reason}`);
  }
}

function refuse(status: number, type: string, message: string): Reply {
  return { status, body: { __type: type, message } };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(body));
}
