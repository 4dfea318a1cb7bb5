/**
 * The import law: which room may import what, and what the protocol may not touch. Each line of it is offended once, in a
 * copy of the project's tree, and the linter has to say so; what is allowed it has to let pass.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

const project = fileURLToPath(new URL('..', import.meta.url));

interface Law {
  /** What the law is about: a room, or what is banned. */
  law: string;
  /** Where its statements stand; a file serves one law. */
  file: string;
  /** The linter's rules that keep it. */
  rules: string[];
  allowed: string[];
  refused: string[];
}

const importRules = ['lint/style/noRestrictedImports', 'plugin'];

const cdk = `import { Stack } from 'aws-cdk-lib';`;
const sdk = `import { DynamoDBClient } from '@aws-sdk/client-dynamodb';`;
const zodMini = `import * as z from 'zod/mini';`;

/** The rooms, row by row: what each may import, and what never. */
const rooms: Law[] = [
  {
    law: 'lambdas/ciba',
    file: 'lambdas/ciba/poll.ts',
    rules: importRules,
    allowed: [
      `import { now } from './clock.ts';`,
      zodMini,
      `import { importJWK, jwtVerify, type JWK } from 'jose';`,
      `import { createHash, createHmac, timingSafeEqual } from 'node:crypto';`,
    ],
    refused: [
      `import type { Clock } from '../ports.ts';`,
      `import { token } from '../endpoints/token.ts';`,
      `import { mail } from '../tasks/mail.ts';`,
      `import { table } from '../aws/table.ts';`,
      `import { handler } from '../handlers/token.ts';`,
      `import { readForm } from '../http/form.ts';`,
      `import { log } from '../log.ts';`,
      `import { routes } from '../routes.ts';`,
      `import { table } from './../aws/table.ts';`,
      `import { table } from './rules/../../aws/table.ts';`,
      `import '../aws/table.ts';`,
      `export { table } from '../aws/table.ts';`,
      `const table = await import('../aws/table.ts');`,
      sdk,
      cdk,
      `import { readFile } from 'node:fs/promises';`,
      `import { request } from 'node:https';`,
      `import { randomBytes } from 'node:crypto';`,
      `import { randomUUID as id } from 'node:crypto';`,
      `import { webcrypto } from 'node:crypto';`,
      `import * as crypto from 'node:crypto';`,
      `import crypto from 'node:crypto';`,
      `import { SignJWT } from 'jose';`,
      `import { generateSecret } from 'jose';`,
      `import { createRemoteJWKSet } from 'jose';`,
      `import * as jose from 'jose';`,
      `import * as z from 'zod';`,
    ],
  },
  {
    law: 'lambdas/ports.ts',
    file: 'lambdas/ports.ts',
    rules: importRules,
    allowed: [
      `import type { User } from './ciba/user.ts';`,
      `import type { KeyObject } from 'node:crypto';`,
      `import type {\n  Client,\n} from './ciba/client.ts';`,
      `import type * as users from './ciba/user.ts';`,
      `export type { Client } from './ciba/client.ts';`,
      '/** A docblock. */\nexport interface Store {\n  read(): void;\n}',
      'export type Clock = () => number;',
    ],
    refused: [
      `import type { Form } from './http/form.ts';`,
      `import type { Table } from './aws/table.ts';`,
      `import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';`,
      `import type { Hash } from 'node:crypto';`,
      `import { normalise } from './ciba/user.ts';`,
      `import { type User } from './ciba/user.ts';`,
      `import './ciba/user.ts';`,
      `export { normalise } from './ciba/user.ts';`,
      'export const LEASE_SECONDS = 30;',
      'export function read() {}',
      `export const disguised = 'export type X';`,
      `const users = await import('./ciba/user.ts');`,
    ],
  },
  ...['lambdas/endpoints', 'lambdas/tasks'].map((room) => ({
    law: room,
    file: `${room}/token.ts`,
    rules: importRules,
    allowed: [
      `import { page } from './page.ts';`,
      `import { judgePoll } from '../ciba/poll.ts';`,
      `import type { Clock } from '../ports.ts';`,
      `import { readForm } from '../http/form.ts';`,
      `import type { Log } from '../log.ts';`,
      `import { routes } from '../routes.ts';`,
      `import { createHash } from 'node:crypto';`,
      zodMini,
    ],
    refused: [
      `import { table } from '../aws/table.ts';`,
      `import type { Table } from '../aws/table.ts';`,
      `import { table } from '../ciba/../aws/table.ts';`,
      `import { tokenEnvironment } from '../handlers/environments/token.ts';`,
      `import { randomBytes } from 'node:crypto';`,
      `import { readFileSync } from 'node:fs';`,
      sdk,
      cdk,
    ],
  })),
  {
    law: 'lambdas/http',
    file: 'lambdas/http/form.ts',
    rules: importRules,
    allowed: [
      `import { OAuthError } from '../ciba/oauth-error.ts';`,
      `import type { Log } from '../log.ts';`,
      `import type { Clock } from '../ports.ts';`,
      zodMini,
    ],
    refused: [
      `import { token } from '../endpoints/token.ts';`,
      `import { mail } from '../tasks/mail.ts';`,
      `import { table } from '../aws/table.ts';`,
      `import { handler } from '../handlers/token.ts';`,
      sdk,
      cdk,
    ],
  },
  {
    law: 'lambdas/aws',
    file: 'lambdas/aws/table.ts',
    rules: importRules,
    allowed: [
      `import type { Clock } from '../ports.ts';`,
      `import { poll } from '../ciba/rules.ts';`,
      `import { update } from './update.ts';`,
      `import { createSign } from 'node:crypto';`,
      `import { promisify } from 'node:util';`,
      zodMini,
      sdk,
    ],
    refused: [
      `import { token } from '../endpoints/token.ts';`,
      `import { mail } from '../tasks/mail.ts';`,
      `import { readForm } from '../http/form.ts';`,
      `import { tokenEnvironment } from '../handlers/environments/token.ts';`,
      cdk,
    ],
  },
  {
    law: 'lambdas/aws/formats.ts, which the constructs import',
    file: 'lambdas/aws/formats.ts',
    rules: importRules,
    allowed: [
      `import type { SigningAlgorithm } from '../ciba/client.ts';`,
      `import { DEFAULT_LOCALE } from '../ciba/locale.ts';`,
    ],
    refused: [
      `import { table } from './table.ts';`,
      `import type { Clock } from '../ports.ts';`,
      `import { table } from '../ciba/../aws/table.ts';`,
      `import { createHash } from 'node:crypto';`,
      zodMini,
      sdk,
      cdk,
    ],
  },
  {
    law: 'lambdas/handlers',
    file: 'lambdas/handlers/token.ts',
    rules: importRules,
    allowed: [
      `import { readEnvironment } from './environments/read-environment.ts';`,
      `import { judgePoll } from '../ciba/poll.ts';`,
      `import { token } from '../endpoints/token.ts';`,
      `import { mail } from '../tasks/mail.ts';`,
      `import { readForm } from '../http/form.ts';`,
      `import { table } from '../aws/table.ts';`,
      `import type { Clock } from '../ports.ts';`,
      `import { log } from '../log.ts';`,
      `import { routes } from '../routes.ts';`,
      `import { randomBytes } from 'node:crypto';`,
      sdk,
    ],
    refused: [
      cdk,
      `import { Construct } from 'constructs';`,
      `import { ProviderStack } from '../../lib/provider-stack.ts';`,
    ],
  },
  {
    law: 'lambdas/handlers/environments, of which the constructs take the types',
    file: 'lambdas/handlers/environments/token.ts',
    rules: importRules,
    allowed: [
      `import { text } from './variables.ts';`,
      `import { flowPolicies } from '../../ciba/flow-policy.ts';`,
      zodMini,
    ],
    refused: [
      `import { runtime } from '../runtime.ts';`,
      `import { handler } from '../token.ts';`,
      `import { table } from '../../aws/table.ts';`,
      `import { table } from '../../ciba/../aws/table.ts';`,
      `import type { Clock } from '../../ports.ts';`,
      `import { randomBytes } from 'node:crypto';`,
      sdk,
      cdk,
    ],
  },
  ...['lambdas/log.ts', 'lambdas/routes.ts'].map((file) => ({
    law: file,
    file,
    rules: [...importRules, 'lint/suspicious/noConsole'],
    allowed: file === 'lambdas/log.ts' ? ['console.log(1);'] : [],
    refused: [`import { judgePoll } from './ciba/poll.ts';`, zodMini, sdk],
  })),
  ...['lib/http-endpoints.ts', 'lib/notification-templates/compile.ts'].map((file) => {
    const up = file.split('/').length === 2 ? '..' : '../..';
    return {
      law: `lib, the constructs: ${file}`,
      file,
      rules: importRules,
      allowed: [
        cdk,
        `import { Table } from 'aws-cdk-lib/aws-dynamodb';`,
        `import { Construct } from 'constructs';`,
        `import { AwsSolutionsChecks } from 'cdk-nag';`,
        `import { alarms } from './alarms.ts';`,
        `import { routes } from '${up}/lambdas/routes.ts';`,
        `import { EXPIRES_IN_BOUNDS } from '${up}/lambdas/ciba/client.ts';`,
        `import type { User } from '${up}/lambdas/ciba/user.ts';`,
        `import { directoryKey } from '${up}/lambdas/aws/formats.ts';`,
        `import type { TokenEnvironment } from '${up}/lambdas/handlers/environments/token.ts';`,
        `import { readFileSync } from 'node:fs';`,
        `import * as z from 'zod';`,
      ],
      refused: [
        `import { handler } from '${up}/lambdas/handlers/token.ts';`,
        `import { token } from '${up}/lambdas/endpoints/token.ts';`,
        `import { mail } from '${up}/lambdas/tasks/mail.ts';`,
        `import { table } from '${up}/lambdas/aws/table.ts';`,
        `import { table } from '${up}/lambdas/ciba/../aws/table.ts';`,
        `import { formats } from '${up}/lambdas/aws/bundling/formats.ts';`,
        `import type { Clock } from '${up}/lambdas/ports.ts';`,
        `import { jwtVerify } from 'jose';`,
        sdk,
      ],
    };
  }),
  {
    law: 'lib, the constructs, towards the other rooms of lib',
    file: 'lib/provider-stack.ts',
    rules: importRules,
    allowed: [`import { compile } from './notification-templates/compile.ts';`],
    refused: [
      `import { apply } from './operator/apply.ts';`,
      `import { serve } from './local/serve.ts';`,
      `import { pump } from './demo/pump.ts';`,
    ],
  },
  {
    law: 'lib/operator',
    file: 'lib/operator/apply.ts',
    rules: importRules,
    allowed: [
      `import { plan } from './plan.ts';`,
      `import { table } from '../../lambdas/aws/table.ts';`,
      `import { clientRegistration } from '../../lambdas/ciba/client-registration.ts';`,
      `import type { Clock } from '../../lambdas/ports.ts';`,
      `import { Command } from 'commander';`,
      `import { routes } from '../../lambdas/routes.ts';`,
      `import { compileNotificationTemplates } from '../notification-templates/compile.ts';`,
      `import { decodeText } from '../decode-text.ts';`,
      `import open from 'open';`,
      `import { SingleBar } from 'cli-progress';`,
      `import Table from 'cli-table3';`,
      `import { parse } from 'csv-parse/sync';`,
      `import { parseDocument } from 'yaml';`,
      `import { readFile } from 'node:fs/promises';`,
      `import { jwtVerify } from 'jose';`,
      `import * as z from 'zod';`,
      sdk,
    ],
    refused: [
      cdk,
      `import { Construct } from 'constructs';`,
      `import { ProviderStack } from '../provider-stack.ts';`,
      `import { token } from '../../lambdas/endpoints/token.ts';`,
      `import { mail } from '../../lambdas/tasks/mail.ts';`,
      `import { handler } from '../../lambdas/handlers/token.ts';`,
      `import { serve } from '../local/serve.ts';`,
    ],
  },
  {
    law: 'lib/operator/commands',
    file: 'lib/operator/commands/keys.ts',
    rules: importRules,
    allowed: [
      `import { examples } from './examples.ts';`,
      `import { listKeys } from '../keys.ts';`,
      `import { Command } from 'commander';`,
      `import { readFile } from 'node:fs/promises';`,
      `import * as z from 'zod';`,
    ],
    refused: [
      `import { table } from '../../../lambdas/aws/table.ts';`,
      `import { poll } from '../../../lambdas/ciba/poll.ts';`,
      `import { ProviderStack } from '../../provider-stack.ts';`,
      `import { serve } from '../../local/serve.ts';`,
      sdk,
      cdk,
    ],
  },
  {
    law: 'lib/local',
    file: 'lib/local/serve.ts',
    rules: importRules,
    allowed: [
      `import { apply } from '../operator/apply.ts';`,
      `import { readFlow } from '../flow-language.ts';`,
      `import dynalite from 'dynalite';`,
      `import mail from 'aws-ses-v2-local';`,
      `import { clearStore } from 'aws-ses-v2-local/dist/store.js';`,
      `import { AsnConvert } from '@peculiar/asn1-schema';`,
      `import { Certificate } from '@peculiar/asn1-x509';`,
      `import { Worker } from 'node:worker_threads';`,
      `import { readFile } from 'node:fs/promises';`,
      `import * as z from 'zod';`,
      sdk,
    ],
    refused: [
      `import { routes } from '../../lambdas/routes.ts';`,
      `import { table } from '../../lambdas/aws/table.ts';`,
      `import { handler } from '../../lambdas/handlers/token.ts';`,
      `import { ProviderStack } from '../provider-stack.ts';`,
      `import { pump } from '../demo/pump.ts';`,
      cdk,
    ],
  },
  {
    law: 'lib/demo',
    file: 'lib/demo/pump.ts',
    rules: importRules,
    allowed: [
      `import * as client from 'openid-client';`,
      `import { createServer } from 'node:http';`,
      `import { screen } from './screen.ts';`,
    ],
    refused: [
      `import { routes } from '../../lambdas/routes.ts';`,
      `import { judgePoll } from '../../lambdas/ciba/poll.ts';`,
      `import { apply } from '../operator/apply.ts';`,
      `import { serve } from '../local/serve.ts';`,
      `import { ProviderStack } from '../provider-stack.ts';`,
      sdk,
      cdk,
    ],
  },
];

/** What a room may not do, and what no file may. */
const bans: Law[] = [
  {
    law: 'the clock and randomness in lambdas/ciba',
    file: 'lambdas/ciba/rules.ts',
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
    law: 'the globals of the outside in lambdas/ciba',
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
  ...['lib/token-endpoint.ts', 'lib/tasks/mail.ts'].map((file) => ({
    law: `the schema of the environment in lib: ${file}`,
    file,
    rules: ['plugin'],
    allowed: [
      `import type { MailEnvironment } from '../lambdas/handlers/environments/mail.ts';`,
      `import type {\n  MailEnvironment as Environment,\n} from '../lambdas/handlers/environments/mail.ts';`,
    ],
    refused: [
      `import { mailEnvironment } from '../lambdas/handlers/environments/mail.ts';`,
      `import {\n  type MailEnvironment,\n} from '../lambdas/handlers/environments/mail.ts';`,
      `import * as environment from '../lambdas/handlers/environments/mail.ts';`,
      `import { readEnvironment } from '../lambdas/handlers/environments/read-environment.ts';`,
    ],
  })),
  ...['lambdas/aws/keys.ts', 'lib/stack.ts'].map((file) => ({
    law: `imports inside a type: ${file}`,
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
    law: `process.env in ${file}`,
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
    law: `nothing of the environment in ${file}`,
    file,
    rules: ['lint/style/noProcessEnv'],
    allowed: ['export const b = process.env.SENDER;'],
    refused: [],
  })),
  {
    law: 'console in an endpoint',
    file: 'lambdas/endpoints/approve.ts',
    rules: ['lint/suspicious/noConsole'],
    allowed: ['export const a = 1;'],
    refused: ['console.log(1);', 'console.error(1);'],
  },
  {
    law: 'console in bin, which speaks to a person',
    file: 'bin/ciba.ts',
    rules: ['lint/suspicious/noConsole'],
    allowed: ['console.log(1);'],
    refused: [],
  },
  {
    law: 'default exports',
    file: 'lib/default.ts',
    rules: ['lint/style/noDefaultExport'],
    allowed: ['export const a = 1;'],
    refused: ['export default 1;'],
  },
  {
    law: 'imports without extension',
    file: 'lambdas/ciba/extension.ts',
    rules: ['lint/correctness/useImportExtensions'],
    allowed: [`import { a } from './existing.ts';`],
    refused: [`import { a } from './existing';`],
  },
  {
    law: 'value imports of types',
    file: 'lambdas/ciba/client.ts',
    rules: ['lint/style/useImportType'],
    allowed: [`import type { Client } from './existing.ts';\nexport type A = Client;`],
    refused: [`import { Claims } from './existing.ts';\nexport type B = Claims;`],
  },
  {
    law: 'packages that package.json does not name',
    file: 'lib/local/packages.ts',
    rules: ['lint/correctness/noUndeclaredDependencies'],
    allowed: [`import dynalite from 'dynalite';`],
    refused: [`import lodash from 'lodash';`],
  },
  {
    law: 'development packages in what is deployed',
    file: 'lambdas/aws/packages.ts',
    rules: ['lint/correctness/noUndeclaredDependencies'],
    allowed: [`import { jwtVerify } from 'jose';`],
    refused: [`import dynalite from 'dynalite';`],
  },
  {
    law: 'names that are not in kebab-case',
    file: 'lambdas/ciba/camelCase.ts',
    rules: ['lint/style/useFilenamingConvention'],
    allowed: [],
    refused: ['export const a = 1;'],
  },
  {
    law: 'import cycles',
    file: 'lambdas/ciba/cycle.ts',
    rules: ['lint/suspicious/noImportCycles'],
    allowed: [],
    refused: [`import { back } from './cycle-back.ts';`],
  },
  {
    law: 'promises that nobody waits for, and misused ones',
    file: 'lambdas/tasks/promises.ts',
    rules: ['lint/nursery/'],
    allowed: ['async function work() { return true; }', 'await work();'],
    refused: ['work();', 'if (work()) { f(); }'],
  },
  {
    law: 'a switch that forgets a case',
    file: 'lambdas/ciba/exhaustive.ts',
    rules: ['lint/nursery/useExhaustiveSwitchCases'],
    allowed: [`type Status = 'pending' | 'approved';`],
    refused: [`export function f(s: Status) { switch (s) { case 'pending': return 1; } }`],
  },
];

const laws = [...rooms, ...bans];

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
  tree = await mkdtemp(join(tmpdir(), 'import-law-'));
  for (const settings of ['.biome.jsonc', '.biome', '.gitignore', 'package.json']) {
    await cp(join(project, settings), join(tree, settings), { recursive: true });
  }
  for (const { file, allowed, refused } of laws) {
    await write(file, [...allowed, ...refused].join('\n'));
  }
  for (const [file, source] of Object.entries(neighbours)) await write(file, source);
  diagnostics = await lint();
});
afterAll(() => rm(tree, { recursive: true, force: true }));

describe.each(laws)('$law', (law) => {
  const { allowed, refused } = law;
  it.each(allowed)('allows %s', (statement) => {
    expect(breaches(law, statement)).toEqual([]);
  });

  it.each(refused)('refuses %s', (statement) => {
    expect(breaches(law, statement)).toContainEqual(expect.objectContaining({ severity: 'error' }));
  });
});

it('has one law for each file', () => {
  expect(new Set(laws.map(({ file }) => file)).size).toBe(laws.length);
});

/** What the linter says about the lines of a statement, by the rules of its law. */
function breaches({ file, rules, allowed, refused }: Law, statement: string): Diagnostic[] {
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
