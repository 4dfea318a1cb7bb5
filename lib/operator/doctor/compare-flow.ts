/**
 * Whether a deployed flow is what its file of this checkout says, whatever its substitutions
 * became.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { decodeUtf8 } from '../directory/data-file.ts';

/** The definition of a flow in this checkout; none for a flow that is not here. */
export function readFlowFile(name: string): string | undefined {
  const path = join(import.meta.dirname, '../../../statemachines', `${name}.asl.json`);
  return existsSync(path) ? decodeUtf8(path, readFileSync(path)) : undefined;
}

const placeholder = /^\$\{\w+\}$/;

/** The one kind of task, by its ARN in any partition. */
const lambdaInvoke = /^arn:[\w-]+:states:::lambda:invoke$/;

/**
 * Whether the definition is the file's with a value for each substitution: the same one wherever it
 * stands, and for no two of them the same. Which function a value names is not known here.
 */
export function isDefinitionOf(file: string, definition: string): boolean {
  const values = new Map<string, string>();
  if (!isSame(parseStrictJson(file), parseStrictJson(definition), values)) return false;
  return new Set(values.values()).size === values.size;
}

function isSame(ours: unknown, theirs: unknown, values: Map<string, string>): boolean {
  if (typeof ours === 'string') return isSameText(ours, theirs, values);
  if (typeof ours !== 'object' || ours === null) return ours === theirs;
  if (typeof theirs !== 'object' || theirs === null) return false;
  if (Array.isArray(ours) !== Array.isArray(theirs)) return false;
  const [own, other] = [new Map(Object.entries(ours)), new Map(Object.entries(theirs))];
  if (own.size !== other.size) return false;
  return [...own].every(([name, value]) => isSame(value, other.get(name), values));
}

function isSameText(ours: string, theirs: unknown, values: Map<string, string>): boolean {
  if (typeof theirs !== 'string') return false;
  if (lambdaInvoke.test(ours)) return lambdaInvoke.test(theirs);
  if (!placeholder.test(ours)) return ours === theirs;
  const value = values.get(ours) ?? theirs;
  values.set(ours, value);
  return value === theirs && theirs !== '' && !placeholder.test(theirs);
}
