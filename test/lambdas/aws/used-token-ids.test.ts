/**
 * Used `jti`s on a real engine (dynalite): one winner, for as long as the JWT lives, under a key
 * whose form never changes (threats T15; invariant I14).
 */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usedTokenIdKey, usedTokenIds } from '../../../lambdas/aws/used-token-ids.ts';
import { runtime } from '../../../lambdas/handlers/runtime.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
const now = { at: EXAMPLE_NOW };
const until = EXAMPLE_NOW + 90;

beforeAll(async () => {
  tables = await tablesOnDynalite();
});
afterAll(() => tables.stop());

function store() {
  return usedTokenIds(tables.client, 'requests', { ...runtime, clock: () => now.at });
}

describe('a jti', () => {
  it('is burned once', async () => {
    expect(await store().burn('assertion', 'pump-4', { jti: 'once', until })).toBe(true);
    expect(await store().burn('assertion', 'pump-4', { jti: 'once', until })).toBe(false);
  });

  it('is burned by one of 20 at once, a hundred times', async () => {
    for (let round = 0; round < 100; round += 1) {
      const use = { jti: `race-${round}`, until };
      const burned = await Promise.all(
        Array.from({ length: 20 }, () => store().burn('assertion', 'pump-4', use)),
      );
      expect(burned.filter(Boolean)).toHaveLength(1);
    }
  });

  it('is another for another client, and for another kind of JWT', async () => {
    const use = { jti: 'shared', until };
    expect(await store().burn('assertion', 'pump-4', use)).toBe(true);
    expect(await store().burn('assertion', 'desk-1', use)).toBe(true);
    expect(await store().burn('login_hint_token', 'pump-4', use)).toBe(true);
  });

  it('P23: of any length is an item of one size; two of one beginning are two', async () => {
    for (const end of ['a', 'b', '']) {
      const use = { jti: 'j'.repeat(6000) + end, until };
      expect(await store().burn('assertion', 'pump-4', use)).toBe(true);
      expect(await store().burn('assertion', 'pump-4', use)).toBe(false);
      expect(usedTokenIdKey('assertion', 'pump-4', use.jti)).toHaveLength(
        usedTokenIdKey('assertion', 'pump-4', 'j').length,
      );
    }
  });

  it('may come again when its JWT is long worth nothing, whether or not TTL has removed it', async () => {
    const use = { jti: 'again', until };
    await store().burn('assertion', 'pump-4', use);
    now.at = until;
    expect(await store().burn('assertion', 'pump-4', use)).toBe(false);
    now.at = until + 1;
    expect(await store().burn('assertion', 'pump-4', { ...use, until: until + 90 })).toBe(true);
    now.at = EXAMPLE_NOW;
  });

  it('F4: is recognised when its own write is repeated after a lost answer', async () => {
    let calls = 0;
    tables.client.middlewareStack.add(
      (next) => async (args) => {
        calls += 1;
        const result = await next(args);
        if (calls > 1) return result;
        throw Object.assign(new Error('lost'), { $retryable: { throttling: false } });
      },
      { step: 'finalizeRequest', priority: 'low', name: 'lostAnswer' },
    );
    const burned = await store().burn('assertion', 'pump-4', { jti: 'lost', until });
    tables.client.middlewareStack.remove('lostAnswer');
    expect(burned).toBe(true);
    expect(calls).toBe(2);
  });
});

describe('the item', () => {
  it('has this key in every version (golden)', () => {
    expect(usedTokenIdKey('assertion', 'pump-4', 'one')).toBe(
      'jti#assertion#82vRhGnHv8NWmzUzS584avu3Gi6lp_ndHqRYpjZbwW8',
    );
    expect(usedTokenIdKey('login_hint_token', 'pump-4', 'one')).toBe(
      'jti#login_hint_token#82vRhGnHv8NWmzUzS584avu3Gi6lp_ndHqRYpjZbwW8',
    );
  });

  it('holds neither the jti nor the client, and is removed by TTL', async () => {
    await store().burn('assertion', 'pump-4', { jti: 'a jti to look for', until });
    const ref = usedTokenIdKey('assertion', 'pump-4', 'a jti to look for');
    const { Item: item } = await tables.client.send(
      new GetItemCommand({ TableName: 'requests', Key: marshall({ ref }) }),
    );
    expect(unmarshall(item ?? {})).toEqual({ ref, ttl: until, attemptId: expect.any(String) });
  });

  it('is never taken for a request', () => {
    expect(usedTokenIdKey('assertion', 'a', 'b')).not.toMatch(/^[a-z2-7]{26}$/);
  });
});
