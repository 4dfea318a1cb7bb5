/**
 * End-users as an operator writes them, under the claim names of OpenID Connect Core 5.1.
 */
import * as z from 'zod/mini';
import {
  isSub,
  normaliseEmail,
  normaliseUsername,
  SUB_RULE,
} from '../../../../lambdas/ciba/user/login.ts';
import { isLanguageTag } from '../../../../lambdas/ciba/words/language-tag.ts';
import { LANGUAGE_TAG_LENGTH } from '../../../../lambdas/ciba/words/locale.ts';

const flag = z.boolean({ error: 'must be true or false' });

const sub = z
  .string({ error: 'must be a text' })
  .check(z.refine(isSub, { error: `must be ${SUB_RULE}` }));

const username = z.string({ error: 'must be a text' }).check(
  z.refine((text) => normaliseUsername(text) !== undefined, {
    error: "must be 1 to 64 letters, digits or . _ + - ' # $ : / (no @, no space)",
  }),
);

const email = z.string({ error: 'must be a text' }).check(
  z.refine((text) => normaliseEmail(text) !== undefined, {
    error: 'must be one e-mail address such as alice@example.com',
  }),
);

/**
 * Names are shown to clients only, as a claim; still nothing that a terminal or a log could trip
 * over.
 */
const name = z.string({ error: 'must be a text' }).check(
  z.regex(/^(?:(?![\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}]).){1,128}$/u, {
    error: 'must be 1 to 128 visible characters on one line',
  }),
);

/** OpenID Connect Core 5.1: a tag of BCP 47. */
const locale = z.string({ error: 'must be a text' }).check(
  z.refine(isLanguageTag, {
    error: `must be a language tag such as en or pt-BR, ${LANGUAGE_TAG_LENGTH} characters at most`,
  }),
);

/** A user as the operator writes it. */
export const userRegistration = z
  .strictObject(
    {
      sub,
      username,
      email: z.optional(email),
      email_verified: z._default(flag, false),
      name: z.optional(name),
      locale: z.optional(locale),
      enabled: z._default(flag, true),
    },
    { error: 'must be an object with the members of a user' },
  )
  .check(({ value, issues }) => {
    if (!value.email_verified || value.email !== undefined) return;
    const message = 'must be false without an email';
    issues.push({ code: 'custom', input: value, path: ['email_verified'], message });
  });

export type UserRegistration = z.output<typeof userRegistration>;
