/**
 * Clients as an operator sees and rotates them: two live secrets for a while, and none of them in
 * anything shown.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wrappingKeys } from '../../../../lambdas/aws/keys-table.ts';
import { liveSecrets, storedClient } from '../../../../lambdas/ciba/client/client.ts';
import { applyDirectory } from '../../../../lib/operator/directory/apply.ts';
import {
  findClient,
  listClients,
  rotateSecret,
  type SecretRotation,
} from '../../../../lib/operator/directory/clients.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import type { DirectoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import { switchEntry } from '../../../../lib/operator/directory/enable-entry.ts';
import { disturb } from '../../../support/disturbed-calls.ts';
import { generateClientKey } from '../../../support/example-jwts.ts';
import { addWrappingKey, macOf } from '../../../support/stored-secrets.ts';
import {
  directoryOf,
  type TestTables,
  tablesOnDynalite,
} from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: DirectoryStore;
let now: number;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  now = 1_800_000_000;
  store = directoryOf(tables, { clock: () => now });
  await addWrappingKey(tables, 'first');
});
afterEach(() => tables.stop());

const first = 'the first secret of the pump, long enough for HS384, as they say';
const second = 'the second secret of the pump, long enough for HS384, as they say';
const pump = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: first,
};

const apply = (...clients: object[]) =>
  applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory: parseDirectory({ clients }),
    prune: false,
  });

const rotate = (rotation: Partial<SecretRotation> = {}) =>
  rotateSecret(store, 'pump-4', { keepSeconds: 3600, force: false, ...rotation });

const stored = async () => storedClient.parse((await tables.items('directory'))['client#pump-4']);

/** What the functions would accept now. */
const accepted = async () =>
  liveSecrets(await stored(), now).map(({ client_secret_mac }) => client_secret_mac);

const macs = (...secrets: string[]) =>
  Promise.all(secrets.map((secret) => macOf(tables, 'pump-4', secret)));

describe('rotating a secret', () => {
  it('makes a new one and keeps the old one live for as long as it is told, to the second', async () => {
    await apply(pump);
    const rotated = await rotate();
    expect(rotated).toEqual({
      generated: expect.stringMatching(/^[\w-]{64}$/),
      retiringUntil: now + 3600,
    });
    const [made, before] = await macs(rotated?.generated ?? '', first);
    now += 3599;
    expect(await accepted()).toEqual([made, before]);
    now += 1;
    expect(await accepted()).toEqual([made]);
  });

  it('takes a given one, which is then not shown again', async () => {
    await apply(pump);
    expect((await rotate({ secret: second }))?.generated).toBeUndefined();
    expect(await accepted()).toEqual(await macs(second, first));
  });

  it.each<[string, string, string]>([
    ['that is too short', 'short', 'client_secret: must be 32 to 128 printable ASCII characters'],
    ['that it has already', first, 'client pump-4: has this secret already'],
  ])('refuses one %s, and changes nothing', async (_, secret, message) => {
    await apply(pump);
    await expect(rotate({ secret })).rejects.toThrow(message);
    expect(await accepted()).toEqual(await macs(first));
  });

  it('refuses a second rotation while an older secret is live, unless it is forced', async () => {
    await apply(pump);
    await rotate({ secret: second });
    await expect(rotate()).rejects.toThrow(
      'client pump-4: the secret before the present one is still valid, until 2027-01-15T09:00:00Z; --force ends it at once and retires the present one',
    );
    expect(await accepted()).toEqual(await macs(second, first));
    const forced = await rotate({ force: true });
    expect(await accepted()).toEqual(await macs(forced?.generated ?? '', second));
  });

  it('needs no force once the older one has ended', async () => {
    await apply(pump);
    await rotate({ secret: second });
    now += 3600;
    expect(await rotate()).toMatchObject({ retiringUntil: now + 3600 });
  });

  it('ends the present one at once with nothing to keep', async () => {
    await apply(pump);
    const rotated = await rotate({ keepSeconds: 0 });
    expect(await accepted()).toEqual(await macs(rotated?.generated ?? ''));
  });

  it('is for clients with a secret: one with keys is told so', async () => {
    const { jwk } = generateClientKey('ES256', { kid: 'k1', use: 'sig' });
    const { client_secret: _, ...others } = pump;
    const method = 'private_key_jwt';
    await apply({ ...others, token_endpoint_auth_method: method, jwks: { keys: [jwk] } });
    await expect(rotate()).rejects.toThrow(
      'client pump-4: authenticates with keys (private_key_jwt) and has no secret; its keys are changed by ciba apply',
    );
  });

  it('says that there is no such client', async () => {
    expect(await rotate()).toBeUndefined();
  });

  it('by two at once is done by one of them, and only that one’s secret is stored and shown', async () => {
    await apply(pump);
    const both = await Promise.allSettled([rotate(), rotate()]);
    const won = both.flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : []));
    expect(won).toHaveLength(1);
    expect(await accepted()).toContain((await macs(won[0]?.generated ?? ''))[0]);
    expect(both.find((one) => one.status === 'rejected')).toMatchObject({
      reason: { name: 'OperatorError', code: 'conflict' },
    });
  });

  it('whose answer is lost for good still shows the secret that may be stored', async () => {
    await apply(pump);
    let gone = false;
    disturb(
      tables.client,
      ({ command }) => {
        gone ||= command === 'UpdateItemCommand';
        if (gone) throw new Error('socket hang up');
      },
      'after',
    );
    expect(await rotate()).toMatchObject({
      generated: expect.any(String),
      fault: { name: 'UnknownOutcome' },
    });
  });

  it('of a client_secret_jwt client keeps both readable, wrapped each', async () => {
    await apply({ ...pump, token_endpoint_auth_method: 'client_secret_jwt' });
    await addWrappingKey(tables, 'second');
    await rotate({ secret: second });
    const keys = wrappingKeys(tables.client, 'keys', () => now);
    const wrapped = liveSecrets(await stored(), now).map((one) => one.client_secret_wrapped ?? '');
    expect(await Promise.all(wrapped.map((one) => keys.unwrap('pump-4', one)))).toEqual([
      second,
      first,
    ]);
    expect(JSON.stringify(await stored())).not.toContain('secret of the pump');
    const short = { ...pump, token_endpoint_auth_signing_alg: 'HS512' };
    await expect(
      apply({ ...short, token_endpoint_auth_method: 'client_secret_jwt' }),
    ).rejects.toThrow('is the one before the last rotation');
  });
});

describe('applying a directory file after a rotation', () => {
  it('with the old secret in it is refused, instead of going back in silence', async () => {
    await apply(pump);
    await rotate({ secret: second });
    const message =
      'client pump-4 client_secret: is the one before the last rotation (valid until 2027-01-15T09:00:00Z); write the present one, or leave client_secret out to keep it';
    await expect(apply(pump)).rejects.toThrow(message);
    now += 86_400;
    await expect(apply(pump)).rejects.toThrow(message);
    expect([(await stored()).client_secret_mac]).toEqual(await macs(second));
  });

  it('with the new secret, or with none, keeps both secrets as they are', async () => {
    await apply(pump);
    await rotate({ secret: second });
    const { client_secret: _, ...others } = pump;
    const before = await tables.items('directory');
    await apply({ ...pump, client_secret: second });
    await apply(others);
    expect(await tables.items('directory')).toEqual(before);
    await apply({ ...others, interval: 5 });
    expect(await accepted()).toEqual(await macs(second, first));
  });

  it('that gives it keys leaves no secret at all', async () => {
    await apply(pump);
    await rotate();
    const { jwk } = generateClientKey('ES256', { kid: 'k1', use: 'sig' });
    const { client_secret: _, ...others } = pump;
    const method = 'private_key_jwt';
    await apply({ ...others, token_endpoint_auth_method: method, jwks: { keys: [jwk] } });
    const item = (await tables.items('directory'))['client#pump-4'] ?? {};
    expect(Object.keys(item).filter((name) => name.includes('secret'))).toEqual([]);
  });
});

describe('what is shown of clients', () => {
  it('is their metadata, whether a secret is set and until when another lives, and neither of the two', async () => {
    await apply(pump, {
      ...pump,
      client_id: 'a-1',
      notification_policy: 'quiet',
      flow_policy: 'x',
    });
    await rotate({ secret: second });
    const shown = await listClients(store);
    expect(shown.map(({ members }) => members['client_id'])).toEqual(['a-1', 'pump-4']);
    expect(shown[0]?.members).toMatchObject({ notification_policy: 'quiet', flow_policy: 'x' });
    expect(await findClient(store, 'pump-4')).toMatchObject({
      members: { client_name: 'Fuel & Go, Pump 4', enabled: true },
      secret: 'set',
      retiringUntil: now + 3600,
    });
    for (const hidden of await macs(first, second)) {
      expect(JSON.stringify(shown)).not.toContain(hidden);
    }
    expect(await findClient(store, 'nobody')).toBeUndefined();
  });
});

describe('switching a client off', () => {
  const off = () => switchEntry(store, { kind: 'client', id: 'pump-4' }, false);

  it('is written once, and raises the version', async () => {
    await apply(pump);
    const before = (await findClient(store, 'pump-4'))?.version ?? 0;
    expect(await off()).toBe(true);
    expect(await off()).toBe(false);
    expect(await findClient(store, 'pump-4')).toMatchObject({
      members: { enabled: false },
      version: before + 1,
    });
  });

  it('says that there is no such client', async () => {
    expect(await off()).toBeUndefined();
  });

  it('is a conflict if somebody else changes the client at the same moment', async () => {
    await apply(pump);
    let between = false;
    disturb(tables.client, async ({ command }) => {
      if (between || command !== 'UpdateItemCommand') return;
      between = true;
      await rotate();
    });
    await expect(off()).rejects.toThrow('client pump-4: was changed by somebody else');
  });
});
