/** The options of `npm run smoke`. */
import { parseArgs } from 'node:util';
import { parseUrl } from '../../../lambdas/ciba/parse-url.ts';

/** The deployment to try, and as which client and about which user. */
export interface SmokeTarget {
  /** The issuer identifier, without a slash at its end. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  method: 'basic' | 'post';
  loginHint: string;
  /** Lists the mails sent so far, as the local host's inbox does; without it a person decides. */
  mailStore: string | undefined;
}

/** The target as far as the options say it: the secret may have to be read or asked for. */
export interface SmokeOptions extends Omit<SmokeTarget, 'clientSecret'> {
  clientSecret: string | undefined;
  /** Where the secret is; `-` is stdin. */
  clientSecretFile: string | undefined;
}

/** What the command line is told if it asks, or if it asks wrongly. */
export const smokeUsage = `npm run smoke -- --issuer URL --client-id ID --login-hint HINT [options]

  --issuer URL             of the deployment; https, or http on this machine
  --client-id ID           of a registered client
  --login-hint HINT        user name or e-mail address of a user whose mail can be read
  --client-secret-file FILE  has the client's secret; - is stdin
  --method basic|post      how the client is registered to authenticate (default: basic)
  --mail-store URL         where mails are listed, as GET {inbox}/store of the local host; then nobody need click

Without --client-secret-file the secret is that of the environment variable CIBA_CLIENT_SECRET, which a build server sets, or else
asked for, unseen. No option takes it: every list of processes would show it.
Ends with 0 if every step went as it should, with 1 if one did not, with 2 for a wrong option.
`;

/** Options that cannot be used; the message names the option and what is allowed. */
export class SmokeUsageError extends Error {
  override readonly name = 'SmokeUsageError';
}

/**
 * Reads the options; `undefined` if they ask for the usage.
 * @throws SmokeUsageError
 */
export function readSmokeOptions(
  argv: string[],
  environment: Record<string, string | undefined>,
): SmokeOptions | undefined {
  const given = parse(argv);
  if (given.help) return undefined;
  const mailStore = given['mail-store'];
  return {
    issuer: readIssuer(required('--issuer', given.issuer)),
    clientId: required('--client-id', given['client-id']),
    clientSecret: environment['CIBA_CLIENT_SECRET'] || undefined,
    clientSecretFile: given['client-secret-file'],
    method: readMethod(given.method ?? 'basic'),
    loginHint: required('--login-hint', given['login-hint']),
    mailStore: mailStore === undefined ? undefined : readUrl('--mail-store', mailStore).href,
  };
}

function parse(argv: string[]) {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: argv,
      options: {
        issuer: text,
        'client-id': text,
        'client-secret-file': text,
        method: text,
        'login-hint': text,
        'mail-store': text,
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    // Node's advice after the first sentence is about positional arguments, which there are none of.
    const [reason] = error instanceof Error ? error.message.split(/\.\s/) : [String(error)];
    throw new SmokeUsageError(`${reason}; --help lists the options`);
  }
}

function required(option: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw new SmokeUsageError(`${option} is missing; --help lists the options`);
}

function readMethod(method: string): SmokeTarget['method'] {
  if (method === 'basic' || method === 'post') return method;
  throw new SmokeUsageError(
    `--method: ${JSON.stringify(method)} is not allowed; allowed: basic, post`,
  );
}

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** The secret goes there: in the clear to this machine alone. */
function readIssuer(issuer: string): string {
  const { protocol, hostname, search, hash } = readUrl('--issuer', issuer);
  if (protocol !== 'https:' && !loopback.includes(hostname)) {
    throw new SmokeUsageError(
      `--issuer: ${issuer} is not allowed; allowed: https, or http on this machine`,
    );
  }
  if (issuer.endsWith('/') || search !== '' || hash !== '') {
    throw new SmokeUsageError(
      `--issuer: ${issuer} is not allowed; allowed: the issuer as discovery has it, without a slash at its end`,
    );
  }
  return issuer;
}

function readUrl(option: string, text: string): URL {
  const url = parseUrl(text);
  if (url && ['http:', 'https:'].includes(url.protocol)) return url;
  throw new SmokeUsageError(
    `${option}: ${JSON.stringify(text)} is not allowed; allowed: an http or https URL`,
  );
}
