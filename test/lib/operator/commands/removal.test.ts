/**
 * `ciba user remove` and `ciba client remove`: what is asked and told, and that nothing names the
 * person afterwards but the audit.
 */
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askedKey, replaceHistory } from '../../../../lambdas/aws/asked-users-table.ts';
import { undeliverableAddresses } from '../../../../lambdas/aws/directory-table.ts';
import { requestItems, requestsTable } from '../../../../lambdas/aws/requests-table.ts';
import { nameOfUser } from '../../../../lambdas/ciba/policy/asked-users.ts';
import type { PendingRequest } from '../../../../lambdas/ciba/request/authentication-request.ts';
import { judgeGrant } from '../../../../lambdas/ciba/request/grant.ts';
import type { AuthenticationRequestStore } from '../../../../lambdas/ports.ts';
import { revokeRefreshTokenTask } from '../../../../lambdas/tasks/revoke-refresh-token.ts';
import type { Deployment } from '../../../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { disturb } from '../../../support/disturbed-calls.ts';
import { logoUri, quarters } from '../../../support/example-images.ts';
import { exampleRequest } from '../../../support/example-request.ts';
import {
  answeredClients,
  awsError,
  operatedDeployment,
} from '../../../support/operated-deployment.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

const now = 1_800_000_000;

let tables: TestTables;
let store: AuthenticationRequestStore;
let deployment: Deployment;
let mayRevoke: boolean;

const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@bank.example',
  email_verified: true,
  name: 'Alice Example',
};
const bob = { sub: 'u-bob', username: 'bob', email: 'bob@bank.example', email_verified: true };
const clientOf = (client_id: string) => ({
  client_id,
  client_name: `The one called ${client_id}`,
  token_endpoint_auth_method: 'client_secret_basic',
  logo_uri: logoUri(quarters.png),
});
const directory = { clients: ['pump-4', 'desk-1'].map(clientOf), users: [alice, bob] };

const applied = (value: object) =>
  applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory(value),
    prune: false,
  });

beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  store = requestsTable(tables.client, 'requests');
  mayRevoke = true;
  const task = revokeRefreshTokenTask({ requests: store, clock: () => now, log: () => {} });
  deployment = operatedDeployment(
    {
      ...{ RequestsTable: 'requests', DirectoryTable: 'directory', KeysTable: 'keys' },
      RevokeRefreshTokenFunction: 'revoke',
    },
    answeredClients(
      async (_, input) => {
        if (!mayRevoke) throw awsError('AccessDeniedException', 'not yours');
        const { Payload } = input as { Payload: Uint8Array };
        return { Payload: Buffer.from(JSON.stringify(await task(JSON.parse(String(Payload))))) };
      },
      { dynamodb: tables.client },
    ),
  );
  await applied(directory);
});
afterEach(() => tables.stop());

const run = (argv: string[], world: { typed?: string } = {}) =>
  ciba(argv, { deployment, clock: () => now, ...world });

async function asked(changes: Partial<PendingRequest> = {}): Promise<string> {
  const request = exampleRequest({ createdAt: now - 60, expiresAt: now + 60, ...changes });
  await store.create(request);
  return request.ref;
}

async function approved(changes: Partial<PendingRequest> = {}): Promise<string> {
  const ref = await asked(changes);
  const at = (changes.createdAt ?? now - 60) + 10;
  const linkNonce = 'n'.repeat(22);
  await store.claimMail({ ref, claimId: 'c', linkNonce, now: at, until: at + 15 });
  await store.recordMailed(ref, 'c', at + 1);
  await store.decide({ ref, decision: 'approve', linkNonce, contactVersion: 1, now: at + 2 });
  return ref;
}

async function redeemed(changes: Partial<PendingRequest> = {}): Promise<string> {
  const createdAt = now - 20 * 86_400;
  const ref = await approved({ createdAt, expiresAt: createdAt + 120, ...changes });
  const { secretHash } = exampleRequest();
  const clientId = changes.clientId ?? 'pump-4';
  const at = createdAt + 30;
  await store.stampPoll({ ref, secretHash, clientId }, at);
  const refresh = { hash: 'h', endsAt: now + 86_400, forgetAt: now + 9e6 };
  const owner = { ref, secretHash, clientId, contactVersion: 1 };
  await store.redeem({ ...owner, attemptId: 'a', now: at, refresh });
  return ref;
}

/** Every item of every table. */
async function everything(): Promise<Record<string, unknown>[]> {
  const pages = ['directory', 'requests'].map((TableName) =>
    tables.client.send(new ScanCommand({ TableName })),
  );
  return (await Promise.all(pages)).flatMap(({ Items = [] }) =>
    Items.map((item) => unmarshall(item)),
  );
}

const put = (TableName: string, item: object) =>
  tables.client.send(new PutItemCommand({ TableName, Item: marshall(item) }));

async function history(sub: string): Promise<void> {
  await replaceHistory(
    requestItems(tables.client, 'requests'),
    askedKey(nameOfUser(sub)),
    { day: '2027-01-15', mails: 1, mailsOf: [], recent: [] },
    { version: 0, now },
  );
}

/** What names the user in one way or another. */
const namesAlice = (item: Record<string, unknown>) =>
  /u-alice|alice@|"alice"|Alice|login#alice/i.test(JSON.stringify(item)) ||
  item['ref'] === askedKey(nameOfUser('u-alice'));

describe('O26: ciba user remove', () => {
  it('says what is pending and which refresh tokens end, asks, and leaves what the answer no leaves', async () => {
    const pending = await asked();
    const unfetched = await approved({ clientId: 'desk-1' });
    const token = await redeemed();
    await asked({ createdAt: now - 600, expiresAt: now - 480 });
    await asked({ sub: 'u-bob' });
    const before = await everything();
    const { exitCode, stdout, stderr } = await run(['user', 'remove', 'alice'], { typed: 'n' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      '1 pending request can be approved no more, 1 approved request will give no tokens, 1 refresh token ends. Remove user u-alice (alice) of the stack CibaProvider for good? [y/N]',
    );
    expect(stderr).toContain('Nothing was removed.');
    const lines = stdout.trimEnd().split('\n').slice(1);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      expect.arrayContaining(['u-alice']),
      expect.arrayContaining(['u-alice']),
      ['refresh token', 'pump-4', 'u-alice', token],
    ]);
    expect(stdout).toMatch(new RegExp(`pending request +pump-4 +u-alice +${pending}`));
    expect(stdout).toMatch(new RegExp(`approved request +desk-1 +u-alice +${unfetched}`));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(await everything()).toEqual(before);
  });

  it.each([
    ['the sub', 'u-alice'],
    ['the user name', 'alice'],
    ['the address', 'Alice@bank.example'],
  ])(
    'by %s leaves no item that names the user but the requests that the audit keeps',
    async (_, name) => {
      const refs = [await asked(), await redeemed()];
      await history('u-alice');
      await history('u-bob');
      // As somebody's interrupted change has left it.
      await put('directory', { pk: 'login#old-alice', sub: 'u-alice' });
      const found = undeliverableAddresses(tables.client, 'directory');
      const { contact_version: contactVersion } = (await tables.items('directory'))[
        'user#u-alice'
      ] as {
        contact_version: number;
      };
      await found.noteUndeliverable({ sub: 'u-alice', contactVersion }, 'mail_bounced', now);
      const { exitCode, stdout, stderr } = await run(['user', 'remove', name, '--yes']);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Removed user u-alice.');
      expect(stdout).toContain(
        'The audit keeps the requests of before, with the sub, for auditRetentionDays',
      );
      const left = (await everything()).filter(namesAlice);
      expect(new Set(left.map(({ ref }) => ref))).toEqual(new Set(refs));
      for (const item of left) expect(JSON.stringify(item)).not.toMatch(/alice@|Alice|"alice"/);
      // Nobody else is touched.
      expect(Object.keys(await tables.items('directory'))).toEqual(
        expect.arrayContaining(['user#u-bob', 'login#bob', 'login#bob@bank.example']),
      );
      expect((await everything()).map(({ ref }) => ref)).toContain(askedKey(nameOfUser('u-bob')));
    },
  );

  it('is no error when it is run again, and says that there is nothing', async () => {
    for (const name of ['u-alice', 'alice', 'alice@bank.example']) {
      await run(['user', 'remove', name, '--yes']);
      expect(await run(['user', 'remove', name])).toMatchObject({ exitCode: 0, stderr: '' });
    }
    const { stdout } = await run(['user', 'remove', 'alice']);
    expect(stdout).toContain('No user alice: there is nothing to remove.');
  });

  it('goes on where it was interrupted, at whichever call, by whichever name', async () => {
    let callsLeft = Number.POSITIVE_INFINITY;
    disturb(tables.client, ({ command }) => {
      if (command !== 'DeleteItemCommand') return;
      callsLeft -= 1;
      if (callsLeft < 0) throw awsError('InternalServerError', 'broken');
    });
    for (const name of ['u-alice', 'alice', 'alice@bank.example']) {
      for (let calls = 0, isDone = false; !isDone; calls += 1) {
        await applied({ users: [alice] });
        await history('u-alice');
        await put('directory', { pk: 'login#old-alice', sub: 'u-alice' });
        callsLeft = calls;
        isDone = (await run(['user', 'remove', name, '--yes'])).exitCode === 0;
        callsLeft = Number.POSITIVE_INFINITY;
        expect(await run(['user', 'remove', name, '--yes'])).toMatchObject({ exitCode: 0 });
        expect((await everything()).filter(namesAlice)).toEqual([]);
      }
    }
  });

  it('takes several, each once, and tells all of it in JSON', async () => {
    const pending = await asked();
    const argv = ['user', 'remove', 'alice', 'u-alice', 'bob', 'ghost', '--yes', '--json'];
    const { exitCode, stdout } = await run(argv);
    expect(exitCode).toBe(0);
    const nothing = { pending: [], unfetched: [], refresh_tokens: [] };
    expect(JSON.parse(stdout)).toEqual({
      items: [
        { name: 'alice', sub: 'u-alice', removed: true, ...nothing, pending: [pending] },
        { name: 'bob', sub: 'u-bob', removed: true, ...nothing },
        { name: 'ghost', sub: 'ghost', removed: false, ...nothing },
      ],
      next: null,
    });
  });

  it('ends what was approved for good: who comes back under the same sub has another contact', async () => {
    const request = await store.find(await redeemed());
    await run(['user', 'remove', 'alice', '--yes']);
    await applied(directory);
    const user = (await tables.items('directory'))['user#u-alice'] as never;
    const client = (await tables.items('directory'))['client#pump-4'] as never;
    const grant = {
      request: request as never,
      grantType: 'urn:openid:params:grant-type:ciba' as const,
    };
    expect(judgeGrant(grant, client, undefined)).toMatchObject({ reason: 'user_unknown' });
    expect(judgeGrant(grant, client, user)).toMatchObject({ reason: 'contact_changed' });
  });

  it('removes nobody where nobody can be asked', async () => {
    const { exitCode, stderr } = await run(['user', 'remove', 'alice']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('There is no terminal to ask on: --yes says yes');
    expect(Object.keys(await tables.items('directory'))).toContain('user#u-alice');
  });

  it('says what it cannot know where the audit may not be read', async () => {
    disturb(tables.client, ({ command }) => {
      if (command === 'QueryCommand') throw awsError('AccessDeniedException', 'not yours');
    });
    const { stderr } = await run(['user', 'remove', 'alice'], { typed: 'n' });
    expect(stderr).toContain('is not known: the audit may not be read.');
  });
});

describe('O26: ciba client remove', () => {
  it('removes the client with its logo, and revokes the refresh tokens, so that a new one of the id has none', async () => {
    const token = await redeemed();
    const others = await redeemed({ clientId: 'desk-1' });
    const { exitCode, stderr } = await run(['client', 'remove', 'pump-4'], { typed: 'y' });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      '1 refresh token ends. Remove client pump-4 (The one called pump-4) of the stack CibaProvider for good?',
    );
    const keys = Object.keys(await tables.items('directory'));
    expect(keys.filter((key) => key.includes('pump-4'))).toEqual([]);
    expect(keys).toEqual(expect.arrayContaining(['client#desk-1', 'logo#desk-1']));
    expect(await store.find(token)).toMatchObject({ revokedAt: now });
    expect((await store.find(others)) ?? {}).not.toHaveProperty('revokedAt');
  });

  it('is no error when it is run again, and then ends what an interrupted run has left', async () => {
    const token = await redeemed();
    mayRevoke = false;
    const first = await run(['client', 'remove', 'pump-4', '--yes']);
    expect(first.exitCode).toBe(1);
    expect(first.stderr).toContain('0 of 1 refresh tokens were revoked');
    expect(first.stderr).toContain('run it again to end them');
    await put('directory', { pk: 'logo#pump-4', hash: 'h'.repeat(22), png: Buffer.from('png') });
    mayRevoke = true;
    expect(await run(['client', 'remove', 'pump-4'], { typed: 'y' })).toMatchObject({
      exitCode: 0,
    });
    expect(await store.find(token)).toMatchObject({ revokedAt: now });
    expect(Object.keys(await tables.items('directory')).join()).not.toContain('pump-4');
    expect(await run(['client', 'remove', 'pump-4'])).toMatchObject({
      exitCode: 0,
      stdout: 'No client pump-4: there is nothing to remove.\n',
      stderr: '',
    });
  });

  it('removes none where nobody can be asked', async () => {
    const { exitCode, stderr } = await run(['client', 'remove', 'pump-4', 'desk-1']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Remove 2 clients of the stack CibaProvider for good?');
    expect(Object.keys(await tables.items('directory'))).toContain('client#pump-4');
  });
});
