/** A number of places: who finds none waits for one, in the order of coming. */
export function createPlaces(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];

  return async function inPlace<Result>(work: () => Promise<Result>): Promise<Result> {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
