/**
 * Everything that speaks DynamoDB, on a second engine: the one of `--endpoint URL` or
 * DYNAMODB_ENDPOINT, which a person has started, or else MiniStack's, which is installed and
 * started by itself. It refuses more of what DynamoDB refuses than moto 5.2.5 does (expressions of
 * 4,097 bytes, batches of 26), which in several threads also let two of a hundred conditional
 * updates win. With `--node VERSION` all of it runs on that Node, and the suites of HTTP and of the
 * endpoints with it: what is deployed. Exit code 0 if every case passed, 1 otherwise, 3 where no
 * engine, or not that Node, can be had.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isLocalHost } from '../../lib/local/loopback.ts';
import { endOnSignals, endProcesses, run } from '../deploy/ended-processes.ts';
import { EmulatorUnavailable, installMiniStack, startMiniStack } from '../deploy/ministack.ts';
import { installNode, NodeUnavailable, withNode } from '../runtimes/install-node.ts';
import { filesWithTables, leftOut } from './suites.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const reportPath = join(projectFolder, 'build/dynamodb-test-results.json');

const folder = await mkdtemp(join(tmpdir(), 'ciba-dynamodb-'));

async function end(): Promise<void> {
  endProcesses();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * @throws an error that says what is allowed if the engine is elsewhere: tests may write and delete
 * there as they like
 */
function assertLocal(endpoint: string): void {
  if (isLocalHost(endpoint)) return;
  throw new Error(`The engine ${endpoint} is not on this machine; allowed: http://127.0.0.1:PORT`);
}

/** @throws if nothing answers there */
async function assertAnswers(endpoint: string): Promise<void> {
  try {
    await fetch(endpoint);
  } catch {
    throw new Error(`Nothing answers at ${endpoint}: start the engine first`);
  }
}

/** They judge the version, whatever the engine is. */
const suitesOfNode = [
  ...['test/lambdas/bundling', 'test/lambdas/http', 'test/lambdas/endpoints'],
  'test/black-box/client-library.test.ts',
  ...['test/black-box/inputs.test.ts', 'test/black-box/oauth4webapi.test.ts'],
];

async function runSuites(engine: string, endpoint: string): Promise<void> {
  console.log(`\n== on ${engine} at ${endpoint}`);
  const others = node === undefined ? [] : suitesOfNode;
  for (const [file, reason] of Object.entries(leftOut)) {
    if (!others.includes(file)) console.log(`left out: ${file} ${reason}`);
  }
  await rm(reportPath, { force: true });
  const files = filesWithTables().filter((file) => leftOut[file] === undefined);
  await run(
    node ?? process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', '--config', '.config/vitest.config.ts'],
      // An engine that takes one call after the other keeps a hundred at once waiting beyond the
      // functions' own limits.
      ...['--tagsFilter', '!heavy && !at-once && !timing', ...files, ...others],
    ],
    {
      cwd: projectFolder,
      env: {
        // Fewer of what is repeated: dynalite has had them all.
        ...{ FC_RUNS: '20', RACE_ROUNDS: '5', IMPORT_ROWS: '200' },
        ...(node === undefined ? process.env : withNode(node, process.env)),
        TEST_REPORT: reportPath,
        TEST_DYNAMODB_ENDPOINT: endpoint,
        TEST_DYNAMODB_ENGINE: engine,
      },
    },
  );
}

/** Another Node than this one, if one is asked for. */
let node: string | undefined;

endOnSignals(end);

try {
  const { values } = parseArgs({
    options: { endpoint: { type: 'string' }, node: { type: 'string' } },
  });
  if (values.node !== undefined) node = await installNode(values.node);
  const given = values.endpoint ?? process.env['DYNAMODB_ENDPOINT'];
  if (given) {
    assertLocal(given);
    await assertAnswers(given);
    await runSuites('the engine that was given', given);
  } else {
    await installMiniStack();
    await runSuites('MiniStack', await startMiniStack(join(folder, 'emulator')));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  const isMissing = error instanceof EmulatorUnavailable || error instanceof NodeUnavailable;
  process.exitCode = isMissing ? 3 : 1;
} finally {
  await end();
}
