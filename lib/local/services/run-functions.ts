/**
 * Lambda on this machine: each bundled function, unmodified, in a worker thread with an environment
 * of its own.
 */
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { LocalLog } from '../local-log.ts';
import type { LocalFunction } from '../template/read-stack.ts';
import { localAccount } from '../template/resource-names.ts';
import { takingTurns } from './taking-turns.ts';

/** What `function-worker.mjs` is started with. */
export interface WorkerSettings {
  /** URL of the bundle. */
  url: string;
  /** The name of the handler in it. */
  handler: string;
  functionName: string;
  functionArn: string;
  memoryMegabytes: number;
}

/** One invocation, sent to the thread. */
export interface WorkerInvocation {
  id: string;
  /** The event, as JSON. */
  event: string;
  /** When the invocation is given up, in epoch milliseconds. */
  deadline: number;
}

/** What the thread says: first that it is loaded, then the result of each invocation. */
export type WorkerMessage =
  | { type: 'loaded' }
  | { type: 'result'; id: string; payload: string }
  | { type: 'error'; id: string; error: WorkerError };

/** An error in the form in which Lambda reports one. */
export interface WorkerError {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

/** Where the services of this machine answer. */
export interface ServiceEndpoints {
  dynamodb: string;
  sesv2: string;
  stepFunctions: string;
}

/** What functions find beside them: the bucket that CloudFormation waits at. */
export interface FunctionEndpoints extends ServiceEndpoints {
  s3: string;
}

/** The functions of a stack. */
export interface LocalFunctions {
  /**
   * Calls a function, by name or ARN, and answers what it returned, as JSON would carry it.
   * @throws FunctionError as Lambda reports it
   */
  invoke(functionId: string, event: unknown): Promise<unknown>;
  /**
   * The next call of a function starts another thread, which remembers nothing; what is under way
   * in the old one is answered.
   */
  restart(): void;
  /**
   * Lets no other call in, and ends every thread, after what is under way in it or after a second.
   */
  stop(): Promise<void>;
}

/**
 * An error of a function: its name is the one that `Retry` and `Catch` see, its message the cause
 * that AWS shows.
 */
export class FunctionError extends Error {
  constructor(report: WorkerError) {
    super(JSON.stringify(report));
    this.name = report.errorType;
  }
}

/**
 * How many calls of a function are under way at once; others wait, and their time is not counted
 * yet. On Lambda each has an environment of its own, and a new account ten of them.
 */
const CONCURRENCY = 10;

/** How long the end of all waits for invocations that are under way. */
const GRACE_MILLISECONDS = 1000;

/**
 * Prepares the functions; each thread starts with the first call of its function. A thread takes
 * several calls at once: parallel requests meet in the database as they do in many environments of
 * Lambda.
 */
export function runFunctions(
  functions: LocalFunction[],
  endpoints: FunctionEndpoints,
  log: LocalLog,
): LocalFunctions {
  /** Those that take calls, by function, and all that run. */
  const threads = new Map<string, FunctionThread>();
  const running = new Set<FunctionThread>();
  const turns = new Map(functions.map(({ name }) => [name, takingTurns(CONCURRENCY)]));
  let isStopped = false;

  function find(functionId: string): LocalFunction {
    const found = functions.find(({ name, arn }) => name === functionId || arn === functionId);
    if (found === undefined) throw new Error(`No function ${functionId}`);
    return found;
  }

  function threadOf(lambda: LocalFunction): FunctionThread {
    const open = threads.get(lambda.name);
    if (open !== undefined && !open.isRetired) return open;
    const thread = new FunctionThread(lambda, environmentOf(lambda, endpoints), log);
    threads.set(lambda.name, thread);
    running.add(thread);
    void thread.ended.then(() => running.delete(thread));
    return thread;
  }

  async function invokeInTurn(lambda: LocalFunction, event: unknown): Promise<unknown> {
    const done = await turns.get(lambda.name)?.();
    try {
      if (isStopped) throw new Error('The local host is stopping');
      return await threadOf(lambda).invoke(event);
    } finally {
      done?.();
    }
  }

  return {
    async invoke(functionId, event) {
      const lambda = find(functionId);
      try {
        return await invokeInTurn(lambda, event);
      } catch (error) {
        log(
          'failure',
          `${lambda.name}: ${error instanceof FunctionError ? error.message : String(error)}`,
        );
        throw error;
      }
    },
    restart() {
      for (const thread of threads.values()) thread.retire();
      threads.clear();
    },
    async stop() {
      isStopped = true;
      await Promise.all([...running].map((thread) => thread.stop()));
    },
  };
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: FunctionError): void;
  /** Runs from when the thread is loaded. */
  timer?: NodeJS.Timeout;
}

/** One thread and the invocations that are under way in it. */
class FunctionThread {
  /** Whether it is to take no more calls: it died, or a call in it never ended. */
  isRetired = false;
  readonly #lambda: LocalFunction;
  readonly #worker: Worker;
  readonly #loaded: Promise<void>;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<unknown>;
  readonly #pending = new Map<string, Pending>();

  constructor(lambda: LocalFunction, environment: Record<string, string>, log: LocalLog) {
    this.#lambda = lambda;
    this.#worker = new Worker(new URL('./function-worker.mjs', import.meta.url), {
      name: lambda.name,
      env: environment,
      execArgv: [],
      // Eight functions of which each may use little stay small together.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
      stdout: true,
      stderr: true,
      workerData: {
        url: pathToFileURL(lambda.file).href,
        handler: lambda.handler,
        functionName: lambda.name,
        functionArn: lambda.arn,
        memoryMegabytes: lambda.memoryMegabytes,
      } satisfies WorkerSettings,
    });
    for (const output of [this.#worker.stdout, this.#worker.stderr]) {
      forwardLines(output, (line) => log('function', line));
    }
    this.#loaded = new Promise((resolve) => {
      this.#worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'loaded') resolve();
        else this.#settle(message);
      });
    });
    this.#worker.on('error', (error) => {
      log('failure', `${lambda.name}: ${error.stack}`);
      this.#fail(error);
    });
    this.#worker.on('exit', (code) => this.#fail(new Error(`exited with code ${code}`)));
    this.ended = new Promise((resolve) => this.#worker.once('exit', resolve));
  }

  /** The time of loading is not counted, as Lambda does not count it. */
  async invoke(event: unknown): Promise<unknown> {
    const id = randomUUID();
    const result = new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    await Promise.race([this.#loaded, result]);
    const pending = this.#pending.get(id);
    if (pending) pending.timer = this.#startTimer(id);
    const deadline = Date.now() + this.#lambda.timeoutSeconds * 1000;
    this.#worker.postMessage({
      id,
      event: JSON.stringify(event),
      deadline,
    } satisfies WorkerInvocation);
    return result;
  }

  /** Lets no other call in; the thread ends with the last that is under way in it. */
  retire(): void {
    this.isRetired = true;
    if (this.#pending.size === 0) this.#worker.terminate();
  }

  /** Ends the thread, after what is under way in it or after a second. */
  async stop(): Promise<void> {
    this.retire();
    await Promise.race([this.ended, sleep(GRACE_MILLISECONDS, undefined, { ref: false })]);
    await this.#worker.terminate();
  }

  #startTimer(id: string): NodeJS.Timeout {
    const { timeoutSeconds } = this.#lambda;
    return setTimeout(() => {
      // Lambda ends the environment; here other calls may still be under way in it.
      this.isRetired = true;
      this.#settle({
        type: 'error',
        id,
        error: {
          errorType: 'Sandbox.Timedout',
          errorMessage: `RequestId: ${id} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
          trace: [],
        },
      });
    }, timeoutSeconds * 1000);
  }

  #settle(message: Exclude<WorkerMessage, { type: 'loaded' }>): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    this.#pending.delete(message.id);
    if (message.type === 'result') pending.resolve(JSON.parse(message.payload));
    else pending.reject(new FunctionError(message.error));
    if (this.isRetired && this.#pending.size === 0) this.#worker.terminate();
  }

  /** The thread is gone, and every call in it with it. */
  #fail(error: Error): void {
    this.isRetired = true;
    const report = {
      errorType: 'Runtime.ExitError',
      errorMessage: `${this.#lambda.name}: ${error.message}`,
      trace: (error.stack ?? '').split('\n'),
    };
    for (const id of this.#pending.keys()) this.#settle({ type: 'error', id, error: report });
  }
}

/**
 * What Lambda sets, where the services are, and what the template says; nothing of this process.
 */
function environmentOf(
  lambda: LocalFunction,
  endpoints: FunctionEndpoints,
): Record<string, string> {
  return {
    // Every request to a service is signed under this id: it tells whose call it is, as a role's
    // does.
    AWS_ACCESS_KEY_ID: lambda.name,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_REGION: localAccount.region,
    AWS_DEFAULT_REGION: localAccount.region,
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMegabytes),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SESV2: endpoints.sesv2,
    AWS_ENDPOINT_URL_SFN: endpoints.stepFunctions,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    TZ: ':UTC',
    ...lambda.environment,
  };
}

function forwardLines(stream: Readable, write: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', write);
}
