/**
 * Bars in text that show how a sum is made up: a sign for each part, of ASCII where the terminal
 * has no more.
 */

/** One part of a bar. */
export interface BarPart {
  value: number;
  sign: string;
}

/**
 * A bar of at most `width` signs, which is the length of the largest bar. Each part has its share
 * of the bar, and a value above zero always draws at least one sign.
 */
export function stackedBar(parts: readonly BarPart[], largest: number, width: number): string {
  const shown = parts.filter(({ value }) => value > 0);
  const total = shown.reduce((sum, { value }) => sum + value, 0);
  if (total === 0 || largest <= 0) return '';
  const length = Math.max(shown.length, Math.round((total / largest) * width));
  return shareOut(shown, total, length)
    .map((signs, at) => (shown[at]?.sign ?? '').repeat(signs))
    .join('');
}

/**
 * A sign for each part, and of the others each part's share; what rounding leaves goes to the
 * largest remainders.
 */
function shareOut(parts: readonly BarPart[], total: number, length: number): number[] {
  const free = length - parts.length;
  const shares = parts.map(({ value }) => (value / total) * free);
  const signs = shares.map((share) => 1 + Math.floor(share));
  const left = length - signs.reduce((sum, count) => sum + count, 0);
  const byRemainder = shares
    .map((share, at) => ({ at, remainder: share % 1 }))
    .toSorted((one, other) => other.remainder - one.remainder);
  for (const { at } of byRemainder.slice(0, left)) signs[at] = (signs[at] ?? 0) + 1;
  return signs;
}
