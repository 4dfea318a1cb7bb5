/**
 * What a clock tells: the chance that a randomly drawn duration of one kind is longer than one of
 * the other kind (the area under the ROC curve). One half is nothing.
 */
import { randomInt } from 'node:crypto';
import { processorTime } from './processor-time.ts';

/** The area, never below one half: a classifier may guess either way round. */
export function areaUnderCurve(ones: readonly number[], others: readonly number[]): number {
  const sorted = [
    ...ones.map((duration) => ({ duration, isOne: true })),
    ...others.map((duration) => ({ duration, isOne: false })),
  ].toSorted((left, right) => left.duration - right.duration);
  let rankSum = 0;
  for (const [index, { isOne }] of sorted.entries()) if (isOne) rankSum += index + 1;
  const wins = rankSum - (ones.length * (ones.length + 1)) / 2;
  const area = wins / (ones.length * others.length);
  return Math.max(area, 1 - area);
}

/**
 * Times each of the runs `samples` times, in rounds whose order is drawn, so that whatever else
 * this process does meets all of them alike. Milliseconds of the processor's time: where caller,
 * endpoint and tables are all in this process, that is what an answer takes on a machine with
 * nothing else to do.
 */
export async function timeInRounds(
  samples: number,
  runs: readonly (() => Promise<unknown>)[],
): Promise<number[][]> {
  const durations: number[][] = runs.map(() => []);
  for (let round = 0; round < samples; round += 1) {
    for (const which of shuffled(runs.length)) {
      const started = processorTime();
      await runs[which]?.();
      durations[which]?.push(processorTime() - started);
    }
  }
  return durations;
}

function shuffled(length: number): number[] {
  return Array.from({ length }, (_, index) => ({ index, draw: randomInt(2 ** 32) }))
    .toSorted((one, other) => one.draw - other.draw)
    .map(({ index }) => index);
}
