/**
 * Runs the whole provider on localhost with nothing but Node: `npm start` for a person,
 * `npm run local -- --headless …` for tests and tools. `--help` lists the options.
 */
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Demo } from '../lib/demo/serve-demo.ts';
import { chooseExample } from '../lib/local/choose-example.ts';
import { describeLocalHost } from '../lib/local/describe-local-host.ts';
import { fetchTrusting } from '../lib/local/fetch-trusting.ts';
import type { LogKind } from '../lib/local/local-log.ts';
import { assertPortsFree, issuerAt } from '../lib/local/loopback.ts';
import { type LocalOptions, readOptions, usage } from '../lib/local/read-options.ts';
import type { LocalHost } from '../lib/local/start-local-host.ts';
import { synthesize } from '../lib/local/synthesize.ts';
import { readStdin } from '../lib/operator/command-context.ts';
import { fileName, STDIN } from '../lib/operator/directory/data-file.ts';
import { type Directory, readDirectoryFile } from '../lib/operator/directory/directory-file.ts';
import { OperatorError } from '../lib/operator/terminal/operator-error.ts';

/** An end takes at most two seconds; what has not ended by then is cut off. */
const END_MILLISECONDS = 1900;

const exampleDirectory = fileURLToPath(
  new URL('../lib/local/example-directory.json', import.meta.url),
);

/**
 * On one's own machine nobody is asked too often, unless a setting or a client names a policy that
 * limits it.
 */
const localSettings = { notificationPolicy: 'none' };

let host: LocalHost | undefined;
let demo: Demo | undefined;
const ending = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!ending.signal.aborted) {
    await host?.stop();
    fail(error, 1);
  }
}

async function main(argv: string[]): Promise<void> {
  const options = readOptionsOrExit(argv);
  if (options.help) {
    console.log(usage);
    return;
  }
  const seed = options.seed ?? (options.headless ? undefined : exampleDirectory);
  const directory =
    seed === undefined
      ? undefined
      : await readDirectoryFile(seed, console.error, {
          readStdin: () => readStdin(process),
        });
  host = await start(options);
  const seeded = directory && (await host.applyDirectory(directory, { prune: false }));
  const generatedSecrets = seeded?.generatedSecrets ?? [];

  const { issuer, inbox, control, ca } = host;
  if (directory) demo = await startDemo(options, host, directory, generatedSecrets);
  if (options.headless || !directory || !seed) {
    for (const secret of generatedSecrets) console.error(JSON.stringify(secret));
    console.log(JSON.stringify({ issuer, inbox, control, ca }));
    return;
  }
  console.log(
    describeLocalHost({
      issuer,
      inbox,
      control,
      ca,
      demo: demo?.url,
      stackName: host.stack.name,
      directory,
      seed: seed === STDIN ? fileName(seed) : relative('', seed),
      generatedSecrets,
    }),
  );
}

/**
 * The demo terminal, as the first client that it can be; none when headless, or for want of a
 * client or a user.
 */
async function startDemo(
  { demoPort }: LocalOptions,
  { issuer, inbox, ca }: LocalHost,
  directory: Directory,
  generatedSecrets: { client_id: string; client_secret: string }[],
): Promise<Demo | undefined> {
  const example = chooseExample(directory, generatedSecrets);
  if (demoPort === undefined || !example) return undefined;
  const { client, usernames, subjects } = example;
  const { serveDemo } = await import('../lib/demo/serve-demo.ts');
  return serveDemo({
    port: demoPort,
    inbox,
    users: usernames,
    subjects,
    pump: {
      issuer,
      clientId: client.client_id,
      clientSecret: client.client_secret,
      clientAuthentication: client.token_endpoint_auth_method,
      fetch: ca === undefined ? undefined : fetchTrusting(await readFile(ca, 'utf8')),
    },
  });
}

/** The host's modules take a second to load: they do while the stack is synthesized. */
async function start(options: LocalOptions): Promise<LocalHost> {
  const { port, inboxPort, controlPort, demoPort, tls, dataDirectory, settings } = options;
  await assertPortsFree([
    { port, option: '--port' },
    { port: inboxPort, option: '--inbox-port' },
    { port: controlPort, option: '--control-port' },
    ...(demoPort === undefined ? [] : [{ port: demoPort, option: '--demo-port' }]),
  ]);
  if (!options.headless && !options.assembly) console.error('Building the stack …');
  const issuer = issuerAt({ port, tls });
  const { signal } = ending;
  const synthesized =
    options.assembly ??
    synthesize({
      issuer,
      settings: { ...localSettings, ...settings },
      environment: process.env,
      signal,
    });
  const [assembly, { startLocalHost }] = await Promise.all([
    synthesized,
    import('../lib/local/start-local-host.ts'),
  ]);
  // The SDK warns of Node versions to come; the deployed functions run on another.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  // SES takes a mail whose variables are not all given and never delivers it; here that fails at
  // once.
  process.env['AWS_SES_STRICT_TEMPLATE_RENDERING'] = 'true';
  const log = options.headless ? logEverything : logForPerson;
  const { renameWwwAuthenticate } = options;
  return startLocalHost({
    assembly,
    port,
    inboxPort,
    controlPort,
    tls,
    dataDirectory,
    renameWwwAuthenticate,
    log,
  });
}

function logEverything(kind: LogKind, line: string): void {
  console.error(kind === 'function' ? line : `${kind}: ${line}`);
}

function logForPerson(kind: LogKind, line: string): void {
  if (kind === 'request' || kind === 'failure') console.error(line);
}

function readOptionsOrExit(argv: string[]): LocalOptions {
  try {
    return readOptions(argv);
  } catch (error) {
    return fail(error, 2);
  }
}

/** Ends with a line for a fault that the caller can mend, and with a stack for any other. */
function fail(error: unknown, code: number): never {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exit(code);
}

/** A second signal, as when a terminal and a parent process both send one, changes nothing. */
async function end(): Promise<void> {
  if (ending.signal.aborted) return;
  ending.abort();
  setTimeout(() => process.exit(0), END_MILLISECONDS).unref();
  await demo?.stop();
  await host?.stop();
  process.exit(0);
}
