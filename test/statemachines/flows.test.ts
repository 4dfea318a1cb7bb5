/**
 * The flows: each valid, within the subset of the language that AWS, emulators and the local host
 * run alike, and every path through it, run by an interpreter with stub tasks and the real
 * RecordFailure.
 */
import { readdirSync, readFileSync } from 'node:fs';
import validate from 'asl-validator';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { MAIL_CLAIM_SECONDS } from '../../lambdas/tasks/mail.ts';
import { recordFailureTask } from '../../lambdas/tasks/record-failure.ts';
import { runFlow as interpret } from '../../lib/local/services/run-flow.ts';
import { checkStateMachine } from '../../lib/local/template/check-state-machine.ts';

const folder = new URL('../../statemachines/', import.meta.url);

const retrier = z.object({
  ErrorEquals: z.array(z.string()),
  IntervalSeconds: z.number(),
  BackoffRate: z.number(),
  MaxAttempts: z.number(),
  MaxDelaySeconds: z.number(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});
const task = z.object({
  Type: z.literal('Task'),
  Resource: z.string(),
  Parameters: z.object({ FunctionName: z.string() }),
  TimeoutSeconds: z.number(),
  Retry: z.tuple([retrier]),
  Catch: z
    .array(z.object({ ErrorEquals: z.array(z.string()), ResultPath: z.string(), Next: z.string() }))
    .optional(),
});
type Task = z.infer<typeof task>;

const machine = z.object({
  TimeoutSeconds: z.number(),
  States: z.record(
    z.string(),
    z.discriminatedUnion('Type', [
      task,
      z.object({ Type: z.literal('Choice'), Default: z.string() }),
      z.object({ Type: z.literal('Succeed') }),
      z.object({ Type: z.literal('Fail'), Error: z.string(), Cause: z.string() }),
    ]),
  ),
});

/** A flow as its file has it. */
interface Flow {
  name: string;
  source: string;
  timeoutSeconds: number;
  states: string[];
  tasks: { name: string; state: Task }[];
}

function readFlow(name: string): Flow {
  const source = readFileSync(new URL(`${name}.asl.json`, folder), 'utf8');
  const { TimeoutSeconds, States } = machine.parse(JSON.parse(source));
  return {
    name,
    source,
    timeoutSeconds: TimeoutSeconds,
    states: Object.keys(States),
    tasks: Object.entries(States).flatMap(([state, definition]) =>
      definition.Type === 'Task' ? [{ name: state, state: definition }] : [],
    ),
  };
}

const flows = readdirSync(folder)
  .filter((file) => file.endsWith('.asl.json'))
  .map((file) => readFlow(file.replace('.asl.json', '')));

/** The tasks of a flow that invoke the function of this substitution. */
function tasksOf({ tasks }: Flow, substitution: string): { name: string; state: Task }[] {
  return tasks.filter(({ state }) => state.Parameters.FunctionName === `\${${substitution}}`);
}

describe.each(flows)('the definition of $name', (flow) => {
  const { source, tasks } = flow;

  it('is valid Amazon States Language', () => {
    const { isValid, errorsText } = validate(JSON.parse(source));
    expect(errorsText()).toBe('');
    expect(isValid).toBe(true);
  });

  it('speaks JSONPath, without variables and without the context object', () => {
    const members = memberNames(JSON.parse(source));
    for (const foreign of [
      'QueryLanguage',
      'Assign',
      'Arguments',
      'Output',
      'Condition',
      'Items',
    ]) {
      expect(members).not.toContain(foreign);
    }
    expect(source).not.toMatch(/\{%|\$\$\./);
  });

  it('does nothing but invoke functions', () => {
    expect(new Set(tasks.map(({ state }) => state.Resource))).toEqual(
      new Set(['arn:aws:states:::lambda:invoke']),
    );
  });

  it('takes the functions and the templates from the stack, each as a whole string', () => {
    const substitutions = Array.from(source.matchAll(/"\$\{(\w+)\}"/g), ([, name = '']) => name);
    expect(Object.keys(substitutes)).toEqual(expect.arrayContaining(substitutions));
    expect(source.match(/\$\{/g)).toHaveLength(substitutions.length);
  });

  it.each(tasks)('bounds $name in time and tries it again', ({ state }) => {
    expect(state.TimeoutSeconds).toBeGreaterThan(0);
    expect(state.Retry[0].ErrorEquals).toEqual(['States.ALL']);
    expect(state.Retry[0].MaxAttempts).toBeGreaterThan(0);
  });

  it.each(tasks)(
    'leads every error of $name to RecordFailure, which has nothing behind it',
    ({ name, state }) => {
      const toRecordFailure = [
        { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'RecordFailure' },
      ];
      expect(state.Catch).toEqual(name === 'RecordFailure' ? undefined : toRecordFailure);
    },
  );

  it.each(tasksOf(flow, 'mailFunction'))(
    'tries $name for longer than a claim that was left behind holds (F9)',
    ({ state }) => {
      expect(waitsOf(state).least).toBeGreaterThan(MAIL_CLAIM_SECONDS);
    },
  );

  it('leaves RecordFailure all its tries when every step before took its longest', () => {
    const longest = (substitution: string) =>
      Math.max(...tasksOf(flow, substitution).map(({ state }) => longestOf(state)));
    const onePath = ['locateUserFunction', 'mailFunction', 'recordFailureFunction'];
    expect(flow.timeoutSeconds).toBeGreaterThanOrEqual(
      onePath.map(longest).reduce((sum, seconds) => sum + seconds),
    );
  });

  it('ends within the five minutes of an Express execution', () => {
    expect(flow.timeoutSeconds).toBeLessThanOrEqual(300);
  });
});

const withMessage = 'SendEmailWithBindingMessage';
const withoutMessage = 'SendEmailWithoutBindingMessage';

/**
 * What the paths of each flow are: the state that looks at the located user, what is kept of
 * LocateUser's answer, and how requests with and without a binding message are mailed.
 */
const ways: Record<string, Way> = {
  'ciba-flow': {
    check: 'BindingMessageCheck',
    keeps: ({ outcome, bindingMessage }) => ({ outcome, bindingMessage }),
    mails: [
      { bindingMessage: true, state: withMessage, templateName: 'template-with' },
      { bindingMessage: false, state: withoutMessage, templateName: 'template-without' },
    ],
  },
  'ciba-generic-mail-flow': {
    check: 'UserCheck',
    keeps: ({ outcome }) => ({ outcome }),
    mails: [true, false].map((bindingMessage) => ({
      bindingMessage,
      state: withoutMessage,
      templateName: 'template-without',
    })),
  },
};

interface Way {
  check: string;
  keeps: (located: Located) => object;
  mails: { bindingMessage: boolean; state: string; templateName: string }[];
}

it('the flows are those whose paths are run here', () => {
  expect(flows.map(({ name }) => name)).toEqual(Object.keys(ways));
});

describe.each(flows)('the paths of $name', (flow) => {
  const { check, keeps, mails } = wayOf(flow.name);
  const entered = new Set<string>();

  const follow = async (tasks: StubTasks) => {
    const run = await runFlow(flow, tasks);
    for (const state of run.path) entered.add(state);
    return run;
  };

  it.each(mails)(
    'send the mail $templateName to a request with a binding message: $bindingMessage',
    async ({ bindingMessage, state, templateName }) => {
      const run = await follow({ locateUser: located(bindingMessage), mail: sent });
      expect(run.path).toEqual(['LocateUser', check, state, 'MailCheck', 'Done']);
      expect(run.status).toBe('succeeded');
      expect(run.calls).toEqual([
        ['locateUser', { ref }],
        ['mail', { ref, templateName }],
      ]);
    },
  );

  it('end quietly when the request is over before the user is located', async () => {
    const run = await follow({ locateUser: () => ({ outcome: 'over', bindingMessage: false }) });
    expect(run.path).toEqual(['LocateUser', check, 'Done']);
    expect(run.status).toBe('succeeded');
  });

  it.each(mails)(
    'end quietly when it is over before the mail goes out (binding message: $bindingMessage)',
    async ({ bindingMessage }) => {
      const run = await follow({
        locateUser: located(bindingMessage),
        mail: () => ({ outcome: 'over' }),
      });
      expect(run.path.at(-1)).toBe('Done');
      expect(run.failures).toEqual([]);
    },
  );

  it.each(['user_unknown', 'user_disabled', 'email_unverified', 'email_undeliverable'])(
    'record a user who cannot be reached: %s',
    async (outcome) => {
      for (const bindingMessage of [true, false]) {
        const user = { outcome, bindingMessage };
        const run = await follow({ locateUser: () => user });
        expect(run.path).toEqual(['LocateUser', check, 'RecordFailure', 'RequestFailed']);
        expect(run.calls.at(-1)).toEqual(['recordFailure', { ref, user: keeps(user) }]);
        expect(run.failures).toEqual([outcome]);
        expect(run.error).toBe('RequestFailed');
      }
    },
  );

  it.each(['mail_rejected', 'withdrawn'])(
    'record a mail that will never go out: %s',
    async (outcome) => {
      for (const bindingMessage of [true, false]) {
        const run = await follow({
          locateUser: located(bindingMessage),
          mail: () => ({ outcome }),
        });
        expect(run.path.slice(-3)).toEqual(['MailCheck', 'RecordFailure', 'RequestFailed']);
        expect(run.calls.at(-1)).toEqual([
          'recordFailure',
          { ref, user: keeps(located(bindingMessage)()), mail: { outcome } },
        ]);
        expect(run.failures).toEqual([outcome]);
        expect(run.error).toBe('RequestFailed');
      }
    },
  );

  it('record an outcome that is not known as an error of the flow', async () => {
    const run = await follow({
      locateUser: () => ({ outcome: 'surprise', bindingMessage: false }),
    });
    expect(run.failures).toEqual(['flow_error']);
  });

  it('try again what may pass, and send', async () => {
    const run = await follow({
      locateUser: (attempt) => (attempt < 2 ? fail('ServiceUnavailable') : located(true)()),
      mail: (attempt) => (attempt < 3 ? fail('MailDeferred') : sent()),
    });
    expect(run.status).toBe('succeeded');
    expect(run.calls.map(([name]) => name)).toEqual([
      'locateUser',
      'locateUser',
      'mail',
      'mail',
      'mail',
    ]);
    expect(run.failures).toEqual([]);
  });

  it('record a user who could not be looked up in four tries', async () => {
    const run = await follow({ locateUser: () => fail('ServiceUnavailable') });
    expect(run.calls).toEqual([
      ...Array.from({ length: 4 }, () => ['locateUser', { ref }]),
      ['recordFailure', { ref, error: { Error: 'ServiceUnavailable', Cause: 'stub' } }],
    ]);
    expect(run.failures).toEqual(['flow_error']);
    expect(run.error).toBe('RequestFailed');
  });

  it.each(mails)(
    'record a mail that could not be sent in six tries (binding message: $bindingMessage)',
    async ({ bindingMessage }) => {
      const run = await follow({
        locateUser: located(bindingMessage),
        mail: () => fail('MailDeferred'),
      });
      expect(run.calls.filter(([name]) => name === 'mail')).toHaveLength(6);
      expect(run.calls.at(-1)).toEqual([
        'recordFailure',
        {
          ref,
          user: keeps(located(bindingMessage)()),
          error: { Error: 'MailDeferred', Cause: 'stub' },
        },
      ]);
      expect(run.failures).toEqual(['flow_error']);
      expect(run.error).toBe('RequestFailed');
    },
  );

  it('try RecordFailure again', async () => {
    const run = await follow({
      locateUser: () => ({ outcome: 'user_unknown', bindingMessage: false }),
      beforeRecordFailure: (attempt) => (attempt < 6 ? fail('ServiceUnavailable') : undefined),
    });
    expect(run.failures).toEqual(['user_unknown']);
    expect(run.error).toBe('RequestFailed');
  });

  it('fail with its error when RecordFailure itself fails for good; the request then expires', async () => {
    const run = await follow({
      locateUser: () => ({ outcome: 'user_unknown', bindingMessage: false }),
      beforeRecordFailure: () => fail('ServiceUnavailable'),
    });
    expect(run.calls.filter(([name]) => name === 'recordFailure')).toHaveLength(6);
    expect(run.path.at(-1)).toBe('RecordFailure');
    expect(run.failures).toEqual([]);
    expect(run.error).toBe('ServiceUnavailable');
  });

  it('are all run here: no state is left out', () => {
    expect(entered).toEqual(new Set(flow.states));
  });
});

const ref = 'abcdefghijklmnopqrstuvwxyz';

const substitutes = {
  locateUserFunction: 'arn:aws:lambda:us-east-1:123456789012:function:locate-user',
  mailFunction: 'arn:aws:lambda:us-east-1:123456789012:function:mail',
  recordFailureFunction: 'arn:aws:lambda:us-east-1:123456789012:function:record-failure',
  cibaWithBindingMessageTemplate: 'template-with',
  cibaWithoutBindingMessageTemplate: 'template-without',
};

/** What LocateUser answers. */
interface Located {
  outcome: string;
  bindingMessage: boolean;
}

function wayOf(flow: string): Way {
  const way = ways[flow];
  if (way === undefined) throw new Error(`the paths of ${flow} are not known here`);
  return way;
}

/** Tasks by the number of their try, from 1. */
interface StubTasks {
  locateUser: (attempt: number) => Located;
  mail?: (attempt: number) => { outcome: string };
  beforeRecordFailure?: (attempt: number) => void;
}

interface FlowRun {
  /** The states entered, in order. */
  path: string[];
  /** The functions invoked and their payloads, in order. */
  calls: [name: string, payload: unknown][];
  status: 'succeeded' | 'failed';
  error: string | undefined;
  /** The causes that reached the request. */
  failures: string[];
}

function located(bindingMessage: boolean) {
  return () => ({ outcome: 'located', bindingMessage });
}

function sent() {
  return { outcome: 'sent' };
}

/** Fails as a function does: with a name that Retry and Catch see. */
function fail(name: string): never {
  throw Object.assign(new Error('stub'), { name });
}

/** One execution of the flow, without its waits. */
async function runFlow(
  { source }: Flow,
  { locateUser, mail, beforeRecordFailure }: StubTasks,
): Promise<FlowRun> {
  const run: FlowRun = { path: [], calls: [], status: 'succeeded', error: undefined, failures: [] };
  const recordFailure = recordFailureTask({
    requests: {
      fail: async (_, cause) => {
        run.failures.push(cause);
        return true;
      },
    },
    clock: () => 1_700_000_000,
    log: () => {},
  });
  const functions: Record<string, (payload: unknown, attempt: number) => unknown> = {
    locateUser: (_, attempt) => locateUser(attempt),
    mail: (_, attempt) => (mail ?? unexpected)(attempt),
    recordFailure: (payload, attempt) => {
      beforeRecordFailure?.(attempt);
      return recordFailure(payload);
    },
  };
  const invoke = async (functionName: string, payload: unknown) => {
    const name = nameFunction(functionName);
    run.calls.push([name, payload]);
    const attempt = run.calls.filter(([one]) => one === name).length;
    return z.json().parse(await functions[name]?.(payload, attempt));
  };

  const surroundings = {
    invoke,
    wait: async () => {},
    random: () => 0,
    onState: (name: string) => void run.path.push(name),
  };
  try {
    await interpret(definition(source), { ref }, surroundings);
  } catch (error) {
    Object.assign(run, { status: 'failed', error: error instanceof Error && error.name });
  }
  return run;
}

function unexpected(): never {
  throw new Error('the flow sent a mail it should not have sent');
}

function definition(source: string) {
  const text = Object.entries(substitutes).reduce(
    (filled, [name, value]) => filled.replaceAll(`\${${name}}`, value),
    source,
  );
  return checkStateMachine('Flow', text).definition;
}

/** `mail` for the ARN that `mailFunction` stands for. */
function nameFunction(arn: string): string {
  const entry = Object.entries(substitutes).find(([, value]) => value === arn);
  return entry?.[0].replace(/Function$/, '') ?? arn;
}

/** How long a state lasts when every try takes its longest, in seconds. */
function longestOf(state: Task): number {
  const tries = state.Retry[0].MaxAttempts + 1;
  return tries * state.TimeoutSeconds + waitsOf(state).most;
}

/** What a state waits between its tries in all, at the least and at the most, in seconds. */
function waitsOf({ Retry: [retry] }: Task): { least: number; most: number } {
  const most = Array.from({ length: retry.MaxAttempts }, (_, attempt) =>
    Math.min(retry.IntervalSeconds * retry.BackoffRate ** attempt, retry.MaxDelaySeconds),
  ).reduce((sum, wait) => sum + wait, 0);
  // Full jitter waits for anything between nothing and the whole.
  return { least: retry.JitterStrategy === 'FULL' ? 0 : most, most };
}

function memberNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...memberNames(member)]);
}
