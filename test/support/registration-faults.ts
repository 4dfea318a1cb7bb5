/**
 * What a schema of the directory finds fault with, by the names an operator would look for.
 */
import type * as z from 'zod/mini';

/** The path of every member at fault, each once, unknown members by their own name. */
export function faultsOf(schema: z.ZodMiniType, value: unknown): string[] {
  const { error } = schema.safeParse(value);
  const paths = (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => [...issue.path, key].join('.'))
      : [issue.path.join('.')],
  );
  return [...new Set(paths)];
}
