/** The options of the local host's command line. */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { STDIN } from '../operator/directory/data-file.ts';
import { usageError } from '../operator/terminal/operator-error.ts';

/** What the command line asks for, with every default in place. */
export interface LocalOptions {
  /** For tests and tools: one line of JSON when ready, and every log line. */
  headless: boolean;
  port: number;
  inboxPort: number;
  controlPort: number;
  /** Of the demo terminal, which is for persons: none when headless. */
  demoPort: number | undefined;
  /** Whether the provider is served by https. */
  tls: boolean;
  /** Directory file to begin with. */
  seed: string | undefined;
  /** Folder in which the tables are kept, and the CA of `tls`. */
  dataDirectory: string | undefined;
  /** Settings of the deployment that are overridden. */
  settings: Record<string, string>;
  /** Whether `WWW-Authenticate` is renamed, as API Gateway may do. */
  renameWwwAuthenticate: boolean;
  /** Folder of a stack that is synthesized already. */
  assembly: string | undefined;
  help: boolean;
}

/** What `--help` prints. */
export const usage = `npm run local -- [options]

  --headless           for tests and tools: one line of JSON on stdout when ready, logs on stderr
  --port N             of the provider; its issuer is http://localhost:N (default 4010)
  --inbox-port N       of the inbox (default: the port above the provider's)
  --control-port N     of the control server (default: two above the provider's)
  --demo-port N        of the demo terminal (default: three above the provider's; none with --headless)
  --tls                serve the provider by https, with a certificate of a CA that is made here and printed:
                       its issuer is https://localhost:N; inbox, control and demo stay http
  --seed FILE          clients and users to begin with, - is stdin (default: examples; none with --headless)
  --data DIR           keep the tables in DIR, and the CA of --tls (default: in memory)
  --set KEY=VALUE      override a setting of the deployment; can be repeated
  --assembly DIR       run this synthesized stack, and do not synthesize
  --rename-www-authenticate
                       answer WWW-Authenticate as x-amzn-remapped-www-authenticate, as API Gateway may
`;

const DEFAULT_PORT = 4010;
/** That of its scheme, which the origin of a URL leaves out. */
const HTTP_PORT = 80;
const LAST_PORT = 65_535;

/**
 * Reads the options.
 * @throws OperatorError that names the option and what is allowed
 */
export function readOptions(argv: string[]): LocalOptions {
  const given = parse(argv);
  const port = readPort('--port', given.port, DEFAULT_PORT);
  const headless = given.headless ?? false;
  const tls = given.tls ?? false;
  if (headless && given['demo-port'] !== undefined) {
    throw usageError('--demo-port: --headless starts no demo; leave one of them out');
  }
  if (port === HTTP_PORT && !tls) {
    throw usageError(
      `--port: ${HTTP_PORT} is not allowed without --tls, as an http issuer names its port; allowed: any other`,
    );
  }
  const options = {
    headless,
    port,
    inboxPort: readPort('--inbox-port', given['inbox-port'], port + 1),
    controlPort: readPort('--control-port', given['control-port'], port + 2),
    demoPort: headless ? undefined : readPort('--demo-port', given['demo-port'], port + 3),
    tls,
    seed: given.seed === STDIN ? STDIN : readPath('--seed', given.seed),
    dataDirectory: readPath('--data', given.data),
    settings: readSettings(given.set ?? []),
    assembly: readPath('--assembly', given.assembly),
    renameWwwAuthenticate: given['rename-www-authenticate'] ?? false,
    help: given.help ?? false,
  };
  const ports = [port, options.inboxPort, options.controlPort, options.demoPort];
  if (new Set(ports).size < ports.length) {
    throw usageError(
      '--port, --inbox-port, --control-port and --demo-port must be ports of their own',
    );
  }
  if (options.assembly !== undefined && given.set !== undefined) {
    throw usageError('--set: the settings of --assembly are fixed; leave one of them out');
  }
  return options;
}

function parse(argv: string[]) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        headless: { type: 'boolean' },
        port: { type: 'string' },
        'inbox-port': { type: 'string' },
        'control-port': { type: 'string' },
        'demo-port': { type: 'string' },
        tls: { type: 'boolean' },
        seed: { type: 'string' },
        data: { type: 'string' },
        set: { type: 'string', multiple: true },
        assembly: { type: 'string' },
        'rename-www-authenticate': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    // Node's advice after the first sentence is about positional arguments, which there are none
    // of.
    const [reason] = error instanceof Error ? error.message.split(/\.\s/) : [String(error)];
    throw usageError(`${reason}; --help lists the options`);
  }
}

function readPort(option: string, text: string | undefined, byDefault: number): number {
  const port = text === undefined ? byDefault : Number(text);
  if (Number.isInteger(port) && port > 0 && port <= LAST_PORT && !/[^\d]/.test(text ?? '')) {
    return port;
  }
  throw usageError(
    `${option}: ${JSON.stringify(text ?? String(byDefault))} is not allowed; allowed: a port from 1 to ${LAST_PORT}`,
  );
}

function readPath(option: string, text: string | undefined): string | undefined {
  if (text === '') throw usageError(`${option}: is empty; allowed: a path`);
  return text === undefined ? undefined : resolve(text);
}

function readSettings(texts: string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const text of texts) {
    const sign = text.indexOf('=');
    if (sign < 1) {
      throw usageError(`--set: ${JSON.stringify(text)} is not allowed; allowed: KEY=VALUE`);
    }
    const key = text.slice(0, sign);
    if (key === 'issuer') {
      throw usageError('--set issuer: the issuer follows from --port and --tls');
    }
    settings[key] = text.slice(sign + 1);
  }
  return settings;
}
