/**
 * The report of the black-box suite: what is left out without a known reason is neither hidden nor
 * counted as passed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSuiteReport, summarize } from './suite-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'ciba-suite-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

function reportOf(...cases: { fullName: string; status: string; tags: string[] }[]) {
  const path = join(folder, 'report.json');
  writeFileSync(path, JSON.stringify({ testResults: [{ assertionResults: cases }] }));
  return readSuiteReport(path);
}

const passed = { fullName: 'a', status: 'passed', tags: [] };
const heavy = { fullName: 'b', status: 'skipped', tags: ['heavy'] };
const failed = { fullName: 'c', status: 'failed', tags: ['heavy'] };
const ofSes = { fullName: 'f', status: 'skipped', tags: ['ses-events'] };
const skipped = { fullName: 'd', status: 'skipped', tags: [] };
const todo = { fullName: 'e', status: 'todo', tags: ['slow'] };

it('counts what passed, what is heavy and what waits for events of SES', async () => {
  const report = await reportOf(passed, heavy, passed, ofSes);
  expect(report).toEqual({ passed: 2, failed: 0, heavy: 1, sesEvents: 1, leftOut: [] });
  expect(summarize(report)).toBe('2 passed, 1 skipped (heavy), 1 skipped (events of SES)');
});

it('counts what failed, and names what was left out otherwise', async () => {
  const report = await reportOf(failed, skipped, todo);
  expect(report).toEqual({ passed: 0, failed: 1, heavy: 0, sesEvents: 0, leftOut: ['d', 'e'] });
  expect(summarize(report)).toBe('0 passed, 1 failed, 2 left out');
});
