/**
 * The audit as operators read it: the index by day lists a time's requests newest first, and their
 * items tell the rest. Nothing is scanned, and no item is so strange that the others are not shown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { dayPartitions, type Whose } from '../../../lambdas/aws/day-partitions.ts';
import {
  attributeNames,
  available,
  type Item,
  MOST_KEYS_AT_ONCE,
} from '../../../lambdas/aws/dynamo-table.ts';
import { requestsByDay, storedNames } from '../../../lambdas/aws/formats.ts';
import { isRefused, READ_VERSIONS, toRequest } from '../../../lambdas/aws/requests-table.ts';
import { DAY_SECONDS, dayOf } from '../../../lambdas/ciba/day.ts';
import { isOAuthErrorCode, type OAuthErrorCode } from '../../../lambdas/ciba/oauth-error.ts';
import { readBatch, type StoredAttributes } from '../deployment/read-batch.ts';
import type { Audited } from './audit-entry.ts';

/** A place in the list, newest first; of requests of the same moment by their refs. */
export interface AuditPosition {
  createdAt: number;
  ref: string;
}

/**
 * What is listed: the requests that were asked from `from` on and before `to`, by one client or of
 * one user or of all.
 */
export interface AuditQuery extends Whose {
  from: number;
  to: number;
  /** What comes after this place. */
  after?: AuditPosition | undefined;
}

/** A request as the index has it. */
export interface ListedRequest extends AuditPosition {
  clientId: string;
  sub?: string | undefined;
}

export interface AuditTable {
  /**
   * The requests of a query, newest first, read as far as they are asked for. Each that was in the
   * index when the list began comes exactly once, whatever arrives meanwhile; a list that goes on
   * after a position goes on with the next one.
   */
  list(query: AuditQuery): AsyncGenerator<ListedRequest, void>;

  /**
   * The items of listed requests, in their order; those that TTL has removed since are left out.
   */
  read(listed: readonly ListedRequest[]): Promise<Audited[]>;

  /** One item as the last finished write left it. */
  find(ref: string): Promise<Audited | undefined>;
}

/** The audit in the table of requests. */
export function auditTable(client: DynamoDBClient, tableName: string): AuditTable {
  const source = { client, tableName };
  return {
    list: (query) => list(source, query),
    async read(listed) {
      const items = await readItems(source, listed);
      return listed.flatMap(({ ref }) => items.get(ref) ?? []);
    },
    async find(ref) {
      const { Item: item } = await available(
        client.send(
          new GetItemCommand({
            TableName: tableName,
            Key: { ref: { S: ref } },
            ConsistentRead: true,
          }),
        ),
      );
      return item && toAudited(item);
    },
  };
}

interface Source {
  client: DynamoDBClient;
  tableName: string;
}

async function* list(source: Source, query: AuditQuery): AsyncGenerator<ListedRequest, void> {
  const { from, to, after } = query;
  const last = to - MOMENT_SECONDS;
  const until = Math.min(last, after?.createdAt ?? last);
  for (const day of daysBackward(from, until)) {
    for await (const sameMoment of moments(source, query, { day, from, until })) {
      for (const listed of sameMoment.toSorted(byRef)) {
        if (isAfter(listed, after)) yield listed;
      }
    }
  }
}

/** Every instant is kept to the millisecond. */
const MOMENT_SECONDS = 0.001;

function* daysBackward(from: number, until: number): Generator<string, void> {
  const first = Math.floor(from / DAY_SECONDS);
  if (until < from) return;
  for (let day = Math.floor(until / DAY_SECONDS); day >= first; day -= 1) {
    yield dayOf(day * DAY_SECONDS);
  }
}

function isAfter({ createdAt, ref }: ListedRequest, after: AuditPosition | undefined): boolean {
  if (!after || createdAt !== after.createdAt) return true;
  return ref > after.ref;
}

function byRef(one: ListedRequest, other: ListedRequest): number {
  return one.ref < other.ref ? -1 : 1;
}

/** A part of one day. */
interface Slice {
  day: string;
  from: number;
  until: number;
}

/** The requests of a day, newest first, those of the same moment together. */
async function* moments(
  source: Source,
  whose: Whose,
  slice: Slice,
): AsyncGenerator<ListedRequest[], void> {
  const partitions = dayPartitions(slice.day, whose).map((name) => startReading(name, whose));
  let together: ListedRequest[] = [];
  for (;;) {
    await refill(source, partitions, slice);
    const newest = newestOf(partitions);
    const [sample] = together;
    if (sample && sample.createdAt !== newest?.next.createdAt) {
      yield together;
      together = [];
    }
    if (!newest) return;
    together.push(newest.next);
    newest.partition.waiting.shift();
  }
}

/** A partition of the index, read from its newest entry on. */
interface PartitionReading {
  name: string;
  filter: [string, string][];
  waiting: ListedRequest[];
  /** How many entries the next query looks at. */
  limit: number;
  /** Where the next query begins. */
  startKey?: Record<string, AttributeValue> | undefined;
  isRead: boolean;
}

/**
 * A page shows fifty entries, of sixteen partitions; what is filtered out has to be looked at all
 * the same.
 */
const FIRST_LIMIT = 16;
const FIRST_FILTERED_LIMIT = 1000;
const LARGEST_LIMIT = 4000;

function startReading(name: string, { clientId, sub }: Whose): PartitionReading {
  const filter = Object.entries({ clientId, sub }).flatMap(([attribute, value]) =>
    value === undefined ? [] : [[attribute, value] as [string, string]],
  );
  const limit = filter.length === 0 ? FIRST_LIMIT : FIRST_FILTERED_LIMIT;
  return { name, filter, waiting: [], limit, isRead: false };
}

/**
 * Until the newest entry of each partition is known. Partitions that are nearly used up are read on
 * along with the empty ones.
 */
async function refill(source: Source, partitions: PartitionReading[], slice: Slice): Promise<void> {
  while (partitions.some(({ waiting, isRead }) => waiting.length === 0 && !isRead)) {
    const few = partitions.filter(
      ({ waiting, isRead, limit }) => !isRead && waiting.length < limit / 8,
    );
    await Promise.all(few.map((partition) => readOn(source, partition, slice)));
  }
}

const indexEntry = z.object({
  ref: z.string(),
  createdAt: z.number(),
  clientId: z.catch(z.string(), ''),
  sub: z.catch(z.optional(z.string()), undefined),
});

async function readOn(
  { client, tableName }: Source,
  partition: PartitionReading,
  { from, until }: Slice,
): Promise<void> {
  const { name, filter, limit, startKey } = partition;
  const { Items: items = [], LastEvaluatedKey: lastKey } = await available(
    client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: requestsByDay.name,
        KeyConditionExpression: '#day = :day AND #createdAt BETWEEN :from AND :until',
        ExpressionAttributeNames: {
          '#day': requestsByDay.partitionKey,
          '#createdAt': requestsByDay.sortKey,
          ...Object.fromEntries(filter.map(([attribute]) => [`#${attribute}`, attribute])),
        },
        ExpressionAttributeValues: marshall({
          ':day': name,
          ':from': from,
          ':until': until,
          ...Object.fromEntries(filter.map(([attribute, value]) => [`:${attribute}`, value])),
        }),
        ...(filter.length > 0 && {
          FilterExpression: filter
            .map(([attribute]) => `#${attribute} = :${attribute}`)
            .join(' AND '),
        }),
        ScanIndexForward: false,
        Limit: limit,
        ExclusiveStartKey: startKey,
      }),
    ),
  );
  partition.waiting.push(...items.map((item) => indexEntry.parse(unmarshall(item))));
  partition.startKey = lastKey;
  partition.isRead = lastKey === undefined;
  partition.limit = Math.min(limit * 2, LARGEST_LIMIT);
}

function newestOf(
  partitions: PartitionReading[],
): { partition: PartitionReading; next: ListedRequest } | undefined {
  let newest: { partition: PartitionReading; next: ListedRequest } | undefined;
  for (const partition of partitions) {
    const [next] = partition.waiting;
    if (next && (!newest || next.createdAt > newest.next.createdAt)) newest = { partition, next };
  }
  return newest;
}

/** Batches that are read at the same time. */
const BATCHES_AT_ONCE = 4;

async function readItems(
  source: Source,
  listed: readonly ListedRequest[],
): Promise<Map<string, Audited>> {
  const found = new Map<string, Audited>();
  // A write of this moment may be missed, at half the cost.
  const reading = { ...source, isConsistent: false, pause: sleep };
  const keys = listed.map(({ ref }) => ({ ref: { S: ref } }));
  const batches = Array.from({ length: Math.ceil(keys.length / MOST_KEYS_AT_ONCE) }, (_, index) =>
    keys.slice(index * MOST_KEYS_AT_ONCE, (index + 1) * MOST_KEYS_AT_ONCE),
  );
  const readBatches = async () => {
    for (let batch = batches.pop(); batch; batch = batches.pop()) {
      for (const item of await readBatch(reading, batch)) {
        const audited = toAudited(item);
        found.set(audited.ref, audited);
      }
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, readBatches));
  return found;
}

const names = attributeNames(storedNames);

const refusedItem = z.object({
  v: z.literal(READ_VERSIONS),
  status: z.literal('refused'),
  ref: z.string(),
  clientId: z.string(),
  sub: z.optional(z.string()),
  code: z.custom<OAuthErrorCode>(isOAuthErrorCode),
  cause: z.optional(z.string()),
  createdAt: z.number(),
  ttl: z.number(),
});

const anyItem = z.object({
  ref: z.string(),
  clientId: z.catch(z.string(), ''),
  sub: z.catch(z.optional(z.string()), undefined),
  createdAt: z.catch(z.number(), 0),
});

function toAudited(stored: StoredAttributes): Audited {
  const item = names.fromStored(unmarshall(stored));
  try {
    return isRefused(item) ? toRefused(item) : toRequest(item);
  } catch {
    return { status: 'unreadable', ...anyItem.parse(item) };
  }
}

function toRefused(item: Item): Audited {
  const { v: _version, ttl: forgetAt, ...refused } = refusedItem.parse(item);
  return { ...refused, forgetAt };
}
