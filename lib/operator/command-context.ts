/** What a command of the command line is given, beside its own options. */
import { createInterface, type Interface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import type { Clock } from '../../lambdas/ports.ts';
import type { Deployment } from './deployment/deployment.ts';
import { STDIN } from './directory/data-file.ts';
import { usageError } from './terminal/operator-error.ts';
import type { Output, OutputStream } from './terminal/output.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface CommandContext {
  /** The deployment that `--stack` names; looked up once. @throws OperatorError if there is none */
  deployment(): Promise<Deployment>;
  output: Output;
  /**
   * Asks before something is changed for good: true for yes, and without asking with `--yes`.
   * @throws OperatorError if there is no terminal to ask on
   */
  confirm(question: string): Promise<boolean>;
  /**
   * Asks for the number of what is taken away, where a slip would take too much: true if just that
   * is typed. `--yes` does not answer it, another option does.
   * @throws OperatorError naming that option if there is no terminal to ask on, and with `--yes`
   */
  confirmCount(question: string, count: number, option: string): Promise<boolean>;
  /**
   * What is piped into the command. @throws OperatorError naming the option if a terminal is there
   * instead
   */
  readInput(option: string): Promise<string>;
  /** The same as octets, for `-` in the place of a file. */
  readStdin(): Promise<Uint8Array>;
  /**
   * What is typed without being shown. @throws OperatorError of the text `otherwise` if there is no
   * terminal to ask on
   */
  askUnseen(prompt: string, otherwise: string): Promise<string>;
  /** The environment variables. */
  environment: Environment;
  clock: Clock;
  /** Aborted when the operator interrupts (Ctrl-C). Whoever takes it has to end by itself then. */
  interruption(): AbortSignal;
  /** Whether the terminal draws more than ASCII. */
  isUtf8: boolean;
}

/** A secret that is typed on a terminal is read by whoever stands behind. */
export async function readInput({ stdin }: QuestionStreams, option: string): Promise<string> {
  assertPiped(stdin, option);
  return text(stdin);
}

/** What is piped in the place of a file. @throws OperatorError if a terminal is there instead */
export async function readStdin({ stdin }: Pick<QuestionStreams, 'stdin'>): Promise<Uint8Array> {
  assertPiped(stdin, STDIN);
  return buffer(stdin);
}

function assertPiped({ isTTY }: QuestionStreams['stdin'], option: string): void {
  if (isTTY !== true) return;
  throw usageError(
    `${option}: there is a terminal, and no input to read: pipe it into the command`,
  );
}

/** Where questions are asked and answered. */
export interface QuestionStreams {
  stdin: Readable & { isTTY?: boolean };
  stderr: OutputStream;
}

/**
 * Asks a question whose answer is yes or no; whatever is not yes is no, the end of the input as
 * well.
 * @throws OperatorError if nobody can answer
 */
export async function askYesOrNo(streams: QuestionStreams, question: string): Promise<boolean> {
  if (!isTerminal(streams)) {
    throw usageError(`${question} There is no terminal to ask on: --yes says yes`);
  }
  return /^y(?:es)?$/i.test(await ask(streams, `${question} [y/N] `));
}

/**
 * Asks for a number that has to be repeated, with or without the commas that it is shown with.
 * @throws OperatorError naming the option that says it if nobody can answer, and where `--yes` was
 * to answer everything
 */
export async function askCount(
  streams: QuestionStreams,
  question: string,
  { count, option, isYes }: { count: number; option: string; isYes: boolean },
): Promise<boolean> {
  if (isYes) {
    throw usageError(`${question} That many are not removed by --yes alone: ${option} ${count}`);
  }
  if (!isTerminal(streams)) {
    throw usageError(
      `${question} There is no terminal to ask on: ${option} ${count} with --yes says yes`,
    );
  }
  const answer = await ask(streams, `${question} Type ${count} to go on: `);
  return answer.replaceAll(',', '') === String(count);
}

/**
 * What is typed without being shown. @throws OperatorError of the text `otherwise` if nobody can
 * answer
 */
export async function askUnseen(
  streams: QuestionStreams,
  prompt: string,
  otherwise: string,
): Promise<string> {
  if (!isTerminal(streams)) throw usageError(otherwise);
  const { stdin, stderr } = streams;
  stderr.write(prompt);
  const lines = createInterface({ input: stdin, output: nowhere(), terminal: true });
  const typed = await nextLine(lines, '');
  stderr.write('\n');
  return typed;
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

function isTerminal({ stdin, stderr }: QuestionStreams): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** What is typed, without blanks around it; nothing at the end of the input. */
async function ask({ stdin, stderr }: QuestionStreams, prompt: string): Promise<string> {
  return (await nextLine(createInterface({ input: stdin, output: stderr }), prompt)).trim();
}

async function nextLine(lines: Interface, prompt: string): Promise<string> {
  const line = await new Promise<string>((resolve) => {
    lines.once('close', () => resolve(''));
    lines.question(prompt, resolve);
  });
  lines.close();
  return line;
}
