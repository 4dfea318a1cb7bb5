/**
 * `npm run test:node -- VERSION`: the suites that run what is deployed (adapters, HTTP, endpoints,
 * black box) on another Node than the one that starts this; with `--whole` all of `npm test`, as
 * before a release. The folders beside this file are the versions. Exit code 0 if every case
 * passed, 1 otherwise, 3 where that Node cannot be had.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endOnSignals, run } from '../deploy/ended-processes.ts';
import { installNode, NodeUnavailable, withNode } from './install-node.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

const deployedSuites = [
  ...['test/lambdas/aws', 'test/lambdas/bundling', 'test/lambdas/http'],
  ...['test/lambdas/endpoints', 'test/black-box'],
  // What time tells is no question of the version, and takes minutes.
  ...['--tagsFilter', '!timing'],
];

endOnSignals();

try {
  const { values, positionals } = parseArgs({
    options: { whole: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [version] = positionals;
  const node = await installNode(version);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', '.config/vitest.config.ts'];
  await run(node, [...vitest, ...(values.whole ? [] : deployedSuites)], {
    cwd: projectFolder,
    env: {
      ...withNode(node, process.env),
      TEST_REPORT: `build/node-${version}-test-results.json`,
    },
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof NodeUnavailable ? 3 : 1;
}
