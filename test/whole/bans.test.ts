/**
 * What the linter bans, such as the clock in the protocol; imports have a law in test/rooms. Each
 * ban is broken once in a copy of the project's tree, and the linter has to say so, and to pass the
 * rest.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

const project = fileURLToPath(new URL('../..', import.meta.url));

interface Ban {
  /** What is banned, and where. */
  ban: string;
  /** Where its statements stand; a file serves one ban. */
  file: string;
  /** The linter's rules that see to it. */
  rules: string[];
  allowed: string[];
  refused: string[];
}

/** What a room may not do, and what no file may. */
const bans: Ban[] = [
  {
    ban: 'the clock and randomness in lambdas/ciba',
    file: 'lambdas/ciba/request/rules.ts',
    rules: ['plugin'],
    allowed: [
      'export const shown = new Date(1_700_000_000_000).toISOString();',
      'export const parsed = Date.parse("2026-01-01");',
      'export const later = Math.max(1, 2);',
      'export const claims = jwtVerify(token, key, { currentDate: new Date(now * 1000) });',
    ],
    refused: [
      'export const a = Date.now();',
      'export const clock = Date.now;',
      'export const b = Date?.now();',
      `export const c = Date['now']();`,
      'export const { now } = Date;',
      'export const d = new Date();',
      'export const e = new Date;',
      'export const f = Date();',
      'export const g = Math.random();',
      `export const h = Math['random']();`,
      'export const { random } = Math;',
      'export const i = jwtVerify(token, key, { algorithms });',
    ],
  },
  {
    ban: 'the globals of the outside in lambdas/ciba',
    file: 'lambdas/ciba/user.ts',
    rules: ['lint/style/noRestrictedGlobals'],
    allowed: ['export const url = new URL("https://op.example");'],
    refused: [
      'export const a = process.env;',
      'export const b = process.hrtime();',
      'export const c = crypto.randomUUID();',
      'export const d = crypto.getRandomValues(new Uint8Array(1));',
      'export const e = globalThis.crypto;',
      'export const f = performance.now();',
      'export const g = setTimeout(() => 1, 1);',
      'export const h = await fetch(url);',
    ],
  },
  {
    ban: 'values in lambdas/ports.ts',
    file: 'lambdas/ports.ts',
    rules: ['plugin'],
    allowed: [
      `export type { Client } from './ciba/client/client.ts';`,
      '/** A docblock. */\nexport interface Store {\n  read(): void;\n}',
      'export type Clock = () => number;',
    ],
    refused: [
      `export { normalise } from './ciba/user/user.ts';`,
      'export const LEASE_SECONDS = 30;',
      'export function read() {}',
      `export const disguised = 'export type X';`,
    ],
  },
  ...['lambdas/aws/keys.ts', 'lib/stack.ts'].map((file) => ({
    ban: `imports inside a type: ${file}`,
    file,
    rules: ['plugin'],
    allowed: ['export type Key = string;'],
    refused: [`export type Key = import('node:crypto').KeyObject;`],
  })),
  ...[
    'lambdas/aws/ses.ts',
    'lambdas/tasks/mail.ts',
    'lambdas/handlers/mail.ts',
    'lambdas/handlers/environments/mail.ts',
    'lib/alarms.ts',
  ].map((file) => ({
    ban: `process.env in ${file}`,
    file,
    rules: ['lint/style/noProcessEnv'],
    allowed: ['export const a = 1;'],
    refused: ['export const b = process.env.SENDER;'],
  })),
  ...[
    'lambdas/handlers/environments/read-environment.ts',
    'bin/local.ts',
    'lib/local/environment.ts',
  ].map((file) => ({
    ban: `nothing of the environment in ${file}`,
    file,
    rules: ['lint/style/noProcessEnv'],
    allowed: ['export const b = process.env.SENDER;'],
    refused: [],
  })),
  {
    ban: 'console in an endpoint',
    file: 'lambdas/endpoints/approve.ts',
    rules: ['lint/suspicious/noConsole'],
    allowed: ['export const a = 1;'],
    refused: ['console.log(1);', 'console.error(1);'],
  },
  ...['lambdas/log.ts', 'bin/ciba.ts'].map((file) => ({
    ban: `no console in ${file}, which writes for others`,
    file,
    rules: ['lint/suspicious/noConsole'],
    allowed: ['console.log(1);'],
    refused: [],
  })),
  {
    ban: 'default exports',
    file: 'lib/default.ts',
    rules: ['lint/style/noDefaultExport'],
    allowed: ['export const a = 1;'],
    refused: ['export default 1;'],
  },
  {
    ban: 'imports without extension',
    file: 'lambdas/ciba/extension.ts',
    rules: ['lint/correctness/useImportExtensions'],
    allowed: [`import { a } from './existing.ts';`],
    refused: [`import { a } from './existing';`],
  },
  {
    ban: 'value imports of types',
    file: 'lambdas/ciba/client.ts',
    rules: ['lint/style/useImportType'],
    allowed: [`import type { Client } from './existing.ts';\nexport type A = Client;`],
    refused: [`import { Claims } from './existing.ts';\nexport type B = Claims;`],
  },
  {
    ban: 'packages that package.json does not name',
    file: 'lib/local/packages.ts',
    rules: ['lint/correctness/noUndeclaredDependencies'],
    allowed: [`import dynalite from 'dynalite';`],
    refused: [`import lodash from 'lodash';`],
  },
  {
    ban: 'development packages in what is deployed',
    file: 'lambdas/aws/packages.ts',
    rules: ['lint/correctness/noUndeclaredDependencies'],
    allowed: [`import { jwtVerify } from 'jose';`],
    refused: [`import dynalite from 'dynalite';`],
  },
  {
    ban: 'names that are not in kebab-case',
    file: 'lambdas/ciba/camelCase.ts',
    rules: ['lint/style/useFilenamingConvention'],
    allowed: [],
    refused: ['export const a = 1;'],
  },
  {
    ban: 'import cycles',
    file: 'lambdas/ciba/cycle.ts',
    rules: ['lint/suspicious/noImportCycles'],
    allowed: [],
    refused: [`import { back } from './cycle-back.ts';`],
  },
  {
    ban: 'promises that nobody waits for, and misused ones',
    file: 'lambdas/tasks/promises.ts',
    rules: ['lint/nursery/'],
    allowed: ['async function work() { return true; }', 'await work();'],
    refused: ['work();', 'if (work()) { f(); }'],
  },
  {
    ban: 'a switch that forgets a case',
    file: 'lambdas/ciba/exhaustive.ts',
    rules: ['lint/nursery/useExhaustiveSwitchCases'],
    allowed: [`type Status = 'pending' | 'approved';`],
    refused: [`export function f(s: Status) { switch (s) { case 'pending': return 1; } }`],
  },
];

/** What the rules about cycles and extensions need to find on disk. */
const neighbours = {
  'lambdas/ciba/existing.ts':
    'export const a = 1; export interface Client {} export interface Claims {}',
  'lambdas/ciba/cycle-back.ts': `import { there } from './cycle.ts'; export const back = there;`,
};

const report = z.object({
  diagnostics: z.array(
    z.object({
      category: z.string(),
      severity: z.string(),
      location: z.object({ path: z.string(), start: z.object({ line: z.number() }) }),
    }),
  ),
});
type Diagnostic = z.infer<typeof report>['diagnostics'][number];

/** The line of what the linter says about a file as such. */
const WHOLE_FILE = 0;

let tree = '';
let diagnostics: Diagnostic[] = [];

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'bans-'));
  for (const settings of ['.biome.jsonc', '.biome', '.gitignore', 'package.json']) {
    await cp(join(project, settings), join(tree, settings), { recursive: true });
  }
  for (const { file, allowed, refused } of bans) {
    await write(file, [...allowed, ...refused].join('\n'));
  }
  for (const [file, source] of Object.entries(neighbours)) await write(file, source);
  diagnostics = await lint();
});
afterAll(() => rm(tree, { recursive: true, force: true }));

describe.each(bans)('$ban', (ban) => {
  const { allowed, refused } = ban;
  it.each(allowed)('allows %s', (statement) => {
    expect(breaches(ban, statement)).toEqual([]);
  });

  it.each(refused)('refuses %s', (statement) => {
    expect(breaches(ban, statement)).toContainEqual(expect.objectContaining({ severity: 'error' }));
  });
});

it('has one ban for each file', () => {
  expect(new Set(bans.map(({ file }) => file)).size).toBe(bans.length);
});

/** What the linter says about the lines of a statement, by the rules of its ban. */
function breaches({ file, rules, allowed, refused }: Ban, statement: string): Diagnostic[] {
  const statements = [...allowed, ...refused];
  const before = statements.slice(0, statements.indexOf(statement));
  const first = before.join('\n').split('\n').length + (before.length > 0 ? 1 : 0);
  const last = first + statement.split('\n').length - 1;
  return diagnostics.filter(
    ({ category, location: { path, start } }) =>
      path === file &&
      (start.line === WHOLE_FILE || (start.line >= first && start.line <= last)) &&
      rules.some((rule) => category.startsWith(rule)),
  );
}

async function write(file: string, source: string): Promise<void> {
  await mkdir(dirname(join(tree, file)), { recursive: true });
  await writeFile(join(tree, file), `${source}\n`);
}

/** One run over the whole tree. It ends with 1, because the tree is full of breaches. */
function lint(): Promise<Diagnostic[]> {
  const biome = join(project, 'node_modules/@biomejs/biome/bin/biome');
  const options = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [biome, ...options],
      { cwd: tree, maxBuffer: 64 * 1024 * 1024 },
      (_, stdout, stderr) => {
        const parsed = report.safeParse(JSON.parse(stdout || 'null'));
        if (parsed.success) resolve(parsed.data.diagnostics);
        else reject(new Error(`the linter did not run: ${stderr}`));
      },
    );
  });
}
