/** The environment of the function that hears what became of mails. */
import * as z from 'zod/mini';
import { text } from './variables.ts';

export const mailFeedbackEnvironment = z.object({ DIRECTORY_TABLE: text, REQUESTS_TABLE: text });

export type MailFeedbackEnvironment = z.input<typeof mailFeedbackEnvironment>;
