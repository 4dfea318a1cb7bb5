/** The environment of the function that renews the keys, and makes the first ones. */
import * as z from 'zod/mini';
import { seconds, text } from './variables.ts';

export const rotateKeysEnvironment = z.object({
  DIRECTORY_TABLE: text,
  KEYS_TABLE: text,
  /** How old the newest key of a kind becomes before another is made. */
  ROTATION_PERIOD: seconds,
});

export type RotateKeysEnvironment = z.input<typeof rotateKeysEnvironment>;
