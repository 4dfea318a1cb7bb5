/**
 * What the files of one run of the tests share: a folder that is theirs alone, empty when the run
 * begins and gone when it ends.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { assemblyPrefix } from './synthesized-assembly.ts';

declare module 'vitest' {
  interface ProvidedContext {
    runFolder: string;
  }
}

/** Provides the folder to every project; the first to be set up makes it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = project.vitest.getRootProject();
  if (root.getProvidedContext().runFolder) return async () => {};
  const folder = await mkdtemp(join(tmpdir(), 'ciba-tests-'));
  root.provide('runFolder', folder);
  // Who watches the tests changes the code between two runs: nothing of the last is kept, but what
  // a local host still runs.
  project.onTestsRerun(async () => {
    const entries = (await readdir(folder)).filter((entry) => !entry.startsWith(assemblyPrefix));
    await Promise.all(entries.map((entry) => rm(join(folder, entry), { recursive: true })));
  });
  return () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
