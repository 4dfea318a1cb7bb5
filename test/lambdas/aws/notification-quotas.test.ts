/**
 * The notification quotas on a real engine (dynalite): limits that hold exactly whoever asks at the
 * same moment, and the same work for somebody who exists and for somebody who does not (threats T3,
 * T6).
 */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  askedKey,
  askedUsers,
  readHistory,
  replaceHistory,
} from '../../../lambdas/aws/asked-users-table.ts';
import { addresseeNames, keyStore } from '../../../lambdas/aws/keys-table.ts';
import { notificationQuotas } from '../../../lambdas/aws/notification-quotas.ts';
import { requestItems, requestsTable } from '../../../lambdas/aws/requests-table.ts';
import { dayOf } from '../../../lambdas/ciba/day.ts';
import { nameOfUser } from '../../../lambdas/ciba/policy/asked-users.ts';
import type { AskedUser } from '../../../lambdas/ciba/policy/notification-policy.ts';
import type {
  Addressee,
  AuthenticationRequestStore,
  MailOfDay,
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
    unrepeated: tables.client,
  });
});
afterAll(() => tables.stop());

let people = 0;
function somebody(): Addressee {
  people += 1;
  return people % 2 === 0 ? { sub: `u-${people}` } : { hint: `nobody-${people}` };
}

function askedNow(changes: Partial<AskedUser> = {}): AskedUser {
  const { ref, clientId, createdAt: at, expiresAt } = exampleRequest();
  return { ref, clientId, at, expiresAt, ...changes };
}

function historyOf(addressee: Addressee) {
  return readHistory(requestItems(tables.client, 'requests'), askedKey(JSON.stringify(addressee)));
}

describe('T3: limits by user', () => {
  it.each(['sub', 'hint'] as const)(
    'let through exactly as many as they say of 100 at once, by %s',
    async (kind) => {
      const addressee: Addressee = kind === 'sub' ? { sub: 'u-bombed' } : { hint: 'bombed' };
      const limits = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          quotas.countAsked(addressee, askedNow({ clientId: `client-${index % 2}` }), {
            mailsPerUserPerMinute: 5,
          }),
        ),
      );
      expect(limits.filter((limit) => limit === undefined)).toHaveLength(5);
      expect(limits.filter((over) => over?.limit === 'mailsPerUserPerMinute')).toHaveLength(95);
    },
  );

  it('of pending ones hold while the requests are still being stored', async () => {
    const addressee = somebody();
    const limits = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const request = exampleRequest({ clientId: `client-${index % 2}` });
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
    const reached = { limit: 'pendingPerUser', ofShare: true };
    expect((await ask()).limit).toEqual(reached);
    // P6: what has failed is polled to its end like what waits, so it counts as long.
    await requests.fail(first.ref, 'flow_error', EXAMPLE_NOW);
    expect((await ask()).limit).toEqual(reached);
    const { ref, clientId } = exampleRequest();
    const asked = { ref, clientId, at: EXAMPLE_NOW + 200, expiresAt: EXAMPLE_NOW + 320 };
    expect(await quotas.countAsked(addressee, asked, { pendingPerUser: 1 })).toBeUndefined();
    await requests.create(exampleRequest({ ref, linkNonce: 'nonce' }));
    await requests.decide({
      ref,
      decision: 'deny',
      linkNonce: 'nonce',
      contactVersion: undefined,
      now: EXAMPLE_NOW,
    });
    const next = { ...asked, ref: exampleRequest().ref };
    expect(await quotas.countAsked(addressee, next, { pendingPerUser: 1 })).toBeUndefined();
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

  it('P7: are counted where nothing is limited, by as many at once as come', async () => {
    const addressee = somebody();
    const asked = Array.from({ length: 42 }, (_, index) =>
      askedNow({ clientId: `client-${index % 3}`, at: EXAMPLE_NOW + index / 1000 }),
    );
    await Promise.all(asked.map((one) => quotas.countAsked(addressee, one, {})));
    const { history } = await historyOf(addressee);
    expect(history?.recent.map(({ ref }) => ref).toSorted()).toEqual(
      asked.map(({ ref }) => ref).toSorted(),
    );
    expect(history?.mails).toBe(42);
    expect(history?.mailsOf).toEqual(
      expect.arrayContaining([0, 1, 2].map((of) => ({ clientId: `client-${of}`, mails: 14 }))),
    );
  });

  it('P7, F4: are counted once where nothing is limited and a write is repeated', async () => {
    const addressee = somebody();
    const asked = askedNow();
    for (let time = 0; time < 3; time += 1) await quotas.countAsked(addressee, asked, {});
    const next = askedNow();
    for (let time = 0; time < 3; time += 1) await quotas.countAsked(addressee, next, {});
    const { history } = await historyOf(addressee);
    expect(history).toMatchObject({ mails: 2, recent: [asked, next] });
  });

  it('P32: of a flood under no limit are kept what tells, and a mute stays', async () => {
    const addressee = somebody();
    const reported = exampleRequest({ linkNonce: 'nonce' });
    const policy = { muteSeconds: 86_400 };
    const { ref, clientId, createdAt: at, expiresAt } = reported;
    await quotas.countAsked(addressee, { ref, clientId, at, expiresAt }, policy);
    await requests.create(reported);
    const decision = { ref, decision: 'report', linkNonce: 'nonce', contactVersion: 1 } as const;
    await requests.decide({ ...decision, now: EXAMPLE_NOW + 1 });
    const table = requestItems(tables.client, 'requests');
    const { history, version } = await historyOf(addressee);
    if (!history) throw new Error('no history');
    const flood = Array.from({ length: 197 }, () => askedNow({ clientId: 'flood' }));
    const recent = [...history.recent, ...flood];
    const key = askedKey(JSON.stringify(addressee));
    await replaceHistory(table, key, { ...history, recent }, { version, now: at });
    await Promise.all(
      Array.from({ length: 8 }, () =>
        quotas.countAsked(addressee, askedNow({ clientId: 'flood', at: at + 61 }), {}),
      ),
    );
    const after = (await historyOf(addressee)).history;
    expect(after?.recent.length).toBeLessThan(20);
    expect(after?.recent[0]).toMatchObject({ ref, reported: true });
    expect(await quotas.countAsked(addressee, askedNow(), policy)).toMatchObject({
      limit: 'muteSeconds',
    });
  });

  it('P4: are read as they were stored before clients had shares', async () => {
    const addressee = somebody();
    const { ref, clientId, at, expiresAt } = askedNow();
    const stored = { day: dayOf(at), mails: 19, recent: [{ ref, clientId, at, expiresAt }] };
    await tables.client.send(
      new PutItemCommand({
        TableName: 'requests',
        Item: marshall({ ref: `asked#${JSON.stringify(addressee)}`, ...stored, version: 7 }),
      }),
    );
    const policy = { mailsPerUserPerDay: 20 };
    expect(await quotas.countAsked(addressee, askedNow(), policy)).toBeUndefined();
    expect(await quotas.countAsked(addressee, askedNow(), policy)).toEqual({
      limit: 'mailsPerUserPerDay',
      ofShare: false,
    });
    expect((await historyOf(addressee)).history).toMatchObject({
      mails: 20,
      mailsOf: [{ clientId, mails: 1 }],
    });
  });

  it.each(['__proto__', 'constructor', '~', '-._'])(
    'P4: have a share for the client %s',
    async (clientId) => {
      const addressee = somebody();
      const policy = { mailsPerUserPerDay: 3 };
      for (const mails of [1, 2]) {
        expect(await quotas.countAsked(addressee, askedNow({ clientId }), policy)).toBeUndefined();
        expect((await historyOf(addressee)).history?.mailsOf).toEqual([{ clientId, mails }]);
      }
      expect(await quotas.countAsked(addressee, askedNow({ clientId }), policy)).toMatchObject({
        ofShare: true,
      });
      expect(await quotas.countAsked(addressee, askedNow(), {})).toBeUndefined();
      expect(await quotas.countAsked(addressee, askedNow({ clientId }), {})).toBeUndefined();
      expect((await historyOf(addressee)).history?.mails).toBe(4);
    },
  );

  it('P5: take back what came to nothing, once', async () => {
    const addressee = somebody();
    const [first, second] = [askedNow(), askedNow()];
    await quotas.countAsked(addressee, first, standard);
    await quotas.countAsked(addressee, second, standard);
    for (let time = 0; time < 3; time += 1) await quotas.uncountAsked(addressee, first);
    expect((await historyOf(addressee)).history).toMatchObject({ mails: 1, recent: [second] });
    await quotas.uncountAsked(somebody(), first);
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
      unrepeated: tables.client,
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
    const others = askedUsers(requestItems(tables.client, 'requests'));
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

/** Whether each of several mails at once was let through, in any order. */
async function letThrough(mails: MailOfDay[]): Promise<string[]> {
  const judged = await Promise.all(mails.map((mail) => quotas.countMail(mail)));
  return judged.map((one) => (one.outcome === 'counted' ? 'counted' : `over ${one.ofShare}`));
}

let days = 0;
/** A mail of a day of its own, unless it is of another's. */
function mailOfDay(mailsPerDay: number, changes: Partial<MailOfDay> = {}): MailOfDay {
  days += 1;
  const at = EXAMPLE_NOW + days * 86_400;
  return { clientId: 'pump-4', at, mailsPerDay, hasDecoys: false, isDecoy: false, ...changes };
}

function many(count: number, mail: MailOfDay, changes: Partial<MailOfDay> = {}): MailOfDay[] {
  return Array.from({ length: count }, () => ({ ...mail, ...changes }));
}

async function mailsCounted({ at, mailsPerDay }: MailOfDay): Promise<number> {
  const counters = await Promise.all(
    Array.from({ length: 8 }, (_, counter) =>
      tables.client.send(
        new GetItemCommand({
          TableName: 'requests',
          Key: marshall({ ref: `mails#${dayOf(at)}#${mailsPerDay}#${counter}` }),
        }),
      ),
    ),
  );
  return counters.reduce(
    (sum, { Item: item }) => sum + Number(unmarshall(item ?? {})['mails'] ?? 0),
    0,
  );
}

describe('P5: the total of a day', () => {
  it.each([
    // limit, all together, each client
    [1, 2, 1],
    [2, 2, 1],
    [7, 7, 4],
    [8, 8, 4],
    [20, 20, 10],
    [40, 40, 20],
  ])(
    'of %i lets %i through of 20 at once by each of two clients, and %i by one alone',
    async (limit, total, share) => {
      const mail = mailOfDay(limit);
      const alone = await letThrough(many(share + 5, mail, { clientId: 'alone' }));
      expect(alone.filter((one) => one === 'counted')).toHaveLength(share);
      const both = mailOfDay(limit);
      const together = await letThrough([
        ...many(20, both, { clientId: 'desk-1' }),
        ...many(20, both, { clientId: 'pump-4' }),
      ]);
      expect(together.filter((one) => one === 'counted')).toHaveLength(Math.min(total, 40));
      expect(await mailsCounted(both)).toBe(Math.min(total, 40));
      expect(await letThrough([mailOfDay(limit)])).toEqual(['counted']);
    },
  );

  it('is of mails: decoys take nothing from others, and count for their own client like mails', async () => {
    const mail = mailOfDay(10, { hasDecoys: true });
    expect(await letThrough(many(20, mail, { isDecoy: true }))).toEqual(
      expect.arrayContaining([...Array(5).fill('counted'), ...Array(15).fill('over true')]),
    );
    expect(await mailsCounted(mail)).toBe(0);
    const others = ['desk-1', 'desk-2'].flatMap((clientId) => many(10, mail, { clientId }));
    expect((await letThrough(others)).filter((one) => one === 'counted')).toHaveLength(10);
    expect(await mailsCounted(mail)).toBe(10);
  });

  it.each(['one after another', 'at once'])(
    'T6: shows the client of decoys the same for users and for nobody, %s',
    async (order) => {
      const seen = [];
      for (const isDecoy of [false, true]) {
        const mail = mailOfDay(9, { hasDecoys: true, isDecoy });
        const others = ['desk-1', 'desk-2'].flatMap((clientId) =>
          many(3, mail, { clientId, isDecoy: false }),
        );
        const first = await letThrough(many(2, mail));
        const inBetween = await letThrough(others);
        const last = many(3, mail);
        const told: string[] = [];
        if (order === 'at once') told.push(...(await letThrough(last)));
        else for (const one of last) told.push(...(await letThrough([one])));
        seen.push([first, inBetween, told.toSorted()]);
      }
      expect(seen[1]).toEqual(seen[0]);
      expect(seen[0]?.[2]).toEqual(['counted', 'over false', 'over false']);
    },
  );

  it('T6: costs a client of decoys the same calls for users and for nobody', async () => {
    const callsFor = async (isDecoy: boolean) => {
      const mail = mailOfDay(6, { hasDecoys: true, isDecoy });
      tables.sent.length = 0;
      for (const one of many(5, mail)) await quotas.countMail(one);
      return [...tables.sent];
    };
    expect(await callsFor(true)).toEqual(await callsFor(false));
  });

  it.each([true, false])('takes a mail back, a decoy: %s', async (isDecoy) => {
    const mail = mailOfDay(4, { hasDecoys: true, isDecoy });
    for (let round = 0; round < 5; round += 1) {
      const judged = await quotas.countMail(mail);
      if (judged.outcome !== 'counted') throw new Error('over');
      await quotas.uncountMail(judged.counted);
      expect(await mailsCounted(mail)).toBe(0);
    }
    expect((await letThrough(many(10, mail))).filter((one) => one === 'counted')).toHaveLength(2);
  });

  it('has a budget of its own for each number: whoever has a large one uses up no small one', async () => {
    const large = mailOfDay(1000);
    await letThrough(many(30, large));
    expect(await letThrough([{ ...large, clientId: 'desk-1', mailsPerDay: 10 }])).toEqual([
      'counted',
    ]);
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
      expect(await quotas.countAsked(addressee, asked, standard)).toEqual(
        await memory.countAsked(addressee, asked, standard),
      );
    }
  });
});

describe('the name of an addressee', () => {
  it('of a hint is an HMAC under the key of the deployment, of a user one that needs no key but waits for it alike (T6)', async () => {
    const names = addresseeNames(tables.client, 'keys', () => EXAMPLE_NOW);
    await expect(names.nameOf({ sub: 'u-alice' })).rejects.toMatchObject({
      name: 'Unavailable',
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
