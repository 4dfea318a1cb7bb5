/**
 * The local host: runs a synthesized stack on this machine with nothing but Node. Routes, bundled
 * functions, tables, mail templates and the state machine come from the assembly; DynamoDB is
 * dynalite, SES is aws-ses-v2-local, the flow is interpreted here.
 */

import { applyDirectory } from '../operator/directory/apply.ts';
import type { Directory } from '../operator/directory/directory-file.ts';
import { OperatorError } from '../operator/terminal/operator-error.ts';
import type { LocalLog } from './local-log.ts';
import { closeServer, issuerAt, listenOnLoopback } from './loopback.ts';
import { openAuthority } from './open-authority.ts';
import { serveControl } from './serve-control.ts';
import { invokeAsynchronously } from './services/invoke-asynchronously.ts';
import { runCustomResources, serveResponses } from './services/run-custom-resources.ts';
import { tellOfMail } from './services/run-event-rules.ts';
import { runFunctions, type ServiceEndpoints } from './services/run-functions.ts';
import { runQueues } from './services/run-queues.ts';
import { runSchedules } from './services/run-schedules.ts';
import { createLocalAws } from './services/serve-aws.ts';
import { createHttpApi } from './services/serve-http-api.ts';
import { serveInbox } from './services/serve-inbox.ts';
import { type Invoke, serveStepFunctions } from './services/serve-step-functions.ts';
import { createTables, serveTables } from './services/serve-tables.ts';
import { readAssembly } from './template/read-assembly.ts';
import { type LocalStack, readStack } from './template/read-stack.ts';

/** What the local host runs, and where. */
export interface LocalHostOptions {
  /** Folder of the synthesized stack. */
  assembly: string;
  /** Of the HTTP API, the inbox and the control server; 0 is any free port. */
  port: number;
  inboxPort: number;
  controlPort: number;
  /**
   * Whether the HTTP API is served by https, with a certificate of a CA of its own.
   * @default false
   */
  tls?: boolean | undefined;
  /** Folder in which the tables are kept, and the CA; in memory without it. */
  dataDirectory?: string | undefined;
  /**
   * Puts something between the functions and the services, as a test does that watches or disturbs
   * their calls: takes where the services answer, and answers where the functions are to call them.
   * @default none: functions call the services themselves
   */
  interpose?: (services: ServiceEndpoints) => Promise<ServiceEndpoints>;
  /** Whether the HTTP API renames `WWW-Authenticate`, as API Gateway may do. @default no */
  renameWwwAuthenticate?: boolean;
  log: LocalLog;
}

/** A running local host. */
export interface LocalHost {
  /** `http://localhost:<port>` of the HTTP API, or `https://…`, which is the provider's issuer. */
  issuer: string;
  /** The PEM file of the CA to trust, with `tls`. */
  ca: string | undefined;
  /** Of the inbox: its page is `/`. */
  inbox: string;
  /** Of the control server, which is the AWS_ENDPOINT_URL of tools too. */
  control: string;
  /** Of the services, for tests that look behind the provider. */
  endpoints: ServiceEndpoints;
  stack: LocalStack;
  /**
   * Adds and updates clients and users; with `prune` those that the directory does not name are
   * removed.
   */
  applyDirectory(
    directory: Directory,
    options: { prune: boolean },
  ): ReturnType<typeof applyDirectory>;
  /** Ends everything, within two seconds. */
  stop(): Promise<void>;
}

/**
 * Starts a local host; when it answers, the provider does too.
 * @throws OperatorError if a port is taken, if the stack holds something that is not known here, if
 * it was synthesized for another issuer, or if a custom resource fails; nothing is left running
 * then
 */
export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const httpApi = createHttpApi({ tls: options.tls ?? false });
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    await closeServer(httpApi.server);
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start(options, httpApi, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param stops takes what ends each part, in the order in which they were started */
async function start(
  options: LocalHostOptions,
  { server, open }: ReturnType<typeof createHttpApi>,
  stops: (() => Promise<void>)[],
): Promise<Omit<LocalHost, 'stop'>> {
  const { log, tls = false } = options;
  const port = await listenOnLoopback(server, { port: options.port, option: '--port' });
  const issuer = issuerAt({ port, tls });

  const stack = readStack(await readAssembly(options.assembly), issuer);
  assertIssuer(stack, options.assembly, issuer);

  const tables = await serveTables(options.dataDirectory);
  stops.push(tables.stop);
  const authority = tls ? await openAuthority(options.dataDirectory, new Date()) : undefined;
  if (authority) stops.push(authority.close);
  const invoke: Invoke = (functionId, event) => functions.invoke(functionId, event);
  const queues = runQueues(stack.queues);
  const invokeLater = invokeAsynchronously(invoke, stack.functions, queues.keep);
  const inbox = await serveInbox(
    { port: options.inboxPort, option: '--inbox-port' },
    stack.mailTemplates,
    (mail) => tellOfMail(stack, mail, invokeLater),
  );
  stops.push(inbox.stop);
  const stepFunctions = await serveStepFunctions(stack.stateMachines, invoke, log);
  const responses = await serveResponses();
  stops.push(responses.stop);
  const endpoints = {
    dynamodb: tables.endpoint,
    sesv2: inbox.endpoint,
    stepFunctions: stepFunctions.endpoint,
  };
  const seenByFunctions = (await options.interpose?.(endpoints)) ?? endpoints;
  const functions = runFunctions(
    stack.functions,
    { ...seenByFunctions, s3: responses.endpoint },
    log,
  );
  stops.push(functions.stop, stepFunctions.stop);

  await createTables(tables.client, stack.tables);
  await runCustomResources(stack.name, stack.customResources, responses, invoke);
  functions.restart();

  const apply: LocalHost['applyDirectory'] = (directory, { prune }) =>
    applyDirectory({
      client: tables.client,
      tableName: tableOf(stack, 'DirectoryTable'),
      keysTableName: tableOf(stack, 'KeysTable'),
      directory,
      prune,
    });
  // Functions remember clients for seconds and keys for minutes; a test that changes one means the
  // next request.
  const thenRestart = async <Answer>(change: Promise<Answer>) => {
    const answer = await change;
    functions.restart();
    return answer;
  };
  const control = await serveControl(
    { port: options.controlPort, option: '--control-port' },
    {
      replaceDirectory: (directory) => thenRestart(apply(directory, { prune: true })),
      rotateKeys: () => thenRestart(invoke(rotationFunctionOf(stack), { rotate: 'now', lead: 0 })),
    },
    createLocalAws({ stack, endpoints, invoke, queues }),
  );
  stops.push(control.stop, runSchedules(stack.schedules, invokeLater));
  open({
    api: { id: 'local', scheme: tls ? 'https' : 'http', domainName: 'localhost', port },
    routes: stack.routes,
    renameWwwAuthenticate: options.renameWwwAuthenticate ?? false,
    invoke,
    log,
    identity: authority?.server,
  });

  return {
    issuer,
    ca: authority?.file,
    inbox: `http://localhost:${inbox.port}`,
    control: `http://localhost:${control.port}`,
    endpoints,
    stack,
    applyDirectory: apply,
  };
}

/** Links and tokens name the issuer of the settings, which nothing would answer at. */
function assertIssuer({ outputs }: LocalStack, assembly: string, issuer: string): void {
  const synthesizedFor = outputs['Issuer'] ?? issuer;
  if (synthesizedFor === issuer) return;
  throw new OperatorError(
    `${assembly} was synthesized for the issuer ${synthesizedFor}, not for ${issuer}: synthesize it again, or choose --port and --tls to match`,
  );
}

/** The function that the schedule of the rotation calls, for one that nobody waits a day for. */
function rotationFunctionOf({ schedules }: LocalStack): string {
  const rotation = schedules.find(
    ({ input }) => typeof input === 'object' && input !== null && 'rotate' in input,
  );
  if (rotation === undefined)
    throw new OperatorError('The stack has no schedule that rotates keys');
  return rotation.functionArn;
}

function tableOf({ outputs }: LocalStack, output: string): string {
  const name = outputs[output];
  if (name === undefined) throw new OperatorError(`The stack has no output ${output} to seed`);
  return name;
}
