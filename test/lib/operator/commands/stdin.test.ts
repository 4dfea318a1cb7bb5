/**
 * `-` in the place of a file: what is piped into the command, in whatever form, and never a file of
 * that name.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClients } from '../../../../lib/operator/deployment/deployment.ts';
import { readDirectoryFile } from '../../../../lib/operator/directory/directory-file.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { operatedDeployment } from '../../../support/operated-deployment.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

const project = fileURLToPath(new URL('../../../..', import.meta.url));

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
});
afterAll(() => tables.stop());
beforeEach(async () => {
  for (const key of Object.keys(await tables.items('directory'))) {
    await tables.remove('directory', key);
  }
});

const outputs = { DirectoryTable: 'directory', KeysTable: 'keys', RequestsTable: 'requests' };

const run = (argv: string[], world: { piped?: string; typed?: string }) => {
  const clients = { ...createClients(), dynamodb: tables.client };
  return ciba(argv, { deployment: operatedDeployment(outputs, clients), ...world });
};

const keys = async () => Object.keys(await tables.items('directory')).toSorted();

const json = '{"users":[{"sub":"u-1","username":"one"}]}';
const yaml = 'users:\n  - sub: u-1\n    username: one\n';

describe('O39: ciba apply -f -', () => {
  it.each<[string, string, string[]]>([
    ['JSON', json, []],
    ['JSON behind blanks and a mark', `\ufeff\n  ${json}`, []],
    ['YAML', yaml, []],
    ['YAML that begins with a remark', `# ours\n---\n${yaml}`, []],
    [
      'YAML that looks like JSON, which is said',
      '{ users: [{ sub: u-1, username: one }] }',
      ['--format', 'yaml'],
    ],
    ['JSON, which is said', json, ['--format', 'json']],
  ])('takes %s', async (_, piped, options) => {
    const argv = ['apply', '-f', '-', '--yes', ...options];
    expect(await run(argv, { piped })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await keys()).toEqual(['login#one', 'user#u-1']);
  });

  it('takes it beside files', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'stdin-')), 'more.yaml');
    await writeFile(path, 'users: [{ sub: u-2, username: two }]');
    await run(['apply', '-f', path, '-', '--yes'], { piped: json });
    expect(await keys()).toEqual(['login#one', 'login#two', 'user#u-1', 'user#u-2']);
  });

  it.each<[string, string[], { piped?: string; typed?: string }, string]>([
    ['twice', ['-f', '-', '-'], { piped: json }, '- is named twice'],
    ['on a terminal', ['-f', '-'], { typed: json }, '-: there is a terminal, and no input to read'],
    ['with nothing in it', ['-f', '-'], { piped: '' }, 'stdin:'],
    ['that is not JSON', ['-f', '-'], { piped: '{"users":[' }, 'stdin: '],
    [
      'in no UTF-8',
      ['-f', '-', '--format', 'toml'],
      { piped: json },
      'Allowed choices are json, yaml',
    ],
    [
      'without a yes',
      ['-f', '-'],
      { piped: json },
      'There is no terminal to ask on: --yes says yes',
    ],
    ['with a fault', ['-f', '-'], { piped: 'users: [{}]' }, 'stdin:\nusers[0] sub: is missing'],
  ])('refuses it %s, with 2', async (_, argv, world, message) => {
    const { exitCode, stderr } = await run(['apply', ...argv], world);
    expect([exitCode, stderr.toLowerCase()]).toEqual([
      2,
      expect.stringContaining(message.toLowerCase()),
    ]);
    expect(await keys()).toEqual([]);
  });
});

describe('O39: ciba user import -', () => {
  it.each<[string, string, string[]]>([
    ['CSV', 'sub;username\nu-1;one\n', []],
    ['CSV, which is said', 'sub,username\nu-1,one\n', ['--format', 'csv']],
    ['a list in JSON', '[\n{"sub":"u-1","username":"one"}]', []],
    ['an object in JSON', json, []],
    [
      'an object in JSON over many lines',
      '{\n"users": [\n{"sub":"u-1","username":"one"}\n]\n}\n',
      [],
    ],
    ['JSON lines', '{"sub":"u-1","username":"one"}\n', []],
    ['JSON lines, which is said', '{"sub":"u-1","username":"one"}\n', ['--format', 'jsonl']],
  ])('takes %s', async (_, piped, options) => {
    const { exitCode, stdout } = await run(['user', 'import', '-', ...options], { piped });
    expect([exitCode, stdout]).toEqual([0, '1 added, 0 changed, 0 unchanged, 0 rejected.\n']);
    expect(await keys()).toEqual(['login#one', 'user#u-1']);
  });

  it('writes rejected rows where it is told, and to no file named -', async () => {
    const report = join(await mkdtemp(join(tmpdir(), 'stdin-')), 'bad.csv');
    const piped = 'sub,username\nu-1,o n e\n';
    const { exitCode } = await run(['user', 'import', '-', '--report', report], { piped });
    expect(exitCode).toBe(1);
    expect(await readFile(report, 'utf8')).toContain('u-1,o n e\n');
    const refused = await run(['user', 'import', '-', '--report', '-'], { piped });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--report: -') });
  });

  it('takes a file of any name whose format is said', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'stdin-')), 'users');
    await writeFile(path, 'sub,username\nu-1,one\nu-2,t w o\n');
    const { exitCode, stderr } = await run(['user', 'import', path, '--format', 'csv'], {});
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${path}.rejected.csv`)]);
  });
});

describe('O39: a file that is named -', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hyphen-'));
    for (const name of ['-', '-.json'])
      await writeFile(join(folder, name), '{"users":[{"sub":"in-file"}]}');
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A command of the project as a process in the folder, with this piped into it. */
  function start(file: string, argv: string[], piped: string) {
    const command = [
      '--import',
      join(project, 'node_modules/tsx/dist/esm/index.mjs'),
      join(project, file),
    ];
    const child = spawn(process.execPath, [...command, ...argv], {
      cwd: folder,
      env: { PATH: process.env['PATH'], AWS_REGION: 'us-east-1' },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (said += String(chunk)));
    }
    child.stdin.on('error', () => {});
    child.stdin.end(piped);
    return new Promise<string>((resolve) => child.once('close', () => resolve(said)));
  }

  it.each<[string, string[]]>([
    ['bin/ciba.ts', ['apply', '-f', '-']],
    ['bin/ciba.ts', ['user', 'import', '-', '--format', 'json']],
    ['bin/local.ts', ['--headless', '--seed', '-']],
  ])('is not what %s %j reads', async (file, argv) => {
    const said = await start(file, argv, '{"users":[{"sub":"in pipe"}], "x": 1}');
    expect(said).toMatch(/^stdin:/m);
    expect(said).not.toContain('in-file');
  });

  it('is read as ./-', async () => {
    const said = await start('bin/ciba.ts', ['apply', '-f', './-', '--format', 'yaml'], '');
    expect(said).toContain('users[0] (in-file) username: is missing');
  });

  it('is refused where nothing is piped for it', async () => {
    await expect(readDirectoryFile('-')).rejects.toThrow('./- is a file of that name');
  });
});
