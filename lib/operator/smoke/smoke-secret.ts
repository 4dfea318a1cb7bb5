/**
 * Where `ciba smoke` has the client's secret from: never an argument, which every list of processes
 * shows and the shell remembers.
 */
import type { CommandContext } from '../command-context.ts';
import { decodeUtf8, fileName, readNamed } from '../directory/data-file.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';

type SecretSources = Pick<CommandContext, 'environment' | 'readStdin' | 'askUnseen'>;

/**
 * The secret in the file that is named, without the end of its line, or of the environment, or as
 * it is typed unseen.
 * @throws OperatorError if it cannot be read, and if there is neither it nor a terminal to ask on
 */
export async function readClientSecret(
  file: string | undefined,
  { environment, readStdin, askUnseen }: SecretSources,
): Promise<string> {
  if (file !== undefined) return readSecretFile(file, readStdin);
  const secret = environment['CIBA_CLIENT_SECRET'];
  if (secret) return secret;
  const typed = await askUnseen(
    'Secret of the client (not shown): ',
    '--client-secret-file is missing, and there is no terminal to ask on; allowed: a file, - for stdin, or the environment variable CIBA_CLIENT_SECRET',
  );
  return assertSecret('the secret', typed);
}

async function readSecretFile(
  path: string,
  readStdin: SecretSources['readStdin'],
): Promise<string> {
  try {
    const octets = await readNamed(path, { readStdin });
    const name = fileName(path);
    return assertSecret(name, decodeUtf8(name, octets).replace(/\r?\n$/, ''));
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw usageError(`--client-secret-file: ${error.message}`, error);
  }
}

function assertSecret(name: string, secret: string): string {
  if (secret !== '') return secret;
  throw usageError(`${name} is empty; allowed: the client's secret`);
}
