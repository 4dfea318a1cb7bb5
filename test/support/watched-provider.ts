/**
 * The whole provider in this process over its real adapters: DynamoDB is dynalite, the state
 * machine is the real definition in an interpreter, SES and Step Functions answer from here. Every
 * line that would be logged, everything the flow is given or gives, and every answer is kept; any
 * service can be made to fail with an error that quotes what it was sent.
 */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import {
  MessageRejected,
  SESv2Client,
  SESv2ServiceException,
  type SendEmailCommandInput,
  TooManyRequestsException,
} from '@aws-sdk/client-sesv2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { askedUsers } from '../../lambdas/aws/asked-users-table.ts';
import { clientLogos } from '../../lambdas/aws/client-logos-table.ts';
import {
  clientDirectory,
  publicKeys,
  undeliverableAddresses,
  userDirectory,
} from '../../lambdas/aws/directory-table.ts';
import { generateSigningKey } from '../../lambdas/aws/generate-signing-key.ts';
import {
  addresseeNames,
  keyStore,
  linkKeys,
  tokenSigner,
  wrappingKeys,
} from '../../lambdas/aws/keys-table.ts';
import { notificationQuotas } from '../../lambdas/aws/notification-quotas.ts';
import { requestItems, requestsTable } from '../../lambdas/aws/requests-table.ts';
import { sesMailer } from '../../lambdas/aws/ses-mailer.ts';
import { stepFunctionsFlow } from '../../lambdas/aws/step-functions-flow.ts';
import { usedTokenIds } from '../../lambdas/aws/used-token-ids.ts';
import { approveEndpoint } from '../../lambdas/endpoints/approve.ts';
import { backchannelAuthenticationEndpoint } from '../../lambdas/endpoints/backchannel-authentication.ts';
import { metadataEndpoint } from '../../lambdas/endpoints/metadata.ts';
import { tokenEndpoint } from '../../lambdas/endpoints/token.ts';
import { customResourceHandler } from '../../lambdas/handlers/custom-resource.ts';
import { runtime } from '../../lambdas/handlers/runtime.ts';
import type { Caller } from '../../lambdas/http/api-gateway-event.ts';
import { createLog } from '../../lambdas/log.ts';
import type { TokenSigner } from '../../lambdas/ports.ts';
import { locateUserTask } from '../../lambdas/tasks/locate-user.ts';
import { mailTask } from '../../lambdas/tasks/mail.ts';
import { mailFeedbackTask } from '../../lambdas/tasks/mail-feedback.ts';
import { recordFailureTask } from '../../lambdas/tasks/record-failure.ts';
import { rotateKeysTask } from '../../lambdas/tasks/rotate-keys.ts';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
} from '../../lib/local/loopback.ts';
import { runFlow } from '../../lib/local/services/run-flow.ts';
import { checkStateMachine } from '../../lib/local/template/check-state-machine.ts';
import { applyDirectory } from '../../lib/operator/directory/apply.ts';
import type { Directory } from '../../lib/operator/directory/directory-file.ts';
import { EXAMPLE_NOW } from './example-request.ts';
import { plainPolicies } from './in-memory-quotas.ts';
import { tablesOnDynalite } from './tables-on-dynalite.ts';

/** Limits that nothing here reaches, so that everything is counted. */
const countedPolicies = {
  byDefault: 'counted',
  policies: { counted: { mailsPerUserPerDay: 1000, mailsPerDay: 1_000_000 } },
};

export const watchedIssuer = 'https://ciba.example';

/** How SES answers: it accepts, refuses for good or for now, fails, or does not answer. */
export type SesAnswer = 'accepted' | 'rejected' | 'deferred' | 'failed' | 'lost';

/** An answer, its headers and body in one text. */
export interface WatchedAnswer {
  status: number;
  text: string;
}

/** Starts one with keys and a directory; `stop` ends its tables. */
export async function startWatchedProvider(directory: Directory) {
  const tables = await tablesOnDynalite();
  const lines: string[] = [];
  const flow: string[] = [];
  const answers: WatchedAnswer[] = [];
  const told: string[] = [];
  const mails: SendEmailCommandInput[] = [];
  const now = { at: EXAMPLE_NOW };
  const world = {
    ses: 'accepted' as SesAnswer,
    isFlowDown: false,
    isSignerBroken: false,
    /** The call of DynamoDB from now on that fails; 0 is none. */
    failingCall: 0,
  };

  const log = createLog(
    (line) => lines.push(line),
    () => undefined,
  );
  const clock = () => now.at;
  const timeless = { ...runtime, clock, log, startPadding: () => async () => {} };
  const dynamo = tables.client;
  const keys = keyStore(dynamo, 'keys', 'directory');
  const rotation = { ...timeless, keys, generateSigningKey, periodSeconds: 86_400 };
  await rotateKeysTask(rotation)({ rotate: 'when-due' });
  await applyDirectory({
    client: dynamo,
    tableName: 'directory',
    keysTableName: 'keys',
    directory,
    prune: false,
  });
  dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      if (world.failingCall > 0) {
        world.failingCall -= 1;
        if (world.failingCall === 0) throw quoting(`${context.commandName} failed`, args.input);
      }
      return next(args);
    },
    { step: 'initialize' },
  );

  const ses = new SESv2Client({});
  ses.middlewareStack.add(
    () => async (args) => {
      mails.push(args.input as SendEmailCommandInput);
      if (world.ses !== 'accepted') throw sesError(world.ses, args.input);
      return { output: { MessageId: 'm', $metadata: {} }, response: {} };
    },
    { step: 'initialize' },
  );
  const stepFunctions = new SFNClient({});
  const started: string[] = [];
  stepFunctions.middlewareStack.add(
    () => async (args) => {
      flow.push(JSON.stringify(args.input));
      if (world.isFlowDown) throw quoting('StartExecution failed', args.input);
      started.push(String(Object(args.input).input));
      return { output: { $metadata: {} }, response: {} };
    },
    { step: 'initialize' },
  );

  /** Nothing is remembered from one request to the next, as in environments that are all new. */
  const deps = () => {
    const signer = tokenSigner(dynamo, 'keys', clock);
    return {
      ...timeless,
      issuer: watchedIssuer,
      accessTokenAudience: watchedIssuer,
      settings: {
        defaultExpiresIn: 120,
        minExpiresIn: 10,
        maxExpiresIn: 600,
        defaultInterval: 2,
        auditRetention: 30 * 86_400,
        ...plainPolicies,
        notificationPolicies: countedPolicies,
      },
      requests: requestsTable(dynamo, 'requests'),
      quotas: notificationQuotas(dynamo, 'requests', {
        names: addresseeNames(dynamo, 'keys', clock),
        requests: requestsTable(dynamo, 'requests'),
        draw: () => 0,
        unrepeated: dynamo,
      }),
      askedUsers: askedUsers(requestItems(dynamo, 'requests')),
      clients: clientDirectory(dynamo, 'directory', clock),
      users: userDirectory(dynamo, 'directory'),
      addresses: undeliverableAddresses(dynamo, 'directory'),
      keys: publicKeys(dynamo, 'directory'),
      logos: clientLogos(dynamo, 'directory'),
      linkKeys: linkKeys(dynamo, 'keys', clock),
      recordDecisionOrigin: 'full' as const,
      wrappingKeys: wrappingKeys(dynamo, 'keys', clock),
      usedTokenIds: usedTokenIds(dynamo, 'requests', timeless),
      flow: stepFunctionsFlow(
        stepFunctions,
        new Map([['ciba-flow', 'arn:aws:states:us-east-1:1:stateMachine:x']]),
      ),
      templates: new Map(templateNames.map((name) => [name, ['en']])),
      mailer: sesMailer(ses, 'approvals@bank.example', 'a-set'),
      signer: {
        sign: (...token: Parameters<TokenSigner['sign']>) => {
          if (world.isSignerBroken) throw quoting('cannot sign', token);
          return signer.sign(...token);
        },
      },
    };
  };

  const endpoints = {
    '/cibaAuthorization': backchannelAuthenticationEndpoint,
    '/token': tokenEndpoint,
  };

  return {
    now,
    world,
    lines,
    flow,
    answers,
    mails,
    tables,
    keys,
    told,
    send,
    runFlows,
    hear,
    rotate,
    deploy,
    stop: tables.stop,
  };

  /** Sends a request to the endpoint of its path; the answer is kept. */
  async function send(request: Request, caller: Caller = {}): Promise<WatchedAnswer> {
    const { pathname } = new URL(request.url);
    const protocol = Object.entries(endpoints).find(([path]) => path === pathname)?.[1];
    const endpoint =
      protocol?.(deps()) ??
      (/^\/approve(?:\/|$)/.test(pathname) ? approveEndpoint(deps()) : metadataEndpoint(deps()));
    const response = await endpoint(request, { requestId: 'JKJaXmPLvHcESHA=', ...caller });
    const headers = JSON.stringify([...response.headers]);
    const answer = { status: response.status, text: `${headers}\n${await response.text()}` };
    answers.push(answer);
    return answer;
  }

  /** Takes an event of SES, with what Lambda would log of a failure. */
  function hear(event: unknown) {
    return reported(mailFeedbackTask(deps()), event);
  }

  /** Rotates the keys now, as an operator does, with what Lambda would log of a failure. */
  async function rotate(): Promise<unknown> {
    return reported(rotateKeysTask(rotation), { rotate: 'now' }).catch(() => undefined);
  }

  /** Rotates the keys now, as a deployment does; what CloudFormation is told is kept. */
  async function deploy(): Promise<void> {
    const server = createAsyncServer(async (request, response) => {
      told.push(await text(request));
      response.end();
    });
    const port = await listenOnLoopback(server, { port: 0 });
    const make = () => rotateKeysTask(rotation)({ rotate: 'now' });
    const s3Endpoint = loopbackUrl(port);
    // A minute passes at each look at the clock: the first failure is told.
    let seconds = 0;
    const pace = { clock: () => (seconds += 61), wait: async () => {} };
    const handle = customResourceHandler(make, { region: 'eu-west-1', s3Endpoint }, pace);
    await handle({
      RequestType: 'Update',
      ResponseURL: s3Endpoint,
      StackId: 's',
      RequestId: 'r',
      LogicalResourceId: 'l',
    });
    await closeServer(server);
  }

  /** Runs what was started, with the real tasks; what enters and leaves each state is kept. */
  async function runFlows(): Promise<void> {
    for (const input of started.splice(0)) {
      const surroundings = {
        invoke,
        wait: async () => {},
        random: () => 0,
        onState: (name: string, entered: unknown) =>
          void flow.push(JSON.stringify({ name, input: entered })),
      };
      const ended = await runFlow(definition, JSON.parse(input), surroundings).catch(String);
      flow.push(JSON.stringify({ ended }));
    }
  }

  async function invoke(functionName: string, payload: unknown) {
    flow.push(JSON.stringify(payload));
    const tasks: Record<string, (input: unknown) => Promise<object>> = {
      '${locateUserFunction}': locateUserTask(deps()),
      '${mailFunction}': mailTask(deps()),
      '${recordFailureFunction}': recordFailureTask(deps()),
    };
    const task = tasks[functionName];
    if (task === undefined) throw new Error(`${functionName} is no function of the flow`);
    const result = JSON.parse(JSON.stringify(await reported(task, payload)));
    flow.push(JSON.stringify(result));
    return result;
  }

  /**
   * What Lambda makes of a task's error: a line in its log, and a cause for the flow with name,
   * message and stack.
   */
  async function reported<Result>(
    task: (input: unknown) => Promise<Result>,
    input: unknown,
  ): Promise<Result> {
    try {
      return await task(input);
    } catch (error) {
      const { name, message, stack = '' } = error instanceof Error ? error : new Error('no error');
      const trace = stack.split('\n');
      const report = { errorType: name, errorMessage: message };
      lines.push(
        `ERROR Invoke Error ${JSON.stringify({ ...report, ...Object(error), stack: trace })}`,
      );
      const cause = JSON.stringify({ ...report, trace });
      throw Object.assign(new Error(cause), { name });
    }
  }
}

export type WatchedProvider = Awaited<ReturnType<typeof startWatchedProvider>>;

const { definition } = checkStateMachine(
  'Flow',
  readFileSync(new URL('../../statemachines/ciba-flow.asl.json', import.meta.url), 'utf8'),
);

/** What the flow calls its templates and functions: substitutions are not made here. */
const templateNames = ['${cibaWithBindingMessageTemplate}', '${cibaWithoutBindingMessageTemplate}'];

/**
 * An error of the worst manners: it says everything it was given, and again in what looks like a
 * frame.
 */
function quoting(message: string, input: unknown): Error {
  const said = JSON.stringify(input);
  const file = new URL('../../lambdas/index.mjs', import.meta.url).href;
  return new Error(`${message}: ${said}\n    at ${said} (${file}:4711:815)`);
}

function sesError(answer: Exclude<SesAnswer, 'accepted'>, input: unknown): Error {
  const { message } = quoting('Email address is not verified', input);
  const refused = { message, $metadata: { httpStatusCode: 400 } };
  switch (answer) {
    case 'rejected':
      return new MessageRejected(refused);
    case 'deferred':
      return new TooManyRequestsException(refused);
    case 'failed':
      return new SESv2ServiceException({
        name: 'InternalFailure',
        $fault: 'server',
        message,
        $metadata: { httpStatusCode: 500 },
      });
    case 'lost':
      return new Error(message);
  }
}
