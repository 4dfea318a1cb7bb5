/**
 * The authentication requests on a real engine (dynalite): the contract, what each step costs, and
 * how large an item is.
 */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayPartition } from '../../../lambdas/aws/day-partitions.ts';
import { requestItems, requestsTable, toItem } from '../../../lambdas/aws/requests-table.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import type {
  AuthenticationRequest,
  PendingRequest,
} from '../../../lambdas/ciba/request/authentication-request.ts';
import {
  decisionOrigin,
  decisionOriginDetails,
} from '../../../lambdas/ciba/request/decision-origin.ts';
import { roomForOrigin } from '../../../lambdas/ciba/request/item-budget.ts';
import { refreshableRequest } from '../../../lambdas/ciba/request/refresh-token.ts';
import type { Claim, DecisionOfUser, Owner } from '../../../lambdas/ciba/request/rules.ts';
import { SCOPE_LENGTH } from '../../../lambdas/ciba/scope.ts';
import { SUB_LENGTH } from '../../../lambdas/ciba/user/login.ts';
import type { AuthenticationRequestStore } from '../../../lambdas/ports.ts';
import { EXAMPLE_NOW, EXAMPLE_SECRET, exampleRequest } from '../../support/example-request.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { describeRequestStore } from '../../support/request-store-contract.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: AuthenticationRequestStore;

beforeAll(async () => {
  tables = await tablesOnDynalite();
  store = requestsTable(tables.client, 'requests');
});
afterAll(() => tables.stop());

describeRequestStore('The DynamoDB adapter', async () => store);
describeRequestStore('The in-memory store', async () => inMemoryRequests());

/** 16 octets. */
const nonce = `${'n'.repeat(21)}g`;

describe('T27: what each step costs', () => {
  const owner = (request: AuthenticationRequest) => ({
    ref: request.ref,
    secretHash: hashSecret(EXAMPLE_SECRET),
    clientId: request.clientId,
  });

  async function callsOf(step: () => Promise<unknown>): Promise<string[]> {
    tables.sent.length = 0;
    await step();
    return [...tables.sent];
  }

  it('one put to acknowledge, one update for a poll, a second one for slow_down', async () => {
    const request = exampleRequest();
    expect(await callsOf(() => store.create(request))).toEqual(['PutItemCommand']);
    expect(await callsOf(() => store.stampPoll(owner(request), EXAMPLE_NOW + 2))).toEqual([
      'UpdateItemCommand',
    ]);
    expect(await callsOf(() => store.slowDown(request.ref, 2))).toEqual(['UpdateItemCommand']);
  });

  it('one update each for the mail claim, the mail stamp, the decision and the redemption', async () => {
    const request = exampleRequest();
    await store.create(request);
    const { ref } = request;
    const claim = {
      ref,
      claimId: 'c',
      linkNonce: nonce,
      now: EXAMPLE_NOW,
      until: EXAMPLE_NOW + 15,
    };
    const decision = {
      ref,
      decision: 'approve',
      linkNonce: nonce,
      contactVersion: 1,
      now: EXAMPLE_NOW,
    } as const;
    const redemption = { ...owner(request), contactVersion: 1, attemptId: 'a', now: EXAMPLE_NOW };
    expect(await callsOf(() => store.claimMail(claim))).toEqual(['UpdateItemCommand']);
    expect(await callsOf(() => store.recordMailed(ref, 'c', EXAMPLE_NOW))).toEqual([
      'UpdateItemCommand',
    ]);
    expect(await callsOf(() => store.decide(decision))).toEqual(['UpdateItemCommand']);
    expect(await callsOf(() => store.redeem(redemption))).toEqual(['UpdateItemCommand']);
  });

  it('one update for news of a mail whose request still waits, and a second one if it does not', async () => {
    const request = exampleRequest();
    await store.create(request);
    const tell = () => store.recordMailFailure(request.ref, 'mail_bounced', EXAMPLE_NOW + 1);
    expect(await callsOf(tell)).toEqual(['UpdateItemCommand']);
    expect(await callsOf(tell)).toEqual(['UpdateItemCommand', 'UpdateItemCommand']);
  });
});

/**
 * An item as version 2 had it, attribute by attribute: hashes, nonces and ids as text, causes as
 * words, no origin.
 */
function version2(request: PendingRequest, changes: Record<string, unknown> = {}) {
  const { ref, secretHash, createdAt } = request;
  return {
    v: 2,
    status: 'pending',
    ref,
    sh: secretHash,
    clientId: 'pump-4',
    sub: 'u-alice',
    cv: 1,
    scope: 'openid profile',
    bm: request.bindingMessage,
    fl: 'ciba-flow',
    createdAt,
    expiresAt: createdAt + 120,
    ttl: createdAt + 120 + 30 * 86_400,
    day: '2023-11-14#3',
    iv: 2,
    pn: 0,
    ...changes,
  };
}

async function rawItem(ref: string): Promise<Record<string, unknown>> {
  const { Item: item } = await tables.client.send(
    new GetItemCommand({ TableName: 'requests', Key: marshall({ ref }) }),
  );
  return unmarshall(item ?? {});
}

async function putRaw(item: Record<string, unknown>): Promise<void> {
  await tables.client.send(new PutItemCommand({ TableName: 'requests', Item: marshall(item) }));
}

describe('the item', () => {
  it('has the format of version 3, attribute by attribute (golden)', async () => {
    const request = exampleRequest();
    await store.create(request);
    expect(await rawItem(request.ref)).toEqual({
      v: 3,
      status: 'pending',
      ref: request.ref,
      sh: octetsOf('1kuTyfG2DrM45ctBXWo2vZIO3Q6bNvfqXHMNDhD_FH8'),
      clientId: 'pump-4',
      sub: 'u-alice',
      cv: 1,
      sc: 'openid profile',
      bm: 'PUMP-4 50.00 EUR',
      fl: 'ciba-flow',
      createdAt: EXAMPLE_NOW,
      expiresAt: EXAMPLE_NOW + 120,
      ttl: EXAMPLE_NOW + 120 + 30 * 86_400,
      day: expect.stringMatching(/^2023-11-14#(?:\d|1[0-5])$/),
      iv: 2,
      pn: 0,
    });
  });

  it('has that format to its end, step by step (golden)', async () => {
    const request = exampleRequest({ wrongCodes: 0 });
    const { ref } = request;
    await store.create(request);
    await goOn(request);
    const refresh = { hash: hashSecret('r'), endsAt: EXAMPLE_NOW + 5000, forgetAt: 1_900_000_000 };
    await store.redeem({
      ...ownerOf(request),
      contactVersion: 1,
      attemptId: 'AAECAwQFBgc',
      refresh,
      now: EXAMPLE_NOW + 20,
    });
    await store.recordMailFailure(ref, 'mail_complained', EXAMPLE_NOW + 30);
    expect(await rawItem(ref)).toMatchObject({
      v: 3,
      status: 'redeemed',
      ln: octetsOf(nonce),
      wa: octetsOf('BwYFBAMCAQA'),
      df: Uint8Array.of(203, 0),
      dw: 'Firefox',
      ai: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7),
      rh: octetsOf(refresh.hash),
      mf: 'c',
    });
    expect(await store.find(ref)).toEqual({
      ...request,
      status: 'redeemed',
      linkNonce: nonce,
      mailedAt: EXAMPLE_NOW + 2,
      wrongCodes: 1,
      wrongCodeAttempt: 'BwYFBAMCAQA',
      decidedAt: EXAMPLE_NOW + 10,
      decisionOrigin: { from: '203.0.0.0/16', agent: 'Firefox' },
      redeemedAt: EXAMPLE_NOW + 20,
      attemptId: 'AAECAwQFBgc',
      refreshHash: refresh.hash,
      refreshEndsAt: refresh.endsAt,
      forgetAt: refresh.forgetAt,
      polls: 1,
      mailFailure: { cause: 'mail_complained', at: EXAMPLE_NOW + 30 },
    });
  });

  it.each(['PUMP-4 50.00 EUR', '𠀀'.repeat(64)])(
    'of version 2, made and mailed before, is polled, decided, redeemed and replayed: %#',
    async (bindingMessage) => {
      const request = exampleRequest({ wrongCodes: 0, bindingMessage });
      await putRaw(version2(request, { wc: 0, ln: nonce, ma: EXAMPLE_NOW + 2 }));
      expect(await store.find(request.ref)).toMatchObject({ ...request, linkNonce: nonce });
      await goOn(request);
      expect(await store.find(request.ref)).toMatchObject({
        status: 'approved',
        polls: 1,
        wrongCodes: 1,
        decisionOrigin: { from: '203.0.0.0/16', agent: 'Firefox' },
      });
      const redemption = {
        ...ownerOf(request),
        contactVersion: 1,
        attemptId: 'AAECAwQFBgc',
        now: EXAMPLE_NOW + 20,
      };
      expect(await store.redeem(redemption)).toEqual({ outcome: 'redeemed' });
      expect(await store.redeem(redemption)).toEqual({ outcome: 'redeemed_by_this_attempt' });
      const later = EXAMPLE_NOW + 40;
      expect(await store.recordReplay(ownerOf(request), later)).toBe(true);
      expect(await store.find(request.ref)).toMatchObject({
        status: 'redeemed',
        replayedAt: later,
      });
    },
  );

  it('of version 2 is claimed for its mail, slowed down, failed and refused to strangers', async () => {
    const request = exampleRequest();
    const { ref } = request;
    await putRaw(version2(request));
    const stranger = { ...ownerOf(request), secretHash: hashSecret('another') };
    expect(await store.stampPoll(stranger, EXAMPLE_NOW)).toEqual({ outcome: 'not_found' });
    expect(await store.slowDown(ref, 2)).toBe(7);
    expect((await store.claimMail(claimOf(ref))).outcome).toBe('claimed');
    expect(await store.releaseMail(ref, CLAIM)).toBe(true);
    const forged = { ...decisionOf(ref), linkNonce: 'f'.repeat(22) };
    expect(await store.decide(forged)).toEqual({ outcome: 'not_found' });
    expect(await store.fail(ref, 'flow_error', EXAMPLE_NOW + 4)).toBe(true);
    expect(await store.find(ref)).toMatchObject({ status: 'failed', interval: 7 });
  });

  it('of version 2, redeemed before, tells of its mail and is refreshed and revoked', async () => {
    const request = exampleRequest();
    const { ref } = request;
    const hash = hashSecret('r');
    const redeemed = {
      status: 'redeemed',
      da: EXAMPLE_NOW + 10,
      ra: EXAMPLE_NOW + 20,
      ai: 'a'.repeat(22),
      rh: hash,
      re: EXAMPLE_NOW + 5000,
      mf: 'mail_not_rendered',
      mx: EXAMPLE_NOW + 21,
    };
    await putRaw(version2(request, redeemed));
    const found = await store.find(ref);
    const presented = { secretHash: hash, clientId: 'pump-4' };
    expect(refreshableRequest(found, presented, EXAMPLE_NOW + 30)).toEqual(found);
    expect(found).toMatchObject({
      attemptId: 'a'.repeat(22),
      mailFailure: { cause: 'mail_not_rendered', at: EXAMPLE_NOW + 21 },
    });
    expect(await store.revoke(ref, EXAMPLE_NOW + 40)).toMatchObject({ outcome: 'revoked' });
  });

  it('of another version is refused rather than misread (F15)', async () => {
    const request = exampleRequest();
    for (const v of [1, 4]) {
      await putRaw(version2(request, { v }));
      await expect(store.find(request.ref)).rejects.toThrow();
    }
  });

  it('never holds the secret of the auth_req_id (T14)', () => {
    expect(JSON.stringify(toItem(exampleRequest()))).not.toContain(EXAMPLE_SECRET);
  });

  it('is kept by TTL until the audit ends, not until the request does', () => {
    expect(toItem(exampleRequest())['ttl']).toBe(EXAMPLE_NOW + 120 + 30 * 86_400);
  });
});

const CLAIM = 'CwoJCAcGBQQDAgEA';

function ownerOf({ ref, secretHash, clientId }: PendingRequest): Owner {
  return { ref, secretHash, clientId };
}

function claimOf(ref: string): Claim {
  const now = EXAMPLE_NOW + 1;
  return { ref, claimId: CLAIM, linkNonce: nonce, now, until: now + 15 };
}

function decisionOf(ref: string): DecisionOfUser {
  const origin = { from: '203.0.0.0/16', agent: 'Firefox' };
  const now = EXAMPLE_NOW + 10;
  return { ref, decision: 'approve', linkNonce: nonce, contactVersion: 1, origin, now };
}

/** Mailed unless it was, polled, a code typed wrong and then right. */
async function goOn(request: PendingRequest): Promise<void> {
  const { ref, bindingMessage: typedMessage } = request;
  await store.claimMail(claimOf(ref));
  await store.recordMailed(ref, CLAIM, EXAMPLE_NOW + 2);
  expect((await store.stampPoll(ownerOf(request), EXAMPLE_NOW + 3)).outcome).toBe('stamped');
  const wrong = { ref, linkNonce: nonce, attemptId: 'BwYFBAMCAQA', now: EXAMPLE_NOW + 9 };
  expect(await store.countWrongCode(wrong)).toEqual({ outcome: 'counted', left: 2 });
  expect(await store.decide({ ...decisionOf(ref), typedMessage })).toEqual({ outcome: 'decided' });
}

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64url'));
}

describe('the size of an item', () => {
  const sub = 's'.repeat(SUB_LENGTH);
  /**
   * Of 64 characters, and its requests are in a partition of the day whose number has two digits.
   */
  const clientId = Array.from('abcdefgh', (last) => 'c'.repeat(63) + last).find((id) =>
    /#1\d$/.test(dayPartition({ ref: '', clientId: id, sub, createdAt: EXAMPLE_NOW })),
  );
  /** Every fact at its longest, as the endpoints make them. */
  const facts = {
    ...exampleRequest({
      clientId: clientId ?? '',
      sub,
      contactVersion: 1_700_000_000_123,
      scope: 'x'.repeat(SCOPE_LENGTH),
      bindingMessage: '𠀀'.repeat(64),
      flow: 'f'.repeat(32),
      createdAt: EXAMPLE_NOW + 0.123,
      expiresAt: EXAMPLE_NOW + 600.123,
      interval: 70,
      firstInterval: 60,
      polls: 4_000_123,
      wrongCodes: 2,
      wrongCodeAttempt: base64urlOf(8),
    }),
    linkNonce: base64urlOf(16),
    mailFailure: { cause: 'mail_not_rendered', at: EXAMPLE_NOW + 2_592_599.123 },
  } as const;
  const { firstInterval: _forgotten, ...redeemedFacts } = facts;
  const polledAt = EXAMPLE_NOW + 599.123;
  const mailedAt = EXAMPLE_NOW + 5.123;
  const decidedAt = EXAMPLE_NOW + 598.123;
  const claimed = { mailClaimId: base64urlOf(12), mailClaimUntil: EXAMPLE_NOW + 599.123 };
  const statuses: Record<string, AuthenticationRequest> = {
    'pending, a decoy': { ...facts, decoy: 'email_undeliverable', polledAt, ...claimed },
    'approved while the mail is sent': {
      ...facts,
      status: 'approved',
      decidedAt,
      polledAt,
      ...claimed,
    },
    reported: { ...facts, mailedAt, status: 'denied', decidedAt, reported: true, polledAt },
    failed: {
      ...facts,
      status: 'failed',
      failedAt: EXAMPLE_NOW + 598.123,
      cause: 'email_undeliverable',
      polledAt,
      ...claimed,
    },
    'redeemed, replayed and revoked': {
      ...redeemedFacts,
      mailedAt,
      status: 'redeemed',
      decidedAt,
      redeemedAt: EXAMPLE_NOW + 599.123,
      attemptId: base64urlOf(8),
      refreshHash: base64urlOf(32),
      refreshEndsAt: EXAMPLE_NOW + 2_592_599,
      replayedAt: EXAMPLE_NOW + 2_592_598.123,
      revokedAt: EXAMPLE_NOW + 2_592_598.456,
    },
  };
  const senders = ['203.0.113.255', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'nobody knows'].map(
    (sourceIp) => ({ sourceIp, userAgent: `SamsungBrowser/${'u'.repeat(500)}` }),
  );
  const originsOf = (request: AuthenticationRequest) =>
    senders.flatMap((sender) =>
      decisionOriginDetails.map((detail) => decisionOrigin(detail, sender, request)),
    );

  it.each(Object.entries(statuses))(
    'P21, P10: is one write unit of 1,024 bytes at most, at the longest of everything: %s',
    async (status, longest) => {
      const sizes: number[] = [];
      for (const origin of originsOf(longest)) {
        const request = { ...longest, ref: exampleRequest().ref, decisionOrigin: origin };
        sizes.push(await storedSize(request));
        expect(await store.find(request.ref)).toEqual(decided(request));
      }
      process.stdout.write(`${String(Math.max(...sizes)).padStart(6)} bytes at most  ${status}\n`);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1024);
    },
  );

  it('leaves seven bytes of the unit where everything is at its longest: the number that the budget says', async () => {
    const longest = statuses['redeemed, replayed and revoked'] ?? facts;
    const room = roomForOrigin(longest);
    const size = await storedSize({ ...longest, ref: exampleRequest().ref });
    expect([size + room, room]).toEqual([1024 - 7, 22]);
  });

  it('P10: keeps the whole address of a decision even then, and more of the agent the shorter the rest is', async () => {
    const [sender] = senders.slice(1);
    const longest = statuses['approved while the mail is sent'] ?? facts;
    if (!sender) throw new Error('no sender');
    expect(decisionOrigin('full', sender, longest)).toEqual({ from: sender.sourceIp, agent: 'Sa' });
    for (const length of [255, 254, 240, 64, 1]) {
      const request = { ...longest, ref: exampleRequest().ref, sub: 's'.repeat(length) };
      const origin = decisionOrigin('full', sender, request);
      expect(origin?.agent).toHaveLength(Math.min(200, 255 - length + 2));
      expect(await storedSize({ ...request, decisionOrigin: origin })).toBeLessThanOrEqual(1024);
    }
  });

  it('is within the unit for any texts, by property', async () => {
    const text = (unit: fc.Arbitrary<string>, maxLength: number) =>
      fc.array(unit, { minLength: 1, maxLength }).map((units) => units.join(''));
    const ascii = fc.constantFrom(...'abcXYZ019._~-');
    const any = fc.constantFrom('a', 'é', '給', '𠀀', '€');
    const redeemed = statuses['redeemed, replayed and revoked'] ?? facts;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          clientId: text(ascii, 64),
          sub: text(ascii, SUB_LENGTH),
          scope: text(ascii, SCOPE_LENGTH),
          flow: text(ascii, 32),
          bindingMessage: text(any, 64),
        }),
        fc.constantFrom(...senders),
        async (texts, sender) => {
          const request = { ...redeemed, ...texts, ref: exampleRequest().ref };
          const decisionOriginOf = decisionOrigin('full', sender, request);
          const whole = { ...request, decisionOrigin: decisionOriginOf };
          expect(await storedSize(whole)).toBeLessThanOrEqual(1024);
          expect(await store.find(request.ref)).toEqual(whole);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** The origin is there if something is kept. */
function decided({ decisionOrigin: origin, ...request }: AuthenticationRequest) {
  return { ...request, ...(origin && { decisionOrigin: origin }) };
}

/** A random value of so many bytes, whatever it is. */
function base64urlOf(bytes: number): string {
  return Buffer.alloc(bytes, 0xa5).toString('base64url');
}

/** As the table has it: some attributes have shorter names there. */
async function storedSize(request: AuthenticationRequest): Promise<number> {
  const table = requestItems(tables.client, 'requests');
  await table.put(toItem(request), { condition: 'attribute_not_exists(#ref)' });
  const { Item: item } = await tables.client.send(
    new GetItemCommand({ TableName: 'requests', Key: marshall({ ref: request.ref }) }),
  );
  return itemSize(unmarshall(item ?? {}));
}

/**
 * DynamoDB's size of an item: names and texts as UTF-8, a number as half its digits and one byte.
 */
function itemSize(item: Record<string, unknown>): number {
  return Object.entries(item)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => Buffer.byteLength(name) + valueSize(value))
    .reduce((sum, size) => sum + size, 0);
}

function valueSize(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).replace(/\D/g, '').length / 2) + 1;
  if (typeof value === 'boolean') return 1;
  if (value instanceof Uint8Array) return value.length;
  throw new Error('the item holds texts, numbers, octets and flags only');
}
