/**
 * Names as the operator wrote them (RFC 5321 2.4, OpenID Connect Core 5.1): by whichever way a
 * login gets in, what was written is kept, mailed and claimed, and found in any letters; comparison
 * alone folds.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { undeliverableAddresses, userDirectory } from '../../../../lambdas/aws/directory-table.ts';
import { isUndeliverable } from '../../../../lambdas/ciba/user/user.ts';
import { createClients } from '../../../../lib/operator/deployment/deployment.ts';
import { emailAddress } from '../../../../lib/operator/option-values.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { exampleClientSecret, exampleUser } from '../../../support/example-directory.ts';
import { signJwt } from '../../../support/example-jwts.ts';
import { operatedDeployment } from '../../../support/operated-deployment.ts';
import { formRequest, issuer, providerInMemory } from '../../../support/provider-in-memory.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

const written = {
  sub: 'u-alice',
  username: 'Alice.ＭcX',
  email: 'Mixed.Case+Tag@Bücher.Example',
  email_verified: true,
};
const kept = { ...written, email: 'Mixed.Case+Tag@xn--bcher-kva.example' };
const spellings = [
  'Alice.ＭcX',
  'alice.mcx',
  'ALICE.MCX',
  'Mixed.Case+Tag@Bücher.Example',
  'mixed.case+tag@xn--bcher-kva.example',
  'MIXED.CASE+TAG@BÜCHER.EXAMPLE',
];

let tables: TestTables;
let folder: string;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  folder = await mkdtemp(join(tmpdir(), 'ciba-'));
});
afterEach(() => tables.stop());

function run(...argv: string[]) {
  const clients = { ...createClients(), dynamodb: tables.client };
  const outputs = { DirectoryTable: 'directory', KeysTable: 'keys' };
  return ciba(argv, { deployment: operatedDeployment(outputs, clients) });
}

async function file(name: string, content: string | object): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const stored = async () => (await tables.items('directory'))['user#u-alice'] ?? {};
const apply = async (...users: object[]) =>
  run('apply', '-f', await file('directory.json', { users }), '--yes', '--json');

describe.each<[string, () => Promise<unknown>]>([
  ['ciba apply', () => apply(written)],
  [
    'ciba apply of YAML',
    async () => {
      const members = Object.entries(written).map(([name, value]) => `    ${name}: ${value}`);
      const yaml = `users:\n  -\n${members.join('\n')}\n`;
      return run('apply', '-f', await file('directory.yaml', yaml), '--yes');
    },
  ],
  [
    'an import of CSV',
    async () =>
      run(
        'user',
        'import',
        await file(
          'users.csv',
          `${Object.keys(written).join(',')}\n${Object.values(written).join(',')}\n`,
        ),
      ),
  ],
  ['an import of JSON', async () => run('user', 'import', await file('users.json', [written]))],
])('P18: by %s', (_way, bring) => {
  it('a user is kept as written, found in any letters, and shown as written', async () => {
    await bring();
    expect(await stored()).toMatchObject(kept);
    const users = userDirectory(tables.client, 'directory');
    for (const login of ['alice.mcx', 'mixed.case+tag@xn--bcher-kva.example']) {
      expect(await users.findUserByLogin(login)).toMatchObject(kept);
    }
    for (const name of spellings) {
      expect(JSON.parse((await run('user', 'show', name, '--json')).stdout)).toMatchObject(kept);
    }
    expect(JSON.parse((await run('user', 'list', '--json')).stdout).items).toMatchObject([kept]);
  });

  it('the same again changes nothing', async () => {
    await bring();
    const before = await stored();
    await bring();
    expect(await stored()).toEqual(before);
    expect(before).toMatchObject({ version: expect.any(Number) });
  });
});

describe('P18: letters alone', () => {
  it('do not make two users: of two that differ in nothing else one is refused', async () => {
    await apply(written);
    for (const taken of [
      { username: 'aLICE.mcx' },
      { username: 'bob', email: kept.email.toUpperCase() },
    ]) {
      const { exitCode, stderr } = await apply({ ...taken, sub: 'u-bob' });
      expect(exitCode).toBe(1);
      expect(stderr).toContain('belongs to user u-alice');
    }
    const both = await apply(written, { sub: 'u-bob', username: 'ALICE.MCX' });
    expect(both.exitCode).toBe(2);
    expect(both.stderr).toContain('has the same username or email as entry 1');
  });

  it('of the address make another one to the mail system: the contact version is raised, the logins stay', async () => {
    await apply(written);
    const before = await stored();
    const changed = { ...written, email: 'mixed.case+tag@bücher.example' };
    const { stdout } = await apply(changed);
    expect(JSON.parse(stdout).changes).toMatchObject([
      { members: [{ member: 'email', before: kept.email, after: kept.email.toLowerCase() }] },
    ]);
    const after = await stored();
    expect(Number(after['contact_version'])).toBeGreaterThan(Number(before['contact_version']));
    expect(Object.keys(await tables.items('directory')).toSorted()).toEqual([
      'login#alice.mcx',
      'login#mixed.case+tag@xn--bcher-kva.example',
      'user#u-alice',
    ]);
  });

  it('of the domain change nothing, and those of the user name only what is claimed', async () => {
    await apply(written);
    const before = await stored();
    await apply({ ...written, email: 'Mixed.Case+Tag@BÜCHER.EXAMPLE' });
    expect(await stored()).toEqual(before);
    await apply({ ...written, username: 'alice.mcx' });
    expect(await stored()).toMatchObject({
      username: 'alice.mcx',
      contact_version: before['contact_version'],
    });
  });

  it('of an import without a verification leave the verified address verified', async () => {
    await apply(written);
    const row = 'sub,username,email\nu-alice,alice.mcx,MIXED.case+tag@bücher.example\n';
    await run('user', 'import', await file('users.csv', row), '--yes');
    expect(await stored()).toMatchObject({ email_verified: true });
    const other = 'sub,username,email\nu-alice,alice.mcx,other@bücher.example\n';
    await run('user', 'import', await file('users.csv', other), '--yes');
    expect(await stored()).toMatchObject({ email_verified: false });
  });

  it('do not make an address deliverable that was found not to be', async () => {
    await apply(written);
    const contactVersion = Number((await stored())['contact_version']);
    const addresses = undeliverableAddresses(tables.client, 'directory');
    expect(
      await addresses.noteUndeliverable({ sub: 'u-alice', contactVersion }, 'mail_bounced', 1),
    ).toBe(true);
    await apply({ ...written, email: written.email.toLowerCase() });
    const users = userDirectory(tables.client, 'directory');
    const user = await users.findUser('u-alice');
    expect(user && isUndeliverable(user)).toBe(true);
    await apply({ ...written, email: 'other@example.com' });
    expect(await stored()).not.toHaveProperty('undeliverable');
  });

  it('are kept of an address that a test mail goes to', () => {
    expect(emailAddress('Mixed.Case@Example.COM')).toBe('Mixed.Case@example.com');
  });
});

describe('P18: whichever hint names the user, the mail goes to the address as written, and the claims say it so', () => {
  const hintToken = (made: ReturnType<typeof providerInMemory>, named: object) => {
    const claims = { iss: 'pump-4', aud: issuer, exp: made.now.at + 60, jti: randomUUID() };
    return {
      login_hint_token: signJwt({ alg: 'HS256' }, { ...claims, ...named }, exampleClientSecret),
    };
  };
  const hints: [string, (made: ReturnType<typeof providerInMemory>) => Record<string, string>][] = [
    ...spellings.map((login_hint): [string, () => Record<string, string>] => [
      login_hint,
      () => ({ login_hint }),
    ]),
    [
      'iss_sub',
      () => ({ login_hint: JSON.stringify({ format: 'iss_sub', iss: issuer, sub: 'u-alice' }) }),
    ],
    ['a hint token by sub', (made) => hintToken(made, { sub: 'u-alice' })],
    ['a hint token by user name', (made) => hintToken(made, { username: 'aLICE.mcx' })],
    ['a hint token by address', (made) => hintToken(made, { email: kept.email.toUpperCase() })],
  ];

  it.each(hints)('%s', async (_what, hint) => {
    const made = providerInMemory();
    made.directory.users.set('u-alice', { ...exampleUser, ...kept });
    const form = { scope: 'openid profile email', ...hint(made) };
    const asked = await made.authorize(formRequest('/cibaAuthorization', form));
    const authReqId = String(Object(await asked.json()).auth_req_id);
    await made.decide(await made.mailedLink(authReqId), 'approve');
    expect(made.mails.map(({ to }) => to)).toEqual([kept.email]);
    const { body } = await made.poll(authReqId);
    const claims = JSON.parse(String(body['id_token']).replace(/^[^{]*/, ''));
    expect(claims).toMatchObject({ preferred_username: kept.username, email: kept.email });
  });
});
