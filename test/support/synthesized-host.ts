/**
 * The whole stack, synthesized with its bundles and run on a local host in this process, for one
 * file of tests.
 */
import { inject } from 'vitest';
import {
  type LocalHost,
  type LocalHostOptions,
  startLocalHost,
} from '../../lib/local/start-local-host.ts';
import { type Assembly, readAssembly } from '../../lib/local/template/read-assembly.ts';
import { synthesizedAssembly } from './synthesized-assembly.ts';

/** A running local host and the assembly that it runs. */
export interface SynthesizedHost extends LocalHost {
  assembly: Assembly;
}

/** Takes some seconds; the assembly is that of the run, and shared. */
export async function startSynthesizedHost(
  options: Partial<Pick<LocalHostOptions, 'interpose' | 'log'>> = {},
): Promise<SynthesizedHost> {
  const folder = await synthesizedAssembly(inject('runFolder'));
  const anyPorts = { port: 0, inboxPort: 0, controlPort: 0 };
  const host = await startLocalHost({
    log: () => {},
    ...options,
    ...anyPorts,
    assembly: folder,
  });
  return { ...host, assembly: await readAssembly(folder) };
}
