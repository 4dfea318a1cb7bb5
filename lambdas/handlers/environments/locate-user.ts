/** The environment of the function of the state LocateUser. */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const locateUserEnvironment = z.object({ DIRECTORY_TABLE: text, REQUESTS_TABLE: text });

export type LocateUserEnvironment = z.input<typeof locateUserEnvironment>;
