/** The tests: every *.test.ts of the test room, without network, with the quiet and the credentials the AWS SDK asks for. */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { moveTo } from '../test/support/own-environment.ts';
import { suiteReporter } from '../test/support/suite-notes.ts';

// Before any worker starts, which inherits it.
moveTo();

/** The files that take more than ten seconds, the longest first: what began last would be waited for by one worker alone. */
const longFiles = [
  'endpoints/timing',
  'slow-services',
  'fault-injection',
  'linear-work',
  'bench/ledger',
  'exploration',
  'redemption-race',
  'ciba-on-localhost',
  'fuzz',
  'requests-table-properties',
  'black-box/races',
  'black-box/key-rotation',
  'audit-on-localhost',
  'stack/package',
  'black-box/refresh',
  'black-box/polls',
  'black-box/client-library',
  'black-box/hints',
  'smoke/smoke',
  'import-users',
  'readme-samples',
].map((name) => `/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = (await super.sort(files)).filter((file) => rankOf(file) < 0);
    const long = files.filter((file) => rankOf(file) >= 0);
    return [...long.sort((one, other) => rankOf(one) - rankOf(other)), ...others];
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  return longFiles.findIndex((name) => moduleId.endsWith(name));
}

/** Comes before what sets up a project. */
const runFolder = 'test/support/provide-run-folder.ts';

/** What every test may take for granted. */
const shared = {
  // They end what hangs, and say nothing about the product: a busy machine may take many times as long as a quiet one.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 120_000 } },
  env: {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    // The SDK warns of Node releases to come; the deployed runtime is newer than they ask.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  },
};

export default defineConfig({
  test: {
    // On two cores vitest takes one; of the files that take long many wait.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // The report that .ci/run counts; the run against a deployment leaves one of its own.
    reporters: [
      'default',
      ['json', { outputFile: process.env['TEST_REPORT'] ?? 'build/test-results.json' }],
      suiteReporter,
    ],
    tags: [
      { name: 'heavy', description: 'races by the hundred; left out on slow emulators' },
      {
        name: 'at-once',
        description: 'a hundred at once; left out on an engine that takes one call after the other',
      },
      {
        name: 'timing',
        description: 'what the time of an answer tells; left out where engine or Node is judged',
      },
      { name: 'ses-events', description: 'mails that come back; left out where no SES says so' },
    ],
    projects: [
      {
        test: {
          ...shared,
          name: 'rooms',
          // A process for each of 130 files would load the same modules 130 times.
          isolate: false,
          // After the black-box suite, over whose calls least-privilege.test.ts judges.
          sequence: { groupOrder: 1 },
          include: ['test/**/*.test.ts'],
          exclude: [
            ...['test/black-box/**', 'test/browser/**', 'test/templates/**', 'test/commands/**'],
          ],
          globalSetup: [runFolder],
        },
      },
      {
        test: {
          ...shared,
          name: 'black-box',
          include: ['test/black-box/*.test.ts'],
          exclude: ['test/black-box/key-rotation.test.ts'],
          globalSetup: [runFolder, 'test/black-box/start-local-host.ts'],
        },
      },
      {
        test: {
          ...shared,
          // On a local host of its own: keys that sign at once surprise libraries that remember /jwks.
          name: 'key-rotation',
          include: ['test/black-box/key-rotation.test.ts'],
          globalSetup: [runFolder, 'test/black-box/start-local-host.ts'],
        },
      },
      {
        test: {
          ...shared,
          // On a local host of its own, or alone on a deployed one: it rotates keys, and removes what others ask for.
          name: 'commands',
          sequence: { groupOrder: process.env['BLACK_BOX_ISSUER'] ? 2 : 0 },
          include: ['test/commands/*.test.ts'],
          globalSetup: [runFolder, 'test/black-box/start-local-host.ts'],
        },
      },
    ],
  },
});
