/**
 * The audit on a real engine (dynalite): newest first over partitions and days, whatever arrives
 * meanwhile and however strange.
 */
import {
  type BatchGetItemCommandInput,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dayPartition } from '../../../../lambdas/aws/day-partitions.ts';
import { requestsTable } from '../../../../lambdas/aws/requests-table.ts';
import type { PendingRequest } from '../../../../lambdas/ciba/request/authentication-request.ts';
import type { AuthenticationRequestStore } from '../../../../lambdas/ports.ts';
import {
  type AuditQuery,
  type AuditTable,
  auditTable,
  type ListedRequest,
} from '../../../../lib/operator/audit/audit-table.ts';
import { DAY_BEGINS, RARE_CLIENT, writeDay } from '../../../support/audited-day.ts';
import { exampleRequest } from '../../../support/example-request.ts';
import { type TestTables, tablesOnDynalite } from '../../../support/tables-on-dynalite.ts';

const DAY = 86_400;

let tables: TestTables;
let store: AuthenticationRequestStore;
let audit: AuditTable;
/** Each test has a week of its own, and the first second of the week's third day. */
let midnight = 1_600_041_600;

beforeAll(async () => {
  tables = await tablesOnDynalite();
  store = requestsTable(tables.client, 'requests');
  audit = auditTable(tables.client, 'requests');
});
afterAll(() => tables.stop());
beforeEach(() => {
  midnight += 7 * DAY;
});

async function asked(createdAt: number, changes: Partial<PendingRequest> = {}): Promise<string> {
  const request = exampleRequest({ createdAt, expiresAt: createdAt + 120, ...changes });
  await store.create(request);
  return request.ref;
}

async function listed(query: Partial<AuditQuery> = {}): Promise<ListedRequest[]> {
  const week = { from: midnight - 2 * DAY, to: midnight + 5 * DAY };
  const found: ListedRequest[] = [];
  for await (const request of audit.list({ ...week, ...query })) found.push(request);
  return found;
}

async function refs(query: Partial<AuditQuery> = {}): Promise<string[]> {
  return (await listed(query)).map(({ ref }) => ref);
}

describe('the list', () => {
  it('is newest first, over all partitions and over midnight', async () => {
    const times = [0, 5, -0.001, -5, 0.001, DAY, DAY - 0.001, -DAY - 3, 2.5, 1].map(
      (seconds) => midnight + seconds,
    );
    for (const [index, at] of times.entries()) {
      await asked(at, { clientId: `pump-${index}`, sub: `u-${index}` });
    }
    const found = (await listed()).map(({ createdAt }) => createdAt);
    expect(found).toEqual(times.toSorted((one, other) => other - one));
  });

  it('begins with `from` and ends before `to`, to the millisecond', async () => {
    await asked(midnight - 0.001);
    const [first, last] = [await asked(midnight), await asked(midnight + 59.999)];
    await asked(midnight + 60);
    expect(await refs({ from: midnight, to: midnight + 60 })).toEqual([last, first]);
  });

  it('of an empty range is empty, and asks nothing', async () => {
    await asked(midnight);
    tables.sent.length = 0;
    expect(await refs({ from: midnight + 1, to: midnight + 1 })).toEqual([]);
    expect(tables.sent).toEqual([]);
  });

  it('of a client or a user has all of theirs and nothing else, refusals included', async () => {
    const both = { clientId: 'desk-1', sub: 'u-bob' };
    const of = {
      both: await asked(midnight + 1, both),
      client: await asked(midnight + 2, { ...both, sub: 'u-carol' }),
      user: await asked(midnight + 3, { ...both, clientId: 'desk-2' }),
      nobody: await asked(midnight + 4, { ...both, sub: '', decoy: 'user_unknown' }),
    };
    const { ref } = exampleRequest();
    await store.refuse({
      ref,
      clientId: 'desk-1',
      code: 'invalid_scope',
      createdAt: midnight + 5,
      forgetAt: midnight + DAY,
    });
    expect(await refs({ clientId: 'desk-1' })).toEqual([ref, of.nobody, of.client, of.both]);
    expect(await refs({ sub: 'u-bob' })).toEqual([of.user, of.both]);
    expect(await refs({ clientId: 'desk-1', sub: 'u-bob' })).toEqual([of.both]);
    expect(await refs({ clientId: 'desk-3' })).toEqual([]);
    expect(await listed({ clientId: 'desk-2' })).toEqual([
      { ref: of.user, createdAt: midnight + 3, clientId: 'desk-2', sub: 'u-bob' },
    ]);
  });

  it('reads an index by key, and never scans', async () => {
    await asked(midnight);
    tables.sent.length = 0;
    await listed();
    expect(new Set(tables.sent)).toEqual(new Set(['QueryCommand']));
  });

  it('is read no further than it is asked for', async () => {
    for (let day = 0; day < 4; day += 1) await asked(midnight + day * DAY);
    tables.sent.length = 0;
    const list = audit.list({ from: midnight - DAY, to: midnight + 4 * DAY });
    await list.next();
    await list.return();
    // The newest day's sixteen partitions, and what comes after the newest entry in its own.
    expect(tables.sent.length).toBeLessThanOrEqual(17);
  });
});

describe('a day of a thousand requests', () => {
  const day = { from: DAY_BEGINS, to: DAY_BEGINS + DAY };
  /** Entries of the index that queries looked at. */
  let looked = 0;

  beforeAll(async () => {
    await writeDay(tables.client, 'requests', 1000);
    tables.client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        looked += Number(Object(result.output).ScannedCount ?? 0);
        return result;
      },
      { step: 'initialize', name: 'looked' },
    );
  });

  it.each<[string, Partial<AuditQuery>, number, number]>([
    ['its newest fifty look at a part of it', {}, 50, 400],
    ['a rare client, at its row of the grid', { clientId: RARE_CLIENT }, 1, 400],
    ['a user, at a column', { sub: 'u-49' }, 1, 400],
    ['both, at one partition', { clientId: RARE_CLIENT, sub: 'u-49' }, 1, 150],
  ])('is not read whole: %s', async (_what, query, entries, most) => {
    looked = 0;
    const found: ListedRequest[] = [];
    for await (const request of audit.list({ ...day, ...query })) {
      if (found.push(request) === 50) break;
    }
    expect(found).toHaveLength(entries);
    expect(looked).toBeLessThanOrEqual(most);
  });
});

describe('pages', () => {
  async function pages(size: number, between: () => Promise<unknown> = async () => undefined) {
    const found: string[] = [];
    let after: ListedRequest | undefined;
    for (;;) {
      const page: ListedRequest[] = [];
      for await (const request of audit.list({ from: midnight, to: midnight + 9, after })) {
        if (page.push(request) === size) break;
      }
      found.push(...page.map(({ ref }) => ref));
      after = page.at(-1);
      if (!after) return found;
      await between();
    }
  }

  it('neither lose nor repeat anything, many of the same moment in one partition included', async () => {
    const all = [];
    for (let index = 0; index < 60; index += 1) all.push(await asked(midnight + (index % 3)));
    for (const size of [1, 7, 60]) {
      const found = await pages(size);
      expect(found).toHaveLength(60);
      expect(found.toSorted()).toEqual(all.toSorted());
    }
  });

  it('go on where they were, whatever is asked meanwhile', async () => {
    const all: string[] = [];
    for (let index = 0; index < 20; index += 1) all.push(await asked(midnight + index / 4));
    let newer = 5;
    const found = await pages(3, async () => {
      newer += 0.01;
      await asked(midnight + newer);
    });
    expect(found).toEqual(all.toReversed());
  });

  it('of many requests come out of many queries, and filtered ones too', async () => {
    const mine: string[] = [];
    for (let index = 0; index < 120; index += 1) {
      const isMine = index % 30 === 5;
      const ref = await asked(midnight + index / 20, { clientId: isMine ? 'desk-9' : 'pump-4' });
      if (isMine) mine.push(ref);
    }
    expect(await refs({ clientId: 'desk-9' })).toEqual(mine.toReversed());
    expect(await refs()).toHaveLength(120);
  });
});

describe('the items', () => {
  it('come in the order they are listed in, a hundred at a time, without those that are gone', async () => {
    const all: string[] = [];
    for (let index = 0; index < 130; index += 1) all.push(await asked(midnight + index));
    const list = await listed();
    const gone = all[64] ?? '';
    await tables.client.send(
      new DeleteItemCommand({ TableName: 'requests', Key: { ref: { S: gone } } }),
    );
    tables.sent.length = 0;
    const found = (await audit.read(list)).map(({ ref }) => ref);
    expect(found).toEqual(all.toReversed().filter((ref) => ref !== gone));
    expect(tables.sent).toEqual(['BatchGetItemCommand', 'BatchGetItemCommand']);
    expect(await audit.read([])).toEqual([]);
  });

  it('are requests as the store has them, and refusals with code and cause', async () => {
    const ref = await asked(midnight);
    await store.fail(ref, 'user_disabled', midnight + 3);
    const refused = {
      ref: exampleRequest().ref,
      clientId: 'pump-4',
      sub: 'u-alice',
      code: 'access_denied',
      cause: 'over pendingPerUser',
      createdAt: midnight + 1,
      forgetAt: midnight + DAY,
    } as const;
    await store.refuse(refused);
    const [second, first] = await audit.read(await listed());
    expect(first).toEqual(await store.find(ref));
    expect(second).toEqual({ status: 'refused', ...refused });
    expect(await audit.find(ref)).toEqual(first);
    expect(await audit.find(refused.ref)).toEqual(second);
    expect(await audit.find(exampleRequest().ref)).toBeUndefined();
  });

  it.each<[string, (item: Record<string, unknown>) => Record<string, unknown>]>([
    ['another version', (item) => ({ ...item, v: 99 })],
    ['a status of tomorrow', (item) => ({ ...item, status: 'suspended' })],
    ['a missing fact', ({ v: _v, ...item }) => item],
    ['a refusal with an unknown code', (item) => ({ ...item, status: 'refused', code: 'gone' })],
    ['a client that is no text', (item) => ({ ...item, clientId: 7 })],
  ])(
    'that cannot be read are said to be so, and keep nothing else from being read: %s',
    async (_what, strange) => {
      const before = await asked(midnight);
      const { ref } = exampleRequest();
      const createdAt = midnight + 1;
      const item = {
        v: 2,
        status: 'pending',
        ref,
        clientId: 'pump-4',
        sub: 'u-alice',
        createdAt,
        day: dayPartition({ ref, clientId: 'pump-4', sub: 'u-alice', createdAt }),
      };
      await tables.client.send(
        new PutItemCommand({ TableName: 'requests', Item: marshall(strange(item)) }),
      );
      const [first, second] = await audit.read(await listed());
      expect(first).toMatchObject({ status: 'unreadable', ref, createdAt });
      expect(second).toMatchObject({ status: 'pending', ref: before });
      expect(await audit.find(ref)).toEqual(first);
    },
  );

  it('that a busy table leaves out are asked for again', async () => {
    const [one, other] = [await asked(midnight), await asked(midnight + 1)];
    let isBusy = true;
    const asks: number[] = [];
    const busy = {
      async send(command: { input: BatchGetItemCommandInput }) {
        const keys = command.input.RequestItems?.['requests']?.Keys ?? [];
        asks.push(keys.length);
        const left = isBusy ? keys.splice(1) : [];
        isBusy = false;
        const answer = await tables.client.send(command as never);
        return {
          ...Object(answer),
          UnprocessedKeys: left.length > 0 ? { requests: { Keys: left } } : {},
        };
      },
    } as unknown as DynamoDBClient;
    const found = await auditTable(busy, 'requests').read(await listed());
    expect(found.map(({ ref }) => ref)).toEqual([other, one]);
    expect(asks).toEqual([2, 1]);
  });
});
