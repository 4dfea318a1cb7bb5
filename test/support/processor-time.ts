/** Time that other programs of a busy machine leave as it is. */

/** The processor's time that this process has had so far, in milliseconds. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** How long it is looked, in milliseconds. */
const STRETCH = 50;

/**
 * How many times longer than alone this process takes for its work just now. One on a machine that
 * does nothing else.
 */
export function busyness(): number {
  const [since, end] = [performance.now(), processorTime() + STRETCH];
  while (processorTime() < end);
  return Math.max(1, (performance.now() - since) / STRETCH);
}
