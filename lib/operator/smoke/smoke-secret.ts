/**
 * Where `npm run smoke` has the client's secret from: never an argument, which every list of processes shows and the shell
 * remembers.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type QuestionStreams, readStdin } from '../command-context.ts';
import { decodeUtf8, fileName, readNamed } from '../directory/data-file.ts';
import { DirectoryError } from '../terminal/directory-error.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import { type SmokeOptions, SmokeUsageError } from './smoke-options.ts';

/**
 * The secret in the file that is named, without the end of its line, or of the environment, or as it is typed unseen.
 * @throws SmokeUsageError if it cannot be read, and if there is neither it nor a terminal to ask on
 */
export async function readClientSecret(
  { clientSecret, clientSecretFile }: SmokeOptions,
  streams: QuestionStreams,
): Promise<string> {
  if (clientSecretFile !== undefined) return readSecretFile(clientSecretFile, streams);
  if (clientSecret !== undefined) return clientSecret;
  if (streams.stdin.isTTY !== true || streams.stderr.isTTY !== true) {
    throw new SmokeUsageError(
      '--client-secret-file is missing, and there is no terminal to ask on; allowed: a file, - for stdin, or the environment variable CIBA_CLIENT_SECRET',
    );
  }
  return assertSecret('the secret', await askUnseen(streams));
}

async function readSecretFile(path: string, streams: QuestionStreams): Promise<string> {
  try {
    const octets = await readNamed(path, { readStdin: () => readStdin(streams) });
    const name = fileName(path);
    return assertSecret(name, decodeUtf8(name, octets).replace(/\r?\n$/, ''));
  } catch (error) {
    if (!(error instanceof DirectoryError || error instanceof OperatorError)) throw error;
    throw new SmokeUsageError(`--client-secret-file: ${error.message}`, { cause: error });
  }
}

function assertSecret(name: string, secret: string): string {
  if (secret !== '') return secret;
  throw new SmokeUsageError(`--client-secret-file: ${name} is empty; allowed: the client's secret`);
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

async function askUnseen({ stdin, stderr }: QuestionStreams): Promise<string> {
  stderr.write('Secret of the client (not shown): ');
  const lines = createInterface({ input: stdin, output: nowhere(), terminal: true });
  const answer = await new Promise<string>((resolve) => {
    lines.once('close', () => resolve(''));
    lines.question('', resolve);
  });
  lines.close();
  stderr.write('\n');
  return answer;
}
