/** The local host as a process, as a person or a tool starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { closeServer, listenOnLoopback } from '../../lib/local/loopback.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

const portNames = ['--port', '--inbox-port', '--control-port', '--demo-port'] as const;

/** The loopback addresses that this machine has, as a URL writes them. */
export const loopbackHosts: string[] = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses.map(({ address }) => address))
  .filter((address) => address === '127.0.0.1' || address === '::1')
  .map((address) => (address.includes(':') ? `[${address}]` : address));

/** What it writes, as it comes, and its end. */
export interface LocalProcess {
  child: ChildProcess;
  written: { stdout: string; stderr: string };
  /** Its exit code, once all that it wrote is here. */
  ended: Promise<number | null>;
  /**
   * What it wrote to stdout, as soon as that matches. @throws with what it wrote to stderr if it
   * ends before
   */
  until(pattern: RegExp): Promise<string>;
}

/** Starts it; whoever does ends it. */
export function startLocalProcess(options: string[]): LocalProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/local.ts', ...options], {
    cwd: project,
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (written.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (written.stderr += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    written,
    ended,
    async until(pattern) {
      while (!pattern.test(written.stdout)) {
        const code = await Promise.race([once(child.stdout, 'data').then(() => undefined), ended]);
        if (code !== undefined && !pattern.test(written.stdout)) throw new Error(written.stderr);
      }
      return written.stdout;
    },
  };
}

/**
 * Ports that were free on both families a moment ago, as options: of three servers, or of four with
 * the demo.
 */
export async function portOptions(count: 3 | 4): Promise<string[]> {
  const servers = portNames.slice(0, count).map(() => createServer());
  const ports = await Promise.all(servers.map((server) => listenOnLoopback(server, { port: 0 })));
  await Promise.all(servers.map(closeServer));
  return ports.flatMap((port, index) => [portNames[index] ?? '', String(port)]);
}
