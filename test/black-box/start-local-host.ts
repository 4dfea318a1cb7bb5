/**
 * Starts the local host once for all black-box files: `bin/local.ts --headless` in a process of its own, as any tool would.
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
import { directory } from './directory.ts';

let end: (() => Promise<void>) | undefined;

/** Provides the deployment to every file. */
export async function setup(project: TestProject): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ciba-black-box-'));
  const seed = join(folder, 'directory.json');
  await writeFile(seed, JSON.stringify(directory));
  const [port, inboxPort, controlPort] = await freePorts(3);
  const host = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', 'bin/local.ts', '--headless', '--seed', seed],
      ...['--port', `${port}`, '--inbox-port', `${inboxPort}`, '--control-port', `${controlPort}`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
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
  const { issuer, inbox } = JSON.parse(String(line));
  project.provide('deployment', { issuer, mailStore: `${inbox}/store` });
}

/** Ends the local host after the last file. */
export async function teardown(): Promise<void> {
  await end?.();
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
