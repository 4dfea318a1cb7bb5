/**
 * How the work of something grows with what it is given, by the CPU time of this process: others
 * that use the machine leave it as it is, and the least of several runs is what the work itself
 * takes.
 */

import { processorTime } from './processor-time.ts';

/** Most CPU time at the largest size, in milliseconds. */
export const MOST_MS = 5;

/**
 * What takes no more than this at the limit is too little to tell how it grows, in milliseconds.
 */
const UNREMARKABLE_MS = 1;

/** Below this a difference is noise. */
const RESOLUTION_MS = 0.1;

/**
 * Four times the input is four times the work, sixteen times if it is quadratic; between them is
 * the line.
 */
const MOST_GROWTH = 8;

/** So many times too much, in each of several runs, is no accident. */
const BEYOND_DOUBT = 4;

const RUNS = 4;
/** A suspicion is measured anew so often, with more runs each time. */
const ROUNDS = 8;

/** What is measured: prepared for a size, and then run again and again. */
export type Work = (size: number) => () => unknown;

interface Cost {
  size: number;
  run: () => unknown;
  /** The least of all runs so far. */
  ms: number;
}

/**
 * What is wrong with the growth of this work up to the limit, with the figures; `undefined` if it
 * is at most linear and within {@link MOST_MS}.
 */
export async function findGrowthFault(work: Work, limit: number): Promise<string | undefined> {
  const costAt = (size: number): Cost => ({ size, run: work(size), ms: Number.POSITIVE_INFINITY });
  const whole = costAt(limit);
  for (let run = 0; run < RUNS; run += 1) {
    await measure(whole, 1);
    if (whole.ms <= UNREMARKABLE_MS) return undefined;
  }
  const [empty, quarter, half] = [costAt(0), costAt(limit >> 2), costAt(limit >> 1)];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const runs = whole.ms > BEYOND_DOUBT * MOST_MS ? 1 : RUNS * round;
    for (const cost of [empty, quarter, half, whole]) await measure(cost, runs);
    if (whole.ms > BEYOND_DOUBT * MOST_MS) break;
    if (whole.ms <= MOST_MS && growth(empty, quarter, whole) <= MOST_GROWTH) return undefined;
  }
  const figures = [empty, quarter, half, whole].map(
    ({ size, ms }) => `${size}: ${ms.toFixed(2)} ms`,
  );
  return figures.join(', ');
}

/** How many times more the whole takes than a quarter of it, what an empty one takes left out. */
function growth(empty: Cost, quarter: Cost, whole: Cost): number {
  return (whole.ms - empty.ms) / Math.max(quarter.ms - empty.ms, RESOLUTION_MS);
}

async function measure(cost: Cost, runs: number): Promise<void> {
  for (let run = 0; run < runs; run += 1) {
    const before = processorTime();
    await cost.run();
    cost.ms = Math.min(cost.ms, processorTime() - before);
  }
}
