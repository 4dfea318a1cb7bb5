/** The environment that no stack sets: what Lambda sets by itself, and where S3 is, which only an emulator sets. */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const platformEnvironment = z.object({
  AWS_REGION: text,
  AWS_ENDPOINT_URL: z.optional(z.url()),
  AWS_ENDPOINT_URL_S3: z.optional(z.url()),
});
