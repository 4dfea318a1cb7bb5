/** The browser tests: test/browser, which `npm run test:browser` runs where there is a browser. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/browser/*.test.ts'],
    globalSetup: ['test/browser/start-demo.ts'],
    // A decision is seen by the next poll, seconds later.
    testTimeout: 40_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // The report that .ci/run counts.
    reporters: ['default', ['json', { outputFile: 'build/browser-test-results.json' }]],
  },
});
