/**
 * Client secrets at the endpoints over the real adapters (threats T14): what proves them, and what
 * each answer costs in reads.
 */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clientDirectory } from '../../../lambdas/aws/directory-table.ts';
import { wrappingKeys } from '../../../lambdas/aws/keys-table.ts';
import type { Client } from '../../../lambdas/ciba/client/client.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import { readAuthenticatedForm } from '../../../lambdas/endpoints/authenticated-form.ts';
import { applyDirectory } from '../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../lib/operator/directory/directory-file.ts';
import { exampleClient } from '../../support/example-directory.ts';
import { inMemoryUsedTokenIds } from '../../support/in-memory-used-token-ids.ts';
import { formRequest, issuer } from '../../support/provider-in-memory.ts';
import { addWrappingKey } from '../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

const secret = 'correct horse battery staple, and 4 pumps';
const wrong = secret.toUpperCase();

let tables: TestTables;
let now: number;
/** One environment, which remembers. */
let deps: Parameters<typeof readAuthenticatedForm>[1];

beforeEach(async () => {
  tables = await tablesOnDynalite();
  now = 1_800_000_000;
  await addWrappingKey(tables, 'first');
  await apply();
  const { client_secret_mac: _none, ...bare } = exampleClient;
  await put({ ...bare, client_id: 'old', client_secret_hash: hashSecret(secret) });
  await put({ ...bare, client_id: 'keys', token_endpoint_auth_method: 'private_key_jwt' });
  deps = environment();
});
afterEach(() => tables.stop());

const apply = () =>
  applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory({
      clients: [
        {
          client_id: 'pump-4',
          client_name: 'Pump 4',
          client_secret: secret,
          token_endpoint_auth_method: 'client_secret_basic',
        },
      ],
    }),
    prune: false,
  });

const put = (client: Partial<Client>) =>
  tables.client.send(
    new PutItemCommand({
      TableName: 'directory',
      Item: marshall({ ...client, pk: `client#${client.client_id}`, version: 1 }),
    }),
  );

function environment(): typeof deps {
  const clock = () => now;
  return {
    issuer,
    clients: clientDirectory(tables.client, 'directory', clock),
    wrappingKeys: wrappingKeys(tables.client, 'keys', clock),
    usedTokenIds: inMemoryUsedTokenIds(),
    clock,
    startPadding: () => async () => {},
  };
}

/** Whom the secret proves, or the error; and how many reads it took. */
async function present(clientId: string, clientSecret: string) {
  tables.sent.length = 0;
  const request = formRequest('/token', {}, clientId, clientSecret);
  const outcome = await readAuthenticatedForm(request, deps, {} as never, []).then(
    ({ client }) => client.client_id,
    ({ code, name }: { code?: string; name: string }) => code ?? name,
  );
  return { outcome, reads: tables.sent.length };
}

it('P33, T14: proves secrets as they are stored now and as they once were', async () => {
  for (const clientId of ['pump-4', 'old']) {
    expect(await present(clientId, secret)).toMatchObject({ outcome: clientId });
    expect(await present(clientId, wrong)).toMatchObject({ outcome: 'invalid_client' });
  }
});

it('P33, T14: an unknown client, a wrong secret and a client with another method cost the same reads', async () => {
  const clientIds = ['nobody', 'pump-4', 'old', 'keys'];
  const first: object[] = [];
  for (const clientId of clientIds) {
    deps = environment();
    first.push(await present(clientId, wrong));
  }
  // The client and the keys; what was read just now is not read again.
  expect(first).toEqual(clientIds.map(() => ({ outcome: 'invalid_client', reads: 2 })));
  for (const clientId of clientIds) {
    now += 1;
    expect(await present(clientId, wrong)).toEqual({ outcome: 'invalid_client', reads: 1 });
  }
});

it('P33: costs a client that comes back no read, as before', async () => {
  await present('pump-4', secret);
  expect(await present('pump-4', secret)).toEqual({ outcome: 'pump-4', reads: 0 });
});

it('P33: without the keys nobody is told that a secret is wrong', async () => {
  await tables.remove('keys', 'wrap');
  for (const clientId of ['nobody', 'pump-4', 'old', 'keys']) {
    expect(await present(clientId, secret)).toMatchObject({ outcome: 'Unavailable' });
  }
});

it('P33: a secret stored under a key that was just made is proved by an environment that knew the older keys', async () => {
  await present('pump-4', secret);
  now += 10;
  await addWrappingKey(tables, 'second');
  await apply();
  expect(await present('pump-4', secret)).toMatchObject({ outcome: 'pump-4' });
});
