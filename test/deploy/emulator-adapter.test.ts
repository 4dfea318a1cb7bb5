/**
 * The forwarder's promise to those who restart functions: no request is under way meanwhile, and
 * none is lost.
 */
import { createServer } from 'node:http';
import { afterAll, expect, it } from 'vitest';
import { closeServer, listenOnLoopback } from '../../lib/local/loopback.ts';
import { forwarder } from './emulator-adapter.ts';

const answers: (() => void)[] = [];
const emulator = createServer((_request, response) => {
  answers.push(() => response.end('answered'));
});
const emulatorPort = await listenOnLoopback(emulator, { port: 0 });
const { server, alone } = forwarder({ emulator: `http://127.0.0.1:${emulatorPort}`, apiId: 'a' });
const port = await listenOnLoopback(server, { port: 0 });
afterAll(() => Promise.all([closeServer(server), closeServer(emulator)]));

async function get(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
}

/** Answers the oldest request that has arrived at the emulator. */
async function answerNext(): Promise<void> {
  await expect.poll(() => answers.length).toBeGreaterThan(0);
  answers.shift()?.();
}

it('runs a task when the requests before it are answered, and holds those after it', async () => {
  const events: string[] = [];
  const first = get();
  await expect.poll(() => answers.length).toBe(1);
  let restarted = () => {};
  const task = alone(() => {
    events.push('restart');
    return new Promise((resolve) => {
      restarted = resolve;
    });
  });
  const second = get();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(events).toEqual([]);
  await answerNext();
  expect(await first).toBe('answered');
  await expect.poll(() => events).toEqual(['restart']);
  expect(answers).toHaveLength(0);
  restarted();
  await task;
  await answerNext();
  expect(await second).toBe('answered');
});

it('goes on after a task that failed', async () => {
  await expect(alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const next = get();
  await answerNext();
  expect(await next).toBe('answered');
});
