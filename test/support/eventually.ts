/** What happens some time after what a test did, however busy the machine is. */
import { vi } from 'vitest';

/** Says nothing about the product: it only ends a test whose event never comes. Milliseconds. */
const PATIENCE = 120_000;

/** Tries again, every so many milliseconds, until it does not throw; answers what it answered. */
export function eventually<Result>(
  attempt: () => Result | Promise<Result>,
  interval = 50,
): Promise<Result> {
  return vi.waitFor(attempt, { timeout: PATIENCE, interval });
}
