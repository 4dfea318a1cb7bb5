/**
 * The authentication requests on a real engine (dynalite): the contract, what each step costs, and how large an item is.
 */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestItems, requestsTable, toItem } from '../../../lambdas/aws/requests-table.ts';
import type { AuthenticationRequest } from '../../../lambdas/ciba/authentication-request.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import { SCOPE_LENGTH } from '../../../lambdas/ciba/scope.ts';
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

const nonce = 'n'.repeat(22);

describe('T27: what each step costs (S1)', () => {
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

describe('the item', () => {
  it('has the format of version 2, attribute by attribute (golden)', async () => {
    const request = exampleRequest();
    await store.create(request);
    const { Item: item } = await tables.client.send(
      new GetItemCommand({ TableName: 'requests', Key: marshall({ ref: request.ref }) }),
    );
    expect(unmarshall(item ?? {})).toEqual({
      v: 2,
      status: 'pending',
      ref: request.ref,
      sh: '1kuTyfG2DrM45ctBXWo2vZIO3Q6bNvfqXHMNDhD_FH8',
      clientId: 'pump-4',
      sub: 'u-alice',
      cv: 1,
      scope: 'openid profile',
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

  it('of another version is refused rather than misread (F15)', async () => {
    const request = exampleRequest();
    await tables.client.send(
      new PutItemCommand({ TableName: 'requests', Item: marshall({ ...toItem(request), v: 1 }) }),
    );
    await expect(store.find(request.ref)).rejects.toThrow();
  });

  it('never holds the secret of the auth_req_id (T14, A6)', () => {
    expect(JSON.stringify(toItem(exampleRequest()))).not.toContain(EXAMPLE_SECRET);
  });

  it('TR-01: is kept by TTL until the audit ends, not until the request does', () => {
    expect(toItem(exampleRequest())['ttl']).toBe(EXAMPLE_NOW + 120 + 30 * 86_400);
  });

  it('stays within one write unit of 1,024 bytes at the longest legal inputs (S2)', async () => {
    const facts = {
      ...exampleRequest({
        clientId: 'c'.repeat(64),
        sub: 's'.repeat(64),
        contactVersion: 1_700_000_000_123,
        scope: 'x'.repeat(SCOPE_LENGTH),
        bindingMessage: '𠀀'.repeat(64),
        createdAt: EXAMPLE_NOW + 0.123,
        expiresAt: EXAMPLE_NOW + 600.123,
        interval: 70,
        firstInterval: 60,
        wrongCodes: 2,
        wrongCodeAttempt: 'w'.repeat(16),
      }),
      linkNonce: nonce,
      mailFailure: { cause: 'mail_not_rendered', at: EXAMPLE_NOW + 2_592_599.123 },
    } as const;
    const { firstInterval: _forgotten, ...redeemedFacts } = facts;
    const longest: AuthenticationRequest = {
      ...redeemedFacts,
      mailedAt: EXAMPLE_NOW + 5.123,
      status: 'redeemed',
      decidedAt: EXAMPLE_NOW + 598.123,
      redeemedAt: EXAMPLE_NOW + 599.123,
      attemptId: 'a'.repeat(22),
      refreshHash: 'r'.repeat(43),
      refreshEndsAt: EXAMPLE_NOW + 2_592_599,
      replayedAt: EXAMPLE_NOW + 2_592_598.123,
      revokedAt: EXAMPLE_NOW + 2_592_598.456,
    };
    const polledAt = EXAMPLE_NOW + 599.123;
    const mailClaim = { id: 'c'.repeat(16), until: EXAMPLE_NOW + 599.123 };
    const whileSending: AuthenticationRequest = {
      ...facts,
      status: 'approved',
      decidedAt: EXAMPLE_NOW + 598.123,
      polledAt,
      mailClaim,
    };
    const decoy: AuthenticationRequest = {
      ...facts,
      decoy: 'email_undeliverable',
      polledAt,
      mailClaim,
    };
    const reported: AuthenticationRequest = {
      ...facts,
      mailedAt: EXAMPLE_NOW + 5.123,
      status: 'denied',
      decidedAt: EXAMPLE_NOW + 598.123,
      reported: true,
      polledAt,
    };
    const failed: AuthenticationRequest = {
      ...facts,
      status: 'failed',
      failedAt: EXAMPLE_NOW + 598.123,
      cause: 'email_undeliverable',
      polledAt,
      mailClaim,
    };
    for (const request of [longest, whileSending, decoy, failed, reported]) {
      expect(await storedSize({ ...request, ref: exampleRequest().ref })).toBeLessThanOrEqual(1024);
    }
  });
});

/** As the table has it: some attributes have shorter names there. */
async function storedSize(request: AuthenticationRequest): Promise<number> {
  const table = requestItems(tables.client, 'requests');
  await table.put(toItem(request), { condition: 'attribute_not_exists(#ref)' });
  const { Item: item } = await tables.client.send(
    new GetItemCommand({ TableName: 'requests', Key: marshall({ ref: request.ref }) }),
  );
  return itemSize(unmarshall(item ?? {}));
}

/** DynamoDB's size of an item: names and texts as UTF-8, a number as half its digits and one byte. */
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
  throw new Error('the item holds texts, numbers and flags only');
}
