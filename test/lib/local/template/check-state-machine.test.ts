/** A state machine runs here only if every field of it means here what it means on AWS. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkStateMachine } from '../../../../lib/local/template/check-state-machine.ts';

const task = {
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: 'f', Payload: { 'ref.$': '$.ref', deep: { 'a.$': '$.a.b' } } },
  ResultSelector: { 'outcome.$': '$.Payload.outcome' },
  ResultPath: '$.task',
  TimeoutSeconds: 5,
  Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2, JitterStrategy: 'FULL' }],
  Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'End' }],
  Next: 'End',
};
const choice = {
  Type: 'Choice',
  Choices: [
    {
      Not: {
        And: [
          { Variable: '$.a', IsPresent: true },
          { Variable: '$.a', StringEquals: 'b' },
        ],
      },
      Next: 'End',
    },
  ],
  Default: 'End',
};

function check(states: Record<string, object>, fields: object = {}) {
  const machine = { StartAt: 'Start', States: { ...states, End: { Type: 'Succeed' } }, ...fields };
  return checkStateMachine('Machine', JSON.stringify(machine));
}

describe('checkStateMachine', () => {
  test.each(['ciba-flow', 'ciba-generic-mail-flow'])(
    "takes the provider's own machine %s",
    (name) => {
      const file = new URL(`../../../../statemachines/${name}.asl.json`, import.meta.url);
      const { tasks } = checkStateMachine('Flow', readFileSync(file, 'utf8'));
      expect([...tasks.keys()]).toContain('LocateUser');
    },
  );

  test('takes tasks, choices and ends, and tells which function each task calls', () => {
    expect(check({ Start: task, Choose: choice }).tasks).toEqual(new Map([['Start', 'f']]));
  });

  test.each<[string, Record<string, object>, object, RegExp]>([
    ['JSONata', {}, { QueryLanguage: 'JSONata' }, /^Machine: QueryLanguage is not known/],
    ['Assign', { Start: { ...task, Assign: {} } }, {}, /States\.Start\.Assign is not known/],
    [
      'a heartbeat',
      { Start: { ...task, HeartbeatSeconds: 1 } },
      {},
      /HeartbeatSeconds is not known/,
    ],
    [
      'a task that waits for a token',
      { Start: { ...task, Resource: `${task.Resource}.waitForTaskToken` } },
      {},
      /States\.Start\.Resource: the local host does not know this value/,
    ],
    [
      'a task of another service',
      { Start: { ...task, Resource: 'arn:aws:states:::aws-sdk:sesv2:sendEmail' } },
      {},
      /States\.Start\.Resource/,
    ],
    [
      'an asynchronous invocation',
      { Start: { ...task, Parameters: { ...task.Parameters, InvocationType: 'Event' } } },
      {},
      /States\.Start\.Parameters\.InvocationType is not known/,
    ],
    ['a parallel state', { Start: { Type: 'Parallel', Branches: [] } }, {}, /States\.Start/],
    [
      'the context object',
      {
        Start: { ...task, Parameters: { FunctionName: 'f', Payload: { 'a.$': '$$.State.Name' } } },
      },
      {},
      /States\.Start\.Parameters.*a path of member names/,
    ],
    [
      'an intrinsic function',
      { Start: { ...task, ResultSelector: { 'a.$': 'States.UUID()' } } },
      {},
      /States\.Start\.ResultSelector.*a path of member names/,
    ],
    ['a result in place of the input', { Start: { ...task, ResultPath: '$' } }, {}, /ResultPath/],
    [
      'a comparison that the interpreter reads differently',
      { Start: { ...choice, Choices: [{ Variable: '$.a', TimestampEquals: 'x', Next: 'End' }] } },
      {},
      /TimestampEquals is not known/,
    ],
    [
      'one deep inside',
      {
        Start: { ...choice, Choices: [{ Not: { Variable: '$.a', IsString: true }, Next: 'End' }] },
      },
      {},
      /Choices\.0\.Not\.IsString is not known/,
    ],
  ])('refuses %s', (_, states, fields, message) => {
    expect(() => check(states, fields)).toThrow(message);
  });
});
