/**
 * Refresh tokens (OpenID Connect Core 11 and 12, RFC 6749 6): who gets one, what it is worth, and
 * when it is worth nothing (threats T24).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE, type Client } from '../../../../lambdas/ciba/client/client.ts';
import { hashSecret } from '../../../../lambdas/ciba/handles.ts';
import type { RedeemedRequest } from '../../../../lambdas/ciba/request/authentication-request.ts';
import {
  isOffline,
  newRefreshToken,
  REFRESH_TOKEN_SECONDS,
  refreshableRequest,
  refreshedScope,
} from '../../../../lambdas/ciba/request/refresh-token.ts';
import { exampleClient } from '../../../support/example-directory.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../../support/example-request.ts';

const now = EXAMPLE_NOW + 20;
const secret = 'r'.repeat(43);
const offlineClient: Client = {
  ...exampleClient,
  grant_types: [CIBA_GRANT_TYPE, 'refresh_token'],
};
const presented = { secretHash: hashSecret(secret), clientId: 'pump-4' };
const redeemed: RedeemedRequest = {
  ...exampleRequest({ scope: 'openid email offline_access' }),
  status: 'redeemed',
  decidedAt: now - 5,
  redeemedAt: now,
  attemptId: 'a',
  refreshHash: presented.secretHash,
  refreshEndsAt: now + REFRESH_TOKEN_SECONDS,
};

it.each([
  ['offline_access and the grant', 'openid offline_access', offlineClient, true],
  ['no offline_access', 'openid', offlineClient, false],
  ['no grant', 'openid offline_access', exampleClient, false],
  ['a disabled client', 'openid offline_access', { ...offlineClient, enabled: false }, false],
])('with %s: a refresh token %s', (_what, scope, client, answer) => {
  expect(isOffline({ scope }, client)).toBe(answer);
});

describe('a new refresh token', () => {
  it('lives for 30 days, is kept as a hash, and the item outlives it', () => {
    const made = newRefreshToken({ forgetAt: 0 }, secret, now + 0.5);
    expect(made).toEqual({
      hash: presented.secretHash,
      endsAt: now + 30 * 86_400,
      forgetAt: now + 30 * 86_400,
    });
    expect(JSON.stringify(made)).not.toContain(secret);
  });

  it('does not shorten a longer audit', () => {
    const forgetAt = now + 365 * 86_400;
    expect(newRefreshToken({ forgetAt }, secret, now).forgetAt).toBe(forgetAt);
  });
});

describe('a refresh token is worth something', () => {
  it('until its end', () => {
    const end = now + REFRESH_TOKEN_SECONDS;
    expect(refreshableRequest(redeemed, presented, now)).toBe(redeemed);
    expect(refreshableRequest(redeemed, presented, end - 0.001)).toBe(redeemed);
    expect(refreshableRequest(redeemed, presented, end)).toBeUndefined();
  });

  it.each<[string, RedeemedRequest | undefined, object]>([
    ['it is unknown', undefined, {}],
    ['it is another client’s (I9)', redeemed, { clientId: 'desk-1' }],
    ['its secret is another', redeemed, { secretHash: hashSecret('x'.repeat(43)) }],
    ['the auth_req_id is shown in its place', redeemed, { secretHash: redeemed.secretHash }],
    ['its auth_req_id was replayed (I15)', { ...redeemed, replayedAt: now }, {}],
    ['the operator has revoked it (I15)', { ...redeemed, revokedAt: now }, {}],
    ['none was given out', { ...redeemed, refreshHash: undefined }, {}],
    ['it has no end', { ...redeemed, refreshEndsAt: undefined }, {}],
  ])('unless %s', (_what, request, changes) => {
    expect(refreshableRequest(request, { ...presented, ...changes }, now + 1)).toBeUndefined();
  });

  it('only of a redeemed request', () => {
    const approved = { ...redeemed, status: 'approved' as const };
    expect(refreshableRequest(approved, presented, now)).toBeUndefined();
  });
});

describe('the scope of a refresh (RFC 6749 6)', () => {
  const granted = 'openid email offline_access';
  const registered = 'openid email profile offline_access';

  it.each([
    ['what was granted', undefined, granted],
    ['a part of it', 'openid', 'openid'],
    ['a part without openid', 'email', 'email'],
    ['a part named twice', 'email email', 'email'],
  ])('is %s', (_what, requested, scope) => {
    expect(refreshedScope(requested, granted, registered)).toBe(scope);
  });

  it.each([
    ['more than was granted', 'openid profile', registered],
    ['malformed', 'openid  email', registered],
    ['more than was granted, though it is not registered either', 'openid profile', 'openid'],
    ['a part of which nothing is registered any more', 'email', 'openid offline_access'],
  ])('is never %s', (_what, requested, registration) => {
    expect(() => refreshedScope(requested, granted, registration)).toThrow(
      expect.objectContaining({ code: 'invalid_scope' }),
    );
  });

  it('P27: for every granted and registered set is the intersection, and more than granted is refused', () => {
    const values = ['email', 'profile', 'offline_access', 'stock:read', 'stock:trade'];
    const some = fc.subarray(values).map((chosen) => ['openid', ...chosen]);
    const asked = fc.option(fc.shuffledSubarray(['openid', ...values], { minLength: 1 }));
    fc.assert(
      fc.property(some, some, asked, (granted, registered, wanted) => {
        const refreshed = () =>
          refreshedScope(wanted?.join(' '), granted.join(' '), registered.join(' '));
        const left = (wanted ?? granted).filter((value) => registered.includes(value));
        const isGranted = (wanted ?? []).every((value) => granted.includes(value));
        if (isGranted && left.length > 0) expect(refreshed()).toBe(left.join(' '));
        else expect(refreshed).toThrow(expect.objectContaining({ code: 'invalid_scope' }));
        if (!wanted) expect(left[0]).toBe('openid');
      }),
      { numRuns: 2000 },
    );
  });
});
