/**
 * The claims of both tokens (OpenID Connect Core 2 and 5.4, RFC 9068), and that they say no more
 * than what happened (threats T2).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ApprovedRequest } from '../../../../lambdas/ciba/request/authentication-request.ts';
import {
  accessTokenClaims,
  type Grant,
  idTokenClaims,
  tokenResponse,
} from '../../../../lambdas/ciba/request/tokens.ts';
import { exampleUser } from '../../../support/example-directory.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../../support/example-request.ts';

const issuer = 'https://ciba.example';

function grantOf(scope: string, user = exampleUser): Grant {
  const request: ApprovedRequest = {
    ...exampleRequest({ scope }),
    status: 'approved',
    decidedAt: EXAMPLE_NOW + 10.6,
  };
  return { issuer, request, scope, user, now: EXAMPLE_NOW + 12.9 };
}

const always = {
  iss: issuer,
  sub: 'u-alice',
  aud: 'pump-4',
  iat: EXAMPLE_NOW + 12,
  exp: EXAMPLE_NOW + 12 + 3600,
  auth_time: EXAMPLE_NOW + 10,
  acr: `${issuer}/acr/link`,
  amr: ['email'],
};

describe('the ID Token', () => {
  it.each<[string, object]>([
    ['openid', {}],
    ['openid email', { email: 'alice@example.com', email_verified: true }],
    ['openid profile', { preferred_username: 'alice', name: 'Alice Example', locale: 'en' }],
    [
      'openid profile email payments:read',
      {
        email: 'alice@example.com',
        email_verified: true,
        preferred_username: 'alice',
        name: 'Alice Example',
        locale: 'en',
      },
    ],
  ])('for %j has exactly its claims', (scope, claims) => {
    expect(idTokenClaims(grantOf(scope))).toEqual({ ...always, ...claims });
  });

  it('T2: says that the code was typed where it was, and never that this is more than one factor', () => {
    const grant = grantOf('openid');
    const claims = idTokenClaims({ ...grant, request: { ...grant.request, wrongCodes: 0 } });
    expect(claims).toEqual({ ...always, acr: `${issuer}/acr/code`, amr: ['email', 'code'] });
  });

  it('P53: has an amr of exactly these values, which README explains', () => {
    const grant = grantOf('openid');
    const coded = { ...grant, request: { ...grant.request, wrongCodes: 2 } };
    for (const claimsOf of [idTokenClaims, (one: Grant) => accessTokenClaims(one, issuer, 'one')]) {
      expect(claimsOf(grant)['amr']).toEqual(['email']);
      expect(claimsOf(coded)['amr']).toEqual(['email', 'code']);
    }
    const readme = readFileSync('README.md', 'utf8');
    expect(readme).toMatch(/In `amr`, `email` means .*`code` that .*registry of RFC 8176/s);
  });

  it('leaves out what the user does not have', () => {
    const { email: _email, name: _name, locale: _locale, ...bare } = exampleUser;
    expect(idTokenClaims(grantOf('openid profile email', bare))).toEqual({
      ...always,
      preferred_username: 'alice',
    });
  });

  it('carries no nonce, no auth_req_id and no hash that CIBA does not define for poll', () => {
    const claims = Object.keys(idTokenClaims(grantOf('openid profile email')));
    for (const name of [
      'nonce',
      'c_hash',
      's_hash',
      'at_hash',
      'urn:openid:params:jwt:claim:auth_req_id',
    ]) {
      expect(claims).not.toContain(name);
    }
  });
});

it('the access token has the claims of RFC 9068 and is for the audience of the deployment', () => {
  expect(accessTokenClaims(grantOf('openid email'), 'https://api.example', 'jti-1')).toEqual({
    ...always,
    aud: 'https://api.example',
    jti: 'jti-1',
    client_id: 'pump-4',
    scope: 'openid email',
  });
});

it('T2: nobody calls a link in a mailbox more than it is', () => {
  const grant = grantOf('openid profile email');
  const claims = [idTokenClaims(grant), accessTokenClaims(grant, issuer, 'jti')];
  expect(JSON.stringify(claims)).not.toMatch(/mfa|otp|hwk|phr|mca/);
});

it('the token response has the members of RFC 6749 5.1 and the ID Token', () => {
  expect(tokenResponse({ accessToken: 'a', idToken: 'i', scope: 'openid' })).toEqual({
    access_token: 'a',
    id_token: 'i',
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'openid',
  });
});
