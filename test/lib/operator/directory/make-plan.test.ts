/**
 * What an operator is shown before anything is written: who is added, changed and removed, which
 * members change, and what stands against it.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyStore } from '../../../../lambdas/aws/keys-table.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import type { DirectoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import { planDirectory } from '../../../../lib/operator/directory/make-plan.ts';
import { planJson, planRows, planSummary } from '../../../../lib/operator/directory/print-plan.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: DirectoryStore;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  store = {
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    clock: () => 1_800_000_000,
    pause: async () => {},
  };
});
afterEach(() => tables.stop());

const secret = 'a secret of forty-eight characters, which is what HS384 takes';
const pump = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: secret,
};
const { client_secret: _secret, ...pumpWithoutSecret } = pump;
const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};
const bob = { sub: 'u-bob', username: 'bob', email: 'bob@example.com', email_verified: true };

const plan = (directory: object, prune = false) =>
  planDirectory(store, parseDirectory(directory), { prune });

const apply = (directory: object) =>
  applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory(directory),
    prune: false,
  });

async function changes(directory: object, prune = false) {
  return planJson(await plan(directory, prune)).changes;
}

describe('a plan', () => {
  it('tells what is added, changed, removed and kept, and which members become what', async () => {
    await apply({ clients: [pump, { ...pump, client_id: 'desk-1' }], users: [alice, bob] });
    const wanted = {
      clients: [
        { ...pump, interval: 5, scope: 'openid' },
        { ...pump, client_id: 'new-1' },
      ],
      users: [alice],
    };
    expect(planJson(await plan(wanted, true))).toEqual({
      changes: [
        { action: 'remove', kind: 'client', id: 'desk-1', members: [] },
        { action: 'remove', kind: 'user', id: 'u-bob', members: [] },
        {
          action: 'change',
          kind: 'client',
          id: 'pump-4',
          members: [
            { member: 'scope', before: 'openid profile email', after: 'openid' },
            { member: 'interval', after: 5 },
          ],
        },
        expect.objectContaining({ action: 'add', kind: 'client', id: 'new-1' }),
      ],
      added: 1,
      changed: 1,
      removed: 2,
      unchanged: 1,
    });
    expect(planSummary(await plan(wanted))).toBe('1 to add, 1 to change, 0 to remove, 1 unchanged');
  });

  it('writes nothing', async () => {
    await apply({ clients: [pump], users: [alice] });
    tables.sent.length = 0;
    await plan(
      { clients: [pumpWithoutSecret, { ...pump, client_id: 'new-1' }], users: [bob] },
      true,
    );
    expect(new Set(tables.sent)).toEqual(
      new Set(['ScanCommand', 'BatchGetItemCommand', 'GetItemCommand']),
    );
  });

  it('shows no secret, present, given or generated, only what becomes of it', async () => {
    const wrap = { kid: 'first', secret: randomBytes(32).toString('base64url'), createdAt: 1 };
    await keyStore(tables.client, 'keys', 'directory').saveSecretKeys('wrap', [wrap], 0);
    await apply({ clients: [pump] });
    const other = `${secret} too`;
    const method = 'client_secret_jwt';
    const planned = await plan({
      clients: [
        { ...pump, client_secret: other },
        { ...pumpWithoutSecret, client_id: 'made' },
        { ...pump, client_id: 'desk-1', token_endpoint_auth_method: method },
      ],
    });
    const notes = planJson(planned).changes.map(({ id, members }) => [id, members.at(-1)]);
    expect(notes).toEqual([
      ['pump-4', { member: 'client_secret', note: 'changes' }],
      ['made', { member: 'client_secret', note: 'is generated' }],
      ['desk-1', { member: 'client_secret', note: 'is set' }],
    ]);
    const [generated] = planned.entries.flatMap((entry) => entry.generatedSecret ?? []);
    expect(generated).toMatch(/^[\w-]{64}$/);
    const shown = JSON.stringify([planJson(planned), planRows(planned)]);
    for (const hidden of [secret, other, generated, 'secret_hash', 'secret_wrapped', 'first.']) {
      expect(shown).not.toContain(hidden);
    }
  });

  it('has a table with a row for each change', async () => {
    await apply({ users: [alice] });
    const { rows } = planRows(await plan({ users: [{ ...alice, enabled: false }, bob] }));
    expect(rows).toEqual([
      ['~ change', 'user u-alice', 'enabled', 'true', 'false'],
      ['+ add', 'user u-bob', '', '', 'bob, bob@example.com'],
    ]);
  });

  it('names no client changed whose members are only written in another order', async () => {
    await apply({ clients: [{ ...pump, grant_types: ['urn:openid:params:grant-type:ciba'] }] });
    const { client_id, ...others } = pump;
    expect(await changes({ clients: [{ ...others, client_id }] })).toEqual([]);
  });
});

describe('logins in a plan', () => {
  it('of users who keep them are refused to others, each with both names, before anything is written', async () => {
    await apply({ users: [alice, bob] });
    tables.sent.length = 0;
    const taking = [
      { sub: 'u-1', username: 'one', email: alice.email },
      { sub: 'u-2', username: 'bob' },
    ];
    await expect(plan({ users: taking })).rejects.toThrow(
      /^user u-1: alice@example.com belongs to user u-alice\nuser u-2: bob belongs to user u-bob$/,
    );
  });

  it('go from one to another in one plan, whichever is written first in the file', async () => {
    await apply({ users: [alice] });
    await apply({
      users: [
        { ...bob, email: alice.email },
        { ...alice, email: 'a@example.net' },
      ],
    });
    expect(await changes({ users: [{ ...bob, email: alice.email }] })).toEqual([]);
    expect(await changes({ users: [{ ...alice, email: 'a@example.net' }] })).toEqual([]);
  });

  it('of a user who is pruned are free', async () => {
    await apply({ users: [alice] });
    expect(await changes({ users: [{ ...bob, email: alice.email }] }, true)).toMatchObject([
      { action: 'remove', id: 'u-alice' },
      { action: 'add', id: 'u-bob' },
    ]);
  });

  it('cannot be exchanged in one step, which is said', async () => {
    await apply({ users: [alice, bob] });
    const users = [
      { ...alice, email: bob.email },
      { ...bob, email: alice.email },
    ];
    await expect(plan({ users })).rejects.toThrow(
      'user u-alice: bob@example.com belongs to user u-bob, who is not changed either; users who exchange logins need a step between',
    );
  });

  it('that lead nowhere although their user has them are mended', async () => {
    await apply({ users: [alice] });
    await tables.remove('directory', 'login#alice');
    expect(await changes({ users: [alice] })).toEqual([
      {
        action: 'change',
        kind: 'user',
        id: 'u-alice',
        members: [{ member: 'login', after: 'alice' }],
      },
    ]);
    await apply({ users: [alice] });
    expect(await changes({ users: [alice] })).toEqual([]);
  });
});
