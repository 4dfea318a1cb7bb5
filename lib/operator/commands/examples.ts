/** The end of a command's help: what one types. */

/** Lines of a command line, each with what it does. */
export function examples(lines: Record<string, string>): string {
  const width = Math.max(...Object.keys(lines).map((line) => line.length));
  const shown = Object.entries(lines).map(([line, what]) => `  ${line.padEnd(width)}  ${what}`);
  return `\nExamples:\n${shown.join('\n')}`;
}
