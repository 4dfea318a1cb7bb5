/**
 * Starts what `npm start` starts, once for all files, on ports of its own: the local host with the
 * example directory and the one of the black-box suite, and the demo.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';
import { readDirectoryFile } from '../../lib/operator/directory/directory-file.ts';
import { directory } from '../black-box/directory.ts';
import { freePorts } from '../black-box/start-local-host.ts';

declare module 'vitest' {
  interface ProvidedContext {
    demo: { url: string; inbox: string };
  }
}

let end: (() => Promise<void>) | undefined;

export async function setup(project: TestProject): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ciba-browser-'));
  const seed = join(folder, 'directory.json');
  const example = await readDirectoryFile('lib/local/example-directory.json');
  const clients = [...example.clients, ...directory.clients];
  await writeFile(seed, JSON.stringify({ clients, users: [...example.users, ...directory.users] }));
  const [port, inboxPort, controlPort, demoPort] = await freePorts(4);
  const host = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', 'bin/local.ts', '--seed', seed, '--port', `${port}`],
      ...['--inbox-port', `${inboxPort}`, '--control-port', `${controlPort}`],
      ...['--demo-port', `${demoPort}`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  end = async () => {
    host.kill('SIGTERM');
    if (host.exitCode === null) await once(host, 'exit');
    await rm(folder, { recursive: true });
  };
  const errors: string[] = [];
  host.stderr.on('data', (chunk) => errors.push(String(chunk)));
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: host.stdout }).on('line', (line) => {
      if (line.startsWith('The provider is running')) resolve();
    });
  });
  await Promise.race([
    ready,
    once(host, 'exit').then(() => {
      throw new Error(`the local host ended:\n${errors.join('')}`);
    }),
  ]);
  const inbox = `http://localhost:${inboxPort}`;
  project.provide('demo', { url: `http://localhost:${demoPort}`, inbox });
  project.provide('deployment', {
    issuer: `http://localhost:${port}`,
    mailStore: `${inbox}/store`,
    directoryControl: `http://localhost:${controlPort}/directory`,
    rotationControl: undefined,
    tellsOfMails: true,
    awsEndpoint: undefined,
  });
}

/** Ends the local host and the demo after the last file. */
export async function teardown(): Promise<void> {
  await end?.();
}
