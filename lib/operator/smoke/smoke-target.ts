/**
 * What `ciba smoke` tries, and the readers of its options: each names what is allowed, and
 * commander names the option.
 */
import { InvalidArgumentError } from 'commander';
import { parseUrl } from '../../../lambdas/ciba/parse-url.ts';

export const smokeMethods = ['basic', 'post'] as const;

/** The deployment to try, and as which client and about which user. */
export interface SmokeTarget {
  /** The issuer identifier, without a slash at its end. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  method: (typeof smokeMethods)[number];
  loginHint: string;
  /** Lists the mails sent so far, as the local host's inbox does; without it a person decides. */
  mailStore?: string | undefined;
}

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** The secret goes there: in the clear to this machine alone. */
export function parseIssuer(issuer: string): string {
  const { protocol, hostname, search, hash } = readUrl(issuer);
  if (protocol !== 'https:' && !loopback.includes(hostname)) {
    throw new InvalidArgumentError('Allowed: https, or http on this machine');
  }
  if (issuer.endsWith('/') || search !== '' || hash !== '') {
    throw new InvalidArgumentError(
      'Allowed: the issuer as discovery has it, without a slash at its end',
    );
  }
  return issuer;
}

/** The address at which mails are listed. */
export function parseMailStore(text: string): string {
  return readUrl(text).href;
}

/** An id or a hint; a shell makes an empty one of a variable that is not set. */
export function nonEmpty(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('Allowed: a text that is not empty');
}

function readUrl(text: string): URL {
  const url = parseUrl(text);
  if (url && ['http:', 'https:'].includes(url.protocol)) return url;
  throw new InvalidArgumentError('Allowed: an http or https URL');
}
