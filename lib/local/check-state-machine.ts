/**
 * The part of the Amazon States Language that the interpreter runs as AWS does: JSONPath, `lambda:invoke` tasks.
 * The interpreter ignores what it does not know, so anything else stops the local host here.
 */
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import * as z from 'zod/mini';
import { LocalHostError } from './local-host-error.ts';

/** The one kind of task: an invocation of a function that is waited for. */
const LAMBDA_INVOKE = 'arn:aws:states:::lambda:invoke';

/** A path of members below the input; filters, slices, the context object and intrinsic functions are read differently. */
const path = z.string().check(z.regex(/^\$(?:\.[A-Za-z_]\w*)*$/, 'a path of member names'));

/** The interpreter takes `$` alone for the name of a member. */
const resultPath = z.optional(
  z.nullable(
    z.string().check(z.regex(/^\$(?:\.[A-Za-z_]\w*)+$/, 'null or a path of member names')),
  ),
);

/** In a payload template the members whose name ends in `.$` hold paths. */
const holdsPlainPaths = z.refine<Record<string, unknown>>(
  (value) => findPaths(value).every((found) => path.safeParse(found).success),
  'a path of member names',
);

const payloadTemplate = z.record(z.string(), z.unknown());

const errorNames = z.array(z.string()).check(z.minLength(1));

const retrier = z.strictObject({
  ErrorEquals: errorNames,
  IntervalSeconds: z.optional(z.number()),
  MaxAttempts: z.optional(z.number()),
  BackoffRate: z.optional(z.number()),
  MaxDelaySeconds: z.optional(z.number()),
  JitterStrategy: z.optional(z.enum(['FULL', 'NONE'])),
});

const catcher = z.strictObject({
  ErrorEquals: errorNames,
  ResultPath: resultPath,
  Next: z.string(),
});

const task = z.strictObject({
  Type: z.literal('Task'),
  Comment: z.optional(z.string()),
  Resource: z.literal(LAMBDA_INVOKE),
  Parameters: z
    .strictObject({
      FunctionName: z.string(),
      Payload: z.optional(payloadTemplate),
      'Payload.$': z.optional(path),
    })
    .check(holdsPlainPaths),
  ResultSelector: z.optional(payloadTemplate.check(holdsPlainPaths)),
  ResultPath: resultPath,
  TimeoutSeconds: z.number(),
  Retry: z.optional(z.array(retrier)),
  Catch: z.optional(z.array(catcher)),
  Next: z.optional(z.string()),
  End: z.optional(z.literal(true)),
});

const comparison = {
  Variable: z.optional(path),
  StringEquals: z.optional(z.string()),
  BooleanEquals: z.optional(z.boolean()),
  NumericEquals: z.optional(z.number()),
  IsPresent: z.optional(z.boolean()),
};

/** Comparisons joined by And, Or and Not, to any depth. */
const rule: z.ZodMiniType<object> = z.lazy(() => z.strictObject({ ...comparison, ...connectives }));

const connectives = {
  And: z.optional(z.array(rule)),
  Or: z.optional(z.array(rule)),
  Not: z.optional(rule),
};

const choice = z.strictObject({
  Type: z.literal('Choice'),
  Comment: z.optional(z.string()),
  Choices: z.array(z.strictObject({ ...comparison, ...connectives, Next: z.string() })),
  Default: z.optional(z.string()),
});

const succeed = z.strictObject({ Type: z.literal('Succeed'), Comment: z.optional(z.string()) });

const fail = z.strictObject({
  Type: z.literal('Fail'),
  Comment: z.optional(z.string()),
  Error: z.optional(z.string()),
  Cause: z.optional(z.string()),
});

const machine = z.strictObject({
  Comment: z.optional(z.string()),
  StartAt: z.string(),
  TimeoutSeconds: z.optional(z.number()),
  States: z.record(z.string(), z.discriminatedUnion('Type', [task, choice, succeed, fail])),
});

/** A state machine of which every field means here what it means on AWS. */
export interface CheckedStateMachine {
  definition: StateMachineDefinition;
  /** The task states and the function that each invokes, by name or ARN. */
  tasks: Map<string, string>;
}

/**
 * Checks a definition whose substitutions are made.
 * @throws LocalHostError that names the state and the field that is not known to the local host
 */
export function checkStateMachine(logicalId: string, text: string): CheckedStateMachine {
  const definition: StateMachineDefinition = JSON.parse(text);
  const parsed = machine.safeParse(definition);
  if (parsed.success) return { definition, tasks: findTasks(parsed.data.States) };
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  const fault =
    issue?.code === 'unrecognized_keys'
      ? `${[place, issue.keys[0]].filter(Boolean).join('.')} is not known to the local host`
      : `${place}: the local host does not know this value (${issue?.message})`;
  throw new LocalHostError(`${logicalId}: ${fault}`);
}

function findTasks(states: z.output<typeof machine>['States']): Map<string, string> {
  const tasks = new Map<string, string>();
  for (const [name, state] of Object.entries(states)) {
    if (state.Type === 'Task') tasks.set(name, state.Parameters.FunctionName);
  }
  return tasks;
}

function findPaths(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name.endsWith('.$') ? [member] : findPaths(member),
  );
}
