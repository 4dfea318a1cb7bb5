/**
 * The authentication requests in DynamoDB: one item each, one conditional write for each rule with
 * all that it demands in the condition.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { mailFailures } from '../ciba/mail-failure.ts';
import {
  type AuthenticationRequest,
  failureCauses,
  type PendingRequest,
} from '../ciba/request/authentication-request.ts';
import type { DecisionOrigin } from '../ciba/request/decision-origin.ts';
import type { RefusedRequest } from '../ciba/request/refused-request.ts';
import type { Member, Members } from '../ciba/request/rule.ts';
import { unreachableReasons } from '../ciba/user/user.ts';
import type { AuthenticationRequestStore } from '../ports.ts';
import {
  type Compact,
  compactBase64url,
  compactMailFailure,
  compactMessage,
  compactOrigin,
  readBase64url,
  readMailFailure,
  readMessage,
  readOrigin,
} from './compact-forms.ts';
import { dayPartition } from './day-partitions.ts';
import { type DynamoTable, dynamoTable, type Item } from './dynamo-table.ts';
import { partitionKey, storedNames } from './formats.ts';
import { expressionsOf } from './rule-expressions.ts';
import { ruleStore } from './rule-store.ts';

/** The format of the item, stored with it. */
const ITEM_VERSION = 3;

/**
 * The formats that are read. Version 2 had texts where version 3 has octets, a word where it has a
 * letter, and no origin of a decision; a request that was made under it is polled, decided,
 * redeemed and refreshed like any other.
 */
export const READ_VERSIONS = [2, ITEM_VERSION];

/** The status of what was never acknowledged: it is in the audit and no request. */
const REFUSED = 'refused';

/** Members whose attributes are not their values as they are. */
type KnownMembers = Members &
  Partial<Pick<AuthenticationRequest, 'forgetAt' | 'mailFailure' | 'decisionOrigin'>>;

const compact = z.custom<Compact>(
  (value) => typeof value === 'string' || value instanceof Uint8Array,
);
const base64url = z.pipe(compact, z.transform(readBase64url));
const message = z.pipe(compact, z.transform(readMessage));
const mailFailureWord = z.pipe(
  z.pipe(z.string(), z.transform(readMailFailure)),
  z.enum(mailFailures),
);

const facts = {
  v: z.literal(READ_VERSIONS),
  ref: z.string(),
  secretHash: base64url,
  clientId: z.string(),
  sub: z.string(),
  contactVersion: z.number(),
  decoy: z.optional(z.enum(unreachableReasons)),
  scope: z.string(),
  bindingMessage: z.optional(message),
  flow: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
  ttl: z.number(),
  interval: z.number(),
  firstInterval: z.optional(z.number()),
  polledAt: z.optional(z.number()),
  polls: z.number(),
  linkNonce: z.optional(base64url),
  mailClaimId: z.optional(base64url),
  mailClaimUntil: z.optional(z.number()),
  mailedAt: z.optional(z.number()),
  mailFailure: z.optional(mailFailureWord),
  mailFailedAt: z.optional(z.number()),
  wrongCodes: z.optional(z.number()),
  wrongCodeAttempt: z.optional(base64url),
  decidedFrom: z.optional(z.pipe(compact, z.transform(readOrigin))),
  /** Left out where there was no room for anything. */
  decidedWith: z._default(z.string(), ''),
};

/**
 * An item of the table, in each status. Attributes of an earlier status stay and are not looked at.
 */
const storedItem = z.discriminatedUnion('status', [
  z.object({ ...facts, status: z.literal('pending') }),
  z.object({ ...facts, status: z.literal('approved'), decidedAt: z.number() }),
  z.object({
    ...facts,
    status: z.literal('denied'),
    decidedAt: z.number(),
    isDenied: z.optional(z.literal(true)),
    reported: z.optional(z.literal(true)),
  }),
  z.object({
    ...facts,
    status: z.literal('failed'),
    failedAt: z.number(),
    cause: z.enum(failureCauses),
  }),
  z.object({
    ...facts,
    status: z.literal('redeemed'),
    decidedAt: z.number(),
    redeemedAt: z.number(),
    attemptId: base64url,
    refreshHash: z.optional(base64url),
    refreshEndsAt: z.optional(z.number()),
    replayedAt: z.optional(z.number()),
    revokedAt: z.optional(z.number()),
  }),
]);

/**
 * The item of a request: the same facts, flat and compact, with the TTL attribute and the key of
 * the index by day.
 */
export function toItem(request: AuthenticationRequest): Item {
  return { v: ITEM_VERSION, ...attributesOf(request), day: dayPartition(request) };
}

/** The attributes that stand for these members of a request. */
function attributesOf({ forgetAt, mailFailure, decisionOrigin, ...rest }: KnownMembers): Item {
  return {
    ...rest,
    ...compacted(rest, base64urlMembers, compactBase64url),
    ...compacted(rest, ['bindingMessage'], compactMessage),
    ...(forgetAt !== undefined && { ttl: forgetAt }),
    ...(mailFailure && {
      mailFailure: compactMailFailure(mailFailure.cause),
      mailFailedAt: mailFailure.at,
    }),
    ...(decisionOrigin && originMembers(decisionOrigin)),
  };
}

/** Random values and hashes: base64url in what is known of a request, octets in its item. */
const base64urlMembers = [
  'secretHash',
  'linkNonce',
  'mailClaimId',
  'wrongCodeAttempt',
  'attemptId',
  'refreshHash',
];

/** The members of these names that are there, each in its compact form. */
function compacted(item: Item, names: string[], compactForm: (text: string) => Compact): Item {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = item[name];
      return typeof value === 'string' ? [[name, compactForm(value)]] : [];
    }),
  );
}

function originMembers({ from, agent }: DecisionOrigin): Item {
  return { decidedFrom: compactOrigin(from), ...(agent !== '' && { decidedWith: agent }) };
}

/** The request of an item. @throws for an item of another format */
export function toRequest(item: Item): AuthenticationRequest {
  const {
    v: _version,
    ttl,
    mailFailure,
    mailFailedAt,
    decidedFrom,
    decidedWith,
    ...rest
  } = storedItem.parse(item);
  return {
    ...rest,
    forgetAt: ttl,
    ...(decidedFrom !== undefined && {
      decisionOrigin: { from: decidedFrom, agent: decidedWith },
    }),
    ...(mailFailure !== undefined &&
      mailFailedAt !== undefined && { mailFailure: { cause: mailFailure, at: mailFailedAt } }),
  };
}

/** What was refused is no request: whoever has its ref finds nothing. */
export function fromItem(item: Item | undefined): AuthenticationRequest | undefined {
  return item && !isRefused(item) ? toRequest(item) : undefined;
}

/** Whether an item keeps a refusal, and no request. */
export function isRefused(item: Item): boolean {
  return item['status'] === REFUSED;
}

/**
 * An attribute where it is compared: as it is written, and as an item of version 2 has it, which is
 * text.
 */
function formsOf(member: Member, value: unknown): unknown[] {
  const { [member]: written } = attributesOf({ [member]: value });
  return written === value ? [value] : [written, value];
}

/** The table that requests are items of. */
export function requestItems(client: DynamoDBClient, tableName: string): DynamoTable {
  return dynamoTable(client, tableName, partitionKey.requests, storedNames);
}

/** The store in this table. Every promise of the port is kept by single conditional writes. */
export function requestsTable(
  client: DynamoDBClient,
  tableName: string,
): AuthenticationRequestStore {
  const table = requestItems(client, tableName);
  return {
    create: (request) => create(table, request),
    refuse: (refused) => refuse(table, refused),
    ...ruleStore({
      find: async (ref) => fromItem(await table.read(ref)),
      async write(ref, rule, wanted) {
        const expressions = expressionsOf(rule, { attributesOf, formsOf });
        const returning = wanted && { returning: returned[wanted] };
        const written = await table.update(ref, { ...expressions, ...returning });
        return written.written ? { request: wanted && fromItem(written.item) } : undefined;
      },
    }),
  };
}

const returned = { before: 'ALL_OLD', after: 'ALL_NEW' } as const;

async function create(table: DynamoTable, request: PendingRequest): Promise<void> {
  const created = await table.put(toItem(request), { condition: 'attribute_not_exists(#ref)' });
  if (created) return;
  // A put that was repeated after a lost answer meets its own item.
  const stored = fromItem(await table.read(request.ref));
  if (stored?.secretHash !== request.secretHash) throw new Error('the ref is taken');
}

async function refuse(table: DynamoTable, { forgetAt, ...refused }: RefusedRequest): Promise<void> {
  await table.put(
    { v: ITEM_VERSION, status: REFUSED, ...refused, ttl: forgetAt, day: dayPartition(refused) },
    { condition: 'attribute_not_exists(#ref)' },
  );
}
