/**
 * The authentication requests in DynamoDB: one item each, one conditional write for each transition with its whole guard
 * in the condition. A condition that did not hold is explained by the same pure rule, applied to a consistent read.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import {
  type AuthenticationRequest,
  failureCauses,
  type PendingRequest,
} from '../ciba/authentication-request.ts';
import { MOST_WRONG_CODES } from '../ciba/confirmation.ts';
import type { DecisionOrigin } from '../ciba/decision-origin.ts';
import { mailFailures } from '../ciba/mail-failure.ts';
import {
  claimMail,
  countWrongCode,
  type DecisionOfUser,
  decide,
  MOST_SLOWED_SECONDS,
  REPLAY_GRACE_SECONDS,
  redeem,
  revoke,
  SLOW_DOWN_SECONDS,
  slowDown,
} from '../ciba/transitions.ts';
import { unreachableReasons } from '../ciba/user.ts';
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
import { type DynamoTable, dynamoTable, type Item, unavailable } from './dynamo-table.ts';
import { partitionKey, storedNames } from './formats.ts';

/** The format of the item, stored with it. */
const ITEM_VERSION = 3;

/**
 * The formats that are read. Version 2 had texts where version 3 has octets, a word where it has a letter, and no origin of a
 * decision; a request that was made under it is polled, decided, redeemed and refreshed like any other.
 */
export const READ_VERSIONS = [2, ITEM_VERSION];

/** The status of what was never acknowledged: it is in the audit and no request. */
const REFUSED = 'refused';

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

/** An item of the table, in each status. Attributes of an earlier status stay and are not looked at. */
const storedItem = z.discriminatedUnion('status', [
  z.object({ ...facts, status: z.literal('pending') }),
  z.object({ ...facts, status: z.literal('approved'), decidedAt: z.number() }),
  z.object({
    ...facts,
    status: z.literal('denied'),
    decidedAt: z.number(),
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

/** The item of a request: the same facts, flat and compact, with the TTL attribute and the key of the index by day. */
export function toItem(request: AuthenticationRequest): Item {
  const { forgetAt, mailClaim, mailFailure, decisionOrigin, ...rest } = request;
  return {
    v: ITEM_VERSION,
    ...rest,
    ...compacted(rest, base64urlMembers, compactBase64url),
    ...compacted(rest, ['bindingMessage'], compactMessage),
    ttl: forgetAt,
    day: dayPartition(request),
    ...(mailClaim && {
      mailClaimId: compactBase64url(mailClaim.id),
      mailClaimUntil: mailClaim.until,
    }),
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
    mailClaimId,
    mailClaimUntil,
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
    ...(mailClaimId !== undefined &&
      mailClaimUntil !== undefined && { mailClaim: { id: mailClaimId, until: mailClaimUntil } }),
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

/** The table of requests, for the functions below: each gives what one kind of caller does, so that a bundle holds no more. */
export function requestItems(client: DynamoDBClient, tableName: string): DynamoTable {
  return dynamoTable(client, tableName, partitionKey.requests, storedNames);
}

/** All of it. Every promise of the port is kept by single conditional writes. */
export function requestsTable(
  client: DynamoDBClient,
  tableName: string,
): AuthenticationRequestStore {
  const table = requestItems(client, tableName);
  return {
    ...finding(table),
    ...acknowledging(table),
    ...polling(table),
    ...deciding(table),
    ...mailing(table),
    ...failing(table),
    ...hearingOfMail(table),
    ...refusing(table),
    ...revoking(table),
  };
}

export function finding(table: DynamoTable): Pick<AuthenticationRequestStore, 'find'> {
  return { find: async (ref) => fromItem(await table.read(ref)) };
}

export function acknowledging(table: DynamoTable): Pick<AuthenticationRequestStore, 'create'> {
  return { create: (request) => create(table, request) };
}

async function create(table: DynamoTable, request: PendingRequest): Promise<void> {
  const created = await table.put(toItem(request), { condition: 'attribute_not_exists(#ref)' });
  if (created) return;
  // A put that was repeated after a lost answer meets its own item.
  const stored = fromItem(await table.read(request.ref));
  if (stored?.secretHash !== request.secretHash) throw new Error('the ref is taken');
}

export function refusing(table: DynamoTable): Pick<AuthenticationRequestStore, 'refuse'> {
  return {
    async refuse({ forgetAt, ...refused }) {
      await table.put(
        {
          v: ITEM_VERSION,
          status: REFUSED,
          ...refused,
          ttl: forgetAt,
          day: dayPartition(refused),
        },
        { condition: 'attribute_not_exists(#ref)' },
      );
    },
  };
}

/** What every step of the client's demands. An item of version 2 has the hash as text. */
const OWNED = '#secretHash IN (:secretHash, :secretHashAsText) AND #clientId = :clientId';

function ownerValues(secretHash: string, clientId: string): Item {
  return {
    ':secretHash': compactBase64url(secretHash),
    ':secretHashAsText': secretHash,
    ':clientId': clientId,
  };
}

export function polling(
  table: DynamoTable,
): Pick<AuthenticationRequestStore, 'stampPoll' | 'slowDown' | 'redeem' | 'recordReplay'> {
  return {
    async stampPoll({ ref, secretHash, clientId }, now) {
      const stamped = await table.update(ref, {
        update: 'SET #polledAt = :now ADD #polls :one',
        condition: `${OWNED} AND #status <> :redeemed`,
        values: {
          ':now': now,
          ':one': 1,
          ...ownerValues(secretHash, clientId),
          ':redeemed': 'redeemed',
        },
        returning: 'ALL_OLD',
      });
      const before = stamped.written ? fromItem(stamped.item) : undefined;
      return before ? { outcome: 'stamped', before } : { outcome: 'not_found' };
    },

    async slowDown(ref, judgedBy) {
      const interval = judgedBy + SLOW_DOWN_SECONDS;
      const slowed = await table.update(ref, {
        update:
          'SET #interval = :interval, #firstInterval = if_not_exists(#firstInterval, :judgedBy)',
        condition: [
          '#interval = :judgedBy',
          '(attribute_not_exists(#firstInterval) OR #firstInterval >= :leastFirst)',
          '#status IN (:pending, :failed)',
        ].join(' AND '),
        values: {
          ':interval': interval,
          ':judgedBy': judgedBy,
          ':leastFirst': interval - MOST_SLOWED_SECONDS,
          ':pending': 'pending',
          ':failed': 'failed',
        },
      });
      if (slowed.written) return interval;
      const refused = slowDown(fromItem(await table.read(ref)), judgedBy);
      return refused.outcome === 'not_pending' ? undefined : refused.interval;
    },

    async redeem(redemption) {
      const { ref, secretHash, clientId, contactVersion, attemptId, refresh, now } = redemption;
      const redeemed = await table.update(ref, {
        update: [
          'SET #status = :redeemed, #redeemedAt = :now, #attemptId = :attemptId',
          ...(refresh
            ? ['#refreshHash = :refreshHash, #refreshEndsAt = :refreshEndsAt, #ttl = :ttl']
            : []),
        ]
          .join(', ')
          .concat(' REMOVE #polledAt, #firstInterval'),
        condition: [
          OWNED,
          '#status = :approved',
          UNTAMPERED,
          '#expiresAt > :now',
          '#contactVersion = :contactVersion',
        ].join(' AND '),
        values: {
          ':redeemed': 'redeemed',
          ':now': now,
          ':attemptId': compactBase64url(attemptId),
          ...ownerValues(secretHash, clientId),
          ':approved': 'approved',
          ':contactVersion': contactVersion,
          ...(refresh && {
            ':refreshHash': compactBase64url(refresh.hash),
            ':refreshEndsAt': refresh.endsAt,
            ':ttl': refresh.forgetAt,
          }),
        },
      });
      if (redeemed.written) return { outcome: 'redeemed' };
      const { outcome } = redeem(fromItem(await table.read(ref)), redemption);
      return outcome === 'redeemed' ? unexplained() : { outcome };
    },

    async recordReplay({ ref, secretHash, clientId }, now) {
      const recorded = await table.update(ref, {
        update: 'SET #replayedAt = :now',
        condition: [
          OWNED,
          '#status = :redeemed',
          '#redeemedAt < :graceEnded',
          'attribute_not_exists(#replayedAt)',
        ].join(' AND '),
        values: {
          ':now': now,
          ...ownerValues(secretHash, clientId),
          ':redeemed': 'redeemed',
          ':graceEnded': now - REPLAY_GRACE_SECONDS,
        },
      });
      return recorded.written;
    },
  };
}

/**
 * An approval as a decision has left it. It always is; but functions that may write the status for other reasons may not write
 * these attributes, so none of them can turn what was pending, denied, failed or redeemed into an approval.
 */
const UNTAMPERED =
  'attribute_exists(#decidedAt) AND attribute_not_exists(#isDenied) AND attribute_not_exists(#redeemedAt)';

/**
 * What a step of the user's demands: the link, a request that nobody has decided, and time. An item of version 2 has nonce
 * and message as text.
 */
const DECIDABLE =
  '#linkNonce IN (:linkNonce, :linkNonceAsText) AND #status = :pending AND #expiresAt > :now';

function decidableValues({ linkNonce, now }: Pick<DecisionOfUser, 'linkNonce' | 'now'>): Item {
  return {
    ':linkNonce': compactBase64url(linkNonce),
    ':linkNonceAsText': linkNonce,
    ':pending': 'pending',
    ':now': now,
  };
}

/** An approval demands the code where one is asked for, as it stands in the request, and fewer wrong ones than deny it. */
const CONFIRMED =
  '(attribute_not_exists(#wrongCodes) OR (#bindingMessage IN (:typedMessage, :typedMessageAsText) AND #wrongCodes < :mostWrongCodes))';

/** What is written of where a decision was made, in the write that decides; nothing where nothing is kept. */
function originUpdate(origin: DecisionOrigin | undefined): { set: string; values: Item } {
  const members = Object.entries(origin ? originMembers(origin) : {});
  return {
    set: members.map(([name]) => `, #${name} = :${name}`).join(''),
    values: Object.fromEntries(members.map(([name, value]) => [`:${name}`, value])),
  };
}

export function deciding(
  table: DynamoTable,
): Pick<AuthenticationRequestStore, 'decide' | 'countWrongCode'> {
  return {
    async decide(user) {
      const approves = user.decision === 'approve';
      const reports = user.decision === 'report';
      // A user who can no longer be asked has no contact version, and no request has this one.
      const contactVersion = user.contactVersion ?? -1;
      const origin = originUpdate(user.origin);
      // No binding message is empty, so nothing typed is none.
      const typedMessage = user.typedMessage ?? '';
      const decided = await table.update(user.ref, {
        update: `SET #status = :decided, #decidedAt = :now${approves ? '' : ', #isDenied = :true'}${origin.set}${reports ? ', #reported = :true' : ''}`,
        condition: [
          DECIDABLE,
          ...(approves ? [CONFIRMED, '#contactVersion = :contactVersion'] : []),
        ].join(' AND '),
        values: {
          ...decidableValues(user),
          ...origin.values,
          ':decided': approves ? 'approved' : 'denied',
          ...(approves && {
            ':contactVersion': contactVersion,
            ':typedMessage': compactMessage(typedMessage),
            ':typedMessageAsText': typedMessage,
            ':mostWrongCodes': MOST_WRONG_CODES,
          }),
          ...(!approves && { ':true': true }),
        },
      });
      if (decided.written) return { outcome: 'decided' };
      const { next: _unwritten, ...refused } = decide(fromItem(await table.read(user.ref)), user);
      return refused.outcome === 'decided' ? unexplained() : refused;
    },

    async countWrongCode(wrong) {
      const values = {
        ...decidableValues(wrong),
        ':attemptId': compactBase64url(wrong.attemptId),
        ':last': MOST_WRONG_CODES - 1,
      };
      const isNew = '(attribute_not_exists(#wrongCodeAttempt) OR #wrongCodeAttempt <> :attemptId)';
      const counted = await table.update(wrong.ref, {
        update: 'SET #wrongCodeAttempt = :attemptId ADD #wrongCodes :one',
        condition: `${DECIDABLE} AND #wrongCodes < :last AND ${isNew}`,
        values: { ...values, ':one': 1 },
        returning: 'ALL_NEW',
      });
      const request = counted.written ? fromItem(counted.item) : undefined;
      if (request) {
        return { outcome: 'counted', left: MOST_WRONG_CODES - (request.wrongCodes ?? 0) };
      }
      // The count only grows: two writes see one state.
      const origin = originUpdate(wrong.origin);
      const denied = await table.update(wrong.ref, {
        update: `SET #status = :denied, #decidedAt = :now, #isDenied = :true${origin.set}, #wrongCodes = :most, #wrongCodeAttempt = :attemptId`,
        condition: `${DECIDABLE} AND #wrongCodes >= :last AND ${isNew}`,
        values: {
          ...values,
          ...origin.values,
          ':denied': 'denied',
          ':true': true,
          ':most': MOST_WRONG_CODES,
        },
      });
      if (denied.written) return { outcome: 'denied' };
      const { next, ...explained } = countWrongCode(fromItem(await table.read(wrong.ref)), wrong);
      return next === undefined ? explained : unexplained();
    },
  };
}

export function failing(table: DynamoTable): Pick<AuthenticationRequestStore, 'fail'> {
  return {
    async fail(ref, cause, now) {
      const failed = await table.update(ref, {
        update: 'SET #status = :failed, #failedAt = :now, #cause = :cause',
        condition: '#status = :pending',
        values: { ':failed': 'failed', ':now': now, ':cause': cause, ':pending': 'pending' },
      });
      return failed.written;
    },
  };
}

export function revoking(table: DynamoTable): Pick<AuthenticationRequestStore, 'revoke'> {
  return {
    async revoke(ref, now) {
      const revoked = await table.update(ref, {
        update: 'SET #revokedAt = :now',
        condition:
          '#status = :redeemed AND attribute_exists(#refreshHash) AND attribute_not_exists(#revokedAt)',
        values: { ':now': now, ':redeemed': 'redeemed' },
      });
      if (revoked.written) return { outcome: 'revoked', revokedAt: now };
      const { next: _unwritten, ...refused } = revoke(fromItem(await table.read(ref)), now);
      return refused.outcome === 'revoked' ? unexplained() : refused;
    },
  };
}

export function hearingOfMail(
  table: DynamoTable,
): Pick<AuthenticationRequestStore, 'recordMailFailure'> {
  return {
    async recordMailFailure(ref, failure, now) {
      const recorded = '#mailFailure = :failure, #mailFailedAt = :now';
      const isFirst = 'attribute_not_exists(#mailFailedAt)';
      const failed = await table.update(ref, {
        update: `SET ${recorded}, #status = :failed, #failedAt = :now, #cause = :cause`,
        condition: `${isFirst} AND #status = :pending AND #expiresAt > :now`,
        values: {
          ':failure': compactMailFailure(failure),
          ':cause': failure,
          ':now': now,
          ':failed': 'failed',
          ':pending': 'pending',
        },
      });
      if (failed.written) return true;
      // Nothing that is decided, failed or over by now waits for its user ever again: two writes see one state.
      const stamped = await table.update(ref, {
        update: `SET ${recorded}`,
        condition: [
          isFirst,
          '(#status IN (:approved, :denied, :failed, :redeemed) OR (#status = :pending AND #expiresAt <= :now))',
        ].join(' AND '),
        values: {
          ':failure': compactMailFailure(failure),
          ':now': now,
          ':approved': 'approved',
          ':denied': 'denied',
          ':failed': 'failed',
          ':redeemed': 'redeemed',
          ':pending': 'pending',
        },
      });
      return stamped.written;
    },
  };
}

export function mailing(
  table: DynamoTable,
): Pick<AuthenticationRequestStore, 'claimMail' | 'recordMailed' | 'releaseMail'> {
  return {
    async claimMail(claim) {
      const claimed = await table.update(claim.ref, {
        update:
          'SET #linkNonce = if_not_exists(#linkNonce, :linkNonce), #mailClaimId = :claimId, #mailClaimUntil = :until',
        condition: [
          '#status = :pending',
          '#expiresAt > :now',
          'attribute_not_exists(#mailedAt)',
          '(attribute_not_exists(#mailClaimId) OR #mailClaimId = :claimId OR #mailClaimUntil <= :now)',
        ].join(' AND '),
        values: {
          ':linkNonce': compactBase64url(claim.linkNonce),
          ':claimId': compactBase64url(claim.claimId),
          ':until': claim.until,
          ':pending': 'pending',
          ':now': claim.now,
        },
        returning: 'ALL_NEW',
      });
      const request = claimed.written ? fromItem(claimed.item) : undefined;
      if (request) return { outcome: 'claimed', request };
      const { outcome } = claimMail(fromItem(await table.read(claim.ref)), claim);
      // The other claim was given back between the write and the read.
      return { outcome: outcome === 'claimed' ? 'claimed_by_another' : outcome };
    },

    async recordMailed(ref, claimId, now) {
      const recorded = await table.update(ref, {
        update: 'SET #mailedAt = :now REMOVE #mailClaimId, #mailClaimUntil',
        condition: '#mailClaimId = :claimId',
        values: { ':now': now, ':claimId': compactBase64url(claimId) },
      });
      return recorded.written;
    },

    async releaseMail(ref, claimId) {
      const released = await table.update(ref, {
        update: 'REMOVE #mailClaimId, #mailClaimUntil',
        condition: '#mailClaimId = :claimId',
        values: { ':claimId': compactBase64url(claimId) },
      });
      return released.written;
    },
  };
}

/** No transition makes a guard of these hold again once it failed, so this names a fault rather than a race. */
function unexplained(): never {
  throw unavailable('a condition failed that the item meets');
}
