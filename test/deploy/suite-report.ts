/**
 * What the black-box suite's own report says: how many cases passed and failed, and which were left
 * out.
 */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';

const reportFile = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), tags: z.array(z.string()) }),
      ),
    }),
  ),
});

/** The cases of a run. */
export interface SuiteReport {
  passed: number;
  failed: number;
  /** Left out because they are tagged as heavy. */
  heavy: number;
  /** Left out because they are tagged as needing the events of an SES that has none. */
  sesEvents: number;
  /** The names of all others that were left out. */
  leftOut: string[];
}

/** @throws if there is no report, or one of another form */
export async function readSuiteReport(path: string): Promise<SuiteReport> {
  const { testResults } = reportFile.parse(JSON.parse(await readFile(path, 'utf8')));
  const cases = testResults.flatMap(({ assertionResults }) => assertionResults);
  const skipped = cases.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const tagged = (tag: string) => skipped.filter(({ tags }) => tags.includes(tag));
  const explained = new Set([...tagged('heavy'), ...tagged('ses-events')]);
  return {
    passed: cases.filter(({ status }) => status === 'passed').length,
    failed: cases.filter(({ status }) => status === 'failed').length,
    heavy: tagged('heavy').length,
    sesEvents: tagged('ses-events').length,
    leftOut: skipped.filter((one) => !explained.has(one)).map(({ fullName }) => fullName),
  };
}

/** The counts, for a person; nothing is said of what there was none of. */
export function summarize({ passed, failed, heavy, sesEvents, leftOut }: SuiteReport): string {
  const others: [number, string][] = [
    [failed, 'failed'],
    [heavy, 'skipped (heavy)'],
    [sesEvents, 'skipped (events of SES)'],
    [leftOut.length, 'left out'],
  ];
  const found = others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [`${passed} passed`, ...found].join(', ');
}
