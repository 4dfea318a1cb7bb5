/**
 * Answers in steps (threats T6): the time of the work inside a step does not show.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { answerTimes, secondsUntilAnswer } from '../../../lambdas/ciba/answer-time.ts';

it.each([
  ['no time at all', 0, 0.1],
  ['a millisecond', 0.001, 0.099],
  ['just less than a step', 0.099, 0.001],
  ['just more than a step', 0.101, 0.099],
  ['a clock that was set back', -5, 5.1],
])('after %s', (_what, elapsed, wait) => {
  expect(secondsUntilAnswer(1000, 1000 + elapsed, 0.1)).toBeCloseTo(wait, 6);
});

it('always leaves at a whole step after the arrival, within one step of being ready', () => {
  const steps = fc.constantFrom(...Object.values(answerTimes));
  fc.assert(
    fc.property(fc.double({ min: 0, max: 10, noNaN: true }), steps, (elapsed, step) => {
      const wait = secondsUntilAnswer(1_700_000_000, 1_700_000_000 + elapsed, step);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(step + 1e-6);
      const whole = (elapsed + wait) / step;
      expect(Math.abs(whole - Math.round(whole))).toBeLessThan(1e-4);
    }),
  );
});
