/**
 * Functions in threads: a restart means the next call, and takes nothing from those that are under
 * way.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalFunctions, runFunctions } from '../../../../lib/local/services/run-functions.ts';

const nowhere = 'http://127.0.0.1:1';

let folder: string;
let functions: LocalFunctions;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'functions-'));
  const file = join(folder, 'index.mjs');
  await writeFile(
    file,
    `const loaded = crypto.randomUUID();
    export async function handler({ milliseconds }) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return loaded;
    }`,
  );
  functions = runFunctions(
    [
      {
        ...{ name: 'slow', arn: 'arn:slow', file, handler: 'handler', environment: {} },
        ...{ memoryMegabytes: 128, timeoutSeconds: 30, deadLetterQueue: undefined },
      },
    ],
    { dynamodb: nowhere, sesv2: nowhere, stepFunctions: nowhere, s3: nowhere },
    () => {},
  );
});
afterAll(async () => {
  await functions.stop();
  await rm(folder, { recursive: true });
});

const call = (milliseconds: number) => functions.invoke('slow', { milliseconds });

it('answers by one thread, until it is restarted', async () => {
  const first = await call(0);
  expect(await call(0)).toBe(first);
  functions.restart();
  expect(await call(0)).not.toBe(first);
});

it('answers what a restart meets under way, however long it takes', async () => {
  const thread = await call(0);
  const underWay = [call(1500), call(2000)];
  await setImmediate();
  functions.restart();
  const next = await call(0);
  expect(next).not.toBe(thread);
  expect(await Promise.all(underWay)).toEqual([thread, thread]);
});

it('ends what takes too long when it stops, and takes no other call', async () => {
  const started = performance.now();
  const underWay = call(20_000).catch((error: Error) => error.name);
  await call(0);
  await functions.stop();
  expect(await underWay).toBe('Runtime.ExitError');
  expect(performance.now() - started).toBeLessThan(15_000);
  await expect(call(0)).rejects.toThrow('The local host is stopping');
});
