/** The browser tests: test/browser, which `npm run test:browser` runs where there is a browser. */
import { defineConfig } from 'vitest/config';
import { moveTo } from '../test/support/own-environment.ts';

// Before any worker starts, which inherits it, and so does the browser.
moveTo();

export default defineConfig({
  test: {
    include: ['test/browser/*.test.ts'],
    globalSetup: ['test/browser/start-demo.ts'],
    // They end what hangs: on a busy machine a page takes many times as long.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    // The report that .ci/run counts.
    reporters: ['default', ['json', { outputFile: 'build/browser-test-results.json' }]],
  },
});
