/**
 * `bin/local.ts` as it is started: one line of JSON for tests and tools, a text for a person,
 * errors in one line, a quick end.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { closeServer, listenOnLoopback } from '../../../lib/local/loopback.ts';
import {
  type LocalProcess,
  loopbackHosts,
  portOptions,
  startLocalProcess,
} from '../../support/local-process.ts';
import { busyness } from '../../support/processor-time.ts';
import { synthesizedAssembly } from '../../support/synthesized-assembly.ts';
import { makeAssembly } from './template/make-assembly.ts';

const started: LocalProcess[] = [];

afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});

function startLocal(...options: string[]): LocalProcess {
  const local = startLocalProcess(options);
  started.push(local);
  return local;
}

const helloAssembly = () =>
  makeAssembly({
    functions: { Hello: 'export const handler = async () => { console.log("said"); };' },
    routes: { Hello: '/hello' },
  });

/** The statuses of a URL by its name, and on each loopback address of the machine. */
function statusesOf(url: string): Promise<number[]> {
  const { port, pathname } = new URL(url);
  return Promise.all(
    ['localhost', ...loopbackHosts].map(async (host) => {
      const response = await fetch(`http://${host}:${port}${pathname}`);
      return response.status;
    }),
  );
}

const each = (status: number) => ['localhost', ...loopbackHosts].map(() => status);

describe('bin/local.ts', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'P49: writes one line when ready, answers on every loopback address, and ends on %s with 0 within two seconds',
    async (signal) => {
      const options = await portOptions(3);
      const [, port, , inboxPort, , controlPort] = options;
      const local = startLocal('--headless', ...options, '--assembly', await helloAssembly());
      const { issuer, inbox, control } = JSON.parse(await local.until(/\n/));
      expect(await statusesOf(`${issuer}/hello`)).toEqual(each(200));
      expect(await statusesOf(`${inbox}/store`)).toEqual(each(200));
      expect(await statusesOf(`${control}/`)).toEqual(each(404));
      const inTime = 2000 * busyness();
      const endedAt = Date.now();
      local.child.kill(signal);
      expect(await local.ended).toBe(0);
      expect(Date.now() - endedAt).toBeLessThan(inTime);
      expect(local.written.stdout).toBe(
        `{"issuer":"http://localhost:${port}","inbox":"http://localhost:${inboxPort}","control":"http://localhost:${controlPort}"}\n`,
      );
      const lines = local.written.stderr.split('\n');
      expect(lines).toContain('said');
      expect(lines).toContainEqual(expect.stringMatching(/^request: GET \/hello 200 /));
    },
  );

  test('ends with 2 and one line for a wrong option', async () => {
    const local = startLocal('--prot', '4010');
    expect(await local.ended).toBe(2);
    expect(local.written).toEqual({
      stdout: '',
      stderr: "Unknown option '--prot'; --help lists the options\n",
    });
  });

  test('ends with 1 and one line when a port is taken, before the stack is built', async () => {
    const server = createServer();
    const port = await listenOnLoopback(server, { port: 0 });
    const local = startLocal('--headless', '--port', String(port));
    expect(await local.ended).toBe(1);
    expect(local.written.stderr).toBe(
      `Port ${port} is in use on 127.0.0.1: choose another with --port\n`,
    );
    await closeServer(server);
  });

  test.runIf(loopbackHosts.includes('[::1]')).each([
    ['--port', 1],
    ['--inbox-port', 3],
    ['--control-port', 5],
    ['--demo-port', 7],
  ])('P49: ends with 1 when another program has [::1] at the port of %s', async (option, index) => {
    const stranger = createServer().listen(0, '::1');
    await once(stranger, 'listening');
    const { port } = Object(stranger.address());
    const local = startLocal(...(await portOptions(4)).with(index, String(port)));
    expect(await local.ended).toBe(1);
    expect(local.written.stderr).toBe(
      `Port ${port} is in use on [::1]: choose another with ${option}\n`,
    );
    stranger.close();
  });

  test('ends with 1 and names the fault of a seed, before the stack is built', async () => {
    const local = startLocal('--headless', '--seed', 'package.json');
    expect(await local.ended).toBe(1);
    expect(local.written.stderr).toMatch(/package\.json:\n.*unknown member/);
  });
});

describe('npm start', () => {
  let assembly: string;
  beforeAll(async () => {
    assembly = await synthesizedAssembly(inject('runFolder'));
  });

  test('P49: every address that is printed for a person answers on every loopback address', async () => {
    const local = startLocal(...(await portOptions(4)), '--assembly', assembly);
    const text = await local.until(/doctor\n/);
    const origins = new Set(text.match(/http:\/\/[\w.-]+:\d+/g));
    expect(origins.size).toBe(4);
    const paths = ['/.well-known/openid-configuration', '/story', '/store', '/directory'];
    for (const origin of origins) {
      const statuses = await Promise.all(paths.map((path) => statusesOf(`${origin}${path}`)));
      // Each of the four servers has one of the paths, and tells all addresses the same.
      expect(statuses.map((all) => new Set(all).size)).toEqual([1, 1, 1, 1]);
      expect(statuses.some(([status]) => status === 200 || status === 405)).toBe(true);
    }
    const inTime = 2000 * busyness();
    const endedAt = Date.now();
    local.child.kill('SIGTERM');
    expect(await local.ended).toBe(0);
    expect(Date.now() - endedAt).toBeLessThan(inTime);
  });
});
