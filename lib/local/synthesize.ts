/**
 * Synthesizes the stack for the local host, in a process of its own: its memory is given back when
 * it ends.
 */

import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../operator/terminal/operator-error.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** What to synthesize for. */
export interface Synthesis {
  issuer: string;
  /** Settings of the deployment, as `-c key=value` would give them. */
  settings: Record<string, string>;
  /** The environment of this process: where its programs are found. */
  environment: NodeJS.ProcessEnv;
  /** Ends the synthesis when aborted. */
  signal: AbortSignal;
}

/**
 * Bundles the functions and writes the template; answers the folder of the assembly.
 * @throws OperatorError with what the synthesis printed
 */
export async function synthesize({
  issuer,
  settings,
  environment,
  signal,
}: Synthesis): Promise<string> {
  const folder = join(projectFolder, '.local', `assembly-${new URL(issuer).port}`);
  await rm(folder, { recursive: true, force: true });
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: projectFolder,
    env: {
      ...environment,
      // The CDK's own rules take two seconds and change nothing in the template: they belong to
      // deploying.
      CDK_VALIDATION: 'false',
      CDK_OUTDIR: folder,
      // Nothing is deployed, wherever that would be.
      CDK_DEFAULT_REGION: undefined,
      CDK_CONTEXT_JSON: JSON.stringify({ ...settings, issuer }),
    },
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk) => {
      printed += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new OperatorError(`The stack could not be synthesized:\n${printed.trim()}`);
  return folder;
}
