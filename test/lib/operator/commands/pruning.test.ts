/**
 * `ciba apply --prune`: what no file names goes only where files speak of its kind, and not by many
 * at once unless their number was said.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClients } from '../../../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { operatedDeployment } from '../../../support/operated-deployment.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let folder: string;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  folder = await mkdtemp(join(tmpdir(), 'ciba-'));
});
afterAll(() => tables.stop());

interface Ids {
  clients?: number[];
  users?: number[];
}

/** A directory with these clients and users; a list that is left out is not in it. */
function directoryOf({ clients, users }: Ids) {
  return {
    ...(clients && {
      clients: clients.map((id) => ({
        client_id: `c-${id}`,
        client_name: `Client ${id}`,
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret: 'a secret of thirty-two characters at least',
      })),
    }),
    ...(users && { users: users.map((id) => ({ sub: `u-${id}`, username: `user${id}` })) }),
  };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

async function store(ids: Ids): Promise<void> {
  const where = { client: tables.client, tableName: 'directory', keysTableName: 'keys' };
  await applyDirectory({ ...where, directory: parseDirectory(directoryOf(ids)), prune: true });
}

async function storedIds(): Promise<{ clients: number[]; users: number[] }> {
  const keys = Object.keys(await tables.items('directory'));
  const idsOf = (prefix: string) =>
    keys
      .filter((key) => key.startsWith(prefix))
      .map((key) => Number(key.slice(prefix.length)))
      .toSorted((one, other) => one - other);
  return { clients: idsOf('client#c-'), users: idsOf('user#u-') };
}

const outputs = { DirectoryTable: 'directory', KeysTable: 'keys', RequestsTable: 'requests' };

async function prune(files: Ids[], argv: string[], world: { typed?: string } = {}) {
  const paths = await Promise.all(
    files.map(async (ids, index) => {
      const path = join(folder, `${index}.json`);
      await writeFile(path, JSON.stringify(directoryOf(ids)));
      return path;
    }),
  );
  const clients = { ...createClients(), dynamodb: tables.client };
  const deployment = operatedDeployment(outputs, clients);
  return ciba(['apply', '-f', ...paths, '--prune', ...argv], { deployment, ...world });
}

const someIds = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 26 });
const someFiles = fc.record({ clients: someIds, users: someIds }, { requiredKeys: [] });

it('O4: whatever is stored and whatever files say, pruning keeps to the kinds of the files and to the limit, and does what it plans', async () => {
  const runs = fc.asyncProperty(
    fc.record({ clients: someIds, users: someIds }),
    someFiles,
    fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    async (before, written, limit) => {
      await store(before);
      const planned = JSON.parse((await prune([written], ['--dry-run', '--json'])).stdout);
      const argv = [
        '--yes',
        '--json',
        ...(limit === undefined ? [] : ['--prune-limit', `${limit}`]),
      ];
      const { exitCode } = await prune([written], argv);
      const after = await storedIds();
      const gone = { clients: 0, users: 0 };
      for (const kind of ['clients', 'users'] as const) {
        gone[kind] = before[kind].filter((id) => !after[kind].includes(id)).length;
        if (written[kind] === undefined) expect(gone[kind]).toBe(0);
      }
      const removed = gone.clients + gone.users;
      expect(removed).toBeLessThanOrEqual(limit ?? 20);
      if (limit === undefined) {
        expect(gone.clients).toBeLessThanOrEqual(before.clients.length / 10);
        expect(gone.users).toBeLessThanOrEqual(before.users.length / 10);
      }
      expect([exitCode, removed]).toEqual(exitCode === 0 ? [0, planned.removed] : [2, 0]);
      if (limit !== undefined && planned.removed <= limit) expect(exitCode).toBe(0);
    },
  );
  await fc.assert(runs, { numRuns: 40 });
});

describe('O4: ciba apply --prune', () => {
  beforeEach(() => store({ clients: upTo(4), users: upTo(30) }));

  it('of a file with clients alone removes no user', async () => {
    const { exitCode, stdout } = await prune([{ clients: upTo(4) }], ['--yes']);
    expect([exitCode, stdout]).toEqual([
      0,
      'Nothing changes: 0 to add, 0 to change, 0 to remove, 4 unchanged.\n',
    ]);
    expect((await storedIds()).users).toHaveLength(30);
  });

  it('takes the kinds of all files together', async () => {
    const files = [{ clients: upTo(4) }, { users: upTo(28) }];
    expect((await prune(files, ['--yes'])).exitCode).toBe(0);
    expect(await storedIds()).toEqual({ clients: upTo(4), users: upTo(28) });
  });

  it('removes everybody for a list that is empty, once the number is said', async () => {
    expect((await prune([{ users: [] }], ['--yes'])).exitCode).toBe(2);
    expect((await prune([{ users: [] }], ['--yes', '--prune-limit', '30'])).exitCode).toBe(0);
    expect((await storedIds()).users).toEqual([]);
  });

  it('says in its question how many of how many go', async () => {
    const { stderr } = await prune([{ clients: upTo(4), users: upTo(28) }], [], { typed: 'n' });
    expect(stderr).toContain('2 to remove, 32 unchanged? Remove 2 of 30 users? [y/N]');
  });

  it.each<[string, Ids, number, string]>([
    ['more than a tenth of the users', { users: upTo(26) }, 4, '4 of 30 users'],
    ['more than a tenth of the clients', { clients: upTo(3) }, 1, '1 of 4 clients'],
    ['more than twenty', { users: upTo(9) }, 21, '21 of 30 users'],
    ['both kinds', { clients: [], users: upTo(28) }, 6, '2 of 30 users and 4 of 4 clients'],
  ])('is told the number again before it removes %s', async (_, written, count, told) => {
    const before = await storedIds();
    const yes = await prune([written], ['--yes']);
    expect(yes.exitCode).toBe(2);
    expect(yes.stderr).toContain(`Remove ${told}? That many are not removed by --yes alone`);
    expect(yes.stderr).toContain(`--prune-limit ${count}`);
    const nobody = await prune([written], []);
    expect(nobody.exitCode).toBe(2);
    expect(nobody.stderr).toContain(`--prune-limit ${count} with --yes says yes`);
    for (const typed of ['y', 'yes', '', `${count + 1}`, `${count}0`]) {
      expect(await prune([written], [], { typed })).toMatchObject({ exitCode: 1 });
    }
    const less = await prune([written], ['--yes', '--prune-limit', `${count - 1}`]);
    expect(less.exitCode).toBe(2);
    expect(less.stderr).toContain(`is less than what would be removed, ${told}`);
    expect(await storedIds()).toEqual(before);
    const typed = await prune([written], [], { typed: `${count}` });
    expect(typed.stderr).toContain(`Remove ${told}? Type ${count} to go on: `);
    expect(typed.exitCode).toBe(0);
    expect(await storedIds()).toEqual({ ...before, ...written });
  });

  it.each([['-1'], ['many'], ['1.5'], ['']])('refuses --prune-limit %j', async (limit) => {
    const { exitCode, stderr } = await prune([{ users: [] }], [`--prune-limit=${limit}`]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--prune-limit');
  });

  it('is what --prune-limit belongs to', async () => {
    const { exitCode, stderr } = await ciba(['apply', '-f', 'x.json', '--prune-limit', '3']);
    expect([exitCode, stderr]).toEqual([
      2,
      '--prune-limit: without --prune nothing is removed; give both or none\n',
    ]);
  });
});
