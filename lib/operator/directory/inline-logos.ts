/**
 * Takes the images that a directory file names by path into its value: a `logo_uri` then holds the
 * image (RFC 2397), and what is planned depends on no other file.
 */

import { dirname, isAbsolute, resolve } from 'node:path';
import { LOGO_BYTES, logoTypeOf, logoUriOf } from '../../../lambdas/ciba/client/client-logo.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import { readOctets } from './data-file.ts';

/** What is wrong with the image of the client at this place of the list. */
interface LogoFault {
  index: number;
  reason: string;
}

/**
 * The value of a directory file with its images in it. A client whose image cannot be taken is
 * without one, and told.
 * @param path of the file, which the paths in it are relative to
 */
export async function inlineLogos(
  path: string,
  value: unknown,
): Promise<{ value: unknown; faults: LogoFault[] }> {
  if (!hasClients(value)) return { value, faults: [] };
  const clients: unknown[] = [];
  const faults: LogoFault[] = [];
  for (const [index, client] of value.clients.entries()) {
    if (!isLogoNamed(client)) {
      clients.push(client);
      continue;
    }
    const { logo_uri, ...others } = client;
    try {
      const image = await readLogo(resolve(dirname(path), logo_uri));
      clients.push({ ...others, logo_uri: image });
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      faults.push({ index, reason: error.message });
      clients.push(others);
    }
  }
  return { value: { ...value, clients }, faults };
}

function hasClients(value: unknown): value is { clients: unknown[] } {
  const hasMember = typeof value === 'object' && value !== null && 'clients' in value;
  return hasMember && Array.isArray(value.clients);
}

/**
 * Whether a client names its image by a path; whatever else is there is judged with the other
 * members.
 */
function isLogoNamed(client: unknown): client is { logo_uri: string } {
  const hasMember = typeof client === 'object' && client !== null && 'logo_uri' in client;
  if (!hasMember || typeof client.logo_uri !== 'string') return false;
  const { logo_uri: uri } = client;
  return uri !== '' && !isAbsolute(uri) && !/^[a-z][a-z\d+.-]*:/i.test(uri);
}

async function readLogo(path: string): Promise<string> {
  const bytes = await readOctets(path);
  if (bytes.length > LOGO_BYTES) {
    throw usageError(`${path}: has ${bytes.length} bytes; allowed: ${LOGO_BYTES} (1 MB)`);
  }
  const type = logoTypeOf(bytes);
  if (type === undefined) throw usageError(`${path}: is no PNG, JPEG or GIF`);
  return logoUriOf({ type, bytes });
}
