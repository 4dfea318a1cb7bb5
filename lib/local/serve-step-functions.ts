/**
 * Step Functions on this machine: an endpoint for `StartExecution` and `DescribeStateMachine` of Express state machines, and
 * the interpreter that runs the very definition of the template behind it.
 */
import './promise-with-resolvers.ts';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StateMachine } from 'aws-local-stepfunctions';
import * as z from 'zod/mini';
import type { LocalLog } from './local-log.ts';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
  readBody,
} from './loopback.ts';
import type { LocalStateMachine } from './read-stack.ts';
import { localArn } from './resource-names.ts';

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
  const machines = new Map(
    stateMachines.map((machine) => [machine.arn, prepare(machine, invoke, log)]),
  );
  const running = new Set<() => void>();
  const createdAt = Date.now() / 1000;
  const server = createAsyncServer(async (request, response) =>
    send(response, await answer(request)),
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
    const machine = stateMachines.find((candidate) => candidate.arn === arn);
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
    const abort = machine.start(name, input, () => running.delete(abort));
    running.add(abort);
    const executionArn = localArn('states:express:', `${machine.name}:${name}:${randomUUID()}`);
    return { status: 200, body: { executionArn, startDate: Date.now() / 1000 } };
  }

  const endpoint = loopbackUrl(await listenOnLoopback(server, { port: 0 }));
  return {
    endpoint,
    async stop() {
      for (const abort of running) abort();
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

interface RunnableMachine {
  name: string;
  /** Starts an execution and answers how to abort it; `onEnd` is called however it ends. */
  start(executionName: string, input: Json, onEnd: () => void): () => void;
}

function prepare(
  { name, definition, tasks }: LocalStateMachine,
  invoke: Invoke,
  log: LocalLog,
): RunnableMachine {
  const machine = new StateMachine(definition, { validationOptions: { checkArn: false } });
  const taskResourceLocalHandlers = Object.fromEntries(
    Array.from(tasks, ([state, functionId]) => [state, runTask(functionId, invoke)]),
  );
  return {
    name,
    start(executionName, input, onEnd) {
      const run = machine.run(input, {
        overrides: { taskResourceLocalHandlers },
      });
      const states = listStates(run.eventLogs);
      run.result
        .then(
          async () => log('flow', `${name} ${executionName} ended: ${await states}`),
          async (error: Error) =>
            log('failure', `${name} ${executionName} failed: ${await states}: ${error.message}`),
        )
        .finally(onEnd);
      return run.abort;
    },
  };
}

/** The handler of a `lambda:invoke` task: its result is what AWS makes of the function's. */
function runTask(functionId: string, invoke: Invoke) {
  return async (parameters: unknown): Promise<Json> => {
    const { Payload: payload } = taskParameters.parse(parameters);
    return {
      ExecutedVersion: '$LATEST',
      Payload: z.json().parse(await invoke(functionId, payload ?? {})),
      StatusCode: 200,
    };
  };
}

const taskParameters = z.object({ Payload: z.optional(z.unknown()) });

async function listStates(events: AsyncIterable<{ type: string }>): Promise<string> {
  const states: string[] = [];
  for await (const event of events) {
    if (event.type === 'StateEntered') states.push(stateEntered.parse(event).state.name);
  }
  return states.join(' > ');
}

const stateEntered = z.object({ state: z.object({ name: z.string() }) });

type Json = z.output<ReturnType<typeof z.json>>;

function parseJson(text: Buffer | string | undefined): Json | undefined {
  try {
    return z.json().parse(JSON.parse(String(text)));
  } catch {
    return undefined;
  }
}

function refuse(status: number, type: string, message: string): Reply {
  return { status, body: { __type: type, message } };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(body));
}
