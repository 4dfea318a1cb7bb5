/**
 * What `npm run test:dynamodb` runs: every file of tests that starts tables, found by what it
 * imports, and the suites that speak to a whole provider, but for those that are left out here with
 * the reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** They speak to a whole provider, which is started for them. */
const wholeSuites = ['test/black-box/', 'test/commands/'];

/** Whoever imports one of these starts tables. */
const starters = [
  'tables-on-dynalite',
  'operated-world',
  'synthesized-host',
  'watched-provider',
  'start-local-host',
  'serve-tables',
];

const clientsOwn = 'judges what clients see of requests that others judge here, and waits for it';
const ownProcess = 'judges the local host as a process and its ports, whatever its tables are';
const dynaliteItself = 'judges dynalite and what stands before it';

/** Files that use tables and are not run on another engine: why. It has five minutes. */
export const leftOut: Readonly<Record<string, string>> = {
  'test/bench/ledger.test.ts': 'its arithmetic is ours, whatever the engine is',
  'test/black-box/client-library.test.ts': clientsOwn,
  'test/black-box/inputs.test.ts': 'is refused before anything is read or written',
  'test/black-box/key-rotation.test.ts':
    'goes by the clock for a minute; keys-table and commands have rotations on the engine',
  'test/black-box/oauth4webapi.test.ts': clientsOwn,
  'test/whole/ciba-on-localhost.test.ts': 'is what the black-box suite is, with clocks of its own',
  'test/whole/log-canaries.test.ts': 'judges what is logged, whatever the engine is',
  'test/lib/operator/commands/deeds.test.ts':
    'judges questions; test/commands has each command on the engine',
  'test/lib/operator/commands/json-output.test.ts':
    'judges what is printed; test/commands has each command',
  'test/lambdas/endpoints/timing.test.ts': 'measures the time of our own work, not of an engine',
  'test/lib/stack/least-privilege.test.ts': 'judges which calls are made, not what becomes of them',
  'test/lib/local/services/dynamodb-limits.test.ts': dynaliteItself,
  'test/lib/local/services/serve-aws.test.ts': ownProcess,
  'test/lib/local/services/serve-tables.test.ts': dynaliteItself,
  'test/lib/local/start-local-host.test.ts': ownProcess,
  'test/lib/local/web-pages.test.ts': ownProcess,
  'test/lib/stack/lost-events.test.ts': 'judges the queues of events, whatever the tables are',
  'test/whole/slow-services.test.ts':
    'judges time limits, behind services that are slow by themselves',
  'test/lib/operator/smoke/smoke.test.ts':
    'is a client of the provider; the black-box suite is one, too',
};

/** The files that use tables, their own or those of a provider that is started for them. */
export function filesWithTables(): string[] {
  return readdirSync(join(projectFolder, 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => `test/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts') && usesTables(file))
    .toSorted();
}

function usesTables(file: string): boolean {
  if (wholeSuites.some((suite) => file.startsWith(suite))) return true;
  const source = readFileSync(join(projectFolder, file), 'utf8');
  return starters.some((name) => source.includes(`/${name}.ts'`));
}
