/** `bin/local.ts --headless` as tests and tools start it: one line of JSON, logs on stderr, a quick end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { closeServer, listenOnLoopback } from '../../../lib/local/loopback.ts';
import { makeAssembly } from './make-assembly.ts';

const projectFolder = fileURLToPath(new URL('../../..', import.meta.url));
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function startLocal(...options: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/local.ts', ...options], {
    cwd: projectFolder,
  });
  started.push(child);
  const stdout: string[] = [];
  const stderr: string[] = [];
  createInterface(child.stdout).on('line', (line) => stdout.push(line));
  createInterface(child.stderr).on('line', (line) => stderr.push(line));
  return { child, stdout, stderr, end: once(child, 'close') };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => listenOnLoopback(server, { port: 0 })));
  await Promise.all(servers.map(closeServer));
  return ports;
}

describe('bin/local.ts', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'writes one line when ready, logs to stderr, and ends on %s with 0 within two seconds',
    async (signal) => {
      const [port, inboxPort, controlPort] = await freePorts(3);
      const assembly = await makeAssembly({
        functions: { Hello: 'export const handler = async () => { console.log("said"); };' },
        routes: { Hello: '/hello' },
      });
      const local = startLocal(
        ...['--headless', '--port', String(port), '--inbox-port', String(inboxPort)],
        ...['--control-port', String(controlPort), '--assembly', assembly],
      );
      await Promise.race([once(local.child.stdout, 'data'), local.end]);
      expect((await fetch(`http://localhost:${port}/hello`)).status).toBe(200);
      const endedAt = Date.now();
      local.child.kill(signal);
      const [code] = await local.end;
      expect(code).toBe(0);
      expect(Date.now() - endedAt).toBeLessThan(2000);
      expect(local.stdout).toEqual([
        `{"issuer":"http://localhost:${port}","inbox":"http://localhost:${inboxPort}","control":"http://localhost:${controlPort}"}`,
      ]);
      expect(local.stderr).toContain('said');
      expect(local.stderr).toContainEqual(expect.stringMatching(/^request: GET \/hello 200 /));
    },
  );

  test('ends with 2 and one line for a wrong option', async () => {
    const local = startLocal('--prot', '4010');
    expect(await local.end).toEqual([2, null]);
    expect(local.stdout).toEqual([]);
    expect(local.stderr).toEqual(["Unknown option '--prot'; --help lists the options"]);
  });

  test('ends with 1 and one line when a port is taken, before the stack is built', async () => {
    const server = createServer();
    const port = await listenOnLoopback(server, { port: 0 });
    const local = startLocal('--headless', '--port', String(port));
    expect(await local.end).toEqual([1, null]);
    expect(local.stderr).toEqual([`Port ${port} is in use: choose another with --port`]);
    await closeServer(server);
  });

  test('ends with 1 and names the fault of a seed, before the stack is built', async () => {
    const local = startLocal('--headless', '--seed', 'package.json');
    expect(await local.end).toEqual([1, null]);
    expect(local.stderr.join('\n')).toMatch(/package\.json:\n.*unknown member/);
  });
});
