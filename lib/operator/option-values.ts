/** Readers of option values: each names what is allowed, and commander names the option. */
import { InvalidArgumentError } from 'commander';
import { DEFAULT_STACK } from '../../lambdas/aws/formats.ts';
import { parseEmail } from '../../lambdas/ciba/login.ts';

/** A whole number within bounds. */
export function wholeNumber({ min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Allowed: whole numbers from ${min} to ${max}`);
  };
}

/** One e-mail address, as it is mailed. */
export function emailAddress(text: string): string {
  const address = parseEmail(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('Allowed: one e-mail address such as alice@example.com');
}

/** The words, with a space behind, that name a stack to a command; none for the stack that commands ask for by default. */
export function stackOption(stackName: string): string {
  return stackName === DEFAULT_STACK ? '' : `--stack ${stackName} `;
}
