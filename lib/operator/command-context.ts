/** What a command of the command line is given, beside its own options. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
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
  /** What is piped into the command. @throws OperatorError naming the option if a terminal is there instead */
  readInput(option: string): Promise<string>;
  clock: Clock;
  /** Aborted when the operator interrupts (Ctrl-C). Whoever takes it has to end by itself then. */
  interruption(): AbortSignal;
  /** Whether the terminal draws more than ASCII. */
  isUtf8: boolean;
}

/** A secret that is typed on a terminal is read by whoever stands behind. */
export async function readInput({ stdin }: QuestionStreams, option: string): Promise<string> {
  if (stdin.isTTY === true) {
    throw usageError(
      `${option}: there is a terminal, and no input to read: pipe it into the command`,
    );
  }
  return text(stdin);
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
