/**
 * Limits that keep a user from being asked, shown and lifted by an operator (P31, threats T3, T4):
 * on a real engine, with the quotas that count, and as commands.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askedUsers } from '../../../../lambdas/aws/asked-users-table.ts';
import { notificationQuotas } from '../../../../lambdas/aws/notification-quotas.ts';
import { requestItems, requestsTable } from '../../../../lambdas/aws/requests-table.ts';
import { nameOfUser } from '../../../../lambdas/ciba/policy/asked-users.ts';
import type { NotificationPolicy } from '../../../../lambdas/ciba/policy/notification-policy.ts';
import type { Decision } from '../../../../lambdas/ciba/request/authentication-request.ts';
import type { AuthenticationRequestStore, NotificationQuotas } from '../../../../lambdas/ports.ts';
import { createClients, type Deployment } from '../../../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { directoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import { clearLimits } from '../../../../lib/operator/directory/user-limits.ts';
import { builtInNotificationPolicies } from '../../../../lib/stack/policy-settings.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../../support/example-request.ts';
import { operatedDeployment } from '../../../support/operated-deployment.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

const { standard } = builtInNotificationPolicies;

const policies: Record<string, NotificationPolicy> = { standard, none: {} };

let tables: TestTables;
let requests: AuthenticationRequestStore;
let quotas: NotificationQuotas;
let deployment: Deployment;
let now = EXAMPLE_NOW;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  requests = requestsTable(tables.client, 'requests');
  quotas = notificationQuotas(tables.client, 'requests', {
    names: { nameOf: async (addressee) => nameOfUser(Object(addressee).sub) },
    requests,
    draw: () => 0,
    unrepeated: tables.client,
  });
  const outputs = {
    DirectoryTable: 'directory',
    RequestsTable: 'requests',
    KeysTable: 'keys',
    NotificationPolicy: 'standard',
    NotificationPolicies: JSON.stringify(policies),
  };
  deployment = operatedDeployment(outputs, { ...createClients(), dynamodb: tables.client });
});
afterAll(() => tables.stop());

let people = 0;
let sub = '';
beforeEach(async () => {
  people += 1;
  sub = `u-${people}`;
  now = EXAMPLE_NOW;
  await applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory({
      users: [{ sub, username: `name-${people}`, email: `${people}@example.com` }],
      clients: ['pump-4', 'desk-1'].map((client_id) => ({
        client_id,
        client_name: client_id,
        client_secret: 'a secret of thirty-two characters',
        token_endpoint_auth_method: 'client_secret_basic',
      })),
    }),
    prune: false,
  });
});

const run = (argv: string[], world: object = {}) =>
  ciba(['user', ...argv], { deployment, clock: () => now, ...world });

/** Asks as a client does; the limit by which it is refused, or the request. */
async function ask(clientId = 'pump-4', policy = standard) {
  const request = exampleRequest({
    sub,
    clientId,
    createdAt: now,
    expiresAt: now + 120,
    linkNonce: 'nonce',
  });
  const asked = { ref: request.ref, clientId, at: now, expiresAt: request.expiresAt };
  const over = await quotas.countAsked({ sub }, asked, policy);
  if (!over) await requests.create(request);
  return { over: over?.limit, ref: request.ref };
}

async function decided(decision: Decision, clientId?: string) {
  const { ref } = await ask(clientId);
  await requests.decide({ ref, decision, linkNonce: 'nonce', contactVersion: 1, now });
}

async function shown(): Promise<Record<string, unknown>[]> {
  const { stdout, exitCode } = await run(['show', sub, '--json']);
  expect(exitCode).toBe(0);
  return JSON.parse(stdout).limits;
}

/** Every state that keeps a client from asking, how it comes about, and what is shown of it. */
const states: [string, () => Promise<unknown>, string, object][] = [
  [
    'muted',
    () => decided('report'),
    'muteSeconds',
    { muted_until: '2023-11-15T22:13:20Z', refused: 'over muteSeconds' },
  ],
  [
    'paused',
    async () => {
      await decided('deny');
      await decided('deny');
      now += 60;
    },
    'denialsBeforePause',
    { paused_until: '2023-11-14T22:43:20Z', refused: 'over denialsBeforePause' },
  ],
  [
    'at its share of pending ones',
    async () => {
      await ask();
      await ask();
    },
    'pendingPerUser',
    { pending: { count: 2, share: 2, total: 3 }, refused: 'over own share of pendingPerUser' },
  ],
  [
    'at its share of the minute',
    async () => {
      for (let index = 0; index < 3; index += 1) await decided('approve');
    },
    'mailsPerUserPerMinute',
    {
      last_minute: { count: 3, share: 3, total: 5 },
      refused: 'over own share of mailsPerUserPerMinute',
    },
  ],
  [
    'at its share of the day',
    async () => {
      for (let index = 0; index < 10; index += 1) {
        await decided('approve');
        now += 61;
      }
    },
    'mailsPerUserPerDay',
    { today: { count: 10, share: 10, total: 20 }, refused: 'over own share of mailsPerUserPerDay' },
  ],
];

describe('P31: every state that keeps a user from being asked', () => {
  it.each(states)('%s: is shown, and lifted', async (_state, become, limit, told) => {
    await become();
    expect((await ask()).over).toBe(limit);
    expect(await shown()).toMatchObject([{ client_id: 'pump-4', ...told }]);
    const { stdout } = await run(['show', sub]);
    expect(stdout).toMatch(/^pump-4 .*refused$/m);

    const cleared = await run(['clear-limits', sub, '--yes']);
    expect(cleared).toMatchObject({ exitCode: 0 });
    expect(cleared.stdout).toContain(`Lifted for user ${sub}`);
    expect((await ask()).over).toBeUndefined();
    expect((await shown())[0]).toMatchObject({ muted_until: null, paused_until: null });
  });

  it('is lifted of one client alone where it is named', async () => {
    await decided('report', 'pump-4');
    await decided('report', 'desk-1');
    const { stdout } = await run(['clear-limits', sub, '--client', 'pump-4', '--yes', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ sub, lifted: [{ client_id: 'pump-4' }] });
    expect((await ask('pump-4')).over).toBeUndefined();
    expect((await ask('desk-1')).over).toBe('muteSeconds');
  });

  it('is named by a user name and an address as well', async () => {
    for (const name of [`name-${people}`, `${people}@example.com`]) {
      await decided('report');
      expect(await run(['clear-limits', name, '--yes'])).toMatchObject({ exitCode: 0 });
    }
    expect((await ask()).over).toBeUndefined();
  });
});

describe('lifting', () => {
  it('leaves the audit as it is, and what waits in the notices of pages (T4)', async () => {
    await decided('report');
    const { ref: denied } = await ask('desk-1');
    await requests.decide({
      ref: denied,
      decision: 'deny',
      linkNonce: 'nonce',
      contactVersion: undefined,
      now,
    });
    const waiting = await ask('desk-1');
    const before = await requests.find(denied);
    await run(['clear-limits', sub, '--yes']);
    expect(await requests.find(denied)).toEqual(before);
    const others = askedUsers(requestItems(tables.client, 'requests'));
    expect(await others.othersPending(sub, 'another', now)).toEqual([now]);
    expect(await others.othersPending(sub, waiting.ref, now)).toEqual([]);
  });

  it('T3: is of the past: a report of what waited counts', async () => {
    const { ref } = await ask();
    await run(['clear-limits', sub, '--yes']);
    await requests.decide({
      ref,
      decision: 'report',
      linkNonce: 'nonce',
      contactVersion: undefined,
      now,
    });
    expect((await ask()).over).toBe('muteSeconds');
    expect(await shown()).toMatchObject([{ muted_until: '2023-11-15T22:13:20Z' }]);
  });

  it('asks before, and does nothing without a yes', async () => {
    await decided('report');
    const asked = await run(['clear-limits', sub], { typed: 'n' });
    expect(asked).toMatchObject({ exitCode: 1 });
    expect(asked.stderr).toContain(
      `Lift the limits of all clients for user ${sub} of the stack CibaProvider? [y/N]`,
    );
    expect(await run(['clear-limits', sub])).toMatchObject({ exitCode: 2 });
    expect((await ask()).over).toBe('muteSeconds');
    expect(await run(['clear-limits', sub], { typed: 'y' })).toMatchObject({ exitCode: 0 });
  });

  it('says that there is nothing to lift', async () => {
    const nothing = await run(['clear-limits', sub, '--yes']);
    expect(nothing).toMatchObject({ exitCode: 0 });
    expect(nothing.stdout).toContain('nothing to lift');
    await decided('report', 'desk-1');
    const { stdout } = await run(['clear-limits', sub, '--client', 'pump-4', '--yes', '--json']);
    expect(JSON.parse(stdout)).toEqual({ sub, lifted: [] });
  });

  it.each([
    [['u-nobody', '--yes'], 'No user u-nobody'],
    [['@', '--yes'], 'No user @'],
  ])('fails for %j and says whom it does not know', async (argv, message) => {
    const { exitCode, stderr } = await run(['clear-limits', ...argv]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });

  it('fails for a client that nobody knows', async () => {
    const { exitCode, stderr } = await run(['clear-limits', sub, '--client', 'nobody', '--yes']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('No client nobody')]);
  });

  it('loses no request that comes at the same moment, and no limit lets one more through', async () => {
    await Promise.all([ask(), ask()]);
    const store = directoryStore(deployment, () => now);
    const [, ...asked] = await Promise.all([
      clearLimits(deployment, store, { sub }),
      ...Array.from({ length: 12 }, () => ask()),
    ]);
    const through = asked.filter(({ over }) => over === undefined);
    // Two of the share, and no third of them, whenever it was lifted.
    expect(through.length).toBeLessThanOrEqual(2);
    while ((await ask()).over === undefined) through.push({ over: undefined, ref: '' });
    expect(through).toHaveLength(2);
  });
});

describe('ciba user show', () => {
  it('tells a client that is not limited, and one whose limits others have used up', async () => {
    await ask('pump-4');
    await ask('pump-4');
    await ask('desk-1');
    expect(await shown()).toMatchObject([
      {
        client_id: 'desk-1',
        pending: { count: 1, share: 2, total: 3 },
        refused: 'over pendingPerUser',
      },
      { client_id: 'pump-4', refused: 'over own share of pendingPerUser' },
    ]);
    now += 120;
    expect(await shown()).toMatchObject([{ refused: null }, { refused: null }]);
    expect((await run(['show', sub])).stdout).toMatch(
      /^desk-1 +0 of 3 +1 of 10 +0 of 2 +goes through/m,
    );
  });

  it('shows the user where the limits cannot be read, and says so', async () => {
    const { NotificationPolicy: _, ...older } = { ...deployment.outputs };
    await ask();
    const { exitCode, stdout, stderr } = await run(['show', sub, '--json'], {
      deployment: operatedDeployment(older, deployment.clients),
    });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sub, limits: null });
    expect(stderr).toContain('Limits are not shown: no output NotificationPolicy');
  });
});
