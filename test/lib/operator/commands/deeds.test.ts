/**
 * What every command does to what others work with: a table that names all of them, and each of
 * them held to it.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askedKey, replaceHistory } from '../../../../lambdas/aws/asked-users-table.ts';
import { undeliverableAddresses } from '../../../../lambdas/aws/directory-table.ts';
import { keyStore } from '../../../../lambdas/aws/keys-table.ts';
import { requestItems, requestsTable } from '../../../../lambdas/aws/requests-table.ts';
import { nameOfUser } from '../../../../lambdas/ciba/policy/asked-users.ts';
import { rotateKeysTask } from '../../../../lambdas/tasks/rotate-keys.ts';
import { createProgram } from '../../../../lib/operator/command-line.ts';
import { deeds, describeDeed } from '../../../../lib/operator/commands/deeds.ts';
import type { Deployment } from '../../../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { exampleRequest } from '../../../support/example-request.ts';
import { answeredClients, operatedDeployment } from '../../../support/operated-deployment.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

const now = 1_800_000_000;

const world = {
  ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
  findDeployment: () => Promise.reject(new Error('none')),
  clock: () => now,
  interruption: () => new AbortController().signal,
  isUtf8: true,
  environment: {},
};

/** Every command that does something, as it is called. */
function leaves(command: Command, before: string[] = []): string[] {
  return command.commands.flatMap((inner) => {
    const path = [...before, inner.name()];
    return inner.commands.length > 0 ? leaves(inner, path) : [path.join(' ')];
  });
}

it('O31: the table of what commands do names every command, and no other', async () => {
  expect(Object.keys(deeds).toSorted()).toEqual(leaves(await createProgram(world)).toSorted());
});

it.each(Object.entries(deeds))(
  'O31: ciba %s says in its help whether it asks',
  async (command, deed) => {
    const { stdout } = await ciba([...command.split(' '), '--help']);
    // The paragraph of its own, wherever its lines end.
    expect(stdout.split('\n\n').map((text) => text.trim().replaceAll('\n', ' '))).toContain(
      describeDeed(deed),
    );
  },
);

let tables: TestTables;
let deployment: Deployment;
let calls: string[];
let folder: string;
let leaked: string;
let ref: string;

const privateKeys = {
  ES256: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' },
  RS256: { kty: 'RSA', n: 'n', e: 'AQAB', d: 'd' },
};

const alice = { sub: 'u-alice', username: 'alice', email: 'a@bank.example', email_verified: true };
const pump = {
  client_id: 'pump-4',
  client_name: 'Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: 'a secret of thirty-two characters at least',
};

beforeEach(async () => {
  tables = await tablesOnDynalite();
  folder = await mkdtemp(join(tmpdir(), 'deeds-'));
  await writeFile(join(folder, 'other.json'), JSON.stringify({ users: [{ ...alice, name: 'A' }] }));
  await writeFile(join(folder, 'disabled.csv'), 'sub,username,enabled\nu-alice,alice,false\n');
  await writeFile(join(folder, 'moved.csv'), 'sub,username,email\nu-alice,alice,b@bank.example\n');
  calls = [];
  ref = '';
  let entropy = 0;
  const rotate = rotateKeysTask({
    keys: keyStore(tables.client, 'keys', 'directory'),
    generateSigningKey: (alg) => privateKeys[alg],
    periodSeconds: 90 * 86_400,
    clock: () => now - 1000 + entropy,
    entropy: (bytes) => Buffer.alloc(bytes, ++entropy),
    log: () => {},
  });
  await rotate({ rotate: 'when-due' });
  await rotate({ rotate: 'now', lead: 0 });
  const { keys } = await keyStore(tables.client, 'keys', 'directory').publishedKeys();
  leaked = keys.at(-1)?.jwk.kid ?? '';
  deployment = operatedDeployment(
    {
      ...{ RequestsTable: 'requests', DirectoryTable: 'directory', KeysTable: 'keys' },
      ...{ RotateKeysFunction: 'rotate', RevokeRefreshTokenFunction: 'revoke' },
      ...{ TemplatePrefix: 'p-', NotificationTemplates: '{"ciba-with-binding-message":["de"]}' },
      ...{ NotificationPolicy: 'none', NotificationPolicies: '{"none":{}}' },
    },
    answeredClients(
      (command) => {
        if (command === 'GetEmailTemplateCommand') return { TemplateContent: { Subject: '?' } };
        calls.push(command);
        const answers = { outcome: 'revoked', revokedAt: now, made: [] };
        return { Payload: Buffer.from(JSON.stringify(answers)) };
      },
      { dynamodb: tables.client },
    ),
  );
  await applyDirectory({
    ...{ client: tables.client, tableName: 'directory', keysTableName: 'keys', prune: false },
    directory: parseDirectory({ clients: [pump], users: [alice] }),
  });
  const request = exampleRequest({ createdAt: now - 60, expiresAt: now + 60 });
  ({ ref } = request);
  await requestsTable(tables.client, 'requests').create(request);
  await replaceHistory(
    requestItems(tables.client, 'requests'),
    askedKey(nameOfUser('u-alice')),
    { day: '2027-01-15', mails: 1, mailsOf: [], recent: [] },
    { version: 0, now },
  );
});
afterEach(() => tables.stop());

async function everything(): Promise<unknown> {
  const names = ['directory', 'requests', 'keys'];
  const pages = names.map((TableName) => tables.client.send(new ScanCommand({ TableName })));
  return (await Promise.all(pages)).map(({ Items = [] }) => Items.map((item) => unmarshall(item)));
}

const run = (argv: string[], how: { typed?: string } = {}) =>
  ciba(argv, { deployment, clock: () => now, ...how });

/** How each command that asks is called here, and a word of what it says it stops. */
const asking: Record<string, [argv: () => string[], stops: RegExp][]> = {
  apply: [[() => ['-f', join(folder, 'other.json')], /1 to change/]],
  'client rotate-secret': [
    [() => ['pump-4'], /present one is refused from 2027/],
    [() => ['pump-4', '--keep', '0'], /refused within 10 seconds/],
    [() => ['pump-4', '--force'], /The one before it is refused at once/],
  ],
  'client disable': [[() => ['pump-4'], /refused everywhere/]],
  'client remove': [[() => ['pump-4'], /1 pending request can be approved no more/]],
  'client revoke-tokens': [[() => ['pump-4'], /End all that was approved for client pump-4/]],
  'user disable': [[() => ['alice'], /Nobody can ask for their approval/]],
  'user import': [
    [() => [join(folder, 'disabled.csv')], /disables 1 users/],
    [() => [join(folder, 'moved.csv')], /gives 1 another address/],
  ],
  'user remove': [[() => ['alice'], /1 pending request can be approved no more/]],
  'user clear-limits': [[() => ['alice'], /Lift the limits of all clients for user u-alice/]],
  'user revoke-tokens': [[() => ['alice'], /End all that user u-alice has approved/]],
  'audit revoke': [[() => [ref], /End the refresh token that pump-4 has for alice/]],
  'keys rotate': [[() => [], /Make new keys/]],
  'keys remove': [[() => [leaked], /verifies nowhere/]],
  'template push': [[() => [], /Users get these mails from then on/]],
};

it('O31: every command that asks is tried here', () => {
  const asks = Object.entries(deeds).filter(([, deed]) => deed.does === 'asks');
  expect(Object.keys(asking).toSorted()).toEqual(asks.map(([command]) => command).toSorted());
});

const cases = Object.entries(asking).flatMap(([command, ways]) =>
  ways.map(([argv, stops], index) => ({ command, index, argv, stops })),
);

it.each(cases)(
  'O31: ciba $command ($index) says what it stops, and does nothing unless it is told yes',
  async ({ command, argv, stops }) => {
    const words = [...command.split(' '), ...argv()];
    const before = await everything();
    const nobody = await run(words);
    expect([nobody.exitCode, nobody.stderr]).toEqual([2, expect.stringMatching(stops)]);
    expect(nobody.stderr).toContain('There is no terminal to ask on: --yes says yes');
    for (const typed of ['n', '', 'no', 'maybe']) {
      const refused = await run(words, { typed });
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(stops)]);
      expect(refused.stderr).toContain('[y/N]');
    }
    expect([await everything(), calls]).toEqual([before, []]);
    const { exitCode, stderr } = await run([...words, '--yes']);
    expect([exitCode, stderr]).not.toEqual([2, expect.stringContaining('no terminal')]);
  },
);

describe('O31: what acts without a question', () => {
  const acting: Record<string, () => string[]> = {
    'client enable': () => ['pump-4'],
    'user enable': () => ['alice'],
    'user clear-undeliverable': () => ['alice'],
  };

  it.each(Object.entries(acting))('ciba %s does so', async (command, argv) => {
    await run(['client', 'disable', 'pump-4', '--yes']);
    await run(['user', 'disable', 'alice', '--yes']);
    const user = (await tables.items('directory'))['user#u-alice'];
    const contactVersion = Number(user?.['contact_version']);
    await undeliverableAddresses(tables.client, 'directory').noteUndeliverable(
      { sub: 'u-alice', contactVersion },
      'mail_bounced',
      now,
    );
    const before = await everything();
    expect(await run([...command.split(' '), ...argv()])).toMatchObject({ exitCode: 0 });
    expect(await everything()).not.toEqual(before);
  });

  it('an import that adds users and stops nobody asks nothing either', async () => {
    const path = join(folder, 'new.csv');
    await writeFile(path, 'sub,username,name\nu-new,new,New\nu-alice,alice,Alice\n');
    const { exitCode, stdout } = await run(['user', 'import', path]);
    expect([exitCode, stdout]).toEqual([0, '1 added, 1 changed, 0 unchanged, 0 rejected.\n']);
  });

  it('disable asks nothing of what is disabled already', async () => {
    await run(['client', 'disable', 'pump-4', '--yes']);
    await run(['user', 'disable', 'alice', '--yes']);
    expect(await run(['client', 'disable', 'pump-4'])).toMatchObject({ exitCode: 0 });
    expect(await run(['user', 'disable', 'alice'])).toMatchObject({ exitCode: 0 });
  });
});
