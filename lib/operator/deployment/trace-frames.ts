/**
 * Where in the sources a frame of the log is. A function's log names positions in its bundle; the
 * source map that synth leaves in the folder of the assembly, and that is never deployed, leads
 * back from there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import * as z from 'zod';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { notFound, OperatorError, usageError } from '../terminal/operator-error.ts';

/** A frame as it was given, and its place; lines and columns are counted from 1. */
export interface TracedFrame {
  frame: string;
  /**
   * `undefined` where the map has no source of the position: the bundler itself wrote that code.
   */
  place: { source: string; line: number; column: number } | undefined;
}

/** What mends a map that is missing or is another bundle's. */
const REMEDY = 'npx cdk synth --quiet writes it, in a checkout of the version that is deployed';

/**
 * Traces frames of one function, such as `index.mjs:12:3456`, by the map in this assembly's folder.
 * @param name the function by its handler's file or by the `event` of its log lines
 * @throws OperatorError for what is no frame, for an unknown function, and where there is no map or
 * none of the frames is in it
 */
export function traceFrames(
  assembly: string,
  name: string,
  frames: readonly string[],
): TracedFrame[] {
  const positions = frames.map(readFrame);
  const file = findMap(assembly, handlerOf(name));
  const map = readMap(file);
  const traced = positions.map((position) => ({
    frame: position.frame,
    place: findPlace(map, position),
  }));
  if (traced.some(({ place }) => place !== undefined)) return traced;
  throw notFound(`${file} has no source of ${frames.join(' or ')}; ${REMEDY}`);
}

interface Position {
  frame: string;
  line: number;
  column: number;
}

/** The frame, with or without the folder that Lambda's own log lines put before it. */
const framePattern = /^(?:.*\/)?(index\.mjs:([1-9]\d{0,8}):([1-9]\d{0,8}))$/;

function readFrame(text: string): Position {
  const [, frame, line, column] = framePattern.exec(text) ?? [];
  if (frame !== undefined) return { frame, line: Number(line), column: Number(column) };
  throw usageError(
    `${JSON.stringify(text)} is no frame; allowed: index.mjs:LINE:COLUMN, as at of a log line has it`,
  );
}

/** Log lines name the others as their handlers are named. */
const handlersByEvent = new Map([['key-rotation', 'rotate-keys']]);

function handlerOf(name: string): string {
  const handler = name.replaceAll('_', '-');
  return handlersByEvent.get(handler) ?? handler;
}

const EXTENSION = '.mjs.map';

function findMap(assembly: string, handler: string): string {
  const folder = join(assembly, 'source-maps');
  if (!existsSync(folder)) throw notFound(`There is no source map in ${assembly}; ${REMEDY}`);
  const handlers = readdirSync(folder)
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length));
  if (handlers.includes(handler)) return join(folder, handler + EXTENSION);
  throw usageError(
    `There is no function ${JSON.stringify(handler)}; allowed: ${handlers.toSorted().join(', ')}`,
  );
}

const sourceMap = z.object({
  version: z.literal(3),
  sources: z.array(z.string()),
  names: z.array(z.string()),
  mappings: z.string(),
});

function readMap(file: string): SourceMap {
  try {
    const map = sourceMap.parse(parseStrictJson(readFileSync(file, 'utf8')));
    return new SourceMap({ ...map, file: 'index.mjs', sourcesContent: [], sourceRoot: '' });
  } catch (cause) {
    throw new OperatorError(`${file} cannot be read as a source map; ${REMEDY}`, { cause });
  }
}

function findPlace(map: SourceMap, { line, column }: Position): TracedFrame['place'] {
  const entry = map.findEntry(line - 1, column - 1);
  // The last mapping before the position may be one of a line before.
  if (!('originalSource' in entry) || entry.generatedLine !== line - 1) return undefined;
  const { originalSource: source, originalLine, originalColumn } = entry;
  return { source, line: originalLine + 1, column: originalColumn + 1 };
}
