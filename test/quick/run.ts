/**
 * `npm run quick`: lint, types, and of what is changed and not committed the tests of the same
 * name, within seconds. All that a change can reach is the business of `npm test`: of a file that
 * many import, that is half the house.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { endOnSignals, run } from '../deploy/ended-processes.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Suites that need what this command does not start: a local host, an emulator, a browser,
 * cfn-lint.
 */
const elsewhere = /^test\/(black-box|browser|commands|deploy|templates)\//;

function changedFiles(): string[] {
  const git = (...words: string[]) =>
    execFileSync('git', words, { cwd: projectFolder, encoding: 'utf8' }).split('\n');
  return [
    ...git('diff', '--name-only', '--diff-filter=d', 'HEAD'),
    ...git('ls-files', '--others', '--exclude-standard'),
  ].filter((file) => file.endsWith('.ts'));
}

/** The test of a file has its place in the test room, and its name. */
function testOf(file: string): string {
  return file.endsWith('.test.ts') ? file : `test/${file.replace(/\.ts$/, '.test.ts')}`;
}

const tests = [...new Set(changedFiles().map(testOf))].filter(
  (file) => !elsewhere.test(file) && existsSync(`${projectFolder}/${file}`),
);
const vitest = ['vitest', 'run', '--config', '.config/vitest.config.ts', '--project', 'rooms'];

endOnSignals();
const inProject = { cwd: projectFolder };
const steps = [
  run('npm', ['run', '--silent', 'lint'], inProject),
  run('npm', ['run', '--silent', 'types'], inProject),
  ...(tests.length > 0 ? [run('npx', [...vitest, ...tests], inProject)] : []),
];
for (const step of await Promise.allSettled(steps)) {
  if (step.status === 'fulfilled') continue;
  console.error(step.reason instanceof Error ? step.reason.message : step.reason);
  process.exitCode = 1;
}
