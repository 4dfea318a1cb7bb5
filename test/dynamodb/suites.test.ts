/** Nothing that starts tables is left out of `npm run test:dynamodb` by chance. */
import { expect, it } from 'vitest';
import { filesWithTables, leftOut } from './suites.ts';

const files = filesWithTables();

it('O1: what is left out of the run on a second engine is there, and would start tables', () => {
  expect(files).toEqual(expect.arrayContaining(Object.keys(leftOut)));
});

it.each([
  'test/whole/fault-injection.test.ts',
  'test/commands/commands.test.ts',
  'test/black-box/polls.test.ts',
  'test/lambdas/aws/keys-table.test.ts',
  'test/whole/audit-on-localhost.test.ts',
  'test/whole/largest-calls.test.ts',
  'test/dynamodb/limits.test.ts',
  'test/lambdas/aws/requests-table.test.ts',
  'test/lambdas/aws/redemption-race.test.ts',
  'test/lib/operator/commands/keys-command.test.ts',
  'test/lib/operator/commands/removal.test.ts',
])('O1: %s is run on a second engine', (file) => {
  expect(files).toContain(file);
  expect(leftOut[file]).toBeUndefined();
});
