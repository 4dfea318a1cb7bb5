/**
 * Other versions of Node than the one that runs this: from npm, by a lock file with hashes, and
 * nothing of them is installed globally.
 */
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../deploy/ended-processes.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** It cannot be had on this machine; the message is one sentence for a person. */
export class NodeUnavailable extends Error {
  override readonly name = 'NodeUnavailable';
}

/** The folders beside this file. */
async function listVersions(): Promise<string[]> {
  const entries = await readdir(import.meta.dirname, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/**
 * Installs the version below `.runtimes`; answers its program.
 * @throws NodeUnavailable if it cannot be had, or an error that says which versions there are
 */
export async function installNode(named: string | undefined): Promise<string> {
  const version = await readVersion(named);
  const source = join(import.meta.dirname, version);
  const folder = join(projectFolder, '.runtimes', version);
  const name = `node-${process.platform}-${process.arch}`;
  const { optionalDependencies } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  if (!(name in optionalDependencies)) {
    throw new NodeUnavailable(`Node ${version} is not to be had for this machine as ${name}.`);
  }
  await mkdir(folder, { recursive: true });
  await cp(source, folder, { recursive: true });
  try {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['ci', ...options], { cwd: folder });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeUnavailable(`Node ${version} cannot be installed here (${reason}).`);
  }
  return join(folder, 'node_modules', name, 'bin/node');
}

async function readVersion(named: string | undefined): Promise<string> {
  const allowed = await listVersions();
  if (named !== undefined && allowed.includes(named)) return named;
  throw new Error(`VERSION: ${named ?? 'is missing'}; allowed: ${allowed.join(' or ')}`);
}

/** The environment in which whatever looks for a Node finds this one. */
export function withNode(node: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...environment, PATH: `${join(node, '..')}:${environment['PATH']}` };
}
