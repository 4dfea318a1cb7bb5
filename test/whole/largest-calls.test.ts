/**
 * O1: every call of DynamoDB that adapters and commands make with the largest they are given, taken
 * from the client as it is sent, and every item that they leave, against the limits of DynamoDB. No
 * call is listed here by hand: a store whose methods are not all called fails the test, and so does
 * a kind of call in the code that was not met.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askedUsers, replaceHistory } from '../../lambdas/aws/asked-users-table.ts';
import {
  clientDirectory,
  publicKeys,
  undeliverableAddresses,
  userDirectory,
} from '../../lambdas/aws/directory-table.ts';
import { keyStore } from '../../lambdas/aws/keys-table.ts';
import { notificationQuotas } from '../../lambdas/aws/notification-quotas.ts';
import { requestItems, requestsTable } from '../../lambdas/aws/requests-table.ts';
import { usedTokenIds } from '../../lambdas/aws/used-token-ids.ts';
import { CROWDED, MOST_CLIENTS } from '../../lambdas/ciba/policy/notification-policy.ts';
import { SUB_LENGTH } from '../../lambdas/ciba/user/login.ts';
import {
  countOperators,
  MOST_EXPRESSION_BYTES,
  MOST_OPERATORS,
} from '../../lib/local/services/dynamodb-limits.ts';
import { auditTable } from '../../lib/operator/audit/audit-table.ts';
import { createClients } from '../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { readItems } from '../../lib/operator/directory/directory-items.ts';
import { ciba } from '../support/ciba-command.ts';
import { logoUri, pngOfPixels } from '../support/example-images.ts';
import { EXAMPLE_NOW, exampleRequest } from '../support/example-request.ts';
import { operatedDeployment } from '../support/operated-deployment.ts';
import { directoryOf, type TestTables, tablesOnDynalite } from '../support/tables-on-dynalite.ts';

type Call = { command: string; input: Record<string, unknown> };

const calls: Call[] = [];
let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  tables.client.middlewareStack.add(
    (next, { commandName = 'unknown' }) =>
      (args) => {
        calls.push({ command: commandName, input: { ...args.input } });
        return next(args);
      },
    { step: 'initialize' },
  );
});
afterAll(() => tables.stop());

/** The store, and which of its methods nobody has called. */
function watched<Store extends object>(store: Store): { store: Store; uncalled: Set<string> } {
  const uncalled = new Set(Object.keys(store));
  const noting = new Proxy(store, {
    get(target, name, receiver) {
      uncalled.delete(String(name));
      return Reflect.get(target, name, receiver);
    },
  });
  return { store: noting, uncalled };
}

const clientId = 'c'.repeat(64);
const sub = 's'.repeat(SUB_LENGTH);
const now = EXAMPLE_NOW;
const nonce = 'n'.repeat(22);
const hash = 'h'.repeat(43);

async function callRequests(): Promise<Set<string>> {
  const { store, uncalled } = watched(requestsTable(tables.client, 'requests'));
  const request = exampleRequest({ clientId, sub, bindingMessage: 'm'.repeat(64) });
  const { ref, secretHash } = request;
  const owner = { ref, secretHash, clientId };
  const origin = { from: '203.0.113.1', agent: 'a'.repeat(64) };
  await store.create(request);
  await store.stampPoll(owner, now);
  await store.slowDown(ref, 2);
  await store.claimMail({ ref, claimId: nonce, linkNonce: nonce, now, until: now + 15 });
  await store.releaseMail(ref, nonce);
  await store.recordMailed(ref, nonce, now);
  await store.recordMailFailure(ref, 'mail_bounced', now);
  await store.countWrongCode({ ref, linkNonce: nonce, attemptId: nonce, now });
  for (const decision of ['approve', 'deny', 'report'] as const) {
    const typed = { typedMessage: request.bindingMessage };
    await store.decide({
      ref,
      decision,
      linkNonce: nonce,
      contactVersion: 1,
      origin,
      now,
      ...typed,
    });
  }
  const refresh = { hash, endsAt: now + 9, forgetAt: now + 99 };
  await store.redeem({ ...owner, contactVersion: 1, attemptId: nonce, refresh, now });
  await store.recordReplay(owner, now);
  await store.revoke(ref, now);
  await store.fail(ref, 'flow_error', now);
  await store.find(ref);
  const refused = { ...exampleRequest(), clientId, sub, code: 'invalid_request' as const };
  await store.refuse({
    ref: refused.ref,
    clientId,
    sub,
    code: refused.code,
    createdAt: now,
    forgetAt: now,
  });
  const asked = askedUsers(requestItems(tables.client, 'requests'));
  await asked.othersPending(sub, ref, now);
  return uncalled;
}

async function callQuotas(): Promise<Set<string>> {
  const { store, uncalled } = watched(
    notificationQuotas(tables.client, 'requests', {
      names: { nameOf: async () => 'largest' },
      requests: requestsTable(tables.client, 'requests'),
      draw: () => 0,
      unrepeated: tables.client,
    }),
  );
  const recent = Array.from({ length: CROWDED - 2 }, () => {
    const { ref } = exampleRequest();
    return { ref, clientId, at: now, expiresAt: now + 600, deniedAt: now, reported: true as const };
  });
  const mailsOf = Array.from({ length: MOST_CLIENTS - 1 }, (_, index) => ({
    clientId: String(index).padStart(64, 'c'),
    mails: 1000,
  }));
  const history = { day: '2023-11-14', mails: 1_000_000, mailsOf, recent };
  const table = requestItems(tables.client, 'requests');
  await replaceHistory(table, 'asked#largest', history, { version: 0, now });
  const asked = { ref: exampleRequest().ref, clientId, at: now, expiresAt: now + 600 };
  await store.countAsked({ sub }, asked, {});
  await store.countAsked(
    { sub },
    { ...asked, ref: exampleRequest().ref },
    { mailsPerUserPerDay: 1000 },
  );
  await store.uncountAsked({ sub }, asked);
  const mail = { clientId, at: now, mailsPerDay: 1_000_000_000, hasDecoys: true, isDecoy: true };
  const counted = await store.countMail(mail);
  if (counted.outcome === 'counted') await store.uncountMail(counted.counted);
  return uncalled;
}

/** As many keys as are ever read, of the size of RSA. */
const MOST_KEYS = 60;
const kidOf = (index: number) => `kid-${index}`.padEnd(43, 'k');

async function callKeys(): Promise<Set<string>> {
  const { store, uncalled } = watched(keyStore(tables.client, 'keys', 'directory'));
  const times = { createdAt: now, signsFrom: now, usedFrom: now };
  const half = 'n'.repeat(342);
  const keys = Array.from({ length: MOST_KEYS }, (_, index) => ({
    ...{ kid: kidOf(index), ...times, secret: hash },
    jwk: {
      kty: 'RSA',
      n: half,
      e: 'AQAB',
      d: half,
      p: half,
      q: half,
      dp: half,
      dq: half,
      qi: half,
    },
  }));
  for (const alg of ['ES256', 'RS256'] as const) {
    await store.saveSigningKeys(alg, keys as never, 0);
    await store.signingKeys(alg);
  }
  for (const kind of ['link', 'wrap'] as const) {
    await store.saveSecretKeys(kind, keys as never, 0);
    await store.secretKeys(kind);
  }
  const published = keys.map(({ kid }) => ({
    jwk: {
      kty: 'RSA' as const,
      n: half,
      e: 'AQAB',
      kid,
      alg: 'RS256' as const,
      use: 'sig' as const,
    },
    keptUntil: now,
  }));
  await store.savePublishedKeys(published as never, 0);
  await store.publishedKeys();
  await publicKeys(tables.client, 'directory').publicKeys();
  return uncalled;
}

/** Noise, which no compression makes smaller. */
const noise = () => logoUri(pngOfPixels(192, randomBytes(192 * 192 * 4)));

const largestDirectory = (letter: string) => ({
  clients: [
    {
      client_id: clientId,
      client_name: 'n'.repeat(64),
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: 's'.repeat(128),
      logo_uri: noise(),
    },
  ],
  users: Array.from({ length: 120 }, (_, index) => ({
    sub: `${index}`.padStart(SUB_LENGTH, 's'),
    username: `${index}`.padStart(64, 'u'),
    email: `${`${index}`.padStart(60, letter)}@${'d'.repeat(60)}.example`,
    email_verified: true,
  })),
});

async function callDirectory(): Promise<Set<string>> {
  // Twice, since a logo is kept beside the one before it, and logins that are given up are removed.
  for (const directory of [largestDirectory('d'), largestDirectory('e')]) {
    await applyDirectory({
      client: tables.client,
      tableName: 'directory',
      keysTableName: 'keys',
      directory: parseDirectory(directory),
      prune: false,
    });
  }
  const [client, users, marks] = [
    watched(clientDirectory(tables.client, 'directory', () => now)),
    watched(userDirectory(tables.client, 'directory')),
    watched(undeliverableAddresses(tables.client, 'directory')),
  ];
  await client.store.findClient(clientId, 'consistent');
  await client.store.findClientSince(clientId, now + 1);
  await users.store.findUserByLogin('e'.repeat(254));
  const first = '0'.padStart(SUB_LENGTH, 's');
  const contact = { sub: first, contactVersion: 1 };
  await users.store.findUser(first);
  await marks.store.noteUndeliverable(contact, 'mail_bounced', now);
  const burning = usedTokenIds(tables.client, 'requests', {
    clock: () => now,
    entropy: randomBytes,
  });
  await burning.burn('login_hint_token', clientId, { jti: 'j'.repeat(8192), until: now + 60 });
  await readItems(
    directoryOf(tables),
    Array.from({ length: 250 }, (_, i) => `user#${i}${sub}`),
  );
  return new Set([...client.uncalled, ...users.uncalled, ...marks.uncalled]);
}

async function callAudit(): Promise<void> {
  const audit = auditTable(tables.client, 'requests');
  for (const whose of [{}, { clientId }, { sub }, { clientId, sub }]) {
    for await (const { ref } of audit.list({ from: now - 9, to: now + 9, ...whose })) {
      await audit.find(ref);
    }
  }
  await audit.read(Array.from({ length: 250 }, () => exampleRequest()));
}

/** Every command that reads or writes tables, at the largest directory. */
async function runCommands(): Promise<void> {
  const deployment = operatedDeployment(
    {
      DirectoryTable: 'directory',
      RequestsTable: 'requests',
      KeysTable: 'keys',
      Issuer: 'https://id.example',
      NotificationPolicy: 'none',
      NotificationPolicies: JSON.stringify({ none: {} }),
    },
    { ...createClients(), dynamodb: tables.client },
  );
  const run = async (...argv: string[]) => {
    const { exitCode, stderr } = await ciba(argv, {
      deployment,
      clock: () => now + 1000 * 86_400,
    });
    if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  };
  await run('keys', 'list', '--json');
  await run('keys', 'remove', kidOf(1), '--yes');
  for (const kind of ['client', 'user']) await run(kind, 'list');
  await run('client', 'disable', clientId, '--yes');
  await run('user', 'show', '0'.padStart(SUB_LENGTH, 's'));
  await run('user', 'revoke-tokens', '0'.padStart(SUB_LENGTH, 's'), '--yes');
  await run('user', 'clear-undeliverable', '0'.padStart(SUB_LENGTH, 's'));
  await run('user', 'clear-limits', '0'.padStart(SUB_LENGTH, 's'), '--yes');
}

/** The kinds of calls that the code makes, by the names of their commands. */
function commandsOfCode(): Set<string> {
  const files = ['lambdas/aws', 'lib/operator'].flatMap((folder) =>
    readdirSync(new URL(`../../${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(`../../${folder}/${name}`, import.meta.url), 'utf8')),
  );
  const made = /new ((?:\w+Item|\w*Items|Query|Scan|ExecuteStatement)Command)\(/g;
  return new Set(files.flatMap((text) => [...text.matchAll(made)].map(([, name = '']) => name)));
}

interface Expression {
  of: string;
  text: string;
}

/** What is an expression by its name, wherever in the input. */
function expressionsIn(command: string, input: object): Expression[] {
  return Object.entries(input).flatMap(([name, value]) => {
    if (name.endsWith('Expression')) return [{ of: `${command} ${name}`, text: String(value) }];
    return typeof value === 'object' && value !== null ? expressionsIn(command, value) : [];
  });
}

function batchSizes({ input }: Call): number[] {
  return Object.values(Object(input['RequestItems'])).map((asked) => Object(asked).Keys.length);
}

/** As DynamoDB counts: names and values, and what lists and maps have besides. */
function sizeOf(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.length;
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  const members = value.L ?? Object.values(value.M ?? {});
  const names = Buffer.byteLength(Object.keys(value.M ?? {}).join(''));
  return members.reduce((sum, member) => sum + 1 + sizeOf(member), 3 + names);
}

async function storedItems(): Promise<Record<string, AttributeValue>[]> {
  const found: Record<string, AttributeValue>[] = [];
  for (const TableName of ['requests', 'directory', 'keys']) {
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await tables.client.send(
        new ScanCommand({ TableName, ExclusiveStartKey: start }),
      );
      found.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start);
  }
  return found;
}

it('O1: every expression, key, item and batch is within the limits of DynamoDB at its largest', async () => {
  const uncalled = [
    ...(await callKeys()),
    ...(await callRequests()),
    ...(await callQuotas()),
    ...(await callDirectory()),
  ];
  await callAudit();
  await runCommands();
  expect(uncalled).toEqual([]);
  expect([...commandsOfCode()].filter((one) => !calls.some((c) => c.command === one))).toEqual([]);

  const expressions = calls.flatMap(({ command, input }) => expressionsIn(command, input));
  const over = expressions.filter(
    ({ text }) =>
      Buffer.byteLength(text) >= MOST_EXPRESSION_BYTES || countOperators(text) >= MOST_OPERATORS,
  );
  expect(over).toEqual([]);
  // What is measured is what is made: the longest is the one that was too long once.
  const longest = Math.max(...expressions.map(({ text }) => Buffer.byteLength(text)));
  expect(longest).toBeGreaterThan(2000);

  expect(Math.max(...calls.flatMap(batchSizes))).toBe(100);
  const items = await storedItems();
  const keys = items.map((item) => Buffer.byteLength((item['pk'] ?? item['ref'])?.S ?? ''));
  expect(Math.max(...keys)).toBeLessThan(2048);
  const sizes = items.map((item) => sizeOf({ M: item }));
  expect(Math.max(...sizes)).toBeGreaterThan(250 * 1024);
  expect(Math.max(...sizes)).toBeLessThan(400 * 1024);
});
