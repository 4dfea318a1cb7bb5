/**
 * Importing users by the thousand: rows that cannot be are told and end nothing, an interrupted
 * import goes on, and what a row does not name stays. IMPORT_ROWS=20000 runs the large one.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { userDirectory } from '../../../../lambdas/aws/directory-table.ts';
import type { DirectoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import {
  carryOutImport,
  judgeRows,
  planImport,
} from '../../../../lib/operator/directory/import-users.ts';
import { disturb } from '../../../support/disturbed-calls.ts';
import {
  directoryOf,
  type TestTables,
  tablesOnDynalite,
} from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: DirectoryStore;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  store = directoryOf(tables, { keysTableName: undefined });
});
afterEach(() => tables.stop());

type Members = Record<string, unknown>;

const plan = (users: Members[]) =>
  planImport(store, judgeRows(users.map((members, index) => ({ line: index + 2, members }))));

async function importUsers(
  users: Members[],
  options: { told?: () => void; signal?: AbortSignal } = {},
) {
  const { counts, rejected, fault } = await carryOutImport(store, await plan(users), options);
  return {
    ...counts,
    rejected: rejected.map(({ row, reason }) => `${row.line}: ${reason}`),
    fault,
  };
}

const findUser = (sub: string) => userDirectory(tables.client, 'directory').findUser(sub);

const none = { add: 0, change: 0, keep: 0, remove: 0, rejected: [], fault: undefined };
const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};
const bob = { sub: 'u-bob', username: 'bob', email: 'bob@example.com', email_verified: true };

function people(count: number): Members[] {
  return Array.from({ length: count }, (_, index) => ({
    sub: `u-${index}`,
    username: `user${index}`,
    email: `user${index}@example.com`,
    email_verified: true,
    name: `User ${index}`,
  }));
}

const rows = Number(process.env['IMPORT_ROWS'] ?? '2000');

describe('an import', () => {
  it(`of ${rows} rows that was interrupted skips what is stored, goes on, and writes nothing a third time`, async () => {
    const users = people(rows);
    const interruption = new AbortController();
    let done = 0;
    const first = await importUsers(users, {
      told: () => {
        done += 1;
        if (done === rows / 4) interruption.abort(new Error('Ctrl-C'));
      },
      signal: interruption.signal,
    });
    expect(String(first.fault)).toContain('Ctrl-C');
    expect(first.add).toBeGreaterThanOrEqual(rows / 4);
    expect(first.add).toBeLessThan(rows / 4 + 16);
    const second = await importUsers(users);
    expect(second).toEqual({ ...none, add: rows - first.add, keep: first.add });
    tables.sent.length = 0;
    expect(await importUsers(users)).toEqual({ ...none, keep: rows });
    expect(tables.writes()).toEqual([]);
    // A hundred keys at a time: one for each user, two for their logins.
    expect(tables.sent).toHaveLength(Math.ceil(rows / 100) + Math.ceil((rows * 2) / 100));
    expect(await findUser(`u-${rows - 1}`)).toMatchObject({ username: `user${rows - 1}` });
  });

  it('rejects a row whose login belongs to another user, and imports the others', async () => {
    await importUsers([alice]);
    const result = await importUsers([
      { ...bob, email: 'ALICE@example.com' },
      { sub: 'u-3', username: 'three' },
    ]);
    expect(result).toEqual({
      ...none,
      add: 1,
      rejected: ['2: alice@example.com belongs to user u-alice'],
    });
  });

  it('rejects whoever waits for a login of a row that is rejected, which its user keeps', async () => {
    await importUsers([alice, bob, { sub: 'u-carol', username: 'carol' }]);
    const result = await importUsers([
      { ...alice, email: 'carol@example.com', username: 'bob' },
      { ...bob, username: 'carol' },
      { sub: 'u-3', username: 'alice' },
    ]);
    expect(result.rejected).toEqual([
      '2: bob belongs to user u-bob',
      '3: carol belongs to user u-carol',
      '4: alice belongs to user u-alice, who is not changed either; users who exchange logins need a step between',
    ]);
    expect(await findUser('u-alice')).toMatchObject({ username: 'alice' });
  });

  it('lets logins go from one row to another, in whichever order they stand', async () => {
    await importUsers([alice, bob]);
    const moved = [
      { ...bob, email: alice.email },
      { ...alice, email: 'al@example.com' },
    ];
    expect(await importUsers(moved)).toEqual({ ...none, change: 2 });
    const users = userDirectory(tables.client, 'directory');
    expect(await users.findUserByLogin(alice.email)).toMatchObject({ sub: 'u-bob' });
  });

  it('rejects a row that somebody else has changed since it was read, and imports the others', async () => {
    await importUsers([alice, bob]);
    const mine = await plan([
      { ...alice, name: 'Mine' },
      { ...bob, name: 'Mine' },
    ]);
    await importUsers([{ ...alice, name: 'Theirs' }]);
    const { counts, rejected, fault } = await carryOutImport(store, mine, {});
    expect({ counts, fault }).toEqual({
      counts: { add: 0, change: 1, keep: 0, remove: 0 },
      fault: undefined,
    });
    expect(rejected.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('user u-alice: was changed by somebody else'),
    ]);
    expect(await findUser('u-alice')).toMatchObject({ name: 'Theirs' });
  });

  it('takes no login from a user who was to give it up and was not changed', async () => {
    await importUsers([alice, bob]);
    const mine = await plan([
      { ...bob, email: alice.email },
      { ...alice, email: 'al@example.com' },
    ]);
    await importUsers([{ ...alice, name: 'Theirs' }]);
    const { rejected } = await carryOutImport(store, mine, {});
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'user u-bob: takes a login of user u-alice, who was not changed',
      expect.stringContaining('user u-alice: was changed by somebody else'),
    ]);
    const users = userDirectory(tables.client, 'directory');
    expect(await users.findUserByLogin(alice.email)).toMatchObject({ sub: 'u-alice' });
  });

  it('asks a busy table again and again', async () => {
    let calls = 0;
    disturb(tables.client, () => {
      calls += 1;
      if (calls % 3 > 0) throw Object.assign(new Error('slower'), { name: 'ThrottlingException' });
    });
    expect(await importUsers(people(50))).toEqual({ ...none, add: 50 });
  });
});

describe('what a row does not name', () => {
  const { email_verified: _, ...unsaid } = alice;

  it('stays as it is stored: nobody is enabled, verified or unnamed by a list of addresses', async () => {
    await importUsers([{ ...alice, name: 'Alice', locale: 'en', enabled: false }]);
    expect(await importUsers([unsaid])).toEqual({ ...none, keep: 1 });
    expect(await importUsers([{ sub: 'u-alice', username: 'al' }])).toEqual({ ...none, change: 1 });
    expect(await findUser('u-alice')).toMatchObject({
      username: 'al',
      email: alice.email,
      email_verified: true,
      name: 'Alice',
      locale: 'en',
      enabled: false,
    });
  });

  it('T29: is no verification of another address', async () => {
    await importUsers([alice]);
    await importUsers([{ ...unsaid, email: 'eve@example.com' }]);
    expect(await findUser('u-alice')).toMatchObject({
      email: 'eve@example.com',
      email_verified: false,
    });
  });

  it('is the default for a new user', async () => {
    await importUsers([unsaid]);
    expect(await findUser('u-alice')).toMatchObject({ email_verified: false, enabled: true });
  });
});
