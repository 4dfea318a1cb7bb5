/**
 * The notification quotas on a real engine (dynalite): limits that hold exactly whoever asks at the same moment, and the
 * same work for somebody who exists and for somebody who does not (threats T3, T6).
 */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askedUsers } from '../../../lambdas/aws/asked-users.ts';
import { addresseeNames, keyStore } from '../../../lambdas/aws/keys-table.ts';
import { notificationQuotas } from '../../../lambdas/aws/notification-quotas.ts';
import { requestItems, requestsTable } from '../../../lambdas/aws/requests-table.ts';
import { nameOfUser } from '../../../lambdas/ciba/asked-users.ts';
import type { Asked } from '../../../lambdas/ciba/notification-policy.ts';
import type {
  Addressee,
  AuthenticationRequestStore,
  NotificationQuotas,
} from '../../../lambdas/ports.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';
import { inMemoryQuotas, standardPolicy as standard } from '../../support/in-memory-quotas.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
let requests: AuthenticationRequestStore;
let quotas: NotificationQuotas;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  requests = requestsTable(tables.client, 'requests');
  quotas = notificationQuotas(tables.client, 'requests', {
    names: { nameOf: async (addressee) => JSON.stringify(addressee) },
    requests,
    draw: () => 3,
  });
});
afterAll(() => tables.stop());

let people = 0;
function somebody(): Addressee {
  people += 1;
  return people % 2 === 0 ? { sub: `u-${people}` } : { hint: `nobody-${people}` };
}

function askedNow(changes: Partial<Asked> = {}): Asked {
  const { ref, clientId, createdAt: at, expiresAt } = exampleRequest();
  return { ref, clientId, at, expiresAt, ...changes };
}

describe('T3: limits by user', () => {
  it.each(['sub', 'hint'] as const)(
    'let through exactly as many as they say of 100 at once, by %s',
    async (kind) => {
      const addressee: Addressee = kind === 'sub' ? { sub: 'u-bombed' } : { hint: 'bombed' };
      const limits = await Promise.all(
        Array.from({ length: 100 }, () =>
          quotas.countAsked(addressee, askedNow(), { mailsPerUserPerMinute: 5 }),
        ),
      );
      expect(limits.filter((limit) => limit === undefined)).toHaveLength(5);
      expect(limits.filter((limit) => limit === 'mailsPerUserPerMinute')).toHaveLength(95);
    },
  );

  it('of pending ones hold while the requests are still being stored', async () => {
    const addressee = somebody();
    const limits = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const request = exampleRequest();
        const { ref, clientId, createdAt: at, expiresAt } = request;
        const limit = await quotas.countAsked(
          addressee,
          { ref, clientId, at, expiresAt },
          { pendingPerUser: 3 },
        );
        if (limit === undefined) await requests.create(request);
        return limit;
      }),
    );
    expect(limits.filter((limit) => limit === undefined)).toHaveLength(3);
  });

  it('of pending ones are read from the requests, so that a decision makes room at once', async () => {
    const addressee = somebody();
    const ask = async () => {
      const request = exampleRequest();
      const { ref, clientId, createdAt: at, expiresAt } = request;
      const limit = await quotas.countAsked(
        addressee,
        { ref, clientId, at, expiresAt },
        { pendingPerUser: 1 },
      );
      if (limit === undefined) await requests.create(request);
      return { ref, limit };
    };
    const first = await ask();
    expect((await ask()).limit).toBe('pendingPerUser');
    await requests.fail(first.ref, 'flow_error', EXAMPLE_NOW);
    expect((await ask()).limit).toBeUndefined();
  });

  it('F4: count once what is written again after a lost answer', async () => {
    const addressee = somebody();
    const asked = askedNow();
    await quotas.countAsked(addressee, asked, standard);
    await quotas.countAsked(addressee, asked, standard);
    const { Item: item } = await tables.client.send(
      new GetItemCommand({
        TableName: 'requests',
        Key: marshall({ ref: `asked#${JSON.stringify(addressee)}` }),
      }),
    );
    expect(unmarshall(item ?? {})).toMatchObject({ version: 1, mails: 1, day: '2023-11-14' });
  });

  it('T6: cost the same calls for somebody who exists and for somebody who does not', async () => {
    const callsFor = async (addressee: Addressee) => {
      tables.sent.length = 0;
      for (let index = 0; index < 7; index += 1) {
        await quotas.countAsked(addressee, askedNow(), standard);
      }
      return [...tables.sent];
    };
    const known = await callsFor({ sub: 'u-known' });
    expect(await callsFor({ hint: 'unknown' })).toEqual(known);
    expect(known.slice(0, 2)).toEqual(['GetItemCommand', 'PutItemCommand']);
  });
});

describe('T4: what else waits for a user', () => {
  const names = { nameOf: async (addressee: Addressee) => nameOfUser(Object(addressee).sub) };
  const policy = { mailsPerUserPerMinute: 30 };

  it('is when it was made, by any client, while it is pending and not at its end', async () => {
    const counting = notificationQuotas(tables.client, 'requests', {
      names,
      requests,
      draw: () => 0,
    });
    const memory = inMemoryRequests();
    const inMemory = inMemoryQuotas(memory);
    const asked = [0, 1, 2, 3].map((second) =>
      exampleRequest({
        sub: 'u-busy',
        clientId: `client-${second}`,
        createdAt: EXAMPLE_NOW + second,
        expiresAt: EXAMPLE_NOW + 100 + second,
      }),
    );
    for (const request of asked) {
      const { ref, clientId, createdAt: at, expiresAt } = request;
      for (const [store, quota] of [[requests, counting] as const, [memory, inMemory] as const]) {
        await quota.countAsked({ sub: 'u-busy' }, { ref, clientId, at, expiresAt }, policy);
        await store.create(request);
        if (clientId === 'client-1') await store.fail(ref, 'flow_error', at);
      }
    }
    const others = askedUsers(requestItems(tables.client, 'requests'), requests);
    const [first, , , last] = asked.map(({ ref }) => ref);
    for (const reader of [others, inMemory]) {
      const of = (ref = '', now = EXAMPLE_NOW + 10) => reader.othersPending('u-busy', ref, now);
      expect(await of(first)).toEqual([EXAMPLE_NOW + 2, EXAMPLE_NOW + 3]);
      expect(await of(last)).toEqual([EXAMPLE_NOW, EXAMPLE_NOW + 2]);
      expect(await of(last, EXAMPLE_NOW + 100)).toEqual([EXAMPLE_NOW + 2]);
      expect(await of(last, EXAMPLE_NOW + 102)).toEqual([]);
      expect(await reader.othersPending('u-idle', 'r', EXAMPLE_NOW)).toEqual([]);
    }
  });
});

describe('the total of a day', () => {
  it.each([1, 7, 8, 20])('of %i holds exactly with 40 at once', async (total) => {
    const at = EXAMPLE_NOW + total * 86_400;
    const counted = await Promise.all(
      Array.from({ length: 40 }, () => quotas.countMail(at, total)),
    );
    expect(counted.filter((one) => one)).toHaveLength(Math.min(total, 40));
    expect(await quotas.countMail(at + 86_400 * 100, total)).toBe(true);
  });
});

describe('the in-memory quotas', () => {
  it('answer as these do', async () => {
    const memory = inMemoryQuotas(inMemoryRequests());
    const addressee = somebody();
    for (let index = 0; index < 30; index += 1) {
      const asked = askedNow({
        at: EXAMPLE_NOW + index * 7,
        expiresAt: EXAMPLE_NOW + index * 7 + 60,
      });
      expect(await quotas.countAsked(addressee, asked, standard)).toBe(
        await memory.countAsked(addressee, asked, standard),
      );
    }
  });
});

describe('the name of an addressee', () => {
  it('of a hint is an HMAC under the key of the deployment, of a user one that needs no key but waits for it alike (T6)', async () => {
    const names = addresseeNames(tables.client, 'keys', () => EXAMPLE_NOW);
    await expect(names.nameOf({ sub: 'u-alice' })).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
    const keys = keyStore(tables.client, 'keys', 'directory');
    const oldest = { kid: 'first', secret: Buffer.alloc(32, 7).toString('base64url') };
    await keys.saveSecretKeys('wrap', [oldest], 0);
    const alice = await names.nameOf({ sub: 'u-alice' });
    expect(alice).toBe(nameOfUser('u-alice'));
    const nobody = await names.nameOf({ hint: 'nobody' });
    for (const name of [alice, nobody]) expect(name).toMatch(/^[\w-]{43}$/);
    expect(await names.nameOf({ hint: 'nobody' })).toBe(nobody);
    expect(nobody).not.toBe(nameOfUser('nobody'));
    expect(await names.nameOf({ hint: 'u-alice' })).not.toBe(alice);
    expect(await names.nameOf({ sub: 'u-bob' })).not.toBe(alice);

    const newest = { kid: 'second', secret: Buffer.alloc(32, 8).toString('base64url') };
    await keys.saveSecretKeys('wrap', [newest, oldest], 1);
    const rotated = addresseeNames(tables.client, 'keys', () => EXAMPLE_NOW);
    expect(await rotated.nameOf({ hint: 'nobody' })).toBe(nobody);
  });
});
