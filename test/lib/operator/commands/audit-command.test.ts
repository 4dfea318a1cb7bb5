/**
 * `ciba audit` on real tables: what it lists, tells, counts, follows and revokes, and what it makes
 * of bad input.
 */
import type { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestsTable } from '../../../../lambdas/aws/requests-table.ts';
import { overLimitCause } from '../../../../lambdas/ciba/policy/over-limit.ts';
import type { PendingRequest } from '../../../../lambdas/ciba/request/authentication-request.ts';
import type { RefusedRequest } from '../../../../lambdas/ciba/request/refused-request.ts';
import type { AuthenticationRequestStore } from '../../../../lambdas/ports.ts';
import { revokeRefreshTokenTask } from '../../../../lambdas/tasks/revoke-refresh-token.ts';
import { askedOutcomes } from '../../../../lib/operator/audit/audit-selection.ts';
import { auditTable } from '../../../../lib/operator/audit/audit-table.ts';
import { followAudit } from '../../../../lib/operator/audit/follow-audit.ts';
import { auditCauses } from '../../../../lib/operator/audit/tell-outcome.ts';
import type { Deployment } from '../../../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { revokeTokens } from '../../../../lib/operator/directory/revoke-tokens.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { generateClientKey } from '../../../support/example-jwts.ts';
import { exampleRequest } from '../../../support/example-request.ts';
import {
  answeredClients,
  awsError,
  operatedDeployment,
} from '../../../support/operated-deployment.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import {
  directoryOf,
  type TestTables,
  tablesOnDynalite,
} from '../../../support/tables-on-dynalite.ts';

/** 15 January 2027, 08:00 UTC. */
const now = 1_800_000_000;
const CAUSE = overLimitCause({ limit: 'mailsPerUserPerDay', ofShare: true });

const clientKey = generateClientKey('ES256', { kid: 'k1' });

let tables: TestTables;
let store: AuthenticationRequestStore;
let deployment: Deployment;

/**
 * The only call but to DynamoDB: of the function that ends refresh tokens, as the stack deploys it.
 */
async function invokeRevocation(command: string, input: unknown): Promise<object> {
  expect(command).toBe('InvokeCommand');
  const { FunctionName, Payload } = input as { FunctionName: string; Payload: Uint8Array };
  expect(FunctionName).toBe('revoke');
  const task = revokeRefreshTokenTask({ requests: store, clock: () => now, log: () => {} });
  const answer = await task(JSON.parse(String(Payload)));
  return { Payload: Buffer.from(JSON.stringify(answer)) };
}

/** Refs by what became of the request, in the order in which they were asked. */
const made: Record<string, string> = {};

beforeAll(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  store = requestsTable(tables.client, 'requests');
  deployment = operatedDeployment(
    {
      RequestsTable: 'requests',
      DirectoryTable: 'directory',
      KeysTable: 'keys',
      RevokeRefreshTokenFunction: 'revoke',
    },
    answeredClients(invokeRevocation, { dynamodb: tables.client }),
  );
  const users = [
    { sub: 'u-alice', username: 'alice', email: 'alice@bank.example', email_verified: true },
  ];
  await applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: undefined,
    directory: parseDirectory({ clients: ['pump-4', 'desk-1'].map(keyClient), users }),
    prune: false,
  });
  made['old'] = await asked(now - 3 * 86_400);
  made['expired'] = await asked(now - 900, { clientId: 'desk-1' });
  made['lapsed'] = await approved(now - 800);
  made['redeemed'] = await redeemed(now - 700);
  made['denied'] = await decided(now - 600, 'deny');
  made['failed'] = await asked(now - 500, { sub: 'u-bob' });
  await store.fail(made['failed'], 'mail_rejected', now - 498);
  made['refused'] = await refused(now - 400, { code: 'unknown_user_id', cause: 'user_disabled' });
  made['throttled'] = await refused(now - 300, { code: 'access_denied', cause: CAUSE });
  made['decoy'] = await asked(now - 50, { sub: '', decoy: 'user_unknown' });
  made['pending'] = await asked(now - 10);
});
afterAll(() => tables.stop());

function keyClient(client_id: string) {
  const method = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [clientKey.jwk] } };
  return { client_id, client_name: client_id, ...method };
}

async function asked(createdAt: number, changes: Partial<PendingRequest> = {}): Promise<string> {
  const request = exampleRequest({ createdAt, expiresAt: createdAt + 120, ...changes });
  await store.create(request);
  return request.ref;
}

async function decided(createdAt: number, decision: 'approve' | 'deny'): Promise<string> {
  const ref = await asked(createdAt);
  const linkNonce = 'n'.repeat(22);
  const at = createdAt + 1;
  await store.claimMail({ ref, claimId: 'c', linkNonce, now: at, until: at + 15 });
  await store.recordMailed(ref, 'c', createdAt + 1.5);
  const origin = { from: '203.0.0.0/16', agent: 'Firefox' };
  await store.decide({ ref, decision, linkNonce, contactVersion: 1, origin, now: createdAt + 20 });
  return ref;
}

const approved = (createdAt: number) => decided(createdAt, 'approve');

async function redeemed(createdAt: number, offline = true): Promise<string> {
  const ref = await approved(createdAt);
  const { secretHash, clientId } = exampleRequest();
  await store.stampPoll({ ref, secretHash, clientId }, createdAt + 22);
  const refresh = { hash: 'h', endsAt: now + 86_400, forgetAt: now + 9e6 };
  await store.redeem({
    ref,
    secretHash,
    clientId,
    contactVersion: 1,
    attemptId: 'a',
    now: createdAt + 22,
    ...(offline && { refresh }),
  });
  return ref;
}

async function refused(
  createdAt: number,
  why: Pick<RefusedRequest, 'code' | 'cause'>,
): Promise<string> {
  const { ref } = exampleRequest();
  await store.refuse({
    ref,
    clientId: 'pump-4',
    sub: 'u-alice',
    ...why,
    createdAt,
    forgetAt: now + 9e6,
  });
  return ref;
}

const run = (...argv: string[]) => ciba(['audit', ...argv], { deployment, clock: () => now });

/** The names of the requests that a list in JSON has. */
async function listedNames(...argv: string[]): Promise<(string | undefined)[]> {
  const { exitCode, stdout, stderr } = await run('--json', ...argv);
  expect([exitCode, stderr]).toEqual([0, '']);
  const { items }: { items: { ref: string }[] } = JSON.parse(stdout);
  return items.map(({ ref }) => Object.keys(made).find((name) => made[name] === ref));
}

const lastDay = Object.freeze([
  'pending',
  'decoy',
  'throttled',
  'refused',
  'failed',
  'denied',
  'redeemed',
  'lapsed',
  'expired',
]);

describe('ciba audit', () => {
  it('O29: lists the last day, newest first, whole in 80 columns: users by name, outcomes with their cause', async () => {
    const { exitCode, stdout, stderr } = await run('--utc');
    expect([exitCode, stderr]).toEqual([0, '']);
    const [head, day, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^TIME +CLIENT +USER +OUTCOME +REQUEST ID$/);
    expect(day).toBe('2027-01-15 UTC');
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, -1))).toEqual([
      ['07:59:50', 'pump-4', 'alice', 'pending'],
      ['07:59:10', 'pump-4', 'decoy', 'pending: user unknown'],
      ['07:55:00', 'pump-4', 'alice', 'throttled: own day'],
      ['07:53:20', 'pump-4', 'alice', 'refused: user disabled'],
      ['07:51:40', 'pump-4', 'u-bob', 'failed: mail rejected'],
      ['07:50:00', 'pump-4', 'alice', 'denied'],
      ['07:48:20', 'pump-4', 'alice', 'redeemed'],
      ['07:46:40', 'pump-4', 'alice', 'expired: not fetched'],
      ['07:45:00', 'desk-1', 'alice', 'expired'],
    ]);
    expect(lines.map((line) => line.slice(-26))).toEqual(lastDay.map((name) => made[name]));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('O29: says the day whenever it changes', async () => {
    const { stdout } = await run('--utc', '--from', '4d');
    const days = stdout.split('\n').filter((line) => /^2027-/.test(line));
    expect(days).toEqual(['2027-01-15 UTC', '2027-01-12 UTC']);
  });

  it('is the same as ciba audit list', async () => {
    expect(await run('list', '--utc')).toEqual(await run('--utc'));
    expect(await listedNames('list', '--limit', '2')).toEqual(['pending', 'decoy']);
  });

  it.each<[string[], string[]]>([
    [
      ['--from', '100s'],
      ['pending', 'decoy'],
    ],
    [
      ['--from', '4d'],
      [...lastDay, 'old'],
    ],
    [['--from', '2027-01-15', '--to', '2027-01-15', '--utc'], [...lastDay]],
    [['--from', '2027-01-12T00:00Z', '--to', '2027-01-15T00:00Z'], ['old']],
    [['--client', 'desk-1'], ['expired']],
    [['--user', 'u-bob'], ['failed']],
    [
      ['--user', 'alice', '--event', 'succeeded'],
      ['denied', 'redeemed', 'lapsed'],
    ],
    [
      ['--user', 'ALICE@bank.example', '--outcome', 'denied,refused'],
      ['refused', 'denied'],
    ],
    [
      ['--event', 'CIBA Authentication Failed'],
      ['throttled', 'refused', 'failed', 'expired'],
    ],
    [
      ['--outcome', 'expired'],
      ['lapsed', 'expired'],
    ],
    [['--outcome', 'pending', '--limit', '1'], ['pending']],
    [['--cause', 'mail_rejected'], ['failed']],
    [
      ['--cause', 'user_unknown,user_disabled'],
      ['decoy', 'refused'],
    ],
    [['--cause', 'mailsPerUserPerDay'], ['throttled']],
    [['--cause', 'MAILSPERUSERPERDAY', '--client', 'pump-4'], ['throttled']],
    [['--cause', 'unknown_user_id'], ['refused']],
    [['--cause', 'mail_rejected', '--outcome', 'denied'], []],
    [['--outcome', 'reported'], []],
    [['--from', 'today', '--utc'], [...lastDay]],
    [['--from', 'yesterday', '--to', 'yesterday', '--utc'], []],
  ])('%j lists what is asked for', async (argv, names) => {
    expect(await listedNames(...argv)).toEqual(names);
  });

  it('finds one by its Request ID or a correlation id, whenever it was asked, if it is of what is asked for', async () => {
    const ref = made['old'] ?? '';
    expect(await listedNames('--ref', ref)).toEqual(['old']);
    expect(await listedNames('--correlation-id', `${ref}.Tq0c8sPzV1aX`)).toEqual(['old']);
    expect(await listedNames('--ref', ref, '--client', 'desk-1')).toEqual([]);
    expect(await listedNames('--ref', ref, '--outcome', 'denied')).toEqual([]);
  });

  it.each<[string, string[], readonly string[]]>([
    ['of all', ['--limit', '4'], lastDay],
    [
      'of an event, which the index does not know',
      ['--limit', '1', '--event', 'failed'],
      ['throttled', 'refused', 'failed', 'expired'],
    ],
  ])(
    'goes on where a page ended, and loses and repeats nothing: pages %s',
    async (_what, argv, names) => {
      const found: (string | undefined)[] = [];
      let cursor: string[] = [];
      for (;;) {
        const { stdout } = await run('--json', ...argv, ...cursor);
        const { items, next } = JSON.parse(stdout);
        for (const { ref } of items) found.push(ref);
        if (next === null) break;
        cursor = ['--after', next];
      }
      expect(found).toEqual(names.map((name) => made[name]));
    },
  );

  it.each<[string, string[], RegExp]>([
    ['user', ['--user', 'ghost'], /^No user ghost, and nobody of that sub was asked/],
    ['address', ['--user', 'ghost@bank.example'], /^No user ghost@bank\.example/],
    ['client', ['--client', 'pump-5'], /^No client pump-5, and none that asked/],
    ['client in stats', ['stats', '--client', 'pump-5'], /^No client pump-5/],
    ['user while following', ['--follow', '--user', 'ghost'], /^No user ghost/],
    ['user among CSV', ['--csv', '--user', 'ghost'], /^No user ghost/],
  ])('O29: an unknown %s is an error and no empty list', async (_what, argv, message) => {
    const { exitCode, stdout, stderr } = await run(...argv);
    expect([exitCode > 0, stdout]).toEqual([true, '']);
    expect(stderr).toMatch(message);
  });

  it('O29: a known one of whom nothing was asked in that time is no error', async () => {
    const { exitCode, stdout } = await run('--client', 'desk-1', '--from', '60s');
    expect([exitCode, stdout]).toEqual([0, 'No entry.\n']);
  });

  it('O29: every value that help names for a filter works, and one that is a letter off is refused', async () => {
    const { stdout: help } = await run('list', '--help');
    for (const [option, values] of Object.entries({
      '--outcome': askedOutcomes,
      '--cause': auditCauses,
    })) {
      for (const value of values) {
        expect(help.replace(/\s+/g, ' ')).toContain(value);
        expect((await run(option, value)).exitCode).toBe(0);
        const slip = await run(option, `${value}x`);
        expect([slip.exitCode, slip.stdout]).toEqual([2, '']);
      }
    }
  });

  it('says how to go on, beside the list', async () => {
    const { stdout, stderr } = await run('--limit', '4', '--utc');
    expect(stdout.trimEnd().split('\n')).toHaveLength(6);
    expect(stderr).toMatch(/^Older ones: --after [A-Za-z0-9_-]+\n$/);
  });

  it('has every member in JSON, times in UTC', async () => {
    const { stdout } = await run('--json', '--ref', made['redeemed'] ?? '');
    expect(JSON.parse(stdout).items).toEqual([
      {
        asked_at: '2027-01-15T07:48:20.000Z',
        event: 'CIBA Authentication Succeeded',
        outcome: 'redeemed',
        at: '2027-01-15T07:48:42.000Z',
        client_id: 'pump-4',
        sub: 'u-alice',
        ref: made['redeemed'],
        code: null,
        cause: null,
        decoy: null,
        flow: 'ciba-flow',
        mailed_at: '2027-01-15T07:48:21.500Z',
        mail_failure: null,
        mail_failed_at: null,
        decision: 'approved',
        decided_at: '2027-01-15T07:48:40.000Z',
        redeemed_at: '2027-01-15T07:48:42.000Z',
        expires_at: '2027-01-15T07:50:20.000Z',
        replayed_at: null,
        revoked_at: null,
        polls: 1,
        confirmation_level: 'link',
        wrong_codes: null,
        decided_from: '203.0.0.0/16',
        decided_with: 'Firefox',
      },
    ]);
  });

  it('writes a head and a record for each entry with --csv', async () => {
    const { stdout } = await run('--csv', '--outcome', 'throttled');
    expect(stdout.split('\r\n')).toEqual([
      'asked_at,event,outcome,at,client_id,sub,ref,code,cause,decoy,flow,mailed_at,mail_failure,mail_failed_at,decision,decided_at,redeemed_at,expires_at,replayed_at,revoked_at,polls,confirmation_level,wrong_codes,decided_from,decided_with',
      `2027-01-15T07:55:00.000Z,CIBA Authentication Failed,throttled,2027-01-15T07:55:00.000Z,pump-4,u-alice,${made['throttled']},access_denied,${CAUSE},,,,,,,,,,,,,,,,`,
      '',
    ]);
  });

  it('P10: show tells where it was decided, and nothing where nothing is kept', async () => {
    for (const name of ['redeemed', 'denied']) {
      const shown = await run('show', made[name] ?? '');
      expect(shown.stdout).toMatch(
        /(?:approved|denied) by the user\n +from 203\.0\.0\.0\/16 with Firefox\n/,
      );
      const { time_line: moments } = JSON.parse(
        (await run('show', made[name] ?? '', '--json')).stdout,
      );
      expect(moments).toContainEqual(
        expect.objectContaining({ decision_origin: { from: '203.0.0.0/16', agent: 'Firefox' } }),
      );
    }
    expect((await run('show', made['expired'] ?? '')).stdout).not.toContain('from ');
  });

  it('P9: client show tells the last refusal of a client, and that there is none', async () => {
    const client = (id: string, ...argv: string[]) =>
      ciba(['client', 'show', id, ...argv], { deployment, clock: () => now });
    const shown = await client('pump-4');
    expect(shown.stdout.replace(/\s+/g, ' ')).toMatch(
      /last refusal 2027-01-15 07:55:00 UTC access_denied over own share of mailsPerUserPerDay ciba audit show \w{26} $/,
    );
    expect(JSON.parse((await client('pump-4', '--json')).stdout)).toMatchObject({
      last_refusal: {
        at: '2027-01-15T07:55:00.000Z',
        code: 'access_denied',
        cause: CAUSE,
        ref: made['throttled'],
      },
    });
    expect((await client('desk-1')).stdout).toMatch(
      /^last refusal +none among its last 1000 requests of 7 days$/m,
    );
    expect(JSON.parse((await client('desk-1', '--json')).stdout)).toMatchObject({
      last_refusal: null,
    });
  });

  it('says that there is nothing', async () => {
    expect((await run('--from', '1s')).stdout).toBe('No entry.\n');
    expect((await run('--outcome', 'unreadable')).stdout).toBe('None of 9 requests.\n');
  });

  it('takes a text for a subject where the directory may not be read, and shows the request all the same', async () => {
    const forbidden = {
      ...tables.client,
      send: (command: GetItemCommand) =>
        command.input.TableName === 'directory'
          ? Promise.reject(awsError('AccessDeniedException', 'not yours'))
          : tables.client.send(command),
    } as unknown as DynamoDBClient;
    const auditor = operatedDeployment(deployment.outputs, {
      ...deployment.clients,
      dynamodb: forbidden,
    });
    const asAuditor = (...argv: string[]) =>
      ciba(['audit', ...argv], { deployment: auditor, clock: () => now });
    const { stdout } = await asAuditor('--json', '--user', 'u-bob');
    expect(JSON.parse(stdout).items).toMatchObject([{ sub: 'u-bob' }]);
    const shown = await asAuditor('show', made['denied'] ?? '');
    expect(shown.stdout).toContain('User        u-alice\n');
  });

  it.each<[string[], RegExp]>([
    [['--from', 'tomorrow'], /^--from: "tomorrow" is not allowed; allowed: a span back from now/],
    [['--to', '2026-02-30'], /^--to: "2026-02-30" is not allowed/],
    [['--from', '1h', '--to', '2h'], /^--from: 1h is not before --to 2h$/],
    [
      ['--from', '2016-01-01'],
      /^--from: 2016-01-01 is too long ago; allowed: at most ten years back/,
    ],
    [
      ['--event', 'approved'],
      /--event.*Allowed: CIBA Authentication Succeeded, CIBA Authentication Failed/,
    ],
    [
      ['--outcome', 'pending,lost'],
      /--outcome.*Allowed: pending, approved, redeemed, denied, expired/,
    ],
    [['--cause', 'mail_bouncd'], /--cause.*Allowed: reported, wrong_codes, start_failed/],
    [['--cause', ''], /--cause.*Allowed/],
    [['--client', 'a b'], /^--client: "a b" is not allowed; allowed: a client_id/],
    [['--user', 'a b'], /^--user: "a b" is nobody's; allowed: a user name/],
    [['--limit', '0'], /--limit.*Allowed: whole numbers from 1 to 1000/],
    [['--after', 'x'], /^--after: is not what a page of the audit ended with/],
    [['--ref', 'X'], /^--ref: is no Request ID and no correlation id; allowed/],
    [['--correlation-id', 'a b.c'], /^--correlation-id: is no Request ID/],
    [['--csv', '--json'], /"message":"--csv and --json: give one of them"/],
    [['--follow', '--to', '1h'], /^--follow and --to: give one of them$/],
    [['--follow', '--after', 'x'], /^--follow and --after: give one of them$/],
    [['show', 'nobody'], /^request-id: is no Request ID and no correlation id/],
    [['show'], /^missing required argument 'request-id'/],
    [['stats', '--from', 'never'], /^--from: "never" is not allowed/],
    [['revoke', 'x.y'], /^request-id: is no Request ID/],
  ])('%j ends with 2 and one line that names what is allowed', async (argv, message) => {
    const { exitCode, stdout, stderr } = await run(...argv);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr.trimEnd()).toMatch(message);
  });

  it('refuses two ids of two requests', async () => {
    const argv = ['--ref', made['old'] ?? '', '--correlation-id', `${made['denied']}.abc`];
    const { exitCode, stderr } = await run(...argv);
    expect([exitCode, stderr]).toEqual([
      2,
      '--ref and --correlation-id are of two requests; give one of them\n',
    ]);
  });
});

describe('ciba audit show', () => {
  it('tells the whole story of a request, and of its user', async () => {
    const { exitCode, stdout } = await run('show', made['redeemed'] ?? '', '--utc');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      [
        `Request ID  ${made['redeemed']}`,
        'Event       CIBA Authentication Succeeded',
        'Outcome     redeemed',
        'Client      pump-4',
        'User        alice (u-alice)',
        '',
        'TIME (UTC)           AFTER   WHAT',
        '2027-01-15 07:48:20  0.0 s   asked by pump-4',
        '                               binding message "PUMP-4 50.00 EUR"',
        '                               scope openid profile',
        '2027-01-15 07:48:20  0.0 s   located: the hint leads to user u-alice',
        '2027-01-15 07:48:20  0.0 s   flow chosen: ciba-flow',
        '                             link made for the mail',
        '2027-01-15 07:48:21  1.5 s   mail accepted for delivery',
        '2027-01-15 07:48:40  20.0 s  approved by the user',
        '                               from 203.0.0.0/16 with Firefox',
        '2027-01-15 07:48:42  22.0 s  polled once up to then, at intervals of 2 s',
        '2027-01-15 07:48:42  22.0 s  redeemed: tokens issued, with a refresh token',
        '2027-01-16 08:00:00          the refresh token will end',
        '',
      ].join('\n'),
    );
  });

  it.each<[string, RegExp]>([
    ['pending', /Outcome {5}pending\n[\s\S]*2027-01-15 08:01:50 +will expire\n$/],
    ['expired', /Outcome {5}expired\n[\s\S]*120\.0 s +expired: nobody decided\n$/],
    [
      'lapsed',
      /Outcome {5}expired, approved before\n[\s\S]*expired: approved, and no tokens were fetched\n$/,
    ],
    ['denied', /Outcome {5}denied\n[\s\S]*denied by the user\n/],
    [
      'failed',
      /Outcome {5}failed \(mail_rejected\)\n[\s\S]*User {8}u-bob\n[\s\S]*failed: mail_rejected\n$/,
    ],
    [
      'refused',
      /Outcome {5}refused \(unknown_user_id, user_disabled\)\n[\s\S]*cause: user_disabled\n$/,
    ],
    ['throttled', /Outcome {5}throttled \(access_denied, over own share of mailsPerUserPerDay\)\n/],
    ['decoy', /decoy: nobody can be asked \(user_unknown\),\n +and nothing is sent\n/],
  ])('tells how one came out that is %s', async (name, told) => {
    const { stdout } = await run('show', made[name] ?? '', '--utc');
    expect(stdout).toMatch(told);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each<[string, (ref: string) => string]>([
    ['a correlation id', (ref) => `${ref}.Tq0c8sPzV1aX`],
    ['a whole handle, of which the secret is not looked at', (ref) => `${ref}.${'s'.repeat(43)}`],
    ['a text with spaces around it', (ref) => ` ${ref} `],
  ])('takes %s', async (_what, textOf) => {
    const { exitCode, stdout, stderr } = await run('show', textOf(made['denied'] ?? ''), '--json');
    expect([exitCode, stderr]).toEqual([0, '']);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ ref: made['denied'], outcome: 'denied', username: 'alice' });
    expect(told.time_line.at(0)).toEqual({
      at: '2027-01-15T07:50:00.000Z',
      what: 'asked',
      client_id: 'pump-4',
      scope: 'openid profile',
      binding_message: 'PUMP-4 50.00 EUR',
    });
  });

  it('says of a correlation id without a Request ID where to look', async () => {
    const { exitCode, stderr } = await run('show', 'Tq0c8sPzV1aX');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/in the log alone/);
  });

  it('ends with 1 for a request that is not there', async () => {
    const { ref } = exampleRequest();
    const { exitCode, stdout, stderr } = await run('show', ref);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`^No request ${ref}: never asked in the stack CibaProvider`));
  });
});

describe('ciba audit stats', () => {
  it('O30: adds up by day and client, with a bar of its parts for each day', async () => {
    const { exitCode, stdout } = await run('stats', '--utc');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'DAY (UTC)   CLIENT  OF DECIDED  DECIDED IN  MAILS',
      '2027-01-15  desk-1           -           -      0',
      '  1 asked: 1 ran out',
      '2027-01-15  pump-4         67%      20.0 s      3',
      '  8 asked: 2 approved, 1 denied, 1 failed, 2 refused, 2 open',
      '2027-01-12  pump-4           -           -      0',
      '  1 asked: 1 ran out',
      '',
      '2027-01-12  1 asked: 1 ran out',
      `  ${'░'.repeat(9)}`,
      '2027-01-15',
      '  9 asked: 2 approved, 1 denied, 1 ran out, 1 failed, 2 refused, 2 open',
      `  ${'█'.repeat(17)}${'▓'.repeat(9)}${'░'.repeat(9)}${'!'.repeat(9)}${'▒'.repeat(17)}${'?'.repeat(17)}`,
      '█ approved  ▓ denied  ░ ran out  ! failed  ▒ refused  ? open',
      '',
    ]);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('draws with signs of ASCII where the terminal has no more', async () => {
    const argv = ['audit', 'stats', '--utc', '--from', '1d'];
    const { stdout } = await ciba(argv, { deployment, clock: () => now, isUtf8: false });
    expect(stdout).toMatch(/^ {2}#+x+\.+!+-+\?+$/m);
  });

  it('is for a program too', async () => {
    const { stdout } = await run('stats', '--utc', '--client', 'pump-4', '--from', '1d', '--json');
    const { from, items, next } = JSON.parse(stdout);
    expect([from, next]).toEqual(['2027-01-14T08:00:00.000Z', null]);
    expect(items).toEqual([
      {
        day: '2027-01-15',
        client_id: 'pump-4',
        asked: 8,
        outcomes: {
          pending: 2,
          approved: 0,
          redeemed: 1,
          denied: 1,
          expired: 1,
          failed: 1,
          refused: 1,
          throttled: 1,
          unreadable: 0,
        },
        approved: 2,
        denied: 1,
        ran_out: 0,
        failed: 1,
        refused: 2,
        open: 2,
        unreadable: 0,
        reported: 0,
        approved_of_decided: 2 / 3,
        median_seconds_to_decide: 20,
        mails_sent: 3,
      },
    ]);
  });

  it('says that there is nothing to add up', async () => {
    expect((await run('stats', '--from', '1s')).stdout).toBe('No entry.\n');
  });
});

describe('ciba audit show, after all of a user or client was revoked', () => {
  const user = {
    sub: 'u-alice',
    username: 'alice',
    email: 'alice@bank.example',
    email_verified: true,
  };
  const clients = [
    {
      client_id: 'pump-4',
      client_name: 'Pump 4',
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ];
  const apply = (directory: object) =>
    applyDirectory({
      client: tables.client,
      tableName: 'directory',
      keysTableName: 'keys',
      directory: parseDirectory(directory),
      prune: true,
    });
  afterAll(() => apply({ users: [user] }));

  it.each([
    ['user', 'u-alice'],
    ['client', 'pump-4'],
  ] as const)(
    'P8: tells it of what was approved before, for a %s, and of nothing later',
    async (kind, id) => {
      await apply({ users: [{ ...user, sub: 'u-bob', username: 'bob', email: 'b@bank.example' }] });
      await apply({ clients, users: [user] });
      const before = await redeemed(now - 9 * 86_400);
      const later = await redeemed(now - 8 * 86_400);
      const at = now - 9 * 86_400 + 20.001;
      await revokeTokens(directoryOf(tables, { clock: () => at }), { kind, id });
      const told = `revoked by the operator, with all else of the ${kind}`;
      const shown = async (ref: string) => (await run('show', ref)).stdout.replace(/\s+/g, ' ');
      expect(await shown(before)).toContain(told);
      expect(await shown(later)).not.toContain(told);
      const { stdout } = await run('show', before, '--json');
      expect(JSON.parse(stdout).time_line).toContainEqual({
        at: '2027-01-06T08:00:20.001Z',
        what: 'all_revoked',
        of: kind,
      });
    },
  );
});

describe('ciba audit revoke', () => {
  it('ends the refresh token after a question, and keeps the time', async () => {
    const ref = await redeemed(now - 9 * 86_400);
    const argv = ['audit', 'revoke', ref];
    const { exitCode, stdout, stderr } = await ciba(argv, {
      deployment,
      clock: () => now,
      typed: 'y',
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      'End the refresh token that pump-4 has for alice of the stack CibaProvider? [y/N]',
    );
    expect(stdout).toMatch(/^The refresh token ended 2027-01-15T08:00:00Z\./);
    expect(await store.find(ref)).toMatchObject({ status: 'redeemed', revokedAt: now });
    const again = await ciba([...argv, '--yes', '--json'], { deployment, clock: () => now + 9 });
    expect(JSON.parse(again.stdout)).toEqual({ ref, revoked_at: '2027-01-15T08:00:00.000Z' });
    expect((await run('show', ref)).stdout).toContain('refresh token revoked by the operator');
  });

  it('changes nothing for an operator who says no', async () => {
    const ref = await redeemed(now - 9 * 86_400);
    const before = await store.find(ref);
    const no = await ciba(['audit', 'revoke', ref], { deployment, clock: () => now, typed: 'n' });
    expect([no.exitCode, no.stdout]).toEqual([1, '']);
    expect(await store.find(ref)).toEqual(before);
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'no refresh token',
      () => redeemed(now - 9 * 86_400, false),
      /has no refresh token: nothing was revoked/,
    ],
    [
      'no tokens at all',
      async () => made['denied'] ?? '',
      /has no refresh token: nothing was revoked/,
    ],
    ['never been', async () => exampleRequest().ref, /^No request/],
  ])('ends with 1 for a request that has %s', async (_what, refOf, message) => {
    const { exitCode, stdout, stderr } = await run('revoke', await refOf(), '--yes');
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });

  it('writes nothing itself', async () => {
    const ref = await redeemed(now - 9 * 86_400);
    const seen: unknown[] = [];
    tables.client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          seen.push(commandName);
          return next(args);
        },
      { step: 'initialize', name: 'watch' },
    );
    const silent = {
      ...deployment,
      clients: answeredClients(() => ({ Payload: Buffer.from('{"outcome":"no_refresh_token"}') }), {
        dynamodb: tables.client,
      }),
    };
    await ciba(['audit', 'revoke', ref, '--yes'], { deployment: silent, clock: () => now });
    tables.client.middlewareStack.remove('watch');
    expect(new Set(seen)).toEqual(new Set(['GetItemCommand']));
  });

  it('touches no attribute but those that the right of its function names', async () => {
    const ref = await redeemed(now - 9 * 86_400);
    const seen: unknown[] = [];
    tables.client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          if (commandName === 'UpdateItemCommand') seen.push(args.input);
          return next(args);
        },
      { step: 'initialize', name: 'watch' },
    );
    await store.revoke(ref, now);
    tables.client.middlewareStack.remove('watch');
    expect(seen).toEqual([
      expect.objectContaining({
        Key: { ref: { S: ref } },
        ExpressionAttributeNames: {
          '#ref': 'ref',
          '#revokedAt': 'rv',
          '#refreshHash': 'rh',
        },
      }),
    ]);
    expect(seen[0]).not.toHaveProperty('ReturnValues');
  });
});

describe('following', () => {
  it('shows what is asked and what becomes of it, once each, oldest first', async () => {
    let clock = now + 50_000;
    const refs: Record<string, string> = {};
    refs['before'] = await asked(clock - 30);
    refs['over before'] = await decided(clock - 60, 'deny');
    refs['meanwhile'] = await asked(clock - 15);
    const { secretHash, clientId } = exampleRequest();
    const steps: (() => Promise<unknown>)[] = [
      async () => undefined,
      async () => {
        refs['late'] = await asked(clock - 20);
        refs['new'] = await asked(clock - 1);
      },
      async () => {
        refs['quick'] = await approved(clock - 1);
        await store.fail(refs['new'] ?? '', 'flow_error', clock);
      },
      async () => {
        const redemption = { secretHash, clientId, contactVersion: 1, attemptId: 'a' };
        await store.redeem({ ref: refs['quick'] ?? '', ...redemption, now: clock });
      },
      // Open for longer than the index is late, and over then.
      async () => {
        clock += 45;
      },
      async () => {
        clock += 25;
      },
      async () => {
        clock += 120;
      },
      async () => undefined,
    ];
    const pause = async () => {
      clock += 2;
      const step = steps.shift();
      await step?.();
      return step !== undefined;
    };
    const table = auditTable(tables.client, 'requests');
    const told: unknown[] = [];
    for await (const { ref, outcome } of followAudit({
      table,
      whose: {},
      filter: {},
      // What was asked while the page before was read and printed is on no page.
      shownUntil: clock - 30,
      clock: () => clock,
      pause,
    })) {
      told.push([Object.keys(refs).find((name) => refs[name] === ref), outcome]);
    }
    expect(told).toEqual([
      ['meanwhile', 'pending'],
      ['late', 'pending'],
      ['new', 'pending'],
      ['new', 'failed'],
      ['quick', 'approved'],
      ['quick', 'redeemed'],
      ['before', 'expired'],
      ['late', 'expired'],
      ['meanwhile', 'expired'],
    ]);
  });
});
