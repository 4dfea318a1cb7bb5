/** The environment of the well-known documents, /jwks and the logos. */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const metadataEnvironment = z.object({ ISSUER: text, DIRECTORY_TABLE: text });

export type MetadataEnvironment = z.input<typeof metadataEnvironment>;
