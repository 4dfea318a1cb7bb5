/**
 * `ciba user revoke-tokens` and `ciba client revoke-tokens` on a real engine: what they write, what
 * of it outlives every other change of the entry, and what the operator is told (P8; RFC 7009, RFC
 * 9700 4.14).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientDirectory, userDirectory } from '../../../../lambdas/aws/directory-table.ts';
import { REFRESH_GRANT_TYPE } from '../../../../lambdas/ciba/client/client.ts';
import { judgeGrant } from '../../../../lambdas/ciba/request/grant.ts';
import { createClients } from '../../../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { applyPlan } from '../../../../lib/operator/directory/carry-out-plan.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import type { DirectoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import { planDirectory } from '../../../../lib/operator/directory/make-plan.ts';
import { isEmpty } from '../../../../lib/operator/directory/plan.ts';
import { revokeTokens } from '../../../../lib/operator/directory/revoke-tokens.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { operatedDeployment } from '../../../support/operated-deployment.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import {
  directoryOf,
  type TestTables,
  tablesOnDynalite,
} from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: DirectoryStore;
let now: number;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  now = 1_800_000_000.25;
  store = directoryOf(tables, { clock: () => now });
  await apply(file());
});
afterEach(() => tables.stop());

const pump = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: 'a secret of thirty-two characters at least',
  grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
};
const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};

/** A directory file of the one client and the one user. */
const file = (changes: { client?: object; user?: object } = {}) => ({
  clients: [{ ...pump, ...changes.client }],
  users: [{ ...alice, ...changes.user }],
});

const apply = (directory: object, prune = false) =>
  applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory(directory),
    prune,
  });

const entries = [
  { kind: 'user', id: 'u-alice' },
  { kind: 'client', id: 'pump-4' },
] as const;

async function stored({ kind, id }: (typeof entries)[number]): Promise<Record<string, unknown>> {
  return Object((await tables.items('directory'))[`${kind}#${id}`]);
}

/**
 * Why what was approved at an instant counts no more, asked of the adapters that the functions read
 * with.
 */
async function reasonFor(decidedAt: number, contactVersion: number): Promise<string> {
  const client = await clientDirectory(tables.client, 'directory', () => now).findClient(
    'pump-4',
    'consistent',
  );
  const user = await userDirectory(tables.client, 'directory').findUser('u-alice');
  const request = { decidedAt, contactVersion };
  const judgement = judgeGrant({ request, grantType: REFRESH_GRANT_TYPE }, client, user);
  return judgement.counts ? 'counts' : judgement.reason;
}

const contactVersion = async () =>
  (await userDirectory(tables.client, 'directory').findUser('u-alice'))?.contact_version ?? -1;

describe.each(entries)('P8: revoking the tokens of a $kind', (entry) => {
  it('ends what was approved before this instant, and nothing else of the entry changes', async () => {
    const before = await stored(entry);
    expect(await revokeTokens(store, entry)).toBe(now);
    expect(await stored(entry)).toEqual({
      ...before,
      tokens_not_before: now,
      version: Number(before['version']) + 1,
    });
    const version = await contactVersion();
    expect(await reasonFor(now - 0.001, version)).toBe(`${entry.kind}_tokens_revoked`);
    expect(await reasonFor(now, version)).toBe('counts');
  });

  it('again moves the instant on, and a clock that is behind never back', async () => {
    const first = now;
    await revokeTokens(store, entry);
    now -= 3600;
    expect(await revokeTokens(store, entry)).toBe(first);
    now = first + 60;
    expect(await revokeTokens(store, entry)).toBe(first + 60);
    expect((await stored(entry))['tokens_not_before']).toBe(first + 60);
  });

  it('by many at once is one instant, and no write of them fails', async () => {
    const told = await Promise.all(Array.from({ length: 10 }, () => revokeTokens(store, entry)));
    expect(new Set(told)).toEqual(new Set([now]));
  });

  it.each<[string, Parameters<typeof file>[0]]>([
    ['the same file', {}],
    [
      'a file with another name and address',
      { client: { client_name: 'Pump' }, user: { email: 'new@example.com' } },
    ],
    ['a file that switches both off', { client: { enabled: false }, user: { enabled: false } }],
    [
      'a file with other scopes, and no verified address',
      { client: { scope: 'openid' }, user: { email_verified: false } },
    ],
  ])('outlives applying %s', async (_what, changes) => {
    await revokeTokens(store, entry);
    await apply(file(changes));
    expect((await stored(entry))['tokens_not_before']).toBe(now);
  });

  it('is no difference to a plan', async () => {
    await revokeTokens(store, entry);
    expect(isEmpty(await planDirectory(store, parseDirectory(file()), { prune: false }))).toBe(
      true,
    );
  });

  it.each([
    ['changes the entry', () => file({ client: { client_name: 'Pump' }, user: { name: 'Alice' } })],
    ['removes the entry', () => ({ clients: [], users: [] })],
  ])('is told to whoever %s at the same moment, and stays', async (_what, directory) => {
    const plan = await planDirectory(store, parseDirectory(directory()), { prune: true });
    await revokeTokens(store, entry);
    const { fault } = await applyPlan(store, plan);
    expect(String(fault)).toContain(`${entry.kind} ${entry.id}: was changed by somebody else`);
    expect((await stored(entry))['tokens_not_before']).toBe(now);
  });

  it('makes no entry where there is none', async () => {
    await apply({ clients: [], users: [] }, true);
    expect(await revokeTokens(store, entry)).toBeUndefined();
    expect(await stored(entry)).toEqual({});
  });
});

describe('P8: a user who is removed and made anew, the same in all the operator wrote,', () => {
  it('is another user to what was approved before, revoked or not', async () => {
    const before = await contactVersion();
    await revokeTokens(store, { kind: 'user', id: 'u-alice' });
    now += 1;
    await apply(file({ user: { enabled: false } }));
    await apply({ clients: [pump], users: [] }, true);
    await apply(file());
    expect(await reasonFor(now - 0.5, before)).toBe('contact_changed');
    expect(await reasonFor(now, await contactVersion())).toBe('counts');
  });
});

describe('P8: the commands', () => {
  function run(argv: string[], typed?: string) {
    const clients = { ...createClients(), dynamodb: tables.client };
    const outputs = { DirectoryTable: 'directory', RequestsTable: 'requests', KeysTable: 'keys' };
    const deployment = operatedDeployment(outputs, clients);
    const world = { deployment, clock: () => now, ...(typed !== undefined && { typed }) };
    return ciba(argv, world);
  }

  const instant = '2027-01-15T08:00:00.250Z';

  it.each([
    [['user', 'revoke-tokens', 'u-alice'], 'all that user u-alice has approved so far', entries[0]],
    [
      ['user', 'revoke-tokens', 'Alice@example.com'],
      'all that user u-alice has approved',
      entries[0],
    ],
    [['client', 'revoke-tokens', 'pump-4'], 'all that was approved for client pump-4', entries[1]],
  ])('%j ask, and say what ends and what lives on', async (argv, question, entry) => {
    const { exitCode, stdout, stderr } = await run(argv, 'y');
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`End ${question}`);
    expect(stderr).toContain('in the stack CibaProvider? [y/N]');
    expect(stdout).toContain(
      `before ${instant} gives no tokens any more, by refresh or otherwise.`,
    );
    expect(stdout).toContain('An access token that is out lives to its end, for up to 1 hour.');
    expect((await stored(entry))['tokens_not_before']).toBe(now);
  });

  it.each([
    [['user', 'revoke-tokens', 'u-alice'], { sub: 'u-alice', tokens_not_before: instant }],
    [['client', 'revoke-tokens', 'pump-4'], { client_id: 'pump-4', tokens_not_before: instant }],
  ])('%j answer programs in JSON, without asking if told so', async (argv, answer) => {
    const { exitCode, stdout } = await run([...argv, '--yes', '--json']);
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, answer]);
  });

  it.each(entries)('change nothing unless it is yes: $kind', async (entry) => {
    const before = await stored(entry);
    const answered = await run([entry.kind, 'revoke-tokens', entry.id], 'n');
    expect([answered.exitCode, answered.stdout]).toEqual([1, '']);
    expect(answered.stderr).toContain('Nothing was revoked.');
    // There is nobody to ask.
    expect((await run([entry.kind, 'revoke-tokens', entry.id])).exitCode).toBe(2);
    expect(await stored(entry)).toEqual(before);
  });

  it.each([
    ['user', 'u-nobody'],
    ['client', 'pump-5'],
  ])('name the %s who is not there', async (kind, id) => {
    expect(await run([kind, 'revoke-tokens', id, '--yes'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `No ${kind} ${id}: ciba ${kind} list lists them\n`,
    });
  });

  it.each(entries)(
    '$kind show tells what is revoked, and only where something is',
    async (entry) => {
      const argv = [entry.kind, 'show', entry.id];
      expect((await run(argv)).stdout).not.toContain('revoked');
      expect(JSON.parse((await run([...argv, '--json'])).stdout)).not.toHaveProperty(
        'tokens_not_before',
      );
      await revokeTokens(store, entry);
      expect((await run(argv)).stdout).toContain(
        `Tokens of what was approved before ${instant} are revoked.`,
      );
      expect(JSON.parse((await run([...argv, '--json'])).stdout)).toMatchObject({
        tokens_not_before: instant,
      });
    },
  );
});
