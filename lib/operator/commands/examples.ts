/** The end of a command's help: what one types. */
import { LINE_WIDTH } from '../terminal/text-layout.ts';

/**
 * Lines of a command line, each with what it does beside it; below it where both beside each other
 * are too wide.
 */
export function examples(lines: Record<string, string>): string {
  const width = Math.max(...Object.keys(lines).map((line) => line.length));
  const beside = Object.entries(lines).map(([line, what]) => `  ${line.padEnd(width)}  ${what}`);
  const isNarrow = beside.every((line) => line.length <= LINE_WIDTH);
  const below = Object.entries(lines).map(([line, what]) => `  ${line}\n      ${what}`);
  return `\nExamples:\n${(isNarrow ? beside : below).join('\n')}`;
}
