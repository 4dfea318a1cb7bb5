/** Runs the operator's command line in this process, against a deployment that a test has made. */
import { PassThrough } from 'node:stream';
import { runCommandLine } from '../../lib/operator/command-line.ts';
import type { Deployment } from '../../lib/operator/deployment/deployment.ts';

export interface CibaRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

interface World {
  /** Answers for the stack that is named; without it there is none. */
  deployment?: Deployment;
  /** What is typed on a terminal; without it there is no terminal. */
  typed?: string;
  /** What is piped into the command. */
  piped?: string;
  clock?: () => number;
  /** Interrupts what waits. */
  interruption?: AbortSignal;
  isUtf8?: boolean;
  environment?: Readonly<Record<string, string | undefined>>;
  /** How many columns the terminal has that stdout is; without it stdout is none. */
  columns?: number;
}

/** One command to its end. */
export async function ciba(
  argv: string[],
  {
    deployment,
    typed,
    piped,
    clock = () => 1_800_000_000,
    interruption = new AbortController().signal,
    isUtf8 = true,
    environment = {},
    columns,
  }: World = {},
): Promise<CibaRun> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  if (typed !== undefined) {
    for (const stream of [stdin, stderr]) Object.assign(stream, { isTTY: true });
    stdin.write(`${typed}\n`);
  }
  if (columns !== undefined) Object.assign(stdout, { isTTY: true, columns });
  if (piped !== undefined) stdin.end(piped);
  const written = { stdout: '', stderr: '' };
  stdout.on('data', (chunk) => (written.stdout += String(chunk)));
  stderr.on('data', (chunk) => (written.stderr += String(chunk)));
  const exitCode = await runCommandLine(argv, {
    stdin,
    stdout,
    stderr,
    findDeployment: async (stackName) => {
      if (deployment?.stackName === stackName) return deployment;
      throw new Error(`no deployment ${stackName} in this test`);
    },
    clock,
    interruption: () => interruption,
    isUtf8,
    environment,
  });
  return { exitCode, ...written };
}
