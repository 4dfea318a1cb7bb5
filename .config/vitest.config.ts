/** The tests: every *.test.ts of the test room, without network, with the quiet and the credentials the AWS SDK asks for. */
import { defineConfig } from 'vitest/config';

/** What every test may take for granted. */
const shared = {
  // A synthesized stack or a provider on localhost takes seconds on two cores.
  testTimeout: 30_000,
  hookTimeout: 60_000,
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
    // On two cores vitest takes one; of the files that take long most wait.
    maxWorkers: 2,
    globalSetup: ['test/support/provide-run-folder.ts'],
    // The report that .ci/run counts; the run against a deployment leaves one of its own.
    reporters: [
      'default',
      ['json', { outputFile: process.env['TEST_REPORT'] ?? 'build/test-results.json' }],
    ],
    tags: [
      { name: 'heavy', description: 'races by the hundred; left out on slow emulators' },
      { name: 'ses-events', description: 'mails that come back; left out where no SES says so' },
    ],
    projects: [
      {
        test: {
          ...shared,
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: ['test/black-box/**', 'test/browser/**'],
        },
      },
      {
        test: {
          ...shared,
          name: 'black-box',
          include: ['test/black-box/*.test.ts'],
          exclude: ['test/black-box/key-rotation.test.ts'],
          globalSetup: ['test/black-box/start-local-host.ts'],
        },
      },
      {
        test: {
          ...shared,
          // On a local host of its own: keys that sign at once surprise libraries that remember /jwks.
          name: 'key-rotation',
          include: ['test/black-box/key-rotation.test.ts'],
          globalSetup: ['test/black-box/start-local-host.ts'],
        },
      },
    ],
  },
});
