/**
 * Finds the deployment for all black-box files: the one that the environment names, or else a local host that is started
 * once, in a process of its own. That of the rotation and of the commands is `bin/local.ts --headless`, as any tool would start
 * it; over the other every call is noted, for the proof of least privilege.
 *
 * BLACK_BOX_ISSUER      base URL of a deployment that runs already; nothing is started then
 * BLACK_BOX_MAIL_STORE  with it: where its mails are listed, in the form of the local host's inbox
 * BLACK_BOX_DIRECTORY   optional: where a directory file is applied by PUT; without it the directory of `directory.ts`
 *                       is expected to be applied, and the cases that change it are skipped
 * BLACK_BOX_ROTATION    optional: where keys are rotated by POST; without it the cases that rotate them are skipped
 * BLACK_BOX_FEEDBACK    optional: `yes` if its SES tells what becomes of mails to its mailbox simulator; without it the
 *                       cases of mails that come back are skipped
 * BLACK_BOX_AWS         optional: where its AWS answers, for the operator's command line; without it the cases of the audit
 *                       are skipped
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TestProject } from 'vitest/node';
import { notesFile } from '../support/suite-notes.ts';
import { synthesizedAssembly } from '../support/synthesized-assembly.ts';
import type { DeploymentAddress } from './deployment.ts';
import { directory, directoryElsewhere } from './directory.ts';
import { putDirectory } from './put-directory.ts';

let end: (() => Promise<void>) | undefined;

/** Provides the deployment to every file. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('deployment', (await namedDeployment()) ?? (await startLocalHost(project)));
}

/** The deployment of the environment. @throws if it is named by halves */
async function namedDeployment(): Promise<DeploymentAddress | undefined> {
  const {
    BLACK_BOX_ISSUER: issuer,
    BLACK_BOX_MAIL_STORE: mailStore,
    BLACK_BOX_DIRECTORY: directoryControl,
    BLACK_BOX_ROTATION: rotationControl,
    BLACK_BOX_FEEDBACK: feedback,
    BLACK_BOX_AWS: awsEndpoint,
  } = process.env;
  if (!issuer) return undefined;
  if (!mailStore) {
    throw new Error('BLACK_BOX_MAIL_STORE: is missing; allowed: the URL of a mail store');
  }
  if (directoryControl) {
    // Of an address that is new again nothing is noted from an earlier run.
    await putDirectory(directoryControl, directoryElsewhere);
    await putDirectory(directoryControl, directory);
  }
  return {
    issuer,
    mailStore,
    directoryControl: directoryControl || undefined,
    rotationControl: rotationControl || undefined,
    tellsOfMails: feedback === 'yes',
    awsEndpoint: awsEndpoint || undefined,
  };
}

async function startLocalHost(project: TestProject): Promise<DeploymentAddress> {
  const folder = await mkdtemp(join(tmpdir(), 'ciba-black-box-'));
  const seed = join(folder, 'directory.json');
  await writeFile(seed, JSON.stringify(directory));
  const { runFolder } = project.getProvidedContext();
  const command =
    project.name === 'black-box' ? await recordedHost(seed, runFolder) : await localCommand(seed);
  const host = spawn(process.execPath, ['--import', 'tsx', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  end = async () => {
    host.kill('SIGTERM');
    if (host.exitCode === null) await once(host, 'exit');
    await rm(folder, { recursive: true });
  };
  const errors = text(host.stderr);
  const [line] = await Promise.race([
    once(createInterface({ input: host.stdout }), 'line'),
    once(host, 'exit').then(async () => {
      throw new Error(`the local host ended:\n${await errors}`);
    }),
  ]);
  const { issuer, inbox, control } = JSON.parse(String(line));
  return {
    issuer,
    mailStore: `${inbox}/store`,
    directoryControl: `${control}/directory`,
    rotationControl: `${control}/rotate-keys`,
    tellsOfMails: true,
    awsEndpoint: control,
  };
}

async function localCommand(seed: string): Promise<string[]> {
  const [port, inboxPort, controlPort] = await freePorts(3);
  return [
    ...['bin/local.ts', '--headless', '--seed', seed, '--port', `${port}`],
    ...['--inbox-port', `${inboxPort}`, '--control-port', `${controlPort}`],
  ];
}

async function recordedHost(seed: string, runFolder: string): Promise<string[]> {
  const assembly = await synthesizedAssembly(runFolder);
  return ['test/support/recorded-host.ts', assembly, seed, notesFile(runFolder)];
}

/** Ends the local host after the last file. */
export async function teardown(): Promise<void> {
  await end?.();
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
