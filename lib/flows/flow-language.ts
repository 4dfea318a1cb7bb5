/**
 * The part of the Amazon States Language that flows are written in: JSONPath and `lambda:invoke`
 * tasks, which AWS, emulators and the local host run alike. The stack is synthesized, and the local
 * host starts, with nothing else.
 */
import * as z from 'zod/mini';

/** The one kind of task: an invocation of a function that is waited for. */
export const LAMBDA_INVOKE = 'arn:aws:states:::lambda:invoke';

/**
 * A path of members below the input; filters, slices, the context object and intrinsic functions
 * are read differently.
 */
const path = z.string().check(z.regex(/^\$(?:\.[A-Za-z_]\w*)*$/, 'a path of member names'));

/** Below `$`, so that no result replaces the whole input and loses the reference of the request. */
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
export interface ChoiceRule {
  Variable?: string | undefined;
  StringEquals?: string | undefined;
  BooleanEquals?: boolean | undefined;
  NumericEquals?: number | undefined;
  IsPresent?: boolean | undefined;
  And?: ChoiceRule[] | undefined;
  Or?: ChoiceRule[] | undefined;
  Not?: ChoiceRule | undefined;
}

const rule: z.ZodMiniType<ChoiceRule> = z.lazy(() =>
  z.strictObject({ ...comparison, ...connectives }),
);

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

/** A definition that is within the language. */
export type StateMachineDefinition = z.output<typeof machine>;

export type TaskState = z.output<typeof task>;

export type Retrier = z.output<typeof retrier>;

/** What is wrong at one place of a definition, as `States.LocateUser.Assign`. */
export interface LanguageFault {
  place: string;
  /** What may stand there; without it the member itself is foreign to the language. */
  allowed: string | undefined;
}

/** A definition within the language, and what can be said of it without running it. */
export interface FlowOutline {
  definition: StateMachineDefinition;
  states: ReadonlySet<string>;
  /** Every way from one state to another; the first leads from `StartAt`. */
  steps: { from: string; to: string }[];
  /** The task states and the function that each invokes. */
  tasks: Map<string, string>;
}

/** Reads a definition, with or without its substitutions made. */
export function readFlow(definition: unknown): { flow: FlowOutline } | { faults: LanguageFault[] } {
  const parsed = machine.safeParse(definition);
  if (!parsed.success) return { faults: parsed.error.issues.flatMap(describeIssue) };
  const { StartAt, States } = parsed.data;
  const flow: FlowOutline = {
    definition: parsed.data,
    states: new Set(Object.keys(States)),
    steps: [{ from: 'StartAt', to: StartAt }],
    tasks: new Map(),
  };
  for (const [name, state] of Object.entries(States)) {
    for (const to of nextStates(state)) flow.steps.push({ from: name, to });
    if (state.Type === 'Task') flow.tasks.set(name, state.Parameters.FunctionName);
  }
  return { flow };
}

/** The states that this one names, in whatever case it goes on to them. */
function nextStates(state: StateMachineDefinition['States'][string]): string[] {
  const named: (string | undefined)[] = [];
  if (state.Type === 'Task') named.push(state.Next, ...(state.Catch ?? []).map(({ Next }) => Next));
  if (state.Type === 'Choice') {
    named.push(...state.Choices.map(({ Next }) => Next), state.Default);
  }
  return named.filter((name) => name !== undefined);
}

function describeIssue(issue: z.core.$ZodIssue): LanguageFault[] {
  const place = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ place, allowed: describeAllowed(issue) }];
  return issue.keys.map((key) => ({
    place: [place, key].filter(Boolean).join('.'),
    allowed: undefined,
  }));
}

/** The messages of zod/mini say nothing but where they are our own. */
function describeAllowed(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return issue.values.join(', ');
  if (issue.code === 'invalid_type') return `a value of the type ${issue.expected}`;
  // The only union that tells its members apart is that of the states.
  if (issue.code === 'invalid_union') return 'Task, Choice, Succeed, Fail';
  return issue.message;
}

function findPaths(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name.endsWith('.$') ? [member] : findPaths(member),
  );
}
