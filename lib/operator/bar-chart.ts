/** Bars in text: eighths of a block where the terminal has them, else signs of ASCII. */

/** The blocks of one to eight eighths. */
const eighths = '▏▎▍▌▋▊▉█';

/** A bar as long as the value is of the largest, at most `width` characters; whatever is not nothing shows. */
export function bar(value: number, largest: number, width: number, isUtf8: boolean): string {
  if (value <= 0 || largest <= 0) return '';
  const length = (value / largest) * width;
  if (!isUtf8) return '#'.repeat(Math.max(1, Math.round(length)));
  const parts = Math.max(1, Math.round(length * 8));
  const rest = parts % 8;
  return '█'.repeat(Math.floor(parts / 8)) + (rest === 0 ? '' : eighths.charAt(rest - 1));
}
