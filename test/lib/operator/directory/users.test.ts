/** Users as an operator finds and lists them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import type { DirectoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import { findUser, listUsers } from '../../../../lib/operator/directory/users.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: DirectoryStore;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  store = {
    client: tables.client,
    tableName: 'directory',
    keysTableName: undefined,
    clock: () => 1_800_000_000,
    pause: async () => {},
  };
});
afterEach(() => tables.stop());

const apply = (...users: object[]) =>
  applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: undefined,
    directory: parseDirectory({ users }),
    prune: false,
  });

const alice = { sub: 'u-alice', username: 'alice', email: 'alice@example.com' };

describe('a user', () => {
  it.each(['u-alice', 'alice', 'ALICE', 'alice@example.com', 'Alice@EXAMPLE.com'])(
    'is found as %s, with the contact version',
    async (name) => {
      await apply(alice);
      expect(await findUser(store, name)).toMatchObject({
        user: { ...alice, contact_version: expect.any(Number) },
        version: expect.any(Number),
      });
    },
  );

  it.each(['u-bob', 'bob', 'alice@example', 'a b', '', 'login#alice'])(
    'is not found as %j',
    async (name) => {
      await apply(alice);
      expect(await findUser(store, name)).toBeUndefined();
    },
  );

  it('whose sub is the user name of another is found only if it is said which is meant', async () => {
    await apply(alice, { sub: 'alice', username: 'other' });
    await expect(findUser(store, 'alice')).rejects.toThrow(
      'alice is the sub of one user and the login of u-alice: --by sub or --by login says which is meant',
    );
    expect(await findUser(store, 'alice', 'sub')).toMatchObject({ user: { username: 'other' } });
    expect(await findUser(store, 'alice', 'login')).toMatchObject({ user: { sub: 'u-alice' } });
  });
});

describe('a listing', () => {
  it('goes on after where it ended until every user was in it once', async () => {
    const users = Array.from({ length: 25 }, (_, index) => ({
      sub: `u-${index}`,
      username: `user${index}`,
    }));
    await apply(...users);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await listUsers(store, { limit: 10, after });
      expect(page.users.length).toBeLessThanOrEqual(10);
      seen.push(...page.users.map(({ user }) => user.sub));
      after = page.next;
    } while (after !== undefined);
    expect(seen.toSorted()).toEqual(users.map(({ sub }) => sub).toSorted());
  });

  it('of nobody is empty', async () => {
    expect(await listUsers(store, { limit: 10 })).toEqual({ users: [], next: undefined });
  });
});
