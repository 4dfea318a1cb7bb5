/** The environment of the token endpoint (CIBA Core 10.1). */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const tokenEnvironment = z.object({
  ISSUER: text,
  DIRECTORY_TABLE: text,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** The `aud` of access tokens (RFC 9068, section 3). */
  ACCESS_TOKEN_AUDIENCE: text,
});

export type TokenEnvironment = z.input<typeof tokenEnvironment>;
