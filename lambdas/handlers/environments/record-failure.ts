/** The environment of the function of the state RecordFailure. */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const recordFailureEnvironment = z.object({ REQUESTS_TABLE: text });

export type RecordFailureEnvironment = z.input<typeof recordFailureEnvironment>;
