/** Readers of option values: each names what is allowed, and commander names the option. */
import { InvalidArgumentError } from 'commander';
import { DEFAULT_STACK } from '../../lambdas/aws/formats.ts';
import { parseEmail } from '../../lambdas/ciba/user/login.ts';
import { isLanguageTag } from '../../lambdas/ciba/words/language-tag.ts';

/** A whole number within bounds. */
export function wholeNumber({ min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Allowed: whole numbers from ${min} to ${max}`);
  };
}

/** What a user may be registered with as locale. */
export function languageTag(text: string): string {
  if (isLanguageTag(text)) return text;
  throw new InvalidArgumentError('Allowed: language tags such as en, pt-BR or zh-Hant');
}

/** One e-mail address, as it is mailed. */
export function emailAddress(text: string): string {
  const address = parseEmail(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('Allowed: one e-mail address such as alice@example.com');
}

/** `--stack NAME ` for a command; empty for the stack that commands ask for by default. */
export function stackOption(stackName: string): string {
  return stackName === DEFAULT_STACK ? '' : `--stack ${stackName} `;
}
