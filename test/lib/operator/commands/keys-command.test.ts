/**
 * `ciba keys` on real tables, with the rotation itself behind the function that it calls (threat
 * T25).
 */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyStore } from '../../../../lambdas/aws/keys-table.ts';
import type { SigningAlgorithm } from '../../../../lambdas/ciba/client/client.ts';
import { rotateKeysTask } from '../../../../lambdas/tasks/rotate-keys.ts';
import type { Deployment } from '../../../../lib/operator/deployment/deployment.ts';
import { ciba } from '../../../support/ciba-command.ts';
import {
  answeredClients,
  awsError,
  operatedDeployment,
} from '../../../support/operated-deployment.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

const DAY = 86_400;

const privateKeys: Record<SigningAlgorithm, Record<string, string>> = {
  ES256: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'private-half' },
  RS256: { kty: 'RSA', n: 'n', e: 'AQAB', d: 'private-half' },
};

let tables: TestTables;
let now = 1_800_000_000;
let entropy = 0;
let deployment: Deployment;

beforeAll(async () => {
  tables = await tablesOnDynalite();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  for (const [TableName, pk] of items) {
    await tables.client.send(new DeleteItemCommand({ TableName, Key: { pk: { S: pk } } }));
  }
  deployment = deployed();
});

/** Everything that the rotation writes. */
const items: [string, string][] = [
  ['directory', 'jwks'],
  ['keys', 'signing#ES256'],
  ['keys', 'signing#RS256'],
  ['keys', 'link'],
  ['keys', 'wrap'],
];
const clock = () => now;

/** A run of it, a second after whatever was before. */
function rotation(input: unknown) {
  now += 1;
  return rotateKeysTask({
    keys: keyStore(tables.client, 'keys', 'directory'),
    generateSigningKey: (alg) => privateKeys[alg],
    periodSeconds: 90 * DAY,
    clock,
    entropy: (bytes) => Buffer.alloc(bytes, ++entropy),
    log: () => {},
  })(input);
}

/** A deployment whose function is the rotation, or whatever a test has instead. */
function deployed(invoke: (input: unknown) => Promise<unknown> = rotation): Deployment {
  const clients = answeredClients(
    async (command, input) => {
      expect(command).toBe('InvokeCommand');
      const { FunctionName, Payload } = input as { FunctionName: string; Payload: Uint8Array };
      expect(FunctionName).toBe('rotate');
      return { Payload: Buffer.from(JSON.stringify(await invoke(JSON.parse(String(Payload))))) };
    },
    { dynamodb: tables.client },
  );
  return operatedDeployment(
    { DirectoryTable: 'directory', KeysTable: 'keys', RotateKeysFunction: 'rotate' },
    clients,
  );
}

const run = (...argv: string[]) => ciba(['keys', ...argv], { deployment, clock });

async function list(): Promise<Record<string, string>[]> {
  const { stdout, exitCode } = await run('list', '--json');
  expect(exitCode).toBe(0);
  return JSON.parse(stdout).items;
}

/** The keys of a kind and status. */
async function kids(kind: string, status: string): Promise<string[]> {
  const keys = await list();
  return keys
    .filter((key) => key['kind'] === kind && key['status'] === status)
    .map(({ kid = '' }) => kid);
}

async function publishedKids(): Promise<string[]> {
  const { keys } = await keyStore(tables.client, 'keys', 'directory').publishedKeys();
  return keys.map(({ jwk }) => jwk.kid);
}

describe('ciba keys list', () => {
  it('shows every kind with status and times, and no secret', async () => {
    await rotation({ rotate: 'when-due' });
    const keys = await list();
    const inUse = keys.filter(({ status }) => status === 'in use');
    expect(inUse.map(({ kind }) => kind)).toEqual(['ES256', 'RS256', 'link', 'wrap']);
    expect(inUse[0]).toEqual({
      kind: 'ES256',
      kid: expect.any(String),
      status: 'in use',
      created_at: `${new Date(now * 1000).toISOString().slice(0, 19)}Z`,
      used_from: expect.any(String),
    });
    const { stdout } = await run('list');
    expect(stdout).toMatch(/^KIND +KID +STATUS +AGE +USED, OR IN \/JWKS \(UTC\)\n/);
    expect(stdout + JSON.stringify(keys)).not.toContain('private-half');
  });

  it('T25: asks for no private half', async () => {
    await rotation({ rotate: 'now', lead: 0 });
    const answers: string[] = [];
    tables.client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        answers.push(JSON.stringify(result.output));
        return result;
      },
      { step: 'deserialize', name: 'answers', priority: 'high' },
    );
    await list();
    tables.client.middlewareStack.remove('answers');
    expect(answers.join()).toContain('signsFrom');
    expect(answers.join()).not.toMatch(/"(?:jwk|d|secret)"/);
  });

  it('shows what is published where the table of keys may not be read, and says so', async () => {
    const own = deployed();
    const refused = operatedDeployment(
      own.outputs,
      answeredClients((command, input) => {
        const { TableName } = input as { TableName: string };
        if (command !== 'GetItemCommand' || TableName !== 'keys') return { Item: jwksItem };
        throw awsError('AccessDeniedException', 'not authorized');
      }),
    );
    const jwksItem = {
      pk: { S: 'jwks' },
      version: { N: '1' },
      keys: {
        L: [
          {
            M: {
              kty: { S: 'RSA' },
              n: { S: 'n' },
              e: { S: 'AQAB' },
              kid: { S: 'k' },
              use: { S: 'sig' },
              alg: { S: 'RS256' },
            },
          },
        ],
      },
    };
    const { stdout, stderr, exitCode } = await ciba(['keys', 'list', '--json'], {
      deployment: refused,
    });
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      { items: [{ kind: 'RS256', kid: 'k', status: 'published' }], next: null },
    ]);
    expect(stderr).toContain('which you may not read');
  });
});

describe('ciba keys rotate', () => {
  it('makes keys that wait for a day, and shows them', async () => {
    await rotation({ rotate: 'when-due' });
    const { stdout, exitCode } = await run('rotate', '--yes', '--json');
    expect(exitCode).toBe(0);
    const made: Record<string, string>[] = JSON.parse(stdout).items;
    expect(made.map(({ kind, status }) => [kind, status])).toEqual([
      ['ES256', 'waiting'],
      ['RS256', 'waiting'],
      ['link', 'waiting'],
      ['wrap', 'in use'],
    ]);
    expect(made[0]?.['used_from']).toBe(
      `${new Date((now + DAY) * 1000).toISOString().slice(0, 19)}Z`,
    );
  });

  it('has them used at once with --lead 0, and warns of it', async () => {
    await rotation({ rotate: 'when-due' });
    const [old] = await kids('ES256', 'in use');
    const { stderr, exitCode } = await ciba(['keys', 'rotate', '--lead', '0'], {
      deployment,
      clock,
      typed: 'y',
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('used at once? For five minutes a token may not verify');
    expect(await kids('ES256', 'in use')).not.toEqual([old]);
    expect(await kids('ES256', 'superseded')).toContain(old);
  });

  it.each(['n', '', 'yess'])('makes none when the answer is "%s"', async (typed) => {
    await rotation({ rotate: 'when-due' });
    const before = await list();
    const { exitCode, stderr } = await ciba(['keys', 'rotate'], { deployment, clock, typed });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('No key was made.');
    expect(await list()).toEqual(before);
  });

  it.each(['-1', '86401', '1.5', 'soon', ''])('refuses --lead "%s"', async (lead) => {
    const { exitCode, stderr } = await run('rotate', '--yes', `--lead=${lead}`);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--lead <seconds>.*Allowed: whole numbers from 0 to 86400/);
  });

  it('tells what the function said when it failed', async () => {
    const clients = answeredClients(
      () => ({
        FunctionError: 'Unhandled',
        Payload: Buffer.from('{"errorType":"OAuthError","errorMessage":"busy","trace":["at x"]}'),
      }),
      { dynamodb: tables.client },
    );
    deployment = operatedDeployment(deployment.outputs, clients);
    const { exitCode, stderr } = await run('rotate', '--yes');
    expect([exitCode, stderr]).toEqual([
      1,
      'The function that renews keys failed: OAuthError: busy. Asking again goes on where it ended; its log tells more\n',
    ]);
  });

  it('does not take another function for the one that renews keys', async () => {
    deployment = deployed(async () => ({ statusCode: 200 }));
    const { exitCode, stderr } = await run('rotate', '--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('rotate is not the function that renews keys');
  });
});

describe('ciba keys remove', () => {
  beforeEach(() => rotation({ rotate: 'when-due' }));

  it('T25: takes a superseded key out of /jwks, private half and all, for good', async () => {
    const [leaked = ''] = await kids('ES256', 'in use');
    await rotation({ rotate: 'now', lead: 0 });
    expect(await publishedKids()).toContain(leaked);
    const { stdout, exitCode } = await run('remove', leaked, '--yes');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Removed ${leaked}.`);
    expect(await publishedKids()).not.toContain(leaked);
    // The rotation publishes every key that has a private half.
    await rotation({ rotate: 'when-due' });
    expect(await publishedKids()).not.toContain(leaked);
    expect((await list()).some(({ kid }) => kid === leaked)).toBe(false);
    expect(await kids('ES256', 'in use')).toHaveLength(1);
  });

  it('takes a retired key out of /jwks, and leaves the others as they are', async () => {
    const [old = ''] = await kids('RS256', 'in use');
    await rotation({ rotate: 'now', lead: 0 });
    now += 2 * 3600;
    await rotation({ rotate: 'when-due' });
    const retired = (await list()).filter(({ status }) => status === 'retired');
    expect(retired.map(({ kid }) => kid)).toContain(old);
    expect((await run('remove', old, '--yes')).exitCode).toBe(0);
    expect((await list()).filter(({ status }) => status === 'retired')).toEqual(
      retired.filter(({ kid }) => kid !== old),
    );
  });

  it('refuses the key that signs, and says what to do first', async () => {
    const [current = ''] = await kids('ES256', 'in use');
    const before = await publishedKids();
    const { exitCode, stderr } = await run('remove', current, '--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${current} signs now`);
    expect(stderr).toContain('ciba keys rotate --lead 0');
    expect(await publishedKids()).toEqual(before);
  });

  it('refuses a key that is about to sign', async () => {
    await rotation({ rotate: 'now' });
    const [next = ''] = await kids('ES256', 'waiting');
    const { exitCode, stderr } = await run('remove', next, '--yes');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('about to sign')]);
  });

  it('refuses what is no signing key, and names those there are', async () => {
    const [link = ''] = await kids('link', 'in use');
    const [signs = ''] = await kids('ES256', 'in use');
    for (const kid of ['nope', link]) {
      const { exitCode, stderr } = await run('remove', kid, '--yes');
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(signs)]);
    }
  });

  it('asks before, and needs a key to be named', async () => {
    const [old = ''] = await kids('ES256', 'in use');
    await rotation({ rotate: 'now', lead: 0 });
    expect(await run('remove', old)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--yes says yes'),
    });
    expect(await publishedKids()).toContain(old);
    expect(await run('remove')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("missing required argument 'kid'"),
    });
  });

  it('gives up when the keys are changed at the same moment, and loses none', async () => {
    const [old = ''] = await kids('ES256', 'in use');
    await rotation({ rotate: 'now', lead: 0 });
    let interfered = false;
    tables.client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'UpdateItemCommand' && !interfered) {
            interfered = true;
            await rotation({ rotate: 'now' });
          }
          return next(args);
        },
      { step: 'initialize', name: 'interfere', priority: 'high' },
    );
    const { exitCode, stderr } = await run('remove', old, '--yes');
    tables.client.middlewareStack.remove('interfere');
    expect([exitCode, stderr]).toEqual([
      1,
      'The keys were changed by somebody else meanwhile: ask again\n',
    ]);
    expect(await publishedKids()).toContain(old);
    expect(await kids('ES256', 'in use')).toHaveLength(1);
  });
});
