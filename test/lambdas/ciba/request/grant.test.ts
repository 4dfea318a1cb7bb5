/**
 * The one judgement that redemption and refresh ask before they issue anything (RFC 6749 6, RFC
 * 9700 4.14; threats T24, T29).
 */
import { describe, expect, it } from 'vitest';
import {
  CIBA_GRANT_TYPE,
  type Client,
  REFRESH_GRANT_TYPE,
} from '../../../../lambdas/ciba/client/client.ts';
import { isRevoked, judgeGrant } from '../../../../lambdas/ciba/request/grant.ts';
import type { User } from '../../../../lambdas/ciba/user/user.ts';
import { exampleClient, exampleUser } from '../../../support/example-directory.ts';

const request = { contactVersion: exampleUser.contact_version, decidedAt: 1000.5 };
const client: Client = { ...exampleClient, grant_types: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE] };
const mark = { cause: 'mail_complained', at: 1001 } as const;
const { email: _none, ...withoutAddress } = exampleUser;

const grantTypes = [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE] as const;

describe.each(grantTypes)('P8: what was approved, used by the grant %s,', (grantType) => {
  const reasonOf = (changed: { client?: Client | undefined; user?: User | undefined }) => {
    const now = { client, user: exampleUser, ...changed };
    const judgement = judgeGrant({ request, grantType }, now.client, now.user);
    return judgement.counts ? 'counts' : judgement.reason;
  };

  it.each<[string, { client?: Client | undefined; user?: User | undefined }, string]>([
    ['nothing has changed', {}, 'counts'],
    ['the client is gone', { client: undefined }, 'client_unknown'],
    ['the client is disabled', { client: { ...client, enabled: false } }, 'client_disabled'],
    [
      'the client lost the grant type',
      {
        client: { ...client, grant_types: grantTypes.filter((other) => other !== grantType) },
      },
      'client_without_grant_type',
    ],
    [
      'the client has this grant type alone',
      { client: { ...client, grant_types: [grantType] } },
      'counts',
    ],
    [
      'the tokens of the client are revoked',
      { client: { ...client, tokens_not_before: 1001 } },
      'client_tokens_revoked',
    ],
    ['the user is gone', { user: undefined }, 'user_unknown'],
    ['the user is disabled', { user: { ...exampleUser, enabled: false } }, 'user_disabled'],
    [
      'the address is not verified any more',
      { user: { ...exampleUser, email_verified: false } },
      'email_unverified',
    ],
    ['the user has no address any more', { user: withoutAddress }, 'email_unverified'],
    [
      'the user is reached elsewhere, or was in between',
      { user: { ...exampleUser, contact_version: 2 } },
      'contact_changed',
    ],
    [
      'an earlier contact version came back',
      { user: { ...exampleUser, contact_version: 0 } },
      'contact_changed',
    ],
    [
      'mail to the address came back',
      { user: { ...exampleUser, undeliverable: { email: 'alice@example.com', ...mark } } },
      'counts',
    ],
    [
      'the user has another name',
      { user: { ...exampleUser, name: 'Alice Married', username: 'alice.m' } },
      'counts',
    ],
    [
      'the tokens of the user are revoked',
      { user: { ...exampleUser, tokens_not_before: 1001 } },
      'user_tokens_revoked',
    ],
  ])('if %s: %o', (_what, changed, reason) => {
    expect(reasonOf(changed)).toBe(reason);
  });
});

describe('P8: an approval is revoked', () => {
  it.each([
    ['before the instant, by a millisecond', 1000.499, true],
    ['at the very instant', 1000.5, false],
    ['a millisecond after it', 1000.501, false],
    ['long before it', 0, true],
  ])('%s', (_when, decidedAt, revoked) => {
    expect(isRevoked({ decidedAt }, { tokens_not_before: 1000.5 })).toBe(revoked);
  });

  it('never where no instant is set', () => {
    expect(isRevoked({ decidedAt: 0 }, {})).toBe(false);
  });
});
