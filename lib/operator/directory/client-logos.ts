/**
 * The logos of clients in the directory's table. A logo is written before the client that refers to
 * it and removed after, so that no page ever refers to one that is not there.
 */

import { logoItem } from '../../../lambdas/aws/client-logos-table.ts';
import type { DynamoTable } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { parseLogoUri } from '../../../lambdas/ciba/client/client-logo.ts';
import type { Logo } from '../images/encode-logo.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import type { ClientRegistration } from './registration/client-registration.ts';

/** What becomes of a client's logo. */
export interface LogoChange {
  /** The hash that the client has referred to. */
  before: string | undefined;
  after: Logo | undefined;
}

/**
 * The logos of those registrations that have one, by client.
 * @throws OperatorError with a line for each that cannot be drawn
 */
export async function encodeLogos(
  registrations: readonly ClientRegistration[],
): Promise<Map<string, Logo>> {
  const logos = new Map<string, Logo>();
  const faults: string[] = [];
  for (const { client_id, logo_uri } of registrations) {
    const file = logo_uri === undefined ? undefined : parseLogoUri(logo_uri);
    if (!file) continue;
    // Only a directory with logos waits for what draws them to be loaded.
    const { encodeLogo } = await import('../images/encode-logo.ts');
    try {
      logos.set(client_id, encodeLogo(file));
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      faults.push(`client ${client_id} logo_uri: ${error.message}`);
    }
  }
  if (faults.length > 0) throw usageError(faults.join('\n'));
  return logos;
}

/**
 * Makes sure that the table has a client's logo, and beside it the one that the client has referred
 * to: functions remember a client for seconds.
 * @param version of the client; one that somebody changed has a logo of theirs, which stays
 * @returns false if somebody else changed client or logo; nothing is written then
 */
export async function keepLogo(
  table: DynamoTable,
  client: { id: string; version: number | undefined },
  logo: Logo,
  before: string | undefined,
): Promise<boolean> {
  const key = directoryKey.logo(client.id);
  const item = await table.read(key);
  const stored = item && logoItem.parse(item);
  if (stored?.hash === logo.hash) return true;
  // Read after the logo: whoever changes the client from now on has yet to look at what is written
  // here.
  const current = await table.read(directoryKey.client(client.id));
  if (current?.['version'] !== client.version) return false;
  const former = [stored, stored?.before].find((one) => one && one.hash === before);
  const next = {
    pk: key,
    ...logo,
    ...(former && { before: { hash: former.hash, png: former.png } }),
  };
  const kept = await table.put(
    next,
    stored
      ? { condition: '#hash = :stored', values: { ':stored': stored.hash } }
      : { condition: 'attribute_not_exists(#pk)' },
  );
  // A write whose answer was lost, and which was then tried again, finds its own work.
  return kept || (await table.read(key))?.['hash'] === logo.hash;
}

/** Removes a client's logo, unless it is another one by now: that is somebody else's. */
export async function dropLogo(table: DynamoTable, clientId: string, hash: string): Promise<void> {
  await table.remove(directoryKey.logo(clientId), {
    condition: 'attribute_not_exists(#pk) OR #hash = :hash',
    values: { ':hash': hash },
  });
}
