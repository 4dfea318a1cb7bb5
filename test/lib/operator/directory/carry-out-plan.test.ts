/**
 * Carrying out a plan while others write, connections break and Ctrl-C is pressed: nobody's change
 * is overwritten, no generated secret is lost, and planning and applying again goes on where it
 * ended.
 */

import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { userDirectory } from '../../../../lambdas/aws/directory-table.ts';
import { applyPlan } from '../../../../lib/operator/directory/carry-out-plan.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import type { DirectoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import { planDirectory } from '../../../../lib/operator/directory/make-plan.ts';
import { disturb } from '../../../support/disturbed-calls.ts';
import { addWrappingKey, macOf } from '../../../support/stored-secrets.ts';
import {
  directoryOf,
  type TestTables,
  tablesOnDynalite,
} from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: DirectoryStore;
let pauses: number[];
beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  pauses = [];
  store = directoryOf(tables, {
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
  });
});
afterEach(() => tables.stop());

const pump = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
};
const desk = { ...pump, client_id: 'desk-1' };
const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};
const bob = { sub: 'u-bob', username: 'bob', email: 'bob@example.com', email_verified: true };

const plan = (directory: object, prune = false) =>
  planDirectory(store, parseDirectory(directory), { prune });

/** Plans and applies what nothing stands against. */
async function apply(directory: object, prune = false) {
  const { fault, ...applied } = await applyPlan(store, await plan(directory, prune));
  expect(fault).toBeUndefined();
  return applied;
}

const items = () => tables.items('directory');

const changedMeanwhile = (entry: string) =>
  `${entry}: was changed by somebody else since the plan was made, and is as they left it; plan and apply again`;

describe('applying twice', () => {
  it('writes nothing the second time: not one call', async () => {
    const directory = { clients: [pump, desk], users: [alice, bob] };
    await apply(directory);
    const stored = await items();
    tables.sent.length = 0;
    await apply(directory);
    await apply(directory, true);
    expect(tables.writes()).toEqual([]);
    expect(await items()).toEqual(stored);
  });
});

describe('two operators at once', () => {
  it('never overwrite each other: the second is told whom to plan anew, and the first one’s change stays', async () => {
    await apply({ clients: [pump], users: [alice] });
    const mine = await plan({
      clients: [{ ...pump, interval: 5 }],
      users: [{ ...alice, name: 'A' }],
    });
    await apply({ clients: [{ ...pump, interval: 9 }] });
    const { fault, written } = await applyPlan(store, mine);
    expect(fault).toMatchObject({ name: 'OperatorError', code: 'conflict' });
    expect(String(fault)).toContain(changedMeanwhile('client pump-4'));
    expect(written).toEqual([]);
    expect((await items())['client#pump-4']).toMatchObject({ interval: 9 });
    expect((await items())['user#u-alice']).not.toHaveProperty('name');
  });

  it('who add the same client: one of the secrets is stored, and only that one is shown', async () => {
    const [mine, theirs] = [await plan({ clients: [pump] }), await plan({ clients: [pump] })];
    const [one, other] = await Promise.all([applyPlan(store, mine), applyPlan(store, theirs)]);
    const shown = [...one.generatedSecrets, ...other.generatedSecrets];
    expect(shown).toHaveLength(1);
    expect([one.fault, other.fault].filter(Boolean).map(String)).toEqual([
      expect.stringContaining(changedMeanwhile('client pump-4')),
    ]);
    expect((await items())['client#pump-4']).toMatchObject({
      client_secret_mac: await macOf(tables, 'pump-4', shown[0]?.client_secret ?? ''),
    });
  });

  it('who give one login to two users: one of them is told, and the login leads to the other', async () => {
    const login = 'shared@example.com';
    const mine = await plan({ users: [{ ...alice, email: login }] });
    const theirs = await plan({ users: [{ ...bob, email: login }] });
    const results = await Promise.all([applyPlan(store, mine), applyPlan(store, theirs)]);
    const winner = await userDirectory(tables.client, 'directory').findUserByLogin(login);
    const loser = winner?.sub === 'u-alice' ? 'u-bob' : 'u-alice';
    expect(
      results
        .map(({ fault }) => fault)
        .filter(Boolean)
        .map(String),
    ).toEqual([
      expect.stringContaining(
        `user ${loser}: ${login} was taken by another user since the plan was made; plan and apply again`,
      ),
    ]);
  });

  it('of whom one takes a login that the other has just claimed: the other is told after writing', async () => {
    const login = 'shared@example.com';
    const mine = await plan({ users: [{ ...alice, email: login }] });
    let between = false;
    disturb(tables.client, async ({ command, input }) => {
      if (between || command !== 'PutItemCommand' || !input.includes('user#u-alice')) return;
      between = true;
      await apply({ users: [{ ...bob, email: login }] });
    });
    expect(String((await applyPlan(store, mine)).fault)).toContain(
      `user u-alice: ${login} was taken by another user`,
    );
    await expect(plan({ users: [{ ...alice, email: login }] })).rejects.toThrow(
      `user u-alice: ${login} belongs to user u-bob`,
    );
  });

  it('of whom one prunes: what the other has changed since is not removed', async () => {
    await apply({ clients: [pump, desk], users: [alice] });
    const pruning = await plan({ clients: [desk] }, true);
    await apply({ clients: [{ ...pump, interval: 9 }] });
    const { fault } = await applyPlan(store, pruning);
    expect(String(fault)).toContain(changedMeanwhile('client pump-4'));
    expect(await items()).toHaveProperty('client#pump-4');
  });

  it('of whom one removes and adds anew: the entry is not taken for the one before', async () => {
    await apply({ users: [alice] });
    const mine = await plan({ users: [{ ...alice, name: 'Mine' }] });
    await apply({}, true);
    await apply({ users: [{ ...alice, name: 'Theirs' }] });
    expect(String((await applyPlan(store, mine)).fault)).toContain(
      changedMeanwhile('user u-alice'),
    );
    expect((await items())['user#u-alice']).toMatchObject({ name: 'Theirs' });
  });

  it('who remove the same user: both are content', async () => {
    await apply({ users: [alice] });
    const [mine, theirs] = [await plan({}, true), await plan({}, true)];
    for (const pruning of [mine, theirs]) {
      expect((await applyPlan(store, pruning)).fault).toBeUndefined();
    }
    expect(await items()).toEqual({});
  });
});

describe('an apply that ends early', () => {
  it('shows the secrets that were stored before a fault, and a second run finishes', async () => {
    const directory = { clients: [pump, desk], users: [alice] };
    const mine = await plan(directory);
    await apply({ clients: [{ ...desk, interval: 9 }] });
    const { fault, generatedSecrets } = await applyPlan(store, mine);
    expect(fault).toMatchObject({ name: 'OperatorError', code: 'conflict' });
    expect(generatedSecrets.map(({ client_id }) => client_id)).toEqual(['pump-4']);
    expect((await items())['client#pump-4']).toMatchObject({
      client_secret_mac: await macOf(tables, 'pump-4', generatedSecrets[0]?.client_secret ?? ''),
    });
    expect(await items()).not.toHaveProperty('user#u-alice');
    expect((await apply(directory)).generatedSecrets).toEqual([]);
    expect(await items()).toHaveProperty('user#u-alice');
  });

  it('begins nothing more after an interruption, and goes on the next time', async () => {
    const users = Array.from({ length: 40 }, (_, index) => ({
      sub: `u-${index}`,
      username: `user${index}`,
    }));
    const interruption = new AbortController();
    const { fault, written } = await applyPlan(store, await plan({ clients: [pump], users }), {
      told: () => interruption.abort(new Error('Ctrl-C')),
      signal: interruption.signal,
    });
    expect(String(fault)).toContain('Ctrl-C');
    expect(written.map(({ id }) => id)).toEqual(['pump-4']);
    const next = await apply({ clients: [pump], users });
    expect(next.written).toHaveLength(40);
    expect(next.generatedSecrets).toEqual([]);
  });

  it('at any write of a user leaves every login leading to the user whose item names it', async () => {
    await apply({ users: [alice, bob] });
    const next = { users: [{ ...alice, username: 'al', email: 'al@example.com' }] };
    let failing = true;
    let count = 0;
    let failAt = 0;
    disturb(tables.client, ({ command }) => {
      if (!/Put|Update|Delete/.test(command)) return;
      count += 1;
      if (failing && count === failAt) throw new Error('the network is gone');
    });
    const users = userDirectory(tables.client, 'directory');
    for (failAt = 1; failAt <= 5; failAt += 1) {
      failing = true;
      count = 0;
      expect((await applyPlan(store, await plan(next))).fault).toBeDefined();
      const stored = await users.findUser('u-alice');
      for (const login of [stored?.username, stored?.email]) {
        expect(await users.findUserByLogin(login ?? '')).toMatchObject({ sub: 'u-alice' });
      }
      failing = false;
      await apply(next);
      expect(await users.findUserByLogin('al@example.com')).toMatchObject({ sub: 'u-alice' });
      await apply({ users: [alice] });
    }
  });
});

describe('a write whose answer is lost', () => {
  it('and which is made again by the SDK is no conflict: the secret is stored and shown', async () => {
    // The write is there, but the SDK was told nothing and writes again: the condition fails on its
    // own work.
    let lost = false;
    disturb(tables.client, async ({ command, input }) => {
      if (command !== 'PutItemCommand' || lost) return;
      lost = true;
      await tables.client.send(new PutItemCommand(JSON.parse(input)));
    });
    const { generatedSecrets } = await apply({ clients: [pump] });
    expect(generatedSecrets).toHaveLength(1);
  });

  it('and whose outcome can be read is shown as what it was', async () => {
    let broken = true;
    disturb(
      tables.client,
      ({ command }) => {
        if (command !== 'PutItemCommand' || !broken) return;
        broken = false;
        throw new Error('socket hang up');
      },
      'after',
    );
    const { generatedSecrets } = await apply({ clients: [pump] });
    expect(generatedSecrets).toEqual([
      { client_id: 'pump-4', client_secret: expect.stringMatching(/^[\w-]{64}$/) },
    ]);
  });

  it('and cannot be looked for has its secret shown as uncertain', async () => {
    const mine = await plan({ clients: [pump] });
    let gone = false;
    disturb(
      tables.client,
      ({ command }) => {
        gone ||= command === 'PutItemCommand';
        if (gone) throw new Error('socket hang up');
      },
      'after',
    );
    const { fault, generatedSecrets } = await applyPlan(store, mine);
    expect(fault).toBeDefined();
    expect(generatedSecrets).toEqual([
      { client_id: 'pump-4', client_secret: expect.any(String), uncertain: true },
    ]);
  });
});

describe('a table that is asked too much', () => {
  it('is asked again after growing pauses, for reads and for writes', async () => {
    let refusals = 0;
    let busy = true;
    disturb(tables.client, () => {
      refusals += 1;
      if (refusals % 4 === 0 || !busy) return;
      throw Object.assign(new Error('slower'), { name: 'ProvisionedThroughputExceededException' });
    });
    await apply({ clients: [pump], users: [alice] });
    busy = false;
    expect(pauses.slice(0, 3)).toEqual([100, 200, 400]);
    expect(Object.keys(await items())).toContain('user#u-alice');
  });

  it('for a minute is a fault in the end', async () => {
    const mine = await plan({ users: [alice] });
    disturb(tables.client, () => {
      throw Object.assign(new Error('slower'), { name: 'ThrottlingException' });
    });
    expect((await applyPlan(store, mine)).fault).toBeDefined();
    expect(Math.max(...pauses)).toBe(5000);
  });
});

describe('what others store in an item', () => {
  const mark = () =>
    tables.client.send(
      new UpdateItemCommand({
        TableName: 'directory',
        Key: { pk: { S: 'user#u-alice' } },
        UpdateExpression: 'SET bounced = :yes',
        ExpressionAttributeValues: { ':yes': { BOOL: true } },
      }),
    );

  it('stays when the operator changes other members, even if it comes between plan and write', async () => {
    await apply({ users: [alice] });
    const mine = await plan({ users: [{ ...alice, name: 'Alice' }] });
    await mark();
    expect((await applyPlan(store, mine)).fault).toBeUndefined();
    expect((await items())['user#u-alice']).toMatchObject({ bounced: true, name: 'Alice' });
    tables.sent.length = 0;
    await apply({ users: [{ ...alice, name: 'Alice' }] });
    expect(tables.writes()).toEqual([]);
  });

  it('goes with the address that it is about', async () => {
    await apply({ users: [alice] });
    await mark();
    await apply({ users: [{ ...alice, email: 'other@example.com' }] });
    expect((await items())['user#u-alice']).not.toHaveProperty('bounced');
  });
});
