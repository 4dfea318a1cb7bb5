/** The environment of the approval page. */
import * as z from 'zod/mini';
import { decisionOriginDetails } from '../../ciba/request/decision-origin.ts';
import { text } from './variables.ts';

export const approveEnvironment = z.object({
  ISSUER: text,
  DIRECTORY_TABLE: text,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** How much is kept of where a decision is made. */
  RECORD_DECISION_ORIGIN: z.enum(decisionOriginDetails),
});

export type ApproveEnvironment = z.input<typeof approveEnvironment>;
