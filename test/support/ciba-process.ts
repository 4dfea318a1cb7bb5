/**
 * The operator's command line as a process, against a local host: as a person runs it against an
 * account.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));

export type Environment = Record<string, string | undefined>;

/**
 * Starts it. @param control where the local host serves AWS, as `describe-local-host.ts` tells a
 * person to set
 */
export function startCiba(control: string, argv: string[], own: Environment = {}): ChildProcess {
  const environment = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: control,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: 'us-east-1',
  };
  return spawn(process.execPath, ['--import', 'tsx', 'bin/ciba.ts', ...argv], {
    cwd: project,
    env: { ...environment, ...own },
  });
}

/** What it writes, as it comes, and its end. */
export function watchCiba(child: ChildProcess) {
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (written.stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (written.stderr += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { written, ended };
}

/** One command to its end. */
export async function runCiba(control: string, argv: string[], own?: Environment) {
  const { written, ended } = watchCiba(startCiba(control, argv, own));
  const exitCode = await ended;
  return { exitCode, ...written };
}
