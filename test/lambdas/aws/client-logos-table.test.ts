/** Logos on a real engine: found by client and hash alone (threats T31). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientLogos } from '../../../lambdas/aws/client-logos-table.ts';
import { clientDirectory } from '../../../lambdas/aws/directory-table.ts';
import { applyDirectory } from '../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../lib/operator/directory/directory-file.ts';
import { logoUri, plainPng, quarters } from '../../support/example-images.ts';
import { addWrappingKey } from '../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
});
afterAll(() => tables.stop());

/** Registers a client with this logo, and answers the hash of what is stored. */
async function register(clientId: string, image: Buffer): Promise<string> {
  const client = {
    client_id: clientId,
    client_name: 'Pump',
    client_secret: 'a secret of the logo tests, long enough',
    token_endpoint_auth_method: 'client_secret_basic',
    logo_uri: logoUri(image),
  };
  await applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory({ clients: [client] }),
    prune: false,
  });
  const { findClient } = clientDirectory(tables.client, 'directory', () => 0);
  return (await findClient(clientId, 'consistent'))?.logo_hash ?? '';
}

it('T31: a logo is found by its client and its hash alone, as a PNG', async () => {
  const { findLogo } = clientLogos(tables.client, 'directory');
  const hash = await register('pump-4', quarters.gif);
  await register('desk-1', quarters.jpeg);
  const png = await findLogo('pump-4', hash);
  expect(
    Buffer.from(png ?? [])
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG');
  expect(await findLogo('desk-1', hash)).toBeUndefined();
  expect(await findLogo('nobody', hash)).toBeUndefined();
  expect(await findLogo('pump-4', 'x'.repeat(43))).toBeUndefined();
});

it('the one before is found until the next change, as long as functions may remember the client', async () => {
  const { findLogo } = clientLogos(tables.client, 'directory');
  const first = await register('till-1', quarters.png);
  const second = await register('till-1', quarters.jpeg);
  expect(second).not.toBe(first);
  expect(await findLogo('till-1', first)).toBeInstanceOf(Uint8Array);
  expect(await findLogo('till-1', second)).toBeInstanceOf(Uint8Array);
  await register('till-1', plainPng(1, 1, [0, 0, 0, 255]));
  expect(await findLogo('till-1', first)).toBeUndefined();
});
