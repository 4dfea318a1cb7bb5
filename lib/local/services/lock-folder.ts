/**
 * Keeps two local hosts out of one `--data` folder: dynalite would bring down the second with no
 * word of why.
 */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../operator/terminal/operator-error.ts';

/**
 * Takes the folder for this process, also from one that ended without giving it back; answers how
 * to give it back.
 * @throws OperatorError if a process that runs has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, 'local-host.pid');
  const unlock = () => rm(file, { force: true });
  if (await write(file)) return unlock;
  const holder = Number(await readFile(file, 'utf8'));
  if (isRunning(holder)) {
    throw new OperatorError(
      `${folder} is in use by process ${holder}: choose another --data folder (or delete ${file} if that is no local host)`,
    );
  }
  await unlock();
  if (await write(file)) return unlock;
  throw new OperatorError(`${folder} is in use: choose another --data folder`);
}

/** Whether the file was not there yet. */
async function write(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function isRunning(processId: number): boolean {
  try {
    return processId > 0 && process.kill(processId, 0);
  } catch {
    return false;
  }
}
