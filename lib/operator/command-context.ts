/** What a command of the command line is given, beside its own options. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '../../lambdas/ports.ts';
import type { Deployment } from './deployment.ts';
import { usageError } from './operator-error.ts';
import type { Output, OutputStream } from './output.ts';

export interface CommandContext {
  /** The deployment that `--stack` names; looked up once. @throws OperatorError if there is none */
  deployment(): Promise<Deployment>;
  output: Output;
  /**
   * Asks before something is changed for good: true for yes, and without asking with `--yes`.
   * @throws OperatorError if there is no terminal to ask on
   */
  confirm(question: string): Promise<boolean>;
  clock: Clock;
}

/** Where questions are asked and answered. */
export interface QuestionStreams {
  stdin: Readable & { isTTY?: boolean };
  stderr: OutputStream;
}

/**
 * Asks a question whose answer is yes or no; whatever is not yes is no, the end of the input as well.
 * @throws OperatorError if nobody can answer
 */
export async function askYesOrNo(
  { stdin, stderr }: QuestionStreams,
  question: string,
): Promise<boolean> {
  if (stdin.isTTY !== true || stderr.isTTY !== true) {
    throw usageError(`${question} There is no terminal to ask on: --yes says yes`);
  }
  const lines = createInterface({ input: stdin, output: stderr });
  const answer = await new Promise<string>((resolve) => {
    lines.once('close', () => resolve(''));
    lines.question(`${question} [y/N] `, resolve);
  });
  lines.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
