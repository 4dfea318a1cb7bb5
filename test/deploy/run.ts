/**
 * The deploy test: the real `cdk bootstrap` and `cdk deploy` against MiniStack, then the black-box
 * suite, every command of the command line, and the smoke test through the deployed HTTP API. Exit
 * code 0 if every case passed, 1 otherwise, 3 where the emulator cannot be had.
 *
 * With `--by-hand FILE` it deploys and tests nothing: for a stack that somebody has deployed to the
 * emulator of AWS_ENDPOINT_URL, with its outputs in FILE, it makes the mail templates and answers
 * for the issuer until Ctrl-C.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { closeServer, listenOnLoopback } from '../../lib/local/loopback.ts';
import { freePorts } from '../black-box/start-local-host.ts';
import { moveTo } from '../support/own-environment.ts';
import { directoryControl } from './directory-control.ts';
import { prepareMail } from './emulated-mail.ts';
import { type Forwarder, forwarder, mailStore } from './emulator-adapter.ts';
import { endOnSignals, endProcesses, run } from './ended-processes.ts';
import { EmulatorUnavailable, installMiniStack, startMiniStack } from './ministack.ts';
import { assertUntouched, moveToStranger } from './strangers-home.ts';
import { readSuiteReport, type SuiteReport, summarize } from './suite-report.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const reportPath = join(projectFolder, 'build/deploy-test-results.json');
const region = 'us-east-1';
const account = '000000000000';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

const folder = await mkdtemp(join(tmpdir(), 'ciba-deploy-'));
const stops: (() => Promise<void>)[] = [];

async function end(): Promise<void> {
  endProcesses();
  await Promise.all(stops.map((stop) => stop()));
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

const stackOutputs = z.object({
  CibaProvider: z.object({
    Issuer: z.string(),
    ApiEndpoint: z.string(),
    DirectoryTable: z.string(),
    KeysTable: z.string(),
  }),
});
type Outputs = z.output<typeof stackOutputs>['CibaProvider'];

async function readOutputs(file: string): Promise<Outputs> {
  return stackOutputs.parse(JSON.parse(await readFile(file, 'utf8'))).CibaProvider;
}

/** A stack on the emulator that answers at its issuer, and whose mail can be read. */
interface Deployment {
  emulator: string;
  outputs: Outputs;
  mailStore: string;
  forwarder: Forwarder;
}

async function testDeployment(): Promise<void> {
  const started = Date.now();
  const summary: string[] = [];
  try {
    const emulator = await startMiniStack(join(folder, 'emulator'));
    const outputs = await deploy(emulator);
    summary.push(`deployed in ${secondsSince(started)}`);
    const deployment = await completeDeployment(emulator, outputs, 0);
    try {
      await runSuite(deployment);
    } finally {
      if (existsSync(reportPath)) summary.push(summarize(await readSuiteReport(reportPath)));
    }
    assertNoneLeftOut(await readSuiteReport(reportPath));
    await smokeTest(deployment);
    summary.push('smoke passed');
  } finally {
    console.log(`\n${[...summary, secondsSince(started)].join(', ')}`);
  }
}

function secondsSince(start: number): string {
  return `${Math.round((Date.now() - start) / 1000)} s`;
}

async function deploy(emulator: string): Promise<Outputs> {
  const [issuerPort] = await freePorts(1);
  const options = { cwd: projectFolder, env: emulatorEnvironment(emulator) };
  step('cdk bootstrap');
  await run('npx', ['cdk', 'bootstrap', `aws://${account}/${region}`], options);
  step('cdk deploy');
  const outputsFile = join(folder, 'outputs.json');
  await run(
    'npx',
    [
      ...['cdk', 'deploy', '--require-approval', 'never', '--output', join(folder, 'cdk.out')],
      ...['--context', `issuer=http://localhost:${issuerPort}`, '--context', 'target=emulator'],
      // The suite asks its users more often than any person would stand.
      ...['--context', 'notificationPolicy=none'],
      ...['--outputs-file', outputsFile],
    ],
    options,
  );
  return readOutputs(outputsFile);
}

function emulatorEnvironment(emulator: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    AWS_ENDPOINT_URL: emulator,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

/** Adds what the emulator lacks. Port 0 for the mail store is any free one. */
async function completeDeployment(
  emulator: string,
  outputs: Outputs,
  mailPort: number,
): Promise<Deployment> {
  step('mail templates, issuer and mail store');
  const { Issuer: issuer, ApiEndpoint } = outputs;
  const ses = new SESv2Client({ endpoint: emulator, region, credentials });
  await prepareMail({ ses, issuer, folder });
  // The API's id is the first label of its address.
  const [apiId = ''] = new URL(ApiEndpoint).hostname.split('.');
  const answering = forwarder({ emulator, apiId });
  await listen(answering.server, portOf(issuer));
  const port = await listen(mailStore(emulator), mailPort);
  return {
    emulator,
    outputs,
    mailStore: `http://localhost:${port}/store`,
    forwarder: answering,
  };
}

function portOf(issuer: string): number {
  const { hostname, port } = new URL(issuer);
  if (hostname === 'localhost' && port !== '') return Number(port);
  throw new Error(`issuer: ${issuer} is not allowed; allowed: http://localhost:PORT`);
}

function listen(server: Server, port: number): Promise<number> {
  stops.push(() => closeServer(server));
  return listenOnLoopback(server, { port });
}

async function runSuite({ emulator, outputs, mailStore, forwarder }: Deployment): Promise<void> {
  step('the black-box suite through the deployed API, and every command');
  const client = { endpoint: emulator, region, credentials };
  const control = directoryControl({
    emulator,
    dynamo: new DynamoDBClient(client),
    stepFunctions: new SFNClient(client),
    directoryTable: outputs.DirectoryTable,
    keysTable: outputs.KeysTable,
    forwarder,
  });
  const controlPort = await listen(control, 0);
  await rm(reportPath, { force: true });
  await run(
    'npx',
    [
      ...['vitest', 'run', '--config', '.config/vitest.config.ts'],
      ...['--project', 'black-box', '--project', 'commands'],
      // Races by the hundred stay on the local host: the emulator takes some 75 polls a second.
      // Its SES says nothing of mails.
      ...['--tagsFilter', '!heavy && !ses-events'],
    ],
    {
      cwd: projectFolder,
      env: {
        ...process.env,
        TEST_REPORT: reportPath,
        BLACK_BOX_ISSUER: outputs.Issuer,
        BLACK_BOX_MAIL_STORE: mailStore,
        BLACK_BOX_DIRECTORY: `http://127.0.0.1:${controlPort}/directory`,
        BLACK_BOX_AWS: emulator,
      },
    },
  );
}

/** @throws an error that names them if cases were left out that the emulator could run */
function assertNoneLeftOut({ leftOut }: SuiteReport): void {
  if (leftOut.length > 0)
    throw new Error(
      `left out, and neither heavy nor in need of events of SES:\n${leftOut.join('\n')}`,
    );
}

/**
 * As the README has it: the example directory by the command line, then every step of the smoke
 * test.
 */
async function smokeTest({ emulator, outputs, mailStore }: Deployment): Promise<void> {
  step('smoke test');
  const env = emulatorEnvironment(emulator);
  const example = join(projectFolder, 'lib/local/example-directory.json');
  const apply = ['run', 'ciba', '--', 'apply', '--file', example, '--yes'];
  await run('npm', apply, { cwd: projectFolder, env });
  const { client_id, client_secret } = exampleDirectory.parse(
    JSON.parse(await readFile(example, 'utf8')),
  ).clients[0];
  await run(
    'npm',
    [
      ...['run', 'ciba', '--', 'smoke', '--issuer', outputs.Issuer, '--client-id', client_id],
      ...['--login-hint', 'alice', '--mail-store', mailStore],
    ],
    { cwd: projectFolder, env: { ...process.env, CIBA_CLIENT_SECRET: client_secret } },
  );
}

const exampleDirectory = z.object({
  clients: z.tuple([z.object({ client_id: z.string(), client_secret: z.string() })], z.unknown()),
});

/** Completes a deployment that was made by hand, and stays until a signal ends it. */
async function serveDeployment(outputsFile: string): Promise<void> {
  const emulator = process.env['AWS_ENDPOINT_URL'];
  if (!emulator) throw new Error('AWS_ENDPOINT_URL: is missing; allowed: the URL of the emulator');
  const outputs = await readOutputs(outputsFile);
  // Where the local host has its inbox.
  const mailPort = portOf(outputs.Issuer) + 1;
  const { mailStore } = await completeDeployment(emulator, outputs, mailPort);
  console.log(`issuer ${outputs.Issuer}, mails ${mailStore}; Ctrl-C ends both`);
}

function step(what: string): void {
  console.log(`\n== ${what}`);
}

endOnSignals(end);

try {
  const { values } = parseArgs({ options: { 'by-hand': { type: 'string' } } });
  if (values['by-hand'] !== undefined) {
    await serveDeployment(values['by-hand']);
  } else {
    // As this person gets packages; what follows is the same for everybody.
    await installMiniStack();
    const home = join(folder, 'stranger');
    await moveToStranger(home, credentials.accessKeyId);
    moveTo(join(folder, 'home'));
    await testDeployment();
    await assertUntouched(home, credentials.accessKeyId);
    await end();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof EmulatorUnavailable ? 3 : 1;
  await end();
}
