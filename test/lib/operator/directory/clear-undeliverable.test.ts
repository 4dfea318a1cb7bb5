/** The operator says that mail arrives at an address again: on a real engine, and as a command. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { undeliverableAddresses, userDirectory } from '../../../../lambdas/aws/directory-table.ts';
import { createClients } from '../../../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { clearUndeliverable } from '../../../../lib/operator/directory/clear-undeliverable.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
});
afterAll(() => tables.stop());

const alice = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};
const mark = { email: 'alice@example.com', cause: 'mail_bounced', at: 1_700_000_000 } as const;
const find = () => userDirectory(tables.client, 'directory').findUser('u-alice');
const clear = (sub: string) => clearUndeliverable(tables.client, 'directory', sub);

async function noted() {
  const user = { sub: 'u-alice', contactVersion: (await find())?.contact_version ?? 0 };
  const addresses = undeliverableAddresses(tables.client, 'directory');
  expect(await addresses.noteUndeliverable(user, mark.cause, mark.at)).toBe(true);
}

beforeEach(async () => {
  await clear('u-alice');
  await applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory({ users: [alice] }),
    prune: false,
  });
});

describe('clearUndeliverable', () => {
  it('takes away what is noted, and nothing else', async () => {
    const before = await find();
    await noted();
    expect(await clear('u-alice')).toEqual({ outcome: 'cleared', mark });
    expect(await find()).toEqual(before);
  });

  it('says where there is nothing to take away', async () => {
    expect(await clear('u-alice')).toEqual({ outcome: 'nothing_noted' });
    expect(await clear('u-nobody')).toEqual({ outcome: 'no_such_user' });
    expect(await userDirectory(tables.client, 'directory').findUser('u-nobody')).toBeUndefined();
  });

  it('clears once for many who ask at once', async () => {
    await noted();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => clear('u-alice')));
    expect(outcomes.filter(({ outcome }) => outcome === 'cleared')).toHaveLength(1);
  });
});

describe('ciba user clear-undeliverable', () => {
  async function run(sub: string, json = false) {
    const deployment = {
      stackName: 'CibaProvider',
      status: 'CREATE_COMPLETE',
      region: 'us-east-1',
      outputs: {},
      clients: { ...createClients(), dynamodb: tables.client },
      output: () => 'directory',
    };
    return ciba(['user', 'clear-undeliverable', sub, ...(json ? ['--json'] : [])], { deployment });
  }

  it('says what was cleared, and what SES may hold too', async () => {
    await noted();
    const { exitCode, stdout, stderr } = await run('u-alice');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^User u-alice is mailed again at alice@example\.com \(mail_bounced, /);
    expect(stderr).toContain('delete-suppressed-destination --email-address alice@example.com');
  });

  it.each(['alice', 'Alice@example.com'])('finds the user by %s, too', async (name) => {
    await noted();
    expect((await run(name)).stdout).toMatch(/^User u-alice is mailed again/);
  });

  it('answers programs in JSON', async () => {
    await noted();
    const { stdout } = await run('u-alice', true);
    expect(JSON.parse(stdout)).toEqual({
      sub: 'u-alice',
      cleared: { email: mark.email, cause: mark.cause, at: expect.any(String) },
    });
    expect(JSON.parse((await run('u-alice', true)).stdout)).toEqual({
      sub: 'u-alice',
      cleared: null,
    });
  });

  it('has nothing to do for an address that gets mail', async () => {
    const { exitCode, stdout } = await run('u-alice');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Nothing is noted of the address of user u-alice');
  });

  it('fails for a user who does not exist', async () => {
    expect(await run('u-nobody')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'No user u-nobody: ciba user list lists them\n',
    });
  });
});
