/**
 * Programs from PyPI: exactly the versions and files that a list of requirements names, in an
 * environment of their own below the project folder.
 */
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './ended-processes.ts';

/**
 * Installs what the requirements list, with a hash for each file, unless exactly that is there
 * already.
 * @throws an error that names the command which failed
 */
export async function installRequirements(
  environment: string,
  requirements: string,
): Promise<void> {
  const installed = join(environment, 'requirements.txt');
  if (await isSame(installed, requirements)) return;
  await rm(environment, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', environment]);
  const options = [
    '--quiet',
    '--no-cache-dir',
    '--require-hashes',
    '--no-deps',
    '--requirement',
    requirements,
  ];
  await run(join(environment, 'bin/pip'), ['install', ...options]);
  await copyFile(requirements, installed);
}

async function isSame(one: string, other: string): Promise<boolean> {
  try {
    return (await readFile(one, 'utf8')) === (await readFile(other, 'utf8'));
  } catch {
    return false;
  }
}
