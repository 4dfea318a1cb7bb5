/**
 * What every command prints: with `--json`, good and failed, what the published schema says;
 * without it, tables that fit 80 columns and have no value that only a program reads.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createProgram } from '../../../../lib/operator/command-line.ts';
import { deeds } from '../../../../lib/operator/commands/deeds.ts';
import { outputSchemas, publishedSchema } from '../../../../lib/operator/output-schema.ts';
import { displayWidth } from '../../../../lib/operator/terminal/text-layout.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { exampleRequest } from '../../../support/example-request.ts';
import {
  LONG_CLIENT,
  LONG_SUB,
  type OperatedWorld,
  operatedWorld,
  WORLD_NOW,
} from '../../../support/operated-world.ts';

const file = new URL('../../../../docs/reference/ciba-output.schema.json', import.meta.url);
const published = z
  .looseObject({ $schema: z.string(), $defs: z.record(z.string(), z.looseObject({})) })
  .parse(JSON.parse(await readFile(file, 'utf8')));

/** The schema of that name, as a program has it that was given the file. */
function schemaOf(name: string): z.ZodType {
  const definition = published.$defs[name] ?? expect.fail(`no schema ${name}`);
  return z.fromJSONSchema({ $schema: published.$schema, ...definition } as never);
}

let world: OperatedWorld;
let folder: string;
beforeAll(async () => {
  world = await operatedWorld();
  folder = await mkdtemp(join(tmpdir(), 'ciba-json-'));
  const alice = { sub: 'u-alice', username: 'alice', email: 'alice@bank.example' };
  const made = {
    client_id: 'new-1',
    client_name: 'New',
    token_endpoint_auth_method: 'client_secret_basic',
    jwks: { keys: [] },
  };
  const { jwks: _, ...client } = made;
  await writeFile(
    join(folder, 'change.json'),
    JSON.stringify({
      clients: [client],
      users: [{ ...alice, email_verified: true, name: 'A'.repeat(90) }],
    }),
  );
  await writeFile(join(folder, 'users.csv'), 'sub,username\nu-new,new\n');
  await mkdir(join(folder, 'source-maps'));
  const map = { version: 3, sources: ['lambdas/a.ts'], names: [], mappings: 'AAAA' };
  await writeFile(join(folder, 'source-maps/token.mjs.map'), JSON.stringify(map));
  await writeFile(join(folder, 'secret'), 'x'.repeat(32));
  await writeFile(join(folder, 'bad.csv'), `sub,username\nu-new,new\n,${'x'.repeat(300)}\n`);
});
afterEach(async () => {
  if (world.isAsMade()) return;
  await world.stop();
  world = await operatedWorld();
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true });
});

const run = (argv: string[]) =>
  ciba(argv, { deployment: world.deployment, clock: () => WORLD_NOW });

interface Tried {
  command: string;
  argv(): string[];
  /** Of what it prints, where that is not its command's. */
  schema?: string;
  exitCode?: number;
  /** What is done before. */
  after?(): unknown;
}

const here = (name: string) => () => ['-f', join(folder, name)];
const assembly = () => ['--assembly', folder];

/** Every command where it does what it is for. */
const good: Tried[] = [
  { command: 'apply', argv: here('change.json') },
  { command: 'apply', argv: () => [...here('change.json')(), '--dry-run'] },
  { command: 'client list', argv: () => [] },
  { command: 'client show', argv: () => ['pump-4'] },
  { command: 'client show', argv: () => [LONG_CLIENT] },
  {
    command: 'client show',
    argv: () => ['pump-4'],
    after: () => run(['client', 'rotate-secret', 'pump-4', '--yes']),
  },
  { command: 'client rotate-secret', argv: () => ['pump-4'] },
  { command: 'client enable', argv: () => ['pump-4'] },
  { command: 'client disable', argv: () => ['pump-4'] },
  { command: 'client remove', argv: () => ['pump-4', LONG_CLIENT] },
  { command: 'client revoke-tokens', argv: () => ['pump-4'] },
  { command: 'user list', argv: () => [] },
  { command: 'user list', argv: () => ['--limit', '1'] },
  { command: 'user show', argv: () => ['alice'] },
  { command: 'user show', argv: () => ['bob'] },
  { command: 'user show', argv: () => [LONG_SUB] },
  {
    command: 'user show',
    argv: () => ['alice'],
    after: () => run(['user', 'revoke-tokens', 'alice', '--yes']),
  },
  { command: 'user enable', argv: () => ['alice'] },
  { command: 'user disable', argv: () => ['alice'] },
  { command: 'user import', argv: () => [join(folder, 'users.csv')] },
  { command: 'user remove', argv: () => ['alice', LONG_SUB, 'ghost'] },
  { command: 'user clear-undeliverable', argv: () => ['bob'] },
  { command: 'user clear-undeliverable', argv: () => ['alice'] },
  { command: 'user clear-limits', argv: () => ['alice'] },
  { command: 'user revoke-tokens', argv: () => ['alice'] },
  { command: 'audit list', argv: () => [] },
  { command: 'audit list', argv: () => ['--limit', '2'] },
  { command: 'audit list', argv: () => ['--outcome', 'unreadable'] },
  ...(['pending', 'redeemed', 'denied', 'failed', 'refused', 'throttled'] as const).map(
    (name): Tried => ({ command: 'audit show', argv: () => [world.refs[name]] }),
  ),
  { command: 'audit stats', argv: () => [] },
  { command: 'audit stats', argv: () => ['--from', '1s'] },
  { command: 'audit revoke', argv: () => [world.refs.redeemed] },
  { command: 'flow list', argv: () => [] },
  { command: 'keys list', argv: () => [] },
  { command: 'keys rotate', argv: () => [] },
  { command: 'keys remove', argv: () => [world.superseded] },
  { command: 'policy list', argv: () => [] },
  { command: 'template list', argv: () => [] },
  { command: 'template push', argv: () => [], after: () => world.garble() },
  { command: 'template push', argv: () => [] },
  { command: 'template preview', argv: () => ['ciba-with-binding-message', '--locale', 'xx'] },
  { command: 'template test', argv: () => ['ciba-with-binding-message', '--to', 'a@b.example'] },
  { command: 'trace', argv: () => ['token', 'index.mjs:1:1', ...assembly()] },
  { command: 'trace', argv: () => ['token', 'index.mjs:1:1', 'index.mjs:2:1', ...assembly()] },
];

/** Commands that print an answer and fail nevertheless. */
const partial: Tried[] = [
  { command: 'user import', argv: () => [join(folder, 'bad.csv')], exitCode: 1 },
  { command: 'template list', argv: () => [], exitCode: 1, after: () => world.garble() },
  { command: 'doctor', argv: () => [], exitCode: 1 },
  { command: 'smoke', argv: () => ['--issuer', 'http://localhost:1', ...client()], exitCode: 1 },
];

const client = () => [
  ...['--client-id', 'pump-4', '--login-hint', 'alice'],
  ...['--client-secret-file', join(folder, 'secret')],
];

const ghostRef = exampleRequest().ref;
const ghost = () => [ghostRef];

/** Every command where it cannot, and why. */
const failed: [Tried, code: string][] = [
  [{ command: 'apply', argv: () => ['-f', '/nowhere.json'], exitCode: 2 }, 'usage'],
  [{ command: 'apply', argv: () => [], exitCode: 2 }, 'usage'],
  [{ command: 'client show', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'client rotate-secret', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'client rotate-secret', argv: () => [LONG_CLIENT] }, 'conflict'],
  [{ command: 'client enable', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'client disable', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'client revoke-tokens', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'user list', argv: () => ['--limit', 'many'], exitCode: 2 }, 'usage'],
  [{ command: 'user show', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'user enable', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'user disable', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'user import', argv: () => ['/nowhere.csv'], exitCode: 2 }, 'usage'],
  [{ command: 'user clear-undeliverable', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'user clear-limits', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'user revoke-tokens', argv: () => ['ghost'] }, 'not_found'],
  [{ command: 'audit list', argv: () => ['--user', 'ghost'] }, 'not_found'],
  [{ command: 'audit list', argv: () => ['--client', 'ghost'] }, 'not_found'],
  [{ command: 'audit list', argv: () => ['--outcome', 'lost'], exitCode: 2 }, 'usage'],
  [{ command: 'audit list', argv: () => ['--csv'], exitCode: 2 }, 'usage'],
  [{ command: 'audit show', argv: ghost }, 'not_found'],
  [{ command: 'audit show', argv: () => ['x'], exitCode: 2 }, 'usage'],
  [{ command: 'audit stats', argv: () => ['--client', 'ghost'] }, 'not_found'],
  [{ command: 'audit revoke', argv: ghost }, 'not_found'],
  [{ command: 'audit revoke', argv: () => [world.refs.denied] }, 'failed'],
  [{ command: 'keys rotate', argv: () => ['--lead', 'x'], exitCode: 2 }, 'usage'],
  [{ command: 'keys remove', argv: () => ['ghost'] }, 'failed'],
  [{ command: 'smoke', argv: () => ['--issuer', 'https://op.example'], exitCode: 2 }, 'usage'],
  [{ command: 'template preview', argv: () => ['ghost'], exitCode: 2 }, 'usage'],
  [
    { command: 'template test', argv: () => ['ghost', '--to', 'a@b.example'], exitCode: 2 },
    'usage',
  ],
  [{ command: 'template test', argv: () => ['ciba-with-binding-message'], exitCode: 2 }, 'usage'],
  [{ command: 'trace', argv: () => ['token', 'a.ts:1:1', ...assembly()], exitCode: 2 }, 'usage'],
  [
    { command: 'trace', argv: () => ['tokn', 'index.mjs:1:1', ...assembly()], exitCode: 2 },
    'usage',
  ],
  [{ command: 'trace', argv: () => ['token', 'index.mjs:2:1', ...assembly()] }, 'not_found'],
];

const words = ({ command, argv }: Tried, ...options: string[]) => [
  ...command.split(' '),
  ...argv(),
  ...options,
];

describe('O32: with --json', () => {
  it('the published schema is that of this version', () => {
    expect(published, 'npm run schema writes it').toEqual(publishedSchema());
  });

  it('every command has a schema, and is tried here, good and failed', () => {
    const commands = Object.keys(deeds).toSorted();
    const known = Object.keys(outputSchemas).filter((name) => !name.includes(' --'));
    expect(known.toSorted()).toEqual(commands);
    const tried = new Set([...good, ...partial].map(({ command }) => command));
    expect([...tried].toSorted()).toEqual(commands);
    // Every other takes nothing that could be wrong but options that it does not have.
    const takesNothing = ['client list', 'doctor', 'flow list', 'keys list', 'policy list'];
    const never = [
      ...takesNothing,
      'template list',
      'template push',
      'client remove',
      'user remove',
    ];
    const failing = new Set(failed.map(([{ command }]) => command));
    expect([...new Set([...failing, ...never])].toSorted()).toEqual(commands);
  });

  it.each([...good, ...partial])(
    'ciba $command prints one value of its schema ($argv)',
    async (tried) => {
      await tried.after?.();
      const { exitCode, stdout, stderr } = await run(words(tried, '--json', '--yes'));
      expect([exitCode, stderr.split('\n').length > 1]).toEqual([
        tried.exitCode ?? 0,
        tried.exitCode === 1 || /note/.test(stderr),
      ]);
      expect(stdout.match(/\n/g)).toHaveLength(1);
      const printed: unknown = JSON.parse(stdout);
      expect(schemaOf(tried.schema ?? tried.command).safeParse(printed).error).toBeUndefined();
      expect(membersOf(printed).filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))).toEqual([]);
      for (const line of stderr.trimEnd().split('\n').filter(Boolean)) {
        const schema = 'error' in JSON.parse(line) ? 'error' : 'note';
        expect(schemaOf(schema).safeParse(JSON.parse(line)).error).toBeUndefined();
      }
    },
  );

  it.each(failed)(
    'ciba %j that fails prints one error of the schema, as %s',
    async (tried, code) => {
      const argv = words(tried, '--json', '--yes');
      const { exitCode, stdout, stderr } = await run(argv);
      expect([exitCode, stdout]).toEqual([tried.exitCode ?? 1, '']);
      const error: unknown = JSON.parse(stderr);
      expect(schemaOf('error').safeParse(error).error).toBeUndefined();
      expect(error).toMatchObject({ error: { code } });
      const told = await run(words(tried, '--yes'));
      if (tried.argv()[0] !== '--csv')
        expect(told.stderr.trimEnd()).toBe(
          z.object({ error: z.object({ message: z.string() }) }).parse(error).error.message,
        );
    },
  );

  it.each([
    ['an unknown option', ['keys', 'list', '--colour'], /--colour/],
    ['an unknown command', ['keyz'], /unknown command 'keyz'/],
    ['no command', [], /a command is missing/],
    ['no command of a group', ['keys'], /a command is missing/],
    ['a missing argument', ['audit', 'show'], /missing required argument/],
    ['a stack that is no name', ['--stack', '1', 'keys', 'list'], /--stack/],
    ['a question that nobody can answer', ['keys', 'rotate'], /no terminal to ask on/],
  ])('%s is an error of the same shape', async (_what, argv, message) => {
    const { exitCode, stdout, stderr } = await run([...argv, '--json']);
    expect([exitCode, stdout]).toEqual([2, '']);
    const error: unknown = JSON.parse(stderr);
    expect(schemaOf('error').safeParse(error).error).toBeUndefined();
    expect(error).toMatchObject({
      error: { code: 'usage', message: expect.stringMatching(message) },
    });
  });

  it('the hint is what helps, where the message says so', async () => {
    const hintOf = async (...argv: string[]) =>
      JSON.parse((await run([...argv, '--json'])).stderr).error.hint;
    expect(await hintOf('client', 'show', 'ghost')).toBe('ciba client list lists them');
    expect(await hintOf('--stack', '1', 'keys', 'list')).toMatch(/^allowed: a letter, then/);
    expect(await hintOf('keyz')).toMatch(/^allowed: apply, /);
    expect(await hintOf('audit', 'revoke', world.refs.denied, '--yes')).toBeNull();
  });

  it('following prints an entry a line, of the schema of its own', async () => {
    const interruption = AbortSignal.abort();
    const { stdout } = await ciba(['audit', '--follow', '--json'], {
      deployment: world.deployment,
      clock: () => WORLD_NOW,
      interruption,
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    for (const line of lines) {
      expect(schemaOf('audit list --follow').safeParse(JSON.parse(line)).error).toBeUndefined();
    }
  });
});

/** The names of all members, but for what registered JSON has in it. */
function membersOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(membersOf);
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'jwks' ? [name] : [name, ...membersOf(inner)],
  );
}

/** What is as it is, however wide: commands to copy, addresses, the mail itself. */
const wide = [/→ /, /^Logo: http:/, /^More: --after /, /^Removed user /, /^The audit keeps /];

describe('O33: for a person', () => {
  const shown = [...good, ...partial].filter(
    ({ command }) => !/^template (?:preview|test)/.test(command),
  );

  it.each(shown)('ciba $command fits 80 columns and has no raw value ($argv)', async (tried) => {
    await tried.after?.();
    const { stdout } = await run(words(tried, '--yes'));
    const tables = stdout.split('\n').filter((line) => !wide.some((pattern) => pattern.test(line)));
    const isTable = /^[A-Z +/,()]+ {2}[A-Z]/m.test(stdout);
    if (isTable || tried.command === 'doctor')
      for (const line of tables) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    expect(stdout).not.toMatch(/(?<![\w.-])1[78]\d{8}(?:\d{3})?(?![\w-])/);
    expect(stdout).not.toMatch(/[{}]|\[\]|"[a-z_]+":/);
    expect(stdout).not.toMatch(/^version\b/m);
    expect(stdout).not.toMatch(/arn:aws:/);
    expect(stdout).not.toMatch(/(?:^|\s)\/logo\//m);
  });

  it('a time says whose it is: in the head of its column, on its line, or with it', async () => {
    for (const tried of shown) {
      const { stdout } = await run(words(tried, '--yes'));
      if (!/\d{4}-\d\d-\d\d[ T]\d\d:\d\d/.test(stdout)) continue;
      expect(stdout).toMatch(/UTC|\dZ\b/);
    }
  });

  it.each([
    [120, (line: string) => line.length > 80],
    [80, (line: string) => line.length <= 80],
    [40, (line: string) => line.length <= 80],
  ])(
    'on a terminal of %d columns a list has a line for each row, clipped',
    async (columns, holds) => {
      const { stdout } = await ciba(['user', 'list'], { deployment: world.deployment, columns });
      const lines = stdout.trimEnd().split('\n');
      expect(lines).toHaveLength(4);
      expect(lines.some((line) => line.includes('…'))).toBe(true);
      expect(lines.some(holds)).toBe(true);
      for (const line of lines)
        expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(80, columns));
    },
  );

  it('shows what came back of a user’s mail in words, and a logo by its whole address', async () => {
    expect((await run(['user', 'show', 'bob'])).stdout.replace(/\s+/g, ' ')).toContain(
      'undeliverable email bob@bank.example, cause mail_bounced, at 2027-01-15 08:00:00 UTC',
    );
    expect((await run(['client', 'show', 'pump-4'])).stdout).toMatch(
      /^Logo: http:\/\/127\.0\.0\.1:1\/logo\/pump-4\/[\w-]{43}$/m,
    );
  });

  it('piped on, nothing of a cell is lost', async () => {
    const { stdout } = await run(['user', 'list']);
    const column = stdout
      .split('\n')
      .map((line) => line.split(/ {2,}/)[0])
      .join('');
    expect(column).toContain('u-alice');
    expect(stdout.replace(/[^s]/g, '').length).toBeGreaterThanOrEqual(LONG_SUB.length);
  });
});

describe('O33: help', () => {
  it('has no line of more than 80 columns, for any command', async () => {
    const program = await createProgram({
      ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
      findDeployment: () => Promise.reject(new Error('none')),
      ...{ clock: () => 0, interruption: () => new AbortController().signal, isUtf8: true },
      environment: {},
    });
    const groups = program.commands.flatMap((group) => [
      [group.name()],
      ...group.commands.map((inner) => [group.name(), inner.name()]),
    ]);
    const wideLines: string[] = [];
    for (const argv of [[], ...groups]) {
      const { stdout } = await ciba([...argv, '--help']);
      wideLines.push(...stdout.split('\n').filter((line) => line.length > 80));
    }
    expect(wideLines).toEqual([]);
  });
});
