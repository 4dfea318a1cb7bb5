/** Schedules on this machine: each after its rate, again and again, whatever becomes of a call. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runSchedules } from '../../../../lib/local/services/run-schedules.ts';

const DAY = 86_400;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a schedule calls its function with its input after every period, and not when it is made', async () => {
  const calls: [string, unknown][] = [];
  const stop = runSchedules(
    [{ everySeconds: DAY, functionArn: 'arn', input: { rotate: 'when-due' } }],
    async (functionId, event) => void calls.push([functionId, event]),
  );
  await vi.advanceTimersByTimeAsync(DAY * 1000 - 1);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toEqual([['arn', { rotate: 'when-due' }]]);
  await vi.advanceTimersByTimeAsync(9 * DAY * 1000);
  expect(calls).toHaveLength(10);
  await stop();
  await vi.advanceTimersByTimeAsync(2 * DAY * 1000);
  expect(calls).toHaveLength(10);
});

test('a period longer than a timer counts is waited for in parts', async () => {
  let calls = 0;
  const everySeconds = 365 * DAY;
  const stop = runSchedules([{ everySeconds, functionArn: 'arn', input: {} }], async () => {
    calls += 1;
  });
  await vi.advanceTimersByTimeAsync(everySeconds * 1000 - 1);
  expect(calls).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toBe(1);
  await stop();
});

test('a call that fails is followed by the next', async () => {
  let calls = 0;
  const stop = runSchedules([{ everySeconds: 60, functionArn: 'arn', input: {} }], async () => {
    calls += 1;
    throw new Error('no luck');
  });
  await vi.advanceTimersByTimeAsync(180_000);
  expect(calls).toBe(3);
  await stop();
});

test('a schedule keeps no process alive', async () => {
  vi.useRealTimers();
  const set = vi.spyOn(globalThis, 'setTimeout');
  const stop = runSchedules([{ everySeconds: 60, functionArn: 'arn', input: {} }], async () => {});
  const timer = set.mock.results[0]?.value;
  expect(timer.hasRef()).toBe(false);
  set.mockRestore();
  await stop();
});
