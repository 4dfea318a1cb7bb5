/**
 * Runs a flow as Step Functions runs it: an interpreter of the language of flows, after the Amazon
 * States Language (states-language.net/spec.html). Whatever that language does not have is refused
 * before it comes here.
 */
import type {
  ChoiceRule,
  Retrier,
  StateMachineDefinition,
  TaskState,
} from '../../flows/flow-language.ts';

export interface FlowSurroundings {
  /**
   * Calls the function of a task. What it throws has the error's name as `name` and its cause as
   * `message`.
   */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  /** Waits for so many seconds before a task is tried again. */
  wait(seconds: number): Promise<void>;
  /** At least 0 and below 1, for `JitterStrategy`. */
  random(): number;
  /** Is told of each state that is entered, with its input. */
  onState?(name: string, input: unknown): void;
}

/** An error as `Retry`, `Catch` and the end of an execution name it. */
export class FlowError extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

type Members = Record<string, unknown>;

/**
 * Runs one execution to its end and answers its output. An abort of the signal ends it before the
 * next state or try; a function that has been called goes on, as it does on AWS.
 * @throws FlowError that says why the execution failed
 */
export async function runFlow(
  machine: StateMachineDefinition,
  input: unknown,
  surroundings: FlowSurroundings,
  signal?: AbortSignal,
): Promise<unknown> {
  const running = runStates(machine, input, surroundings, signal);
  return machine.TimeoutSeconds === undefined ? running : within(machine.TimeoutSeconds, running);
}

async function runStates(
  { StartAt, States }: StateMachineDefinition,
  input: unknown,
  surroundings: FlowSurroundings,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  let [name, data]: [string | undefined, unknown] = [StartAt, input];
  while (name !== undefined) {
    if (signal?.aborted)
      throw new FlowError('States.ExecutionAborted', 'the execution was stopped');
    const state: StateMachineDefinition['States'][string] | undefined = States[name];
    if (state === undefined) throw new FlowError('States.Runtime', `there is no state ${name}`);
    surroundings.onState?.(name, data);
    if (state.Type === 'Succeed') return data;
    if (state.Type === 'Fail') throw new FlowError(state.Error ?? '', state.Cause ?? '');
    if (state.Type === 'Choice') name = choose(state, data);
    else [name, data] = await runTask(state, data, surroundings, signal);
  }
  return data;
}

function choose(
  state: Extract<StateMachineDefinition['States'][string], { Type: 'Choice' }>,
  data: unknown,
): string {
  const next = state.Choices.find((rule) => holds(rule, data))?.Next ?? state.Default;
  if (next === undefined) throw new FlowError('States.NoChoiceMatched', 'no choice holds');
  return next;
}

/** @throws FlowError if a variable is compared that is not there */
function holds(rule: ChoiceRule, data: unknown): boolean {
  if (rule.And) return rule.And.every((one) => holds(one, data));
  if (rule.Or) return rule.Or.some((one) => holds(one, data));
  if (rule.Not) return !holds(rule.Not, data);
  const { Variable = '$', IsPresent: isPresent } = rule;
  if (isPresent !== undefined) return (lookUp(data, Variable) !== undefined) === isPresent;
  const value = valueAt(data, Variable);
  const compared = rule.StringEquals ?? rule.BooleanEquals ?? rule.NumericEquals;
  return compared !== undefined && value === compared;
}

/** The next state, or none at the end of the flow, and what enters it. */
async function runTask(
  state: TaskState,
  data: unknown,
  surroundings: FlowSurroundings,
  signal: AbortSignal | undefined,
): Promise<[string | undefined, unknown]> {
  const tries = new Map<Retrier, number>();
  for (;;) {
    try {
      return [state.Next, await tryTask(state, data, surroundings)];
    } catch (error) {
      const failure = asFlowError(error);
      const seconds = secondsToNextTry(state, failure.name, tries, surroundings.random);
      if (seconds === undefined) return catchError(state, data, failure);
      await surroundings.wait(seconds);
      if (signal?.aborted) throw error;
    }
  }
}

async function tryTask(
  { Parameters, ResultSelector, ResultPath, TimeoutSeconds }: TaskState,
  data: unknown,
  { invoke }: FlowSurroundings,
): Promise<unknown> {
  const { FunctionName, Payload = {} } = fill(Parameters, data);
  const answer = await within(TimeoutSeconds, invoke(String(FunctionName), Payload));
  // The members of the integration's answer that a selector may name.
  const result = { ExecutedVersion: '$LATEST', Payload: answer, StatusCode: 200 };
  const selected = ResultSelector === undefined ? result : fill(ResultSelector, result);
  return put(data, ResultPath, selected);
}

/**
 * Undefined if nothing retries this error, or not again. The first retrier that names it decides.
 */
function secondsToNextTry(
  { Retry = [] }: TaskState,
  error: string,
  tries: Map<Retrier, number>,
  random: () => number,
): number | undefined {
  const retrier = Retry.find(({ ErrorEquals }) => names(ErrorEquals, error));
  if (retrier === undefined) return undefined;
  const { IntervalSeconds = 1, BackoffRate = 2, MaxAttempts = 3 } = retrier;
  const { MaxDelaySeconds = Number.POSITIVE_INFINITY, JitterStrategy } = retrier;
  const before = tries.get(retrier) ?? 0;
  if (before >= MaxAttempts) return undefined;
  tries.set(retrier, before + 1);
  const delay = Math.min(IntervalSeconds * BackoffRate ** before, MaxDelaySeconds);
  return JitterStrategy === 'FULL' ? delay * random() : delay;
}

function catchError({ Catch = [] }: TaskState, data: unknown, error: FlowError): [string, unknown] {
  const catcher = Catch.find(({ ErrorEquals }) => names(ErrorEquals, error.name));
  if (catcher === undefined) throw error;
  const output = { Error: error.name, Cause: error.message };
  return [catcher.Next, put(data, catcher.ResultPath, output)];
}

/**
 * `States.ALL` names every error but those that nothing may catch; `States.TaskFailed` every one
 * but a timeout.
 */
function names(errors: string[], error: string): boolean {
  if (errors.includes(error)) return true;
  if (error === 'States.Runtime' || error === 'States.DataLimitExceeded') return false;
  if (errors.includes('States.ALL')) return true;
  return errors.includes('States.TaskFailed') && error !== 'States.Timeout';
}

function asFlowError(error: unknown): FlowError {
  if (error instanceof FlowError) return error;
  return error instanceof Error
    ? new FlowError(error.name, error.message)
    : new FlowError('States.TaskFailed', String(error));
}

/** A payload template with the values of its paths: `"a.$": "$.b"` becomes the member `a`. */
function fill(template: Members, data: unknown): Members {
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) =>
      name.endsWith('.$')
        ? [name.slice(0, -2), valueAt(data, String(value))]
        : [name, fillValue(value, data)],
    ),
  );
}

function fillValue(value: unknown, data: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => fillValue(one, data));
  return isMembers(value) ? fill(value, data) : value;
}

/**
 * The result below the input: nothing else of the input changes. Null keeps the input; no path, the
 * result alone.
 */
function put(data: unknown, path: string | null | undefined, result: unknown): unknown {
  if (path === null) return data;
  if (path === undefined) return result;
  return putBelow(data, membersOf(path), result);
}

function putBelow(data: unknown, [member, ...deeper]: string[], result: unknown): unknown {
  if (member === undefined) return result;
  if (data !== undefined && !isMembers(data))
    throw new FlowError('States.ResultPathMatchFailure', `${member} has no place in the input`);
  return { ...data, [member]: putBelow(data?.[member], deeper, result) };
}

function membersOf(path: string): string[] {
  return path.split('.').slice(1);
}

/** @throws FlowError as AWS does where a path leads to nothing */
function valueAt(data: unknown, path: string): unknown {
  const found = lookUp(data, path);
  if (found) return found.value;
  throw new FlowError('States.Runtime', `the path ${path} leads to nothing`);
}

/** What a path leads to, null and all; undefined if it leads to nothing. */
function lookUp(data: unknown, path: string): { value: unknown } | undefined {
  let value = data;
  for (const member of membersOf(path)) {
    if (!isMembers(value) || !Object.hasOwn(value, member)) return undefined;
    value = value[member];
  }
  return { value };
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws FlowError `States.Timeout` if it takes longer */
async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const late = new FlowError('States.Timeout', `it took longer than ${seconds} s`);
    timer = setTimeout(() => reject(late), seconds * 1000);
  });
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
