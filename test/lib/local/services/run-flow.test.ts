/**
 * The interpreter of flows, rule by rule of the Amazon States Language: what is retried, caught,
 * chosen and put where.
 */
import { describe, expect, it } from 'vitest';
import { runFlow } from '../../../../lib/local/services/run-flow.ts';
import { checkStateMachine } from '../../../../lib/local/template/check-state-machine.ts';

const task = {
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: 'f', 'Payload.$': '$' },
  ResultSelector: { 'got.$': '$.Payload' },
  ResultPath: '$.result',
  TimeoutSeconds: 5,
  Next: 'Done',
};
const ends = {
  Done: { Type: 'Succeed' },
  Caught: { Type: 'Succeed' },
  Broken: { Type: 'Fail', Error: 'Broken', Cause: 'by design' },
};

interface Run {
  path: string[];
  calls: unknown[];
  waits: number[];
  output?: unknown;
  error?: string;
}

/** One execution, without its waits. A function's answer that is an error is thrown. */
async function run(
  states: object,
  { input = {}, answers = ['done'] }: { input?: unknown; answers?: unknown[] } = {},
): Promise<Run> {
  const machine = { StartAt: 'Start', States: { ...states, ...ends } };
  const { definition } = checkStateMachine('Machine', JSON.stringify(machine));
  const result: Run = { path: [], calls: [], waits: [] };
  try {
    result.output = await runFlow(definition, input, {
      async invoke(_, payload) {
        const answer = answers[Math.min(result.calls.push(payload), answers.length) - 1];
        if (answer instanceof Error) throw answer;
        return answer;
      },
      wait: async (seconds) => void result.waits.push(seconds),
      random: () => 0.5,
      onState: (name) => void result.path.push(name),
    });
  } catch (error) {
    result.error = error instanceof Error ? error.name : 'no error';
  }
  return result;
}

function failure(name: string): Error {
  return Object.assign(new Error('why'), { name });
}

const retry = { ErrorEquals: ['States.ALL'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 4 };
const caught = (name: string) => [{ ErrorEquals: [name], ResultPath: '$.error', Next: 'Caught' }];

describe('a task', () => {
  it('is given what its template makes of the input, and its selected answer is put below the input', async () => {
    const Parameters = {
      FunctionName: 'f',
      Payload: { 'a.$': '$.deep.a', fixed: [1, { 'b.$': '$.b' }], in: { 'all.$': '$' } },
    };
    const input = { deep: { a: 1 }, b: 'two' };
    const { calls, output } = await run({ Start: { ...task, Parameters } }, { input });
    expect(calls).toEqual([{ a: 1, fixed: [1, { b: 'two' }], in: { all: input } }]);
    expect(output).toEqual({ ...input, result: { got: 'done' } });
  });

  it.each([
    ['null keeps the input', { ResultPath: null }, { in: 1 }],
    ['no path is the answer alone', { ResultPath: undefined }, { got: 'done' }],
    [
      'a deep path makes what is missing',
      { ResultPath: '$.a.b' },
      { in: 1, a: { b: { got: 'done' } } },
    ],
  ])('%s', async (_, fields, output) => {
    const { output: found } = await run({ Start: { ...task, ...fields } }, { input: { in: 1 } });
    expect(found).toEqual(output);
  });

  it('fails where its result has no place', async () => {
    const found = await run({ Start: { ...task, ResultPath: '$.a.b' } }, { input: { a: 'text' } });
    expect(found.error).toBe('States.ResultPathMatchFailure');
  });

  it('waits longer before each try, at most its longest, and by chance where it is told to', async () => {
    const answers = [failure('X'), failure('Y'), failure('X'), failure('X'), 'done'];
    const waitsWith = async (fields: object) =>
      (await run({ Start: { ...task, Retry: [{ ...retry, ...fields }] } }, { answers })).waits;
    expect(await waitsWith({})).toEqual([1, 2, 4, 8]);
    expect(await waitsWith({ MaxDelaySeconds: 3 })).toEqual([1, 2, 3, 3]);
    expect(await waitsWith({ JitterStrategy: 'FULL' })).toEqual([0.5, 1, 2, 4]);
  });

  it('is retried by the first retrier that names its error, each with tries of its own', async () => {
    const Retry = [
      { ...retry, ErrorEquals: ['X'], MaxAttempts: 1 },
      { ...retry, MaxAttempts: 1 },
    ];
    const twice = { Start: { ...task, Retry, Catch: caught('States.ALL') } };
    const each = await run(twice, { answers: [failure('X'), failure('Y'), 'done'] });
    expect(each.path).toEqual(['Start', 'Done']);
    const spent = await run(twice, { answers: [failure('X'), failure('X'), 'done'] });
    expect([spent.calls.length, spent.path]).toEqual([2, ['Start', 'Caught']]);
  });

  it('is not retried where no try is allowed', async () => {
    const Retry = [{ ...retry, MaxAttempts: 0 }];
    const found = await run({ Start: { ...task, Retry } }, { answers: [failure('X')] });
    expect([found.calls.length, found.error]).toEqual([1, 'X']);
  });

  it.each([
    ['X', 'X', 'Caught'],
    ['X', 'States.ALL', 'Caught'],
    ['X', 'States.TaskFailed', 'Caught'],
    ['X', 'Y', undefined],
    ['States.Timeout', 'States.TaskFailed', undefined],
    ['States.Timeout', 'States.ALL', 'Caught'],
    ['States.Runtime', 'States.ALL', undefined],
    ['States.DataLimitExceeded', 'States.ALL', undefined],
  ])('that fails with %s is caught by %s: %s', async (error, name, to) => {
    const start = { ...task, Catch: caught(name) };
    const found = await run({ Start: start }, { input: { in: 1 }, answers: [failure(error)] });
    expect(found.path.at(-1)).toBe(to ?? 'Start');
    if (to === undefined) expect(found.error).toBe(error);
    else expect(found.output).toEqual({ in: 1, error: { Error: error, Cause: 'why' } });
  });

  it('fails the execution where a path leads to nothing, whoever would catch it', async () => {
    const Parameters = { FunctionName: 'f', Payload: { 'a.$': '$.missing' } };
    const start = { ...task, Parameters, Retry: [retry], Catch: caught('States.ALL') };
    const found = await run({ Start: start });
    expect([found.calls, found.error]).toEqual([[], 'States.Runtime']);
  });

  it('that takes too long has timed out', async () => {
    const start = { ...task, TimeoutSeconds: 0.01, Catch: caught('States.Timeout') };
    const answers = [new Promise(() => {})];
    expect((await run({ Start: start }, { answers })).path).toEqual(['Start', 'Caught']);
  });
});

describe('a choice', () => {
  const choice = (...Choices: object[]) => ({ Type: 'Choice', Choices, Default: 'Broken' });

  it.each<[object, unknown, boolean]>([
    [{ Variable: '$.a', StringEquals: 'x' }, { a: 'x' }, true],
    [{ Variable: '$.a', StringEquals: '1' }, { a: 1 }, false],
    [{ Variable: '$.a', BooleanEquals: false }, { a: false }, true],
    [{ Variable: '$.a', BooleanEquals: true }, { a: 'true' }, false],
    [{ Variable: '$.a.b', NumericEquals: 0 }, { a: { b: 0 } }, true],
    [{ Variable: '$.a', IsPresent: true }, { a: null }, true],
    [{ Variable: '$.a', IsPresent: true }, {}, false],
    [{ Variable: '$.a', IsPresent: false }, {}, true],
    [{ Variable: '$.toString', IsPresent: true }, {}, false],
    [{ Not: { Variable: '$.a', IsPresent: false } }, {}, false],
    [
      {
        And: [
          { Variable: '$.a', IsPresent: true },
          { Variable: '$.a', StringEquals: 'x' },
        ],
      },
      {},
      false,
    ],
    [
      {
        Or: [
          { Variable: '$.a', StringEquals: 'x' },
          { Variable: '$.b', StringEquals: 'x' },
        ],
      },
      { a: 'x' },
      true,
    ],
    [{ Or: [{ Variable: '$.a', StringEquals: 'y' }] }, { a: 'x' }, false],
  ])('%j of %j: %s', async (rule, input, isChosen) => {
    const { path } = await run({ Start: choice({ ...rule, Next: 'Done' }) }, { input });
    expect(path.at(-1)).toBe(isChosen ? 'Done' : 'Broken');
  });

  it('takes the first that holds', async () => {
    const rule = { Variable: '$.a', StringEquals: 'x' };
    const start = choice({ ...rule, Next: 'Caught' }, { ...rule, Next: 'Done' });
    expect((await run({ Start: start }, { input: { a: 'x' } })).path).toEqual(['Start', 'Caught']);
  });

  it('fails where it compares what is not there, and where nothing holds and there is no default', async () => {
    const rule = { Variable: '$.a', StringEquals: 'x', Next: 'Done' };
    expect((await run({ Start: choice(rule) })).error).toBe('States.Runtime');
    const start = { Type: 'Choice', Choices: [rule] };
    expect((await run({ Start: start }, { input: { a: 'y' } })).error).toBe(
      'States.NoChoiceMatched',
    );
  });
});

describe('an execution', () => {
  it('that ends in Fail has failed with its error', async () => {
    const found = await run({ Start: { ...task, Next: 'Broken' } });
    expect([found.path, found.error]).toEqual([['Start', 'Broken'], 'Broken']);
  });

  it('ends with its own time, and where it is stopped', async () => {
    const states = { StartAt: 'Start', States: { Start: task, ...ends } };
    const slow = { ...states, TimeoutSeconds: 0.01 };
    const surroundings = {
      invoke: () => new Promise(() => {}),
      wait: async () => {},
      random: () => 0,
    };
    const late = runFlow(checkStateMachine('M', JSON.stringify(slow)).definition, {}, surroundings);
    await expect(late).rejects.toMatchObject({ name: 'States.Timeout' });
    const { definition } = checkStateMachine('M', JSON.stringify(states));
    const stopped = runFlow(definition, {}, surroundings, AbortSignal.abort());
    await expect(stopped).rejects.toMatchObject({ name: 'States.ExecutionAborted' });
  });
});
