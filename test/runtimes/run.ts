/**
 * `npm run test:node -- VERSION`: the suites that run what is deployed (adapters, HTTP, endpoints, black box) on another Node
 * than the one that starts this; with `--whole` all of `npm test`, as before a release. The folders beside this file are the
 * versions. Exit code 0 if every case passed, 1 otherwise, 3 where that Node cannot be had.
 */
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endProcesses, run } from '../deploy/ended-processes.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

const deployedSuites = [
  ...['test/lambdas/aws', 'test/lambdas/http', 'test/lambdas/endpoints', 'test/black-box'],
  // What time tells is no question of the version, and takes minutes.
  ...['--exclude', '**/timing.test.ts', '--exclude', '**/redemption-race.test.ts'],
];

/** It cannot be had on this machine; the message is one sentence for a person. */
class NodeUnavailable extends Error {
  override readonly name = 'NodeUnavailable';
}

async function versions(): Promise<string[]> {
  const entries = await readdir(import.meta.dirname, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Installs the version below `.runtimes`, unless it is there already; answers its program. */
async function installNode(version: string): Promise<string> {
  const source = join(import.meta.dirname, version);
  const folder = join(projectFolder, '.runtimes', version);
  const name = `node-${process.platform}-${process.arch}`;
  const { optionalDependencies } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  if (!(name in optionalDependencies)) {
    throw new NodeUnavailable(`Node ${version} is not to be had for this machine as ${name}.`);
  }
  await mkdir(folder, { recursive: true });
  await cp(source, folder, { recursive: true });
  try {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['ci', ...options], { cwd: folder });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeUnavailable(`Node ${version} cannot be installed here (${reason}).`);
  }
  return join(folder, 'node_modules', name, 'bin/node');
}

async function readVersion(named: string | undefined): Promise<string> {
  const allowed = await versions();
  if (named !== undefined && allowed.includes(named)) return named;
  throw new Error(`VERSION: ${named ?? 'is missing'}; allowed: ${allowed.join(' or ')}`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endProcesses();
    process.exit(1);
  });
}

try {
  const { values, positionals } = parseArgs({
    options: { whole: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const version = await readVersion(positionals[0]);
  const node = await installNode(version);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', '.config/vitest.config.ts'];
  await run(node, [...vitest, ...(values.whole ? [] : deployedSuites)], {
    cwd: projectFolder,
    env: {
      ...process.env,
      // Whatever looks for a Node finds this one.
      PATH: `${join(node, '..')}:${process.env['PATH']}`,
      TEST_REPORT: `build/node-${version}-test-results.json`,
    },
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof NodeUnavailable ? 3 : 1;
}
