/**
 * The templates, judged by cfn-lint: installs it, then runs the tests of this folder. Exit code 0
 * if every case passed, 1 otherwise, 3 where Python 3 or its module venv is missing. They leave
 * build/template-test-results.json.
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { endOnSignals, run } from '../deploy/ended-processes.ts';
import { installCfnLint } from './cfn-lint.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

endOnSignals();

async function install(): Promise<boolean> {
  try {
    await installCfnLint();
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(
      `cfn-lint cannot be installed here (${reason}). It needs Python 3.11 or newer with the module venv, such as: apt-get install python3-venv`,
    );
    return false;
  }
}

await rm(`${projectFolder}/build/template-test-results.json`, { force: true });
if (!(await install())) process.exit(3);
try {
  const vitest = ['vitest', 'run', '--config', '.config/vitest.templates.config.ts'];
  await run('npx', [...vitest, ...process.argv.slice(2)], { cwd: projectFolder });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
