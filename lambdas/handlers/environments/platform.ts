/**
 * The environment that no stack sets: Lambda sets the region, and an emulator where AWS and S3 are.
 */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const platformEnvironment = z.object({
  AWS_REGION: text,
  AWS_ENDPOINT_URL: z.optional(z.url()),
  AWS_ENDPOINT_URL_S3: z.optional(z.url()),
});
