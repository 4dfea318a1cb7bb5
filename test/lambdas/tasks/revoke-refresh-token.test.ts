/**
 * The function that ends refresh tokens for the operator (threats T24): it does that to a redeemed
 * request, and to no request in any state anything else.
 */
import { describe, expect, it } from 'vitest';
import type {
  AuthenticationRequest,
  PendingRequest,
} from '../../../lambdas/ciba/request/authentication-request.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import { revokeRefreshTokenTask } from '../../../lambdas/tasks/revoke-refresh-token.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';

const now = EXAMPLE_NOW + 60;

type Progress = Pick<AuthenticationRequest, 'status'> & Record<string, unknown>;

const redeemed = { status: 'redeemed', decidedAt: 1, redeemedAt: 2, attemptId: 'one' } as const;
const lasting = { ...redeemed, refreshHash: 'h', refreshEndsAt: now + 9 };

async function revokeOf(progress: Progress) {
  const requests = inMemoryRequests();
  const events: LogEvent[] = [];
  // The store keeps what it is given; the cast stands for the steps that lead there.
  const request = { ...exampleRequest(), ...progress } as PendingRequest;
  await requests.create(request);
  const task = revokeRefreshTokenTask({ requests, clock: () => now, log: (e) => events.push(e) });
  const answer = await task({ ref: request.ref });
  return { before: request, after: await requests.find(request.ref), answer, events };
}

describe('a call', () => {
  it('T24: ends the refresh token, keeps the first time, and says so in the log without its owner', async () => {
    const { before, after, answer, events } = await revokeOf(lasting);
    expect(answer).toEqual({ outcome: 'revoked', revokedAt: now });
    expect(after).toEqual({ ...before, revokedAt: now });
    expect(events).toEqual([
      { event: 'revoke_refresh_token', outcome: 'revoked', ref: before.ref, ms: 0 },
    ]);
    const again = await revokeOf({ ...lasting, revokedAt: 5 });
    expect(again.answer).toEqual({ outcome: 'revoked_before', revokedAt: 5 });
    expect(again.after).toEqual(again.before);
  });

  it.each<[string, Progress]>([
    ['pending', { status: 'pending' }],
    ['approved', { status: 'approved', decidedAt: 1 }],
    ['denied', { status: 'denied', decidedAt: 1 }],
    ['reported', { status: 'denied', decidedAt: 1, reported: true }],
    ['failed', { status: 'failed', failedAt: 1, cause: 'flow_error' }],
    ['redeemed without a refresh token', redeemed],
  ])('T24: leaves a request alone that is %s', async (_status, progress) => {
    const { before, after, answer } = await revokeOf(progress);
    expect(answer).toEqual({ outcome: 'no_refresh_token' });
    expect(after).toEqual(before);
  });

  it.each([
    undefined,
    null,
    'x',
    {},
    { ref: 'x' },
    { ref: 7 },
    { ref: 'a'.repeat(26), status: 'approved' },
  ])('T24: with the input %j is refused', async (input) => {
    const requests = inMemoryRequests();
    const task = revokeRefreshTokenTask({ requests, clock: () => now, log: () => {} });
    await expect(task(input)).rejects.toThrow('See the log line of this run.');
  });
});
