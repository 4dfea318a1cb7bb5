/** What the black-box suite's own report says: how many cases passed and failed, and which were left out. */
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
  /** The names of all others that were left out. */
  leftOut: string[];
}

/** @throws if there is no report, or one of another form */
export async function readSuiteReport(path: string): Promise<SuiteReport> {
  const { testResults } = reportFile.parse(JSON.parse(await readFile(path, 'utf8')));
  const cases = testResults.flatMap(({ assertionResults }) => assertionResults);
  const skipped = cases.filter(({ status }) => status !== 'passed' && status !== 'failed');
  return {
    passed: cases.filter(({ status }) => status === 'passed').length,
    failed: cases.filter(({ status }) => status === 'failed').length,
    heavy: skipped.filter(({ tags }) => tags.includes('heavy')).length,
    leftOut: skipped.filter(({ tags }) => !tags.includes('heavy')).map(({ fullName }) => fullName),
  };
}

/** The counts, for a person; nothing is said of what there was none of. */
export function summarize({ passed, failed, heavy, leftOut }: SuiteReport): string {
  const others: [number, string][] = [
    [failed, 'failed'],
    [heavy, 'skipped (heavy)'],
    [leftOut.length, 'left out'],
  ];
  const found = others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [`${passed} passed`, ...found].join(', ');
}
