/** Whole numbers within bounds, as operators write them in policies. */
import * as z from 'zod/mini';

/** A whole number from `least` to `most`, both allowed; an error says so. */
export function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).check(z.gte(least, { error }), z.lte(most, { error }));
}
