/** Work on many things of which only a few are under way at a time. */

/** How many calls to a table are under way at a time. */
export const PARALLEL_CALLS = 16;

/**
 * Does `work` for every thing, {@link PARALLEL_CALLS} at a time, in their order. After a fault
 * nothing more is begun, and what is under way is finished before the fault is thrown on.
 */
export async function inParallel<Thing>(
  things: Iterable<Thing>,
  work: (thing: Thing) => Promise<void>,
): Promise<void> {
  const remaining = things[Symbol.iterator]();
  const faults: unknown[] = [];
  const workOn = async () => {
    for (let next = remaining.next(); !next.done && faults.length === 0; next = remaining.next()) {
      try {
        await work(next.value);
      } catch (error) {
        faults.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_CALLS }, workOn));
  if (faults.length > 0) throw faults[0];
}
