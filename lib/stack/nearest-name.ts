/**
 * Which of the known names somebody meant who wrote another: the one that a slip or two lead to.
 */

/** So many slips are forgiven in a name of eight characters or more, and one in a shorter. */
const SLIPS = 2;

const LONG_NAME = 8;

/**
 * The known name that `name` is, or nearly is, whatever its case and whether its words are joined
 * by `-`, `_` or `.`.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return name;
  const ranked = known
    .map((candidate) => ({ candidate, slips: countSlips(plain(name), plain(candidate)) }))
    .filter(({ candidate, slips }) => slips <= (candidate.length < LONG_NAME ? 1 : SLIPS));
  return ranked.toSorted((one, other) => one.slips - other.slips)[0]?.candidate;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '');
}

/**
 * The least number of characters that were left out, added, replaced or exchanged with their
 * neighbour.
 */
function countSlips(written: string, meant: string): number {
  let before: number[] = [];
  let last = Array.from({ length: meant.length + 1 }, (_, index) => index);
  for (let row = 1; row <= written.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= meant.length; column += 1) {
      const same = written[row - 1] === meant[column - 1];
      const exchanged =
        written[row - 1] === meant[column - 2] && written[row - 2] === meant[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          exchanged ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = current;
  }
  return last[meant.length] ?? 0;
}
