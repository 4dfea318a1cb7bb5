/**
 * The claims of the ID Token (OpenID Connect Core 2, 5.4) and of the access token (RFC 9068,
 * section 2.2), and the successful token response (CIBA Core 10.1.1).
 */

import { authenticationContext, type ConfirmationLevel } from '../client/confirmation-level.ts';
import type { User } from '../user/user.ts';
import type { ApprovedRequest, RedeemedRequest } from './authentication-request.ts';
import { confirmationLevel } from './confirmation.ts';

/** Lifetime of both tokens, in seconds. */
export const TOKEN_LIFETIME_SECONDS = 3600;

export type Claims = Record<string, string | number | boolean | string[]>;

/** One redemption or refresh: everything the claims are made of. */
export interface Grant {
  issuer: string;
  /** What the user approved. */
  request: Pick<ApprovedRequest | RedeemedRequest, 'clientId' | 'decidedAt' | 'wrongCodes'>;
  /** Of these tokens: what was granted, or a part of it. */
  scope: string;
  user: User;
  /** Epoch seconds. */
  now: number;
}

/**
 * What each confirmation level amounts to, whatever `acr_values` asked for (CIBA Core 7.1). Who
 * pressed the button controls a mailbox, and with a code saw the consumption device as well. That
 * is one factor either way. Neither value is registered (RFC 8176): the registered ones that come
 * near, `otp` and `mca`, claim more than is true.
 */
const authenticationMethods: Record<ConfirmationLevel, string[]> = {
  link: ['email'],
  code: ['email', 'code'],
};

function authenticationClaims({ issuer, request }: Grant) {
  const level = confirmationLevel(request);
  return {
    auth_time: Math.floor(request.decidedAt),
    acr: authenticationContext(issuer, level),
    amr: authenticationMethods[level],
  };
}

/**
 * The ID Token's claims: who approved, for whom, when and how, and the claims of the granted
 * scopes.
 */
export function idTokenClaims(grant: Grant): Claims {
  const { issuer, request, scope, user, now } = grant;
  return {
    iss: issuer,
    sub: user.sub,
    aud: request.clientId,
    exp: Math.floor(now) + TOKEN_LIFETIME_SECONDS,
    iat: Math.floor(now),
    ...authenticationClaims(grant),
    ...scopeClaims(scope.split(' '), user),
  };
}

/**
 * OpenID Connect Core 5.4: the claims that the scopes `email` and `profile` ask for, where the user
 * has them.
 */
function scopeClaims(scope: readonly string[], user: User): Claims {
  const claims: Claims = {};
  if (scope.includes('email') && user.email !== undefined) {
    claims['email'] = user.email;
    claims['email_verified'] = user.email_verified;
  }
  if (scope.includes('profile')) {
    claims['preferred_username'] = user.username;
    if (user.name !== undefined) claims['name'] = user.name;
    if (user.locale !== undefined) claims['locale'] = user.locale;
  }
  return claims;
}

/**
 * The access token's claims.
 * @param audience the resource servers the deployment's tokens are for
 * @param jti a unique id
 */
export function accessTokenClaims(grant: Grant, audience: string, jti: string): Claims {
  const { issuer, request, scope, user, now } = grant;
  return {
    iss: issuer,
    sub: user.sub,
    aud: audience,
    exp: Math.floor(now) + TOKEN_LIFETIME_SECONDS,
    iat: Math.floor(now),
    jti,
    client_id: request.clientId,
    scope,
    ...authenticationClaims(grant),
  };
}

/** Tokens as they go out. */
export interface IssuedTokens {
  accessToken: string;
  /** None for a refresh that leaves `openid` out (OpenID Connect Core 12.2). */
  idToken?: string | undefined;
  /** Only with the redemption: it is not rotated, so a refresh leaves the client the one it has. */
  refreshToken?: string | undefined;
  scope: string;
}

/** The members of a successful token response (CIBA Core 10.1.1, RFC 6749 5.1). */
export function tokenResponse(tokens: IssuedTokens) {
  return {
    access_token: tokens.accessToken,
    token_type: 'Bearer',
    expires_in: TOKEN_LIFETIME_SECONDS,
    ...(tokens.idToken !== undefined && { id_token: tokens.idToken }),
    ...(tokens.refreshToken !== undefined && { refresh_token: tokens.refreshToken }),
    scope: tokens.scope,
  };
}
