/**
 * Every command that the README names, against a whole deployment: the local host, MiniStack's
 * deployed stack, or a local host whose tables are in another engine. Each with a good call and
 * with bad input, judged by its exit code and by the published schema of what it prints.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { deeds } from '../../lib/operator/commands/deeds.ts';
import { type Deployment, findDeployment } from '../../lib/operator/deployment/deployment.ts';
import { decide } from '../black-box/authentication-device.ts';
import { poll, start } from '../black-box/consumption-device.ts';
import { awsEndpoint, issuer, mailOf, mailStore } from '../black-box/deployment.ts';
import type { SecretClient } from '../black-box/directory.ts';
import { type CibaRun, ciba } from '../support/ciba-command.ts';

const schemaFile = new URL('../../docs/reference/ciba-output.schema.json', import.meta.url);
const published = z
  .looseObject({ $schema: z.string(), $defs: z.record(z.string(), z.looseObject({})) })
  .parse(JSON.parse(await readFile(schemaFile, 'utf8')));

/** The schema of that name, as a program has it that was given the file. */
function schemaOf(name: string): z.ZodType {
  const definition = published.$defs[name] ?? expect.fail(`no schema ${name}`);
  return z.fromJSONSchema({ $schema: published.$schema, ...definition } as never);
}

const scope = 'openid offline_access';
const till = {
  client_id: 'commands-till',
  client_name: 'The till of the commands',
  client_secret: 'a secret + 100% of & for the commands',
  token_endpoint_auth_method: 'client_secret_basic',
  id_token_signed_response_alg: 'ES256',
  grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
  scope,
} as const satisfies SecretClient & { grant_types: readonly string[]; scope: string };
const eve = {
  sub: 'commands-eve',
  username: 'commands.eve',
  email: 'commands.eve@bank.example',
  email_verified: true,
};
const template = 'ciba-with-binding-message';

let deployment: Deployment;
let folder: string;
let madeKid = '';
/** Request IDs by what became of the request. */
const refs = { redeemed: '', denied: '', pending: '' };

beforeAll(async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', awsEndpoint);
  folder = await mkdtemp(join(tmpdir(), 'ciba-commands-'));
  await writeFile(path('good.json'), JSON.stringify({ clients: [till], users: [eve] }));
  await writeFile(path('bad.json'), JSON.stringify({ users: [{ ...eve, usrname: 'eve' }] }));
  await writeFile(path('broken.json'), '{"users": [');
  await writeFile(path('good.csv'), 'sub,username\ncommands-mallory,commands.mallory\n');
  await writeFile(path('secret'), till.client_secret);
  await writeFile(path('bad.csv'), 'sub,usrname\ncommands-mallory,commands.mallory\n');
  await mkdir(path('source-maps'));
  const map = { version: 3, sources: ['lambdas/a.ts'], names: [], mappings: 'AAAA' };
  await writeFile(path('source-maps/token.mjs.map'), JSON.stringify(map));
  if (awsEndpoint !== undefined) deployment = await findDeployment('CibaProvider');
});
afterAll(async () => {
  for (const client of Object.values(deployment?.clients ?? {})) client.destroy();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const path = (name: string) => join(folder, name);

async function run(command: string, argv: string[]): Promise<CibaRun> {
  const clock = () => Date.now() / 1000;
  return ciba([...command.split(' '), ...argv, '--json'], { deployment, clock });
}

/** Three requests of the till for Eve. */
async function askEve(): Promise<void> {
  const redeemed = await start(till, eve.username, { scope });
  await decide((await mailOf(eve.email, redeemed.ref)).link, 'approve');
  expect((await poll(till, redeemed.authReqId)).status).toBe(200);
  const denied = await start(till, eve.username, { scope });
  await decide((await mailOf(eve.email, denied.ref)).link, 'deny');
  const pending = await start(till, eve.username, { scope });
  Object.assign(refs, { redeemed: redeemed.ref, denied: denied.ref, pending: pending.ref });
}

const madeKeys = z.object({ items: z.array(z.looseObject({ kind: z.string(), kid: z.string() })) });

/**
 * A key that was to sign and never did, as another came at once: whoever remembers the one before
 * it signs on with that.
 */
async function supersededKey(): Promise<string> {
  await run('keys rotate', ['--lead', '0', '--yes']);
  return madeKid;
}

interface Row {
  command: string;
  good(): string[] | Promise<string[]>;
  /** Of the good call, where it is not 0 everywhere. */
  ends?: number[];
  /** Is asked before, and answered by `--yes`. */
  asks?: true;
  /** Is done after the good call, with what that printed. */
  after?(stdout: string): Promise<void> | void;
  /** Input that it cannot take, its exit code and the code of its error. */
  bad: [argv: () => string[], exitCode: 1 | 2, code: string][];
}

const usage = (...argv: string[]): Row['bad'][number] => [() => argv, 2, 'usage'];
const unknown = (...argv: string[]): Row['bad'][number] => [() => argv, 1, 'not_found'];
const ghostRef = 'a'.repeat(26);
const nobody = 'commands-nobody';

/** Each command, in an order in which each has something to do. */
const rows: Row[] = [
  {
    command: 'apply',
    good: () => ['-f', path('good.json')],
    asks: true,
    after: askEve,
    bad: [
      usage(),
      usage('-f', '/nowhere.json', '--yes'),
      [() => ['-f', path('bad.json'), '--yes'], 2, 'usage'],
      [() => ['-f', path('broken.json'), '--yes'], 2, 'usage'],
      [() => ['-f', path('good.json'), '--prune-limit', 'many', '--yes'], 2, 'usage'],
    ],
  },
  { command: 'client list', good: () => [], bad: [usage('--colour')] },
  {
    command: 'client show',
    good: () => [till.client_id],
    bad: [usage(), unknown(nobody), usage(till.client_id, '--colour')],
  },
  {
    command: 'client rotate-secret',
    good: () => [till.client_id],
    asks: true,
    bad: [
      usage(),
      unknown(nobody, '--yes'),
      usage(till.client_id, '--keep', 'long', '--yes'),
      // Its former secret still lives.
      [() => [till.client_id, '--yes'], 1, 'conflict'],
    ],
  },
  {
    command: 'client disable',
    good: () => [till.client_id],
    asks: true,
    bad: [usage(), unknown(nobody, '--yes')],
  },
  { command: 'client enable', good: () => [till.client_id], bad: [usage(), unknown(nobody)] },
  {
    command: 'client revoke-tokens',
    good: () => [till.client_id],
    asks: true,
    bad: [usage(), unknown(nobody, '--yes')],
  },
  {
    command: 'user list',
    good: () => ['--limit', '5'],
    bad: [usage('--limit', 'many'), usage('--colour')],
  },
  { command: 'user show', good: () => [eve.username], bad: [usage(), unknown(nobody)] },
  {
    command: 'user disable',
    good: () => [eve.username],
    asks: true,
    bad: [usage(), unknown(nobody, '--yes')],
  },
  { command: 'user enable', good: () => [eve.username], bad: [usage(), unknown(nobody)] },
  {
    command: 'user import',
    good: () => [path('good.csv')],
    bad: [usage(), usage('/nowhere.csv'), [() => [path('bad.csv')], 2, 'usage']],
  },
  {
    command: 'user clear-undeliverable',
    good: () => [eve.username],
    bad: [usage(), unknown(nobody)],
  },
  {
    command: 'user clear-limits',
    good: () => [eve.username],
    asks: true,
    bad: [usage(), unknown(nobody, '--yes'), unknown(eve.username, '--client', nobody, '--yes')],
  },
  {
    command: 'user revoke-tokens',
    good: () => [eve.username],
    asks: true,
    bad: [usage(), unknown(nobody, '--yes')],
  },
  {
    command: 'audit list',
    good: () => ['--from', '1h', '--user', eve.username, '--outcome', 'denied'],
    bad: [
      usage('--outcome', 'denyed'),
      usage('--event', 'CIBA Authentication Suceeded'),
      usage('--cause', 'no mial'),
      usage('--from', 'yesterdy'),
      unknown('--user', nobody),
      unknown('--client', nobody),
    ],
  },
  {
    command: 'audit show',
    good: () => [refs.denied],
    bad: [usage(), usage('x'), unknown(ghostRef)],
  },
  {
    command: 'audit stats',
    good: () => ['--from', '1h'],
    bad: [usage('--to', 'tomorow'), unknown('--client', nobody)],
  },
  {
    command: 'audit revoke',
    good: () => [refs.redeemed],
    asks: true,
    bad: [usage(), unknown(ghostRef, '--yes'), [() => [refs.denied, '--yes'], 1, 'failed']],
  },
  // An emulator lacks what an account has, and says so as faults.
  { command: 'doctor', good: () => [], ends: [0, 1], bad: [usage('--colour')] },
  { command: 'flow list', good: () => [], bad: [usage('--colour')] },
  { command: 'keys list', good: () => [], bad: [usage('--colour')] },
  {
    command: 'keys rotate',
    good: () => ['--lead', '0'],
    asks: true,
    after: (stdout) => {
      const { items } = madeKeys.parse(JSON.parse(stdout));
      madeKid = items.find(({ kind }) => kind === 'ES256')?.kid ?? '';
    },
    bad: [usage('--lead', 'soon', '--yes'), usage('--lead', '-1', '--yes')],
  },
  {
    command: 'keys remove',
    good: async () => [await supersededKey()],
    asks: true,
    bad: [usage(), [() => ['nokey', '--yes'], 1, 'failed']],
  },
  { command: 'policy list', good: () => [], bad: [usage('--colour')] },
  { command: 'template list', good: () => [], bad: [usage('--colour')] },
  { command: 'template push', good: () => ['--yes'], bad: [usage('--colour')] },
  {
    command: 'template preview',
    good: () => [template, '--locale', 'de'],
    bad: [usage(), usage('ciba-without-message'), usage(template, '--locale', '-')],
  },
  {
    command: 'template test',
    good: () => [template, '--to', eve.email],
    bad: [usage(template), usage('ciba-without-message', '--to', eve.email)],
  },
  {
    command: 'smoke',
    good: () => [
      ...['--issuer', issuer, '--client-id', till.client_id, '--login-hint', eve.username],
      ...['--client-secret-file', path('secret'), '--mail-store', mailStore],
    ],
    bad: [usage(), usage('--issuer', 'http://op.example')],
  },
  {
    command: 'trace',
    good: () => ['token', 'index.mjs:1:1', '--assembly', folder],
    bad: [
      usage('token'),
      usage('token', 'a.ts:1:1'),
      unknown('token', 'index.mjs:1:1', '--assembly', '/nowhere'),
    ],
  },
  {
    command: 'user remove',
    good: () => ['commands.mallory', eve.username],
    asks: true,
    bad: [usage()],
  },
  { command: 'client remove', good: () => [till.client_id], asks: true, bad: [usage()] },
];

it('O1: every command is tried here, and each with bad input', () => {
  expect(rows.map(({ command }) => command).toSorted()).toEqual(Object.keys(deeds).toSorted());
  expect(rows.filter(({ bad }) => bad.length === 0)).toEqual([]);
});

it('O1: what asks is what the table of deeds says', () => {
  const asking = rows.filter(({ asks }) => asks).map(({ command }) => command);
  // They ask where they stop somebody or something differs, which here they do not.
  const free = ['user import', 'template push'];
  const expected = Object.entries(deeds).filter(([, deed]) => deed.does === 'asks');
  const commands = expected.map(([command]) => command).filter((name) => !free.includes(name));
  expect(asking.toSorted()).toEqual(commands.toSorted());
});

describe.skipIf(awsEndpoint === undefined).each(rows)('O1: ciba $command', (row) => {
  const { command, good, ends = [0], asks, bad } = row;

  if (asks) {
    it('asks, and does nothing where nobody can answer', async () => {
      const { exitCode, stdout, stderr } = await run(command, await good());
      expect([exitCode, stdout]).toEqual([2, '']);
      expectError(stderr, 'usage');
    });
  }

  it('does what it is for, and prints its schema', async () => {
    const { exitCode, stdout, stderr } = await run(command, [
      ...(await good()),
      ...(asks ? ['--yes'] : []),
    ]);
    expect(ends, stderr).toContain(exitCode);
    expect(schemaOf(command).safeParse(JSON.parse(stdout)).error).toBeUndefined();
    await row.after?.(stdout);
  });

  it.each(bad.map(([argv, exitCode, code], index) => ({ index, argv, exitCode, code })))(
    'of bad input ($index) it prints one error of the schema: $exitCode, $code',
    async ({ argv, exitCode: expected, code }) => {
      const { exitCode, stdout, stderr } = await run(command, argv());
      expect([exitCode, stdout], stderr).toEqual([expected, '']);
      expectError(stderr, code);
    },
  );
});

/** The last line of stderr is an error of the schema; those before are notes. */
function expectError(stderr: string, code: string): void {
  const lines = stderr.trimEnd().split('\n');
  const error: unknown = JSON.parse(lines.at(-1) ?? '');
  expect(schemaOf('error').safeParse(error).error).toBeUndefined();
  expect(error).toMatchObject({ error: { code } });
  for (const note of lines.slice(0, -1)) {
    expect(schemaOf('note').safeParse(JSON.parse(note)).error).toBeUndefined();
  }
}
