/**
 * Applying a directory: idempotent, nothing overwritten that somebody else changed, logins that
 * belong to one user only.
 */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { userDirectory } from '../../../../lambdas/aws/directory-table.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { addWrappingKey, macOf } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
});
afterEach(() => tables.stop());

const pump = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
};
const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};
const bob = { sub: 'u-bob', username: 'bob', email: 'bob@example.com', email_verified: true };

function apply(directory: object, prune = false) {
  return applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory(directory),
    prune,
  });
}

async function items(): Promise<Record<string, Record<string, unknown>>> {
  const { Items: found = [] } = await tables.client.send(
    new ScanCommand({ TableName: 'directory' }),
  );
  return Object.fromEntries(
    found.map((item) => unmarshall(item)).map((item) => [item['pk'], item]),
  );
}

const user = (sub: string) => userDirectory(tables.client, 'directory').findUser(sub);

describe('clients', () => {
  it('without a secret get one of 384 random bits, told once and kept from then on', async () => {
    const { generatedSecrets } = await apply({ clients: [pump] });
    expect(generatedSecrets).toEqual([
      { client_id: 'pump-4', client_secret: expect.stringMatching(/^[\w-]{64}$/) },
    ]);
    const stored = (await items())['client#pump-4']?.['client_secret_mac'];
    expect(stored).toBe(await macOf(tables, 'pump-4', generatedSecrets[0]?.client_secret ?? ''));
    expect((await apply({ clients: [pump] })).generatedSecrets).toEqual([]);
    expect((await items())['client#pump-4']?.['client_secret_mac']).toBe(stored);
  });
});

describe('applying the same directory again', () => {
  it('writes no entry a second time', async () => {
    await apply({ clients: [pump], users: [alice] });
    const before = await items();
    await apply({ clients: [pump], users: [alice] });
    expect(await items()).toEqual(before);
  });
});

describe('users', () => {
  it('T29: a changed address or verification changes the contact version, a changed name does not', async () => {
    await apply({ users: [alice] });
    const first = (await user('u-alice'))?.contact_version ?? 0;
    await apply({ users: [{ ...alice, name: 'Alice Example' }] });
    expect((await user('u-alice'))?.contact_version).toBe(first);
    await apply({ users: [{ ...alice, email: 'alice@example.net' }] });
    const second = (await user('u-alice'))?.contact_version ?? 0;
    expect(second).toBeGreaterThan(first);
    await apply({ users: [{ ...alice, email: 'alice@example.net', email_verified: false }] });
    expect((await user('u-alice'))?.contact_version).toBeGreaterThan(second);
  });

  it('cannot take the login of another user', async () => {
    await apply({ users: [alice] });
    await expect(apply({ users: [{ ...bob, email: alice.email }] })).rejects.toThrow(
      'user u-bob: alice@example.com belongs to user u-alice',
    );
    expect(await user('u-bob')).toBeUndefined();
  });

  it('can take a login that the other user has given up', async () => {
    await apply({ users: [alice] });
    await apply({ users: [{ ...alice, email: 'alice@example.net' }] });
    await apply({ users: [{ ...bob, email: alice.email }] });
    const users = userDirectory(tables.client, 'directory');
    expect(await users.findUserByLogin('alice@example.com')).toMatchObject({ sub: 'u-bob' });
  });

  it('P18: keep the address as it was written, its domain in the ASCII form that mail takes', async () => {
    await apply({ users: [{ ...alice, email: 'Alice@BÜCHER.example' }] });
    expect((await user('u-alice'))?.email).toBe('Alice@xn--bcher-kva.example');
  });
});

describe('pruning', () => {
  it('removes the clients and users that are not named, with their logins, and nothing else', async () => {
    await apply({ clients: [pump], users: [alice, bob] });
    await apply({ clients: [{ ...pump, client_id: 'desk-1' }], users: [bob] }, true);
    expect(Object.keys(await items()).toSorted()).toEqual([
      'client#desk-1',
      'login#bob',
      'login#bob@example.com',
      'user#u-bob',
    ]);
  });

  it('T29: a user who comes back under the same subject has another contact version', async () => {
    await apply({ users: [alice] });
    const before = (await user('u-alice'))?.contact_version;
    await apply({ users: [] }, true);
    await apply({ users: [{ ...alice, email: 'other@example.com' }] });
    expect((await user('u-alice'))?.contact_version).not.toBe(before);
  });
});
