/** The templates under cfn-lint: test/templates, which `npm run test:templates` runs where there is Python 3. */
import { defineConfig } from 'vitest/config';
import { moveTo } from '../test/support/own-environment.ts';

// Before any worker starts, which inherits it, and so does cfn-lint.
moveTo();

export default defineConfig({
  test: {
    include: ['test/templates/*.test.ts'],
    // It ends what hangs: cfn-lint takes five seconds for a template, and many more beside other work.
    testTimeout: 600_000,
    maxWorkers: 2,
    // The report that .ci/run counts.
    reporters: ['default', ['json', { outputFile: 'build/template-test-results.json' }]],
  },
});
