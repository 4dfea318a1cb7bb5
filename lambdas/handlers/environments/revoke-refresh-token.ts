/** The environment of the function that ends refresh tokens for the operator. */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const revokeRefreshTokenEnvironment = z.object({ REQUESTS_TABLE: text });

export type RevokeRefreshTokenEnvironment = z.input<typeof revokeRefreshTokenEnvironment>;
