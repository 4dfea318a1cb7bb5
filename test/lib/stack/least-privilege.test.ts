/**
 * Least privilege, proved by use (threats T28): every right of every role is used by a call that is
 * really made, and every call that is made is a right. The calls are those of the black-box suite,
 * whose local host is under watch, and those that only a fault brings about. Where the suite is not
 * part of the run, it is run from here.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import type { Assembly } from '../../../lib/local/template/read-assembly.ts';
import type { References } from '../../../lib/local/template/resolve-intrinsics.ts';
import {
  createReferences,
  localAccount,
  localArn,
} from '../../../lib/local/template/resource-names.ts';
import { parseDirectory } from '../../../lib/operator/directory/directory-file.ts';
import { readSuiteReport } from '../../deploy/suite-report.ts';
import { eventually } from '../../support/eventually.ts';
import { covers, type Need, needsOf, unconditional } from '../../support/needed-rights.ts';
import { recordCalls, type ServiceCall } from '../../support/recorded-calls.ts';
import { readSuiteNotes, type SuiteNotes } from '../../support/suite-notes.ts';
import { type SynthesizedHost, startSynthesizedHost } from '../../support/synthesized-host.ts';
import { allStatements, type Right, rightsOfRole, rolesOf } from '../../support/template-rights.ts';

interface Exception {
  actions: string[];
  reason: string;
}

/** Every wildcard in a policy of the stack. */
const wildcards: (Exception & { resource: string })[] = [
  {
    actions: [
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
    ],
    resource: '*',
    reason: 'A state machine logs through log deliveries, whose actions know no resources.',
  },
  {
    actions: ['ses:SendEmail', 'ses:SendTemplatedEmail'],
    resource: localArn('ses:identity/', '*'),
    reason:
      'SES asks for the identity of the address or of its domain, and in the sandbox for the recipient’s; the From address is held down by a condition.',
  },
  {
    actions: ['kms:*'],
    resource: '*',
    reason:
      'The key’s own policy, where * is this key: it lets the account’s IAM policies decide. Without it nobody could manage the key any more.',
  },
];

/**
 * Actions that AWS takes on a role's behalf: no call shows them. `besides` is the call of the same
 * role that brings one about; without such a call the role needs no such right.
 */
const takenByServices: (Exception & { besides?: string })[] = [
  {
    actions: ['kms:Decrypt'],
    besides: 'dynamodb:GetItem',
    reason: 'DynamoDB reads the encrypted table with the rights of its caller.',
  },
  {
    actions: ['kms:GenerateDataKey'],
    besides: 'dynamodb:PutItem',
    reason: 'DynamoDB writes the encrypted table with the rights of its caller.',
  },
  {
    actions: ['sqs:SendMessage'],
    reason:
      'Lambda keeps an event that a function fails at to the end, with the rights of the function.',
  },
  {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    reason: 'Lambda writes what a function prints.',
  },
  {
    actions: wildcards.flatMap(({ actions }) =>
      actions.filter((action) => action.startsWith('logs:')),
    ),
    reason: 'Step Functions delivers the log of the flow.',
  },
];

/**
 * What no caller from outside can bring about, and repeats and states of the design are there for.
 */
const faults: { meet: () => Promise<void>; reason: string }[] = [
  { meet: startTwice, reason: 'Express runs at least once: the second run finds the mail sent.' },
  ...['pump', 'till'].map((clientId) => ({
    meet: () => failToNotify(clientId),
    reason: `The flow of ${clientId}, whose mail is refused, records its failure.`,
  })),
  { meet: revokeNothing, reason: 'An operator ends the refresh token of a request that has none.' },
];

const recorded = recordCalls();
/** Those of the suite, if it ran before this file. */
let suiteCalls: ServiceCall[] = [];
/** Reasons of faults that used no right which was unused before. */
const superfluousFaults: string[] = [];
/** What the local host says of each execution: `<state machine> <name> ended: LocateUser > …`. */
const runs: string[] = [];
let host: SynthesizedHost;
let assembly: Assembly;
let references: References;

beforeAll(async () => {
  host = await startSynthesizedHost({
    interpose: recorded.interpose,
    log: (kind, line) => {
      if (kind === 'flow' || kind === 'failure') runs.push(line);
    },
  });
  assembly = host.assembly;
  references = createReferences(assembly, host.issuer);
  const notes = await readSuiteNotes(inject('runFolder'));
  if (notes === undefined) await runBlackBoxSuite();
  else takeNotes(notes);
  await host.applyDirectory(directory, { prune: false });
  for (const { meet, reason } of faults) {
    const before = unusedRights();
    await meet();
    if (unusedRights().length === before.length) superfluousFaults.push(reason);
  }
});

afterAll(async () => {
  await host?.stop();
  await recorded.stop();
});

const client = { client_id: 'pump', client_secret: 'the secret of a pump of this test' };
/** Whose requests go by the other flow. */
const otherClient = { client_id: 'till', client_secret: 'the secret of a till of this test' };
const user = { sub: 'u-alice', username: 'alice', email: 'alice@example.com' };
const directory = parseDirectory({
  clients: [
    { ...client, client_name: 'Pump', token_endpoint_auth_method: 'client_secret_post' },
    {
      ...otherClient,
      client_name: 'Till',
      token_endpoint_auth_method: 'client_secret_post',
      flow_policy: 'generic-mail',
    },
  ],
  users: [{ ...user, email_verified: true }],
});

const authenticationAnswer = z.object({ auth_req_id: z.string().optional() });

/** Asks for an authentication; a request has a reference if it is taken. */
async function ask(
  clientId = client.client_id,
): Promise<{ status: number; ref: string | undefined }> {
  const asking = clientId === client.client_id ? client : otherClient;
  const body = new URLSearchParams({ ...asking, scope: 'openid', login_hint: user.username });
  const response = await fetch(`${host.issuer}/cibaAuthorization`, { method: 'POST', body });
  const { auth_req_id } = authenticationAnswer.parse(await response.json());
  return { status: response.status, ref: auth_req_id?.split('.')[0] };
}

const store = z.object({ emails: z.array(z.object({ body: z.object({ text: z.string() }) })) });

/** Until the mail of a request is there. */
async function mailed(ref: string): Promise<void> {
  await eventually(async () => {
    const { emails } = store.parse(await (await fetch(`${host.inbox}/store`)).json());
    expect(emails.some(({ body }) => body.text.includes(`Request ID: ${ref}`))).toBe(true);
  });
}

/** What the suite, that runs the same assembly, called in this run. */
function takeNotes(notes: SuiteNotes): void {
  if (notes.failed.length > 0)
    throw new Error(`the black-box suite failed:\n${notes.failed.join('\n')}`);
  expect(notes.leftOut).toEqual([]);
  const byNeed = notes.calls.map((call): [string, ServiceCall] => [
    JSON.stringify(needsOf(call, host.stack.tables)),
    call,
  ]);
  suiteCalls = [...new Map(byNeed).values()];
  runs.push(...notes.runs);
}

function allCalls(): ServiceCall[] {
  return [...suiteCalls, ...recorded.calls];
}

/**
 * The suite as anybody runs it against a deployment, but for the races, which call nothing that the
 * rest does not.
 */
async function runBlackBoxSuite(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ciba-suite-'));
  const report = join(folder, 'report.json');
  const suite = spawn(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', '--config', '.config/vitest.config.ts'],
      ...['--project', 'black-box', '--tagsFilter', '!heavy'],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Before the hook's own time is up, which would leave it running.
      timeout: 580_000,
      env: {
        ...process.env,
        // The report of the run that this file is part of stays what it is.
        TEST_REPORT: report,
        BLACK_BOX_ISSUER: host.issuer,
        BLACK_BOX_MAIL_STORE: `${host.inbox}/store`,
        BLACK_BOX_DIRECTORY: `${host.control}/directory`,
        BLACK_BOX_FEEDBACK: 'yes',
        BLACK_BOX_AWS: host.control,
      },
    },
  );
  const [output, errors] = [text(suite.stdout), text(suite.stderr)];
  const [code] = await once(suite, 'close');
  try {
    if (code !== 0) throw new Error(`the black-box suite failed:\n${await output}${await errors}`);
    expect((await readSuiteReport(report)).leftOut).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function startTwice(): Promise<void> {
  const ref = String((await ask()).ref);
  await mailed(ref);
  const stepFunctions = new SFNClient({
    endpoint: host.endpoints.stepFunctions,
    region: localAccount.region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const flows = z.record(z.string(), z.string());
  const stateMachineArn = flows.parse(JSON.parse(host.stack.outputs['Flows'] ?? ''))['ciba-flow'];
  const input = JSON.stringify({ ref });
  await stepFunctions.send(new StartExecutionCommand({ stateMachineArn, input }));
  stepFunctions.destroy();
  await called('mail', ({ action, input: { Key } }) => {
    return action === 'dynamodb:GetItem' && JSON.stringify(Key).includes(ref);
  });
}

/** The states that each execution so far has entered. */
function statesOfRuns(): { machine: string; states: string[] }[] {
  return runs.flatMap((line) => {
    const [, machine, states] = /^(\S+) \S+ (?:ended|failed): ([^:]+)/.exec(line) ?? [];
    return machine === undefined || states === undefined
      ? []
      : [{ machine, states: states.split(' > ') }];
  });
}

async function failToNotify(clientId: string): Promise<void> {
  recorded.disturbNext(({ action }) => action === 'ses:SendEmail', {
    refusedWith: 'MessageRejected',
  });
  const { ref } = await ask(clientId);
  await eventually(() => expect(runs.some((line) => line.includes(`${ref} failed: `))).toBe(true));
}

async function revokeNothing(): Promise<void> {
  const { ref } = await ask();
  const lambda = new LambdaClient({
    endpoint: host.control,
    region: localAccount.region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const FunctionName = functionOf('revoke-refresh-token');
  const Payload = Buffer.from(JSON.stringify({ ref }));
  const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Payload }));
  lambda.destroy();
  expect(FunctionError).toBeUndefined();
}

/** Waits for a call that nobody's answer waits for. */
async function called(handler: string, fits: (call: ServiceCall) => boolean): Promise<void> {
  const name = functionOf(handler);
  await eventually(() =>
    expect(recorded.calls.some((call) => call.functionName === name && fits(call))).toBe(true),
  );
}

function functionOf(handler: string): string {
  const description = `lambdas/handlers/${handler}.ts`;
  const [logicalId] =
    Object.entries(assembly.resources).find(
      ([, { Properties }]) => Properties?.['Description'] === description,
    ) ?? [];
  return z.string().parse(logicalId && references.ref(logicalId));
}

/** A machine has called the functions of the task states that it has entered. */
function needsOfMachines(): Need[] {
  return host.stack.stateMachines.flatMap(({ name, tasks }) => {
    const entered = statesOfRuns().flatMap(({ machine, states }) =>
      machine === name ? states : [],
    );
    const invoked = [...tasks].filter(([state]) => entered.includes(state)).map(([, arn]) => arn);
    return [...new Set(invoked)].map((resource) => ({
      ...unconditional,
      caller: name,
      action: 'lambda:InvokeFunction',
      resource,
    }));
  });
}

interface Caller {
  name: string;
  rights: Right[];
  needs: Need[];
}

/** Every function and state machine, with what it may do and what it did. */
function callers(): Caller[] {
  const needs = [
    ...allCalls().flatMap((call) => needsOf(call, host.stack.tables)),
    ...needsOfMachines(),
  ];
  return allRoles().map(([logicalId, role]) => {
    const name = `${assembly.stackName}-${logicalId}`;
    return {
      name,
      rights: rightsOfRole(assembly, references, role),
      needs: needs.filter(({ caller }) => caller === name),
    };
  });
}

function allRoles(): [string, string][] {
  return [
    ...rolesOf(assembly, 'AWS::Lambda::Function', 'Role'),
    ...rolesOf(assembly, 'AWS::StepFunctions::StateMachine', 'RoleArn'),
  ];
}

function isTakenByService({ action }: Right, needs: Need[]): boolean {
  return takenByServices.some(
    ({ actions, besides }) =>
      actions.includes(action) &&
      (besides === undefined || needs.some((need) => need.action === besides)),
  );
}

function unusedRights(): string[] {
  return callers().flatMap(({ name, rights, needs }) =>
    rights
      .filter((right) => !isTakenByService(right, needs))
      .filter((right) => !needs.some((need) => covers(right, need)))
      .map((right) => describeRight(name, right)),
  );
}

function describeRight(name: string, { action, resource, leadingKey }: Right): string {
  return `${name}: ${action} on ${resource}${leadingKey === undefined ? '' : ` if ${leadingKey}`}`;
}

describe('the wildcards of the policies', () => {
  it('are these, each with its reason, and none in the action of a role', () => {
    const listed = wildcards.flatMap(({ actions, resource }) =>
      actions.map((action) => `${action} on ${resource}`),
    );
    const found = allStatements(assembly, references)
      .flatMap(({ Action, Resource }) =>
        Action.flatMap((action) => Resource.map((resource) => `${action} on ${resource}`)),
      )
      .filter((right) => right.includes('*'));
    expect(new Set(found)).toEqual(new Set(listed));
    const actions = callers().flatMap(({ rights }) => rights.map(({ action }) => action));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });
});

describe('the rights of every role', () => {
  it('belong to one function or state machine each', () => {
    const roles = Object.entries(assembly.resources).filter(([, { Type }]) => {
      return Type === 'AWS::IAM::Role';
    });
    expect(
      allRoles()
        .map(([, role]) => role)
        .sort(),
    ).toEqual(roles.map(([logicalId]) => logicalId).sort());
  });

  it('are all used: by a recorded call, or by a service on the role’s behalf', () => {
    expect(unusedRights()).toEqual([]);
  });

  it('cover every recorded call', () => {
    const refused = callers().flatMap(({ name, rights, needs }) =>
      needs
        .filter((need) => !rights.some((right) => covers(right, need)))
        .map((need) => describeRight(name, need)),
    );
    expect(new Set(refused)).toEqual(new Set());
  });

  it('need every fault that is met: the suite and the faults before it leave a right to it', () => {
    expect(superfluousFaults).toEqual([]);
  });

  it('have no service act that is not asked for or that a call shows, and leave no call without a caller', () => {
    const granted = new Set(callers().flatMap(({ rights }) => rights.map(({ action }) => action)));
    const listed = takenByServices.flatMap(({ actions }) => actions);
    expect(listed.filter((action) => !granted.has(action))).toEqual([]);
    const shown = new Set(callers().flatMap(({ needs }) => needs.map(({ action }) => action)));
    expect(listed.filter((action) => shown.has(action))).toEqual([]);
    const names = new Set(callers().map(({ name }) => name));
    expect(allCalls().filter(({ functionName }) => !names.has(functionName))).toEqual([]);
  });
});
