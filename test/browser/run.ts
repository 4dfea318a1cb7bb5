/**
 * The browser tests: the demo, the mail and the pages as people see and use them, in a real
 * browser. Exit code 0 if every case passed, 1 otherwise, 3 where no browser is found. Screenshots
 * are left in build/screenshots.
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { endOnSignals, run } from '../deploy/ended-processes.ts';
import { findBrowser, howToGetOne } from './find-browser.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

endOnSignals();

if (findBrowser() === undefined) {
  console.error(howToGetOne);
  process.exit(3);
}
try {
  for (const former of ['screenshots', 'browser-test-results.json', 'scanners.md']) {
    await rm(`${projectFolder}/build/${former}`, { recursive: true, force: true });
  }
  const vitest = ['vitest', 'run', '--config', '.config/vitest.browser.config.ts'];
  await run('npx', [...vitest, ...process.argv.slice(2)], { cwd: projectFolder });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
