/**
 * The whole stack, synthesized with its bundles once in a run of the tests, for all files that run
 * it as it is.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** As on the local host of the command line: a suite asks the same users again and again. */
const settings = { senderAddress: 'approvals@bank.example', notificationPolicy: 'none' };

/** How the names of the folders begin that are assemblies. */
export const assemblyPrefix = 'assembly-';

/**
 * The folder of the assembly, which nobody may change. Whoever asks first waits for its making,
 * some seconds, and all others with it.
 * @param runFolder as `provide-run-folder.ts` provides it
 * @throws what the synthesis printed if it failed
 */
export async function synthesizedAssembly(runFolder: string): Promise<string> {
  const outcome = join(runFolder, 'synthesis.json');
  if (await isFirst(join(runFolder, 'synthesis-begun'))) {
    const made = await synthesize(await mkdtemp(join(runFolder, assemblyPrefix)));
    // Whoever waits sees all of it or nothing.
    await writeFile(`${outcome}.part`, JSON.stringify(made));
    await rename(`${outcome}.part`, outcome);
  }
  while (!existsSync(outcome)) await sleep(50);
  const { assembly, code, printed }: Outcome = JSON.parse(await readFile(outcome, 'utf8'));
  if (code !== 0) throw new Error(`the stack could not be synthesized:\n${printed}`);
  return assembly;
}

interface Outcome {
  assembly: string;
  code: number | null;
  printed: string;
}

/** Of all processes one makes the folder. */
async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (Object(error).code !== 'EEXIST') throw error;
    return false;
  }
}

/** In a process of its own: no file of tests has to load the CDK. */
async function synthesize(outdir: string): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: project,
    env: {
      ...process.env,
      // CloudFormation's own rules take seconds; provider-app.test.ts holds the template against
      // them.
      CDK_VALIDATION: 'false',
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify(settings),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { assembly: outdir, code, printed: stdout + stderr };
}
