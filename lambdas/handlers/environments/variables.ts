/**
 * The forms of environment variables. Four names mean the same in every function: ISSUER is the
 * issuer identifier, an origin without a slash at its end; DIRECTORY_TABLE, REQUESTS_TABLE and
 * KEYS_TABLE name the three tables.
 */
import * as z from 'zod/mini';
import { parseStrictJson } from '../../ciba/jwt/strict-json.ts';

/** A text that is not empty. */
export const text = z.string().check(z.minLength(1));

/** A span of time, in whole seconds. */
export const seconds = z.pipe(
  z.pipe(text, z.transform(Number)),
  z.number().check(z.int(), z.positive()),
);

/** What is of this form, as JSON. */
export function json<Value extends z.ZodMiniType>(value: Value) {
  const parsed = z.transform((given: string, context): unknown => {
    const value = parseStrictJson(given);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: 'not JSON', input: given });
    return z.NEVER;
  });
  return z.pipe(z.pipe(text, parsed), value);
}

/** A map as JSON, `{"name":…}`. */
export function jsonMap<Value extends z.ZodMiniType>(value: Value) {
  const map = z.transform(
    (members: Record<string, z.output<Value>>): ReadonlyMap<string, z.output<Value>> =>
      new Map(Object.entries(members)),
  );
  return z.pipe(json(z.record(text, value)), map);
}
