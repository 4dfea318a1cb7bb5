/**
 * What the black-box suite leaves in the folder of the run for the proof of least privilege: its
 * cases, and what was called meanwhile.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reporter, TestModule } from 'vitest/node';
import type { ServiceCall } from './recorded-calls.ts';

/** A call of a service, or what the local host says of an execution. */
export type Note = { call: ServiceCall } | { run: string };

/** A run of the whole suite. */
export interface SuiteNotes {
  calls: ServiceCall[];
  runs: string[];
  /** Cases that failed, and files that did. */
  failed: string[];
  /** Cases that were left out, those aside that are tagged as heavy or as needing events of SES. */
  leftOut: string[];
}

interface FinishedFile {
  file: string;
  failed: string[];
  leftOut: string[];
}

const suiteFolder = fileURLToPath(new URL('../black-box', import.meta.url));
/** Has a local host of its own. */
const otherFile = 'key-rotation.test.ts';

/** Where the notes of the suite's local host are. */
export function notesFile(runFolder: string): string {
  return join(runFolder, 'black-box-notes.jsonl');
}

function finishedFiles(runFolder: string): string {
  return join(runFolder, 'black-box-files.jsonl');
}

/** Notes each file of the suite as it ends. */
export const suiteReporter: Reporter = {
  onTestModuleEnd(module) {
    if (module.project.name !== 'black-box') return;
    const { runFolder } = module.project.getProvidedContext();
    appendFileSync(finishedFiles(runFolder), `${JSON.stringify(describeFile(module))}\n`);
  },
};

function describeFile(module: TestModule): FinishedFile {
  const file = basename(module.moduleId);
  const cases = [...module.children.allTests()];
  const inState = (state: string) => cases.filter((one) => one.result().state === state);
  const failed = inState('failed').map(({ fullName }) => fullName);
  return {
    file,
    failed: failed.length === 0 && module.state() === 'failed' ? [file] : failed,
    leftOut: [...inState('skipped'), ...inState('pending')]
      .filter(({ tags }) => !tags.includes('heavy') && !tags.includes('ses-events'))
      .map(({ fullName }) => fullName),
  };
}

/**
 * Of the suite that ended before in this run; undefined if it did not run, or not all of its files.
 */
export async function readSuiteNotes(runFolder: string): Promise<SuiteNotes | undefined> {
  if (!existsSync(notesFile(runFolder)) || !existsSync(finishedFiles(runFolder))) return undefined;
  const files = await readLines<FinishedFile>(finishedFiles(runFolder));
  const finished = new Set(files.map(({ file }) => file));
  const suite = (await readdir(suiteFolder)).filter((name) => name.endsWith('.test.ts'));
  if (suite.some((name) => name !== otherFile && !finished.has(name))) return undefined;
  const notes = await readLines<Note>(notesFile(runFolder));
  return {
    calls: notes.flatMap((note) => ('call' in note ? [note.call] : [])),
    runs: notes.flatMap((note) => ('run' in note ? [note.run] : [])),
    failed: files.flatMap(({ failed }) => failed),
    leftOut: files.flatMap(({ leftOut }) => leftOut),
  };
}

async function readLines<Line>(file: string): Promise<Line[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  // The last is empty, or still being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}
