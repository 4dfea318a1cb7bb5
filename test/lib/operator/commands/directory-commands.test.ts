/**
 * `ciba apply`, `ciba client` and `ciba user` as an operator meets them: what is printed, what is
 * asked, and the exit codes.
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClients } from '../../../../lib/operator/deployment/deployment.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { disturb } from '../../../support/disturbed-calls.ts';
import { logoUri, quarters } from '../../../support/example-images.ts';
import { operatedDeployment } from '../../../support/operated-deployment.ts';
import { addWrappingKey, macOf } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let folder: string;
let outputs: Record<string, string>;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  folder = await mkdtemp(join(tmpdir(), 'ciba-'));
  outputs = {
    DirectoryTable: 'directory',
    Issuer: 'https://id.example',
    KeysTable: 'keys',
    RequestsTable: 'requests',
  };
});
afterEach(() => tables.stop());

function run(argv: string[], world: { typed?: string; piped?: string } = {}) {
  const clients = { ...createClients(), dynamodb: tables.client };
  return ciba(argv, { deployment: operatedDeployment(outputs, clients), ...world });
}

async function file(name: string, content: string | object): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const items = () => tables.items('directory');

const secret = 'a secret of thirty-two characters at least';
const pump = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
};
const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};

const apply = async (directory: object, ...options: string[]) =>
  run(['apply', '-f', await file('directory.json', directory), ...options]);

describe('ciba apply', () => {
  it('shows the plan, asks, writes, and shows a generated secret once', async () => {
    const path = await file('directory.json', { clients: [pump], users: [alice] });
    const { exitCode, stdout, stderr } = await run(['apply', '-f', path], { typed: 'y' });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      'Apply to CibaProvider: 2 to add, 0 to change, 0 to remove, 0 unchanged? [y/N]',
    );
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/\+ add client pump-4 .*secret is generated/);
    expect(stdout).toMatch(/\+ add +user u-alice +alice, alice@example\.com/);
    const [shown = ''] = /(?<=^pump-4 +)[\w-]{64}/m.exec(stdout) ?? [];
    expect((await items())['client#pump-4']).toMatchObject({
      client_secret_mac: await macOf(tables, 'pump-4', shown),
    });
    const again = await run(['apply', '-f', path]);
    expect(again).toEqual({
      exitCode: 0,
      stdout: 'Nothing changes: 0 to add, 0 to change, 0 to remove, 2 unchanged.\n',
      stderr: '',
    });
  });

  it('P26: says on stderr, and with --json, what it leaves out, and stores nothing of it', async () => {
    const path = await file('directory.json', {
      clients: [{ ...pump, contacts: ['ops@x.example'] }],
    });
    const notice = `${path}: clients[0] (pump-4) contacts: is not kept`;
    expect((await run(['apply', '-f', path, '--dry-run'])).stderr).toContain(notice);
    const { stdout, stderr } = await run(['apply', '-f', path, '--yes', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ added: 1, applied: true, notices: [notice] });
    expect(stderr).toContain(notice);
    expect(JSON.stringify(await items())).not.toContain('ops@x.example');
  });

  it('writes nothing if the answer is no, and ends with 1', async () => {
    const path = await file('directory.json', { users: [alice] });
    const { exitCode, stderr } = await run(['apply', '-f', path], { typed: 'n' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Nothing was written.');
    expect(await items()).toEqual({});
  });

  it('writes nothing where nobody can be asked, and ends with 2', async () => {
    const { exitCode, stderr } = await apply({ users: [alice] });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('There is no terminal to ask on: --yes says yes');
    expect(await items()).toEqual({});
  });

  it('with --dry-run shows the plan and ends with 0, and asks nothing', async () => {
    const { exitCode, stdout, stderr } = await apply({ users: [alice] }, '--dry-run');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('Plan: 1 to add');
    expect(await items()).toEqual({});
  });

  it('with --prune names and removes whoever no file names', async () => {
    await apply({ clients: [pump], users: [alice] }, '--yes');
    const limit = ['--prune-limit', '1'];
    const { stdout } = await apply({ clients: [pump], users: [] }, '--prune', '--yes', ...limit);
    expect(stdout).toMatch(/- remove +user u-alice/);
    expect(Object.keys(await items())).toEqual(['client#pump-4']);
  });

  it('with --json prints one value, with the secrets that were made', async () => {
    const { stdout } = await apply({ clients: [pump] }, '--json', '--yes');
    expect(JSON.parse(stdout)).toEqual({
      changes: [expect.objectContaining({ action: 'add', kind: 'client', id: 'pump-4' })],
      ...{ added: 1, changed: 0, removed: 0, unchanged: 0 },
      ...{ applied: true, written: 1 },
      generated_secrets: [{ client_id: 'pump-4', client_secret: expect.any(String) }],
    });
  });

  it('shows the secrets that were stored although it fails afterwards, and ends with 1', async () => {
    disturb(tables.client, ({ command, input }) => {
      if (command === 'PutItemCommand' && input.includes('user#u-alice')) {
        throw Object.assign(new Error('not yours'), {
          name: 'AccessDeniedException',
          $fault: 'client',
          $metadata: {},
        });
      }
    });
    const { exitCode, stdout, stderr } = await apply({ clients: [pump], users: [alice] }, '--yes');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Written: 1 of 2.');
    expect(stdout).toMatch(/^pump-4 +[\w-]{64}$/m);
    expect(stderr).toBe('AWS refused: AccessDeniedException: not yours\n');
  });

  it('stops on Ctrl-C after what is under way, and says how it goes on', async () => {
    const users = Array.from({ length: 60 }, (_, index) => ({
      sub: `u-${index}`,
      username: `user${index}`,
    }));
    disturb(tables.client, ({ command }) => {
      if (command === 'PutItemCommand') process.emit('SIGINT');
    });
    // Whoever runs the tests has a Ctrl-C of their own.
    const others = process.listeners('SIGINT');
    process.removeAllListeners('SIGINT');
    const { exitCode, stderr, stdout } = await apply({ users }, '--yes');
    for (const listener of others) process.on('SIGINT', listener);
    expect(exitCode).toBe(1);
    const [, written] = /Written: (\d+) of 60\./.exec(stdout) ?? [];
    expect(Object.keys(await items())).toHaveLength(Number(written) * 2);
    expect(Number(written)).toBeLessThanOrEqual(16);
    expect(stderr).toContain(
      'Interrupted: what was written stays written, and running the command again goes on.',
    );
  });

  it.each<[string, () => Promise<string[]>, number, string]>([
    ['no file', async () => [], 2, '-f, --file: is missing; allowed: files in JSON or YAML'],
    [
      'a file that is not there',
      async () => ['-f', '/nowhere.json'],
      2,
      '/nowhere.json: cannot be read',
    ],
    [
      'a file with faults',
      async () => ['-f', await file('d.yaml', 'users: [{}]')],
      2,
      'users[0] sub: is missing',
    ],
    [
      'a login of another user',
      async () => ['-f', await file('d.json', { users: [{ ...alice, sub: 'u-2' }] }), '--yes'],
      1,
      'user u-2: alice belongs to user u-alice',
    ],
    [
      'a policy that the deployment does not have',
      async () => ['-f', await file('d.json', { clients: [{ ...pump, flow_policy: 'slow' }] })],
      2,
      'client pump-4 flow_policy: slow is no policy of this deployment; allowed: default, fast',
    ],
    [
      'a logo that cannot be drawn',
      async () => [
        '-f',
        await file('d.json', {
          clients: [{ ...pump, logo_uri: logoUri(quarters.png.subarray(0, 60)) }],
        }),
      ],
      2,
      'client pump-4 logo_uri: is no PNG that can be drawn',
    ],
    ['an option nobody knows', async () => ['-f', 'x', '--force'], 2, "unknown option '--force'"],
  ])(
    'ends with %s by its code, one line, and nothing written',
    async (_, options, code, message) => {
      outputs['FlowPolicies'] = '{"default":{},"fast":{}}';
      await apply({ users: [alice] }, '--yes');
      const before = await items();
      const { exitCode, stdout, stderr } = await run(['apply', ...(await options())]);
      expect(exitCode).toBe(code);
      expect(stderr).toContain(message);
      expect(stderr).not.toMatch(/^ +at /m);
      expect(stdout).toBe('');
      expect(await items()).toEqual(before);
    },
  );
});

describe('ciba client', () => {
  beforeEach(async () => {
    await apply({ clients: [{ ...pump, client_secret: secret }] }, '--yes');
  });

  it('show tells where the logo is served, and never the image that was registered', async () => {
    const branded = { ...pump, client_secret: secret, logo_uri: logoUri(quarters.png) };
    const { stdout: applied } = await apply({ clients: [branded] }, '--yes');
    const { stdout } = await run(['client', 'show', 'pump-4']);
    const [address, path] =
      /^Logo: (?:https:\/\/id\.example)(\/logo\/pump-4\/[\w-]{43})$/m.exec(stdout) ?? [];
    expect(applied).toContain(path?.slice(0, '/logo/'.length));
    const { stdout: json } = await run(['client', 'show', 'pump-4', '--json']);
    expect(JSON.parse(json)).toMatchObject({ logo_uri: address?.slice('Logo: '.length) });
    for (const shown of [applied, stdout, json]) expect(shown).not.toContain('base64');
  });

  it('list and show tell of secrets that there are, never which', async () => {
    await run(['client', 'rotate-secret', 'pump-4', '--keep', '60', '--yes']);
    const shown = await Promise.all(
      [['list'], ['show', 'pump-4']].flatMap((argv) => [
        run(['client', ...argv]),
        run(['client', ...argv, '--json']),
      ]),
    );
    for (const { exitCode, stdout } of shown) {
      expect(exitCode).toBe(0);
      expect(stdout).toContain('pump-4');
      expect(stdout).not.toContain(await macOf(tables, 'pump-4', secret));
      expect(stdout).not.toMatch(/mac|hash|wrapped|client_secret"/);
    }
    expect(shown[2]?.stdout).toMatch(
      /^secret +set\n +the former one until 2027-01-15 08:01:00 UTC$/m,
    );
    expect(JSON.parse(shown[3]?.stdout ?? '')).toMatchObject({
      client_id: 'pump-4',
      secret: 'set',
      retiring_until: '2027-01-15T08:01:00Z',
    });
  });

  it.each([
    ['0', 'The secret before is refused within 10 seconds.', '2027-01-15T08:00:10Z'],
    ['9', 'The secret before is refused within 10 seconds.', '2027-01-15T08:00:10Z'],
    ['10', 'The secret before is valid until 2027-01-15T08:00:10Z.', '2027-01-15T08:00:10Z'],
    ['60', 'The secret before is valid until 2027-01-15T08:01:00Z.', '2027-01-15T08:01:00Z'],
  ])(
    'P35: rotate-secret --keep %s says no earlier end than there is: %s',
    async (keep, line, until) => {
      await apply({ clients: [{ ...pump, client_secret: secret }] }, '--yes');
      const argv = ['client', 'rotate-secret', 'pump-4', '--keep', keep, '--force', '--yes'];
      expect((await run(argv)).stdout.split('\n')[0]).toBe(line);
      const { retiring_until } = JSON.parse((await run([...argv, '--json'])).stdout);
      expect(retiring_until).toBe(until);
    },
  );

  it('rotate-secret shows the new secret once, and keeps the old one for a day', async () => {
    const { stdout } = await run(['client', 'rotate-secret', 'pump-4', '--json', '--yes']);
    const { client_secret, ...others } = JSON.parse(stdout);
    expect(others).toEqual({ client_id: 'pump-4', retiring_until: '2027-01-16T08:00:00Z' });
    expect((await items())['client#pump-4']).toMatchObject({
      client_secret_mac: await macOf(tables, 'pump-4', client_secret),
      retiring_secret: {
        client_secret_mac: await macOf(tables, 'pump-4', secret),
        until: 1_800_086_400,
      },
    });
  });

  it('rotate-secret --secret-stdin takes the piped one, without the end of its line, and does not show it', async () => {
    const piped = 'another secret of thirty-two characters or more';
    const { exitCode, stdout } = await run(
      ['client', 'rotate-secret', 'pump-4', '--secret-stdin', '--yes'],
      {
        piped: `${piped}\n`,
      },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toBe('The secret before is valid until 2027-01-16T08:00:00Z.\n');
    expect((await items())['client#pump-4']).toMatchObject({
      client_secret_mac: await macOf(tables, 'pump-4', piped),
    });
  });

  it.each<[string, string[], { piped?: string; typed?: string }, number, string]>([
    [
      'a client that is not there',
      ['nobody'],
      {},
      1,
      'No client nobody: ciba client list lists them',
    ],
    [
      'a span that is none',
      ['pump-4', '--keep', '1d'],
      {},
      2,
      'Allowed: whole numbers from 0 to 2592000',
    ],
    ['a span without end', ['pump-4', '--keep', '2592001'], {}, 2, "'--keep <seconds>'"],
    [
      'a short secret',
      ['pump-4', '--secret-stdin'],
      { piped: 'x\n' },
      2,
      'client_secret: must be 32 to 128',
    ],
    [
      'a secret that is typed',
      ['pump-4', '--secret-stdin'],
      { typed: secret },
      2,
      '--secret-stdin: there is a terminal',
    ],
    [
      'the secret that it has',
      ['pump-4', '--secret-stdin'],
      { piped: secret },
      1,
      'client pump-4: has this secret already',
    ],
    ['no client', [], {}, 2, "missing required argument 'client_id'"],
  ])('rotate-secret refuses %s', async (_, argv, world, code, message) => {
    const before = await items();
    const { exitCode, stdout, stderr } = await run(
      ['client', 'rotate-secret', '--yes', ...argv],
      world,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toContain(message);
    expect(await items()).toEqual(before);
  });

  it('disable and enable say whether anything changed', async () => {
    const lines = [];
    for (const word of ['disable', 'disable', 'enable', 'enable']) {
      lines.push((await run(['client', word, 'pump-4', '--yes'])).stdout);
    }
    expect(lines).toEqual([
      'Client pump-4 is now disabled.\n',
      'Client pump-4 was already disabled.\n',
      'Client pump-4 is now enabled.\n',
      'Client pump-4 was already enabled.\n',
    ]);
    expect(await run(['client', 'disable', 'nobody'])).toMatchObject({
      exitCode: 1,
      stderr: 'No client nobody: ciba client list lists them\n',
    });
    expect(await run(['client', 'show', 'nobody'])).toMatchObject({ exitCode: 1 });
  });
});

describe('ciba user', () => {
  beforeEach(async () => {
    await apply({ users: [alice, { sub: 'u-bob', username: 'bob' }] }, '--yes');
  });

  it('list pages, and says where it goes on', async () => {
    const first = await run(['user', 'list', '--limit', '1', '--json']);
    const { items, next } = JSON.parse(first.stdout);
    expect(items).toHaveLength(1);
    const second = await run(['user', 'list', '--limit', '1', '--after', next]);
    expect(second.stdout).toContain(items[0].sub === 'u-alice' ? 'u-bob' : 'u-alice');
    expect(second.stdout).not.toContain('More:');
    expect((await run(['user', 'list', '--limit', '1'])).stdout).toContain(`More: --after ${next}`);
  });

  it('show, disable and enable take a sub, a user name or an address', async () => {
    expect((await run(['user', 'show', 'ALICE@example.com'])).stdout).toMatch(
      /^sub +u-alice\n(?:.*\n)*registered +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/m,
    );
    expect((await run(['user', 'disable', 'alice', '--yes'])).stdout).toBe(
      'User u-alice is now disabled.\n',
    );
    expect((await run(['user', 'disable', 'u-alice'])).stdout).toBe(
      'User u-alice was already disabled.\n',
    );
    expect(JSON.parse((await run(['user', 'show', 'alice', '--json'])).stdout)).toMatchObject({
      sub: 'u-alice',
      enabled: false,
    });
    expect((await run(['user', 'enable', 'alice', '--json'])).stdout).toBe(
      '{"sub":"u-alice","enabled":true,"changed":true}\n',
    );
  });

  it.each<[string[], number, string]>([
    [['show', 'nobody'], 1, 'No user nobody: ciba user list lists them'],
    [['disable', 'nobody'], 1, 'No user nobody: ciba user list lists them'],
    [['show'], 2, "missing required argument 'sub_or_login'"],
    [['show', 'alice', '--by', 'name'], 2, 'Allowed choices are sub, login'],
    [['list', '--limit', '0'], 2, 'Allowed: whole numbers from 1 to 10000'],
    [['list', '--limit', 'all'], 2, 'Allowed: whole numbers from 1 to 10000'],
    [['import'], 2, "missing required argument 'file'"],
    [['import', '/nowhere.csv'], 2, '/nowhere.csv: cannot be read'],
    [['import', '/nowhere.xlsx'], 2, '/nowhere.xlsx: is of no known format'],
    [['delete', 'alice'], 2, "unknown command 'delete'; allowed: list, show"],
  ])('%j ends with %i', async (argv, code, message) => {
    const { exitCode, stdout, stderr } = await run(['user', ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('ciba user import', () => {
  const csv = 'sub,username,email\nu-1,one,one@example.com\nu-2,two,one@example.com\nu-3,three,x\n';

  it('imports what it can, and reports the rest where it can be corrected', async () => {
    const path = await file('users.csv', csv);
    const { exitCode, stdout, stderr } = await run(['user', 'import', path]);
    const report = join(folder, 'users.rejected.csv');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('1 added, 0 changed, 0 unchanged, 2 rejected.');
    expect(stdout).toMatch(/^3 +u-2 +login one@example.com is in line 2 as well$/m);
    expect(stderr).toBe(
      `2 rows were rejected: corrected in ${report}, they can be imported again.\n`,
    );
    const corrected = (await readFile(report, 'utf8'))
      .replace('u-2,two,one@', 'u-2,two,two@')
      .replace('u-3,three,x', 'u-3,three,');
    await writeFile(report, corrected);
    expect(await run(['user', 'import', report])).toEqual({
      exitCode: 0,
      stdout: '2 added, 0 changed, 0 unchanged, 0 rejected.\n',
      stderr: '',
    });
    expect((await run(['user', 'import', path, '--json'])).stdout).toContain(
      '{"added":0,"changed":0,"unchanged":1,"rejected":2,',
    );
  });

  it('with --dry-run writes neither users nor a report', async () => {
    const path = await file('users.csv', csv);
    const { exitCode, stdout } = await run(['user', 'import', path, '--dry-run']);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('This would be: 1 added, 0 changed, 0 unchanged, 2 rejected.');
    expect(await items()).toEqual({});
    await expect(readFile(join(folder, 'users.rejected.csv'))).rejects.toThrow('ENOENT');
  });

  it('writes the report where it is told, and never over the file itself', async () => {
    const path = await file('users.csv', csv);
    const report = join(folder, 'faults.csv');
    await run(['user', 'import', path, '--report', report]);
    expect(await readFile(report, 'utf8')).toMatch(/^rejected,sub,username,email\n"?line 3: /);
    expect(await run(['user', 'import', path, '--report', path])).toMatchObject({
      exitCode: 2,
      stderr: `--report: ${path} is the file to import; allowed: another\n`,
    });
    expect(await readFile(path, 'utf8')).toBe(csv);
  });
});
