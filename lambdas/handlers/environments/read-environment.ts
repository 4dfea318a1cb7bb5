/** The only reader of `process.env`. */
import type * as z from 'zod/mini';

/**
 * The environment of this function, parsed.
 * @throws an error that names the variable which is missing or wrong.
 */
export function readEnvironment<Schema extends z.ZodMiniType>(schema: Schema): z.output<Schema> {
  const environment = schema.safeParse(process.env);
  if (environment.success) return environment.data;
  const [issue] = environment.error.issues;
  throw new Error(`Environment variable ${issue?.path.join('.')}: ${issue?.message}`);
}
