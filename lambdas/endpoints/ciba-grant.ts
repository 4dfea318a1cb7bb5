/**
 * The CIBA grant (CIBA Core 10.1): a poll is stamped and judged in one write; an approved request
 * is redeemed once, for tokens that were signed before.
 */

import { base64url } from '../ciba/base64url.ts';
import { CIBA_GRANT_TYPE, type Client } from '../ciba/client/client.ts';
import {
  ATTEMPT_ENTROPY_BYTES,
  formatHandle,
  formatSecret,
  hashSecret,
  parseHandle,
  SECRET_ENTROPY_BYTES,
} from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import type {
  ApprovedRequest,
  AuthenticationRequest,
} from '../ciba/request/authentication-request.ts';
import { judgePoll, untilLastPoll } from '../ciba/request/poll.ts';
import { isOffline, newRefreshToken } from '../ciba/request/refresh-token.ts';
import { judge } from '../ciba/request/rule.ts';
import { type Owner, slowingDown } from '../ciba/request/rules.ts';
import { tokenResponse } from '../ciba/request/tokens.ts';
import { isWithinScope } from '../ciba/scope.ts';
import type { Form } from '../http/form.ts';
import type { Trace } from '../http/oauth-endpoint.ts';
import type { AuthenticatedForm } from './authenticated-form.ts';
import { issueTokens, type PresentGrant, readGrant, type TokenDeps } from './issue-tokens.ts';

/**
 * Answers a poll: tokens once, for a request that the user has approved. The checks are in the
 * order of CIBA Core 10.1 and 11, each with its clause.
 */
export async function redeemByPoll(
  deps: TokenDeps,
  { form, client }: AuthenticatedForm,
  trace: Trace,
): Promise<object> {
  // CIBA Core 10.1: auth_req_id is required, and an invalid_grant (11) where it is none.
  const owner = ownerOf(form, client);
  const now = deps.clock();
  // CIBA Core 11, invalid_grant: it is known, this client's and not used up.
  const before = await stampPoll(deps, owner, now);
  trace.ref = owner.ref;
  // CIBA Core 11: access_denied, expired_token, slow_down, authorization_pending, in this order.
  const request = await approvedRequest(deps, before, client, now);
  // RFC 6749 5.2, CIBA Core 11, access_denied: client and user, read again, are those it was
  // approved for.
  const present = await readGrant(deps, request, CIBA_GRANT_TYPE, noLongerUsable);
  // RFC 6749 5.1, 3.3: the client is still registered for all that was approved.
  assertWholeScope(request, present.client);
  // CIBA Core 10.1.1: tokens, once; the write judges again what may have changed since the poll.
  return redeem(deps, owner, request, present, trace);
}

/** The request as it was before this poll, which its owner's next poll is judged by. */
async function stampPoll(
  { requests }: TokenDeps,
  owner: Owner,
  now: number,
): Promise<AuthenticationRequest> {
  const stamped = await requests.stampPoll(owner, now);
  if (stamped.outcome === 'stamped') return stamped.before;
  // Whether or not there was anything to record, the work is the same and so is the answer.
  const replayed = await requests.recordReplay(owner, now);
  throw noSuchRequest(replayed ? 'replayed' : 'not found, foreign or redeemed');
}

/**
 * The request if the poll may have tokens for it; {@link judgePoll} has the order of what it is
 * told otherwise.
 */
async function approvedRequest(
  deps: TokenDeps,
  before: AuthenticationRequest,
  client: Client,
  now: number,
): Promise<ApprovedRequest> {
  const judgement = judgePoll(before, client, now);
  switch (judgement.answer) {
    case 'access_denied':
      throw new OAuthError('access_denied', 'The authorization request has been denied.');
    case 'expired_token':
      throw expired();
    case 'slow_down':
      throw await slowDown(deps, before, now);
    case 'authorization_pending':
      throw authorizationPending(judgement.retryAfter);
    case 'approved':
      return judgement.request;
  }
}

/**
 * One answer for an auth_req_id that is unknown, malformed, another client's or used up (CIBA Core
 * 11).
 */
function noSuchRequest(cause: string): OAuthError {
  return new OAuthError('invalid_grant', 'The auth_req_id is not valid.', { cause });
}

function ownerOf(form: Form, client: Client): Owner {
  const authReqId = form.get('auth_req_id');
  if (authReqId === undefined) {
    throw new OAuthError('invalid_request', 'The parameter auth_req_id is missing.');
  }
  const handle = parseHandle(authReqId);
  if (!handle) throw noSuchRequest('malformed');
  return { ref: handle.ref, secretHash: hashSecret(handle.secret), clientId: client.client_id };
}

function authorizationPending(retryAfter: number | undefined): OAuthError {
  return new OAuthError('authorization_pending', 'The authorization request is still pending.', {
    headers: retryAfterHeader(retryAfter),
  });
}

/** None where no poll after it would come before the end (RFC 9110, 10.2.3). */
function retryAfterHeader(seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { 'Retry-After': String(seconds) };
}

/**
 * The only poll that costs a second write, as long as the interval still grows. If the user has
 * decided in between, the next poll is answered at once.
 */
async function slowDown(
  { requests }: TokenDeps,
  before: AuthenticationRequest,
  now: number,
): Promise<OAuthError> {
  const grows = judge(slowingDown(before.interval), before) === undefined;
  const interval = grows ? await requests.slowDown(before.ref, before.interval) : before.interval;
  const wait = untilLastPoll(interval ?? before.interval, before, now);
  if (interval === undefined) return authorizationPending(wait);
  return new OAuthError(
    'slow_down',
    'The authorization request is still pending. Please slow down the poll requests.',
    { headers: retryAfterHeader(wait) },
  );
}

function expired(): OAuthError {
  return new OAuthError(
    'expired_token',
    'The authorization request for the provided auth_req_id has expired.',
  );
}

/** What was approved goes out whole, or is asked for anew; only a refresh of it may be for less. */
function assertWholeScope({ scope }: ApprovedRequest, client: Client): void {
  if (isWithinScope(scope, client.scope)) return;
  throw new OAuthError(
    'access_denied',
    'The client is no longer registered for the granted scope.',
  );
}

/**
 * Signs first and consumes second: a fault before the write burns nothing, and only its winner
 * answers with tokens.
 */
async function redeem(
  deps: TokenDeps,
  owner: Owner,
  request: ApprovedRequest,
  { client, user }: PresentGrant,
  trace: Trace,
): Promise<object> {
  const now = deps.clock();
  const grant = { issuer: deps.issuer, request, scope: request.scope, user, now };
  const tokens = await issueTokens(deps, client, grant);
  const secret = formatSecret(deps.entropy(SECRET_ENTROPY_BYTES));
  const refresh = isOffline(request, client) ? newRefreshToken(request, secret, now) : undefined;
  const { outcome } = await deps.requests.redeem({
    ...owner,
    contactVersion: user.contact_version,
    attemptId: base64url(deps.entropy(ATTEMPT_ENTROPY_BYTES)),
    refresh,
    now: deps.clock(),
  });
  switch (outcome) {
    case 'redeemed':
    case 'redeemed_by_this_attempt':
      return tokenResponse({
        ...tokens,
        refreshToken: refresh && formatHandle({ ref: request.ref, secret }),
      });
    case 'expired':
      throw expired();
    case 'contact_changed':
      throw noLongerUsable('contact_changed');
    case 'not_approved':
    case 'not_found':
      // Another poll of the same client won; the body is the one of any auth_req_id that is used
      // up.
      delete trace.ref;
      throw noSuchRequest('lost the race');
  }
}

function noLongerUsable(cause: string): OAuthError {
  return new OAuthError('access_denied', 'The authorization can no longer be used.', { cause });
}
