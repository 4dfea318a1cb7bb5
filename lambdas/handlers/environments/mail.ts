/** The environment of the function of the states that send mail. */
import * as z from 'zod/mini';
import { jsonMap, text } from './variables.ts';

export const mailEnvironment = z.object({
  ISSUER: text,
  DIRECTORY_TABLE: text,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** The From address, `name <address>` or an address alone. */
  SENDER: text,
  CONFIGURATION_SET: text,
  /** The locales of each template, by what a flow calls it; its name in SES ends in `-<locale>`. */
  TEMPLATES: jsonMap(z.array(text)),
});

export type MailEnvironment = z.input<typeof mailEnvironment>;
