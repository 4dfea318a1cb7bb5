/**
 * Clients and users on a real engine: found by every login, never by a login that was given up,
 * cached no longer than said.
 */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CLIENT_CACHE_SECONDS,
  clientDirectory,
  undeliverableAddresses,
  userDirectory,
} from '../../../lambdas/aws/directory-table.ts';
import type { ClientDirectory } from '../../../lambdas/ports.ts';
import { applyDirectory } from '../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../lib/operator/directory/directory-file.ts';
import { addWrappingKey } from '../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
});
afterAll(() => tables.stop());

const pump = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  client_secret: 'a secret of the directory tests, long enough',
  token_endpoint_auth_method: 'client_secret_basic',
};
const alice = {
  sub: 'u-alice',
  username: 'Alice',
  email: 'Alice@Example.com',
  email_verified: true,
};

async function apply(directory: object, prune = false) {
  return applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory(directory),
    prune,
  });
}

async function readItem(pk: string) {
  const command = new GetItemCommand({ TableName: 'directory', Key: { pk: { S: pk } } });
  return (await tables.client.send(command)).Item;
}

describe('users', () => {
  it.each(['alice', 'alice@example.com'])('are found by %s in normal form', async (login) => {
    await apply({ users: [alice] });
    const users = userDirectory(tables.client, 'directory');
    expect(await users.findUserByLogin(login)).toMatchObject({ sub: 'u-alice', username: 'Alice' });
  });

  it('are not found by a login they have given up', async () => {
    await apply({ users: [alice] });
    await apply({ users: [{ ...alice, username: 'alicia' }] });
    const users = userDirectory(tables.client, 'directory');
    expect(await users.findUserByLogin('alice')).toBeUndefined();
    expect(await users.findUserByLogin('alicia')).toMatchObject({ sub: 'u-alice' });
  });

  it('are not found by what is neither a user name nor an address', async () => {
    const users = userDirectory(tables.client, 'directory');
    expect(await users.findUserByLogin('u-alice')).toBeUndefined();
    expect(await users.findUser('nobody')).toBeUndefined();
  });
});

describe('an address that mail comes back from', () => {
  const reached = { sub: 'u-bob', contactVersion: 0 };
  const bob = {
    sub: 'u-bob',
    username: 'bob',
    email: 'bob@example.com',
    email_verified: true,
    name: 'Bob',
  };
  const note = (user = reached) =>
    undeliverableAddresses(tables.client, 'directory').noteUndeliverable(user, 'mail_bounced', 7);
  const find = () => userDirectory(tables.client, 'directory').findUser('u-bob');
  const mark = { email: 'bob@example.com', cause: 'mail_bounced', at: 7 };

  beforeEach(async () => {
    await apply({ users: [] }, true);
    await apply({ users: [bob] });
    reached.contactVersion = (await find())?.contact_version ?? 0;
  });

  it('is noted once, beside everything else of its user', async () => {
    const before = await find();
    expect(await note()).toBe(true);
    expect(await find()).toEqual({ ...before, undeliverable: mark });
    expect(await note()).toBe(false);
  });

  it('is noted by one of many at once', async () => {
    const noted = await Promise.all(Array.from({ length: 8 }, () => note()));
    expect(noted.filter(Boolean)).toHaveLength(1);
  });

  it('T29: is not noted of a user who is reached elsewhere by now, or who is gone', async () => {
    await apply({ users: [{ ...bob, email: 'bob@example.net' }] });
    expect(await note()).toBe(false);
    expect(await find()).not.toHaveProperty('undeliverable');
    expect(await note({ sub: 'u-nobody', contactVersion: 0 })).toBe(false);
    expect(await note({ sub: '', contactVersion: 0 })).toBe(false);
  });

  it('stays noted when the user is applied again, which changes nothing, and goes with the address', async () => {
    await note();
    const before = await readItem('user#u-bob');
    await apply({ users: [bob] });
    expect(await readItem('user#u-bob')).toEqual(before);
    await apply({ users: [{ ...bob, name: 'Robert' }] });
    expect(await find()).toMatchObject({ name: 'Robert', undeliverable: mark });
    await apply({ users: [{ ...bob, email: 'bob@example.net' }] });
    expect(await find()).not.toHaveProperty('undeliverable');
  });

  it('is noted anew of an address that the user comes back to', async () => {
    await note();
    await apply({ users: [{ ...bob, email: 'bob@example.net' }] });
    await apply({ users: [bob] });
    reached.contactVersion = (await find())?.contact_version ?? 0;
    expect(await find()).not.toHaveProperty('undeliverable');
    expect(await note()).toBe(true);
  });
});

describe('clients', () => {
  let now = 1_700_000_000;
  let clients: ClientDirectory;
  beforeAll(async () => {
    await apply({ clients: [pump] });
    clients = clientDirectory(tables.client, 'directory', () => now);
  });

  it('are stored with the hash of their secret alone (T14)', async () => {
    const client = await clients.findClient('pump-4', 'consistent');
    expect(client?.client_secret_mac).toMatch(/^first\.[\w-]{43}$/);
    expect(JSON.stringify(client)).not.toContain(pump.client_secret);
  });

  it(`are answered from memory for ${CLIENT_CACHE_SECONDS} s, and read anew when it matters`, async () => {
    await clients.findClient('pump-4', 'cached');
    await apply({ clients: [{ ...pump, enabled: false }] });
    expect((await clients.findClient('pump-4', 'cached'))?.enabled).toBe(true);
    expect((await clients.findClient('pump-4', 'consistent'))?.enabled).toBe(false);

    await apply({ clients: [pump] });
    expect((await clients.findClient('pump-4', 'cached'))?.enabled).toBe(false);
    now += CLIENT_CACHE_SECONDS;
    expect((await clients.findClient('pump-4', 'cached'))?.enabled).toBe(true);
  });

  it('that are unknown are looked up each time, so a new one works at once', async () => {
    expect(await clients.findClient('pump-9', 'cached')).toBeUndefined();
    await apply({ clients: [{ ...pump, client_id: 'pump-9' }] });
    expect(await clients.findClient('pump-9', 'cached')).toMatchObject({ client_id: 'pump-9' });
  });
});
