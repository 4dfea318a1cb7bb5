/**
 * The token endpoint (CIBA Core 10.1): a poll of the CIBA grant is stamped and judged in one write; an approved request
 * is redeemed once, for tokens that were signed before.
 */
import type { ApprovedRequest } from '../ciba/authentication-request.ts';
import { CIBA_GRANT_TYPE, type Client, mayUseCiba } from '../ciba/client.ts';
import { hashSecret, parseHandle } from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { judgePoll } from '../ciba/poll.ts';
import { isWithinScope } from '../ciba/scope.ts';
import {
  ACCESS_TOKEN_TYPE,
  accessTokenClaims,
  idTokenClaims,
  tokenResponse,
} from '../ciba/tokens.ts';
import type { Owner } from '../ciba/transitions.ts';
import { judgeReachability, type ReachableUser } from '../ciba/user.ts';
import type { Form } from '../http/form.ts';
import { oauthEndpoint, type Trace } from '../http/oauth-endpoint.ts';
import type { Log } from '../log.ts';
import type {
  AuthenticationRequestStore,
  ClientDirectory,
  Clock,
  Entropy,
  TokenSigner,
  UserDirectory,
} from '../ports.ts';
import { readAuthenticatedForm } from './authenticated-form.ts';

export interface TokenDeps {
  issuer: string;
  accessTokenAudience: string;
  requests: Pick<AuthenticationRequestStore, 'stampPoll' | 'slowDown' | 'redeem'>;
  clients: ClientDirectory;
  users: Pick<UserDirectory, 'findUser'>;
  signer: TokenSigner;
  clock: Clock;
  entropy: Entropy;
  log: Log;
}

/** Random bytes of an attempt id and of a `jti`. */
const ID_BYTES = 16;

/** POST /token. */
export function tokenEndpoint(deps: TokenDeps): (request: Request) => Promise<Response> {
  return oauthEndpoint('token', deps, async (httpRequest, trace) => {
    const { form, client } = await readAuthenticatedForm(httpRequest, deps.clients, trace);
    demandCibaGrant(form, client);
    return poll(deps, ownerOf(form, client), trace);
  });
}

function demandCibaGrant(form: Form, client: Client): void {
  const grantType = form.get('grant_type');
  if (grantType === undefined) {
    throw new OAuthError('invalid_request', 'The parameter grant_type is missing.');
  }
  if (grantType !== CIBA_GRANT_TYPE) {
    throw new OAuthError('unsupported_grant_type', `The grant_type must be ${CIBA_GRANT_TYPE}.`);
  }
  if (!mayUseCiba(client)) {
    throw new OAuthError('unauthorized_client', 'The client is not registered for the CIBA grant.');
  }
}

/** One answer for an auth_req_id that is unknown, malformed, another client's or used up (CIBA Core 11). */
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

async function poll(deps: TokenDeps, owner: Owner, trace: Trace): Promise<object> {
  const now = deps.clock();
  const stamped = await deps.requests.stampPoll(owner, now);
  if (stamped.outcome === 'not_found') throw noSuchRequest('not found, foreign or redeemed');
  trace.ref = owner.ref;

  const judgement = judgePoll(stamped.before, now);
  switch (judgement.answer) {
    case 'authorization_pending':
      throw authorizationPending(judgement.retryAfter);
    case 'slow_down':
      throw await slowDown(deps, owner.ref);
    case 'access_denied':
      throw new OAuthError('access_denied', 'The authorization request has been denied.');
    case 'expired_token':
      throw expired();
    case 'approved':
      return redeem(deps, owner, judgement.request, trace);
  }
}

function authorizationPending(retryAfter: number): OAuthError {
  return new OAuthError('authorization_pending', 'The authorization request is still pending.', {
    headers: { 'Retry-After': String(retryAfter) },
  });
}

/** The only poll that costs a second write. If the user has decided in between, the next poll is answered at once. */
async function slowDown({ requests }: TokenDeps, ref: string): Promise<OAuthError> {
  const interval = await requests.slowDown(ref);
  if (interval === undefined) return authorizationPending(1);
  return new OAuthError(
    'slow_down',
    'The authorization request is still pending. Please slow down the poll requests.',
    { headers: { 'Retry-After': String(interval) } },
  );
}

function expired(): OAuthError {
  return new OAuthError(
    'expired_token',
    'The authorization request for the provided auth_req_id has expired.',
  );
}

/** Signs first and consumes second: a fault before the write burns nothing, and only its winner answers with tokens. */
async function redeem(
  deps: TokenDeps,
  owner: Owner,
  request: ApprovedRequest,
  trace: Trace,
): Promise<object> {
  const client = await readClientAgain(deps, request);
  const user = await readUserAgain(deps, request);
  const now = deps.clock();
  const grant = { issuer: deps.issuer, request, user, now };
  const jti = randomId(deps.entropy);
  const [idToken, accessToken] = await Promise.all([
    deps.signer.sign(client.id_token_signed_response_alg, 'JWT', idTokenClaims(grant)),
    deps.signer.sign(
      'ES256',
      ACCESS_TOKEN_TYPE,
      accessTokenClaims(grant, deps.accessTokenAudience, jti),
    ),
  ]);
  const { outcome } = await deps.requests.redeem({
    ...owner,
    contactVersion: user.contact_version,
    attemptId: randomId(deps.entropy),
    now: deps.clock(),
  });
  switch (outcome) {
    case 'redeemed':
    case 'redeemed_by_this_attempt':
      return tokenResponse({ accessToken, idToken, scope: request.scope });
    case 'expired':
      throw expired();
    case 'contact_changed':
      throw userUnavailable('contact_changed');
    case 'not_approved':
    case 'not_found':
      // Another poll of the same client won; the body is the one of any auth_req_id that is used up.
      delete trace.ref;
      throw noSuchRequest('lost the race');
  }
}

function randomId(entropy: Entropy): string {
  return Buffer.from(entropy(ID_BYTES)).toString('base64url');
}

/** The client as it is right now: disabled, or with less scope than was granted, it gets nothing. */
async function readClientAgain({ clients }: TokenDeps, request: ApprovedRequest): Promise<Client> {
  const client = await clients.findClient(request.clientId, 'consistent');
  if (!client || !mayUseCiba(client)) {
    throw new OAuthError('unauthorized_client', 'The client may no longer use the CIBA grant.');
  }
  if (!isWithinScope(request.scope, client.scope)) {
    throw new OAuthError(
      'access_denied',
      'The client is no longer registered for the granted scope.',
    );
  }
  return client;
}

/** The user as they are right now: disabled, or reachable elsewhere than where they were asked, nothing is issued. */
async function readUserAgain(
  { users }: TokenDeps,
  request: ApprovedRequest,
): Promise<ReachableUser> {
  const reachability = judgeReachability(await users.findUser(request.sub));
  if (!reachability.reachable) throw userUnavailable(reachability.reason);
  if (reachability.user.contact_version !== request.contactVersion)
    throw userUnavailable('contact_changed');
  return reachability.user;
}

function userUnavailable(cause: string): OAuthError {
  return new OAuthError('access_denied', 'The authorization can no longer be used.', { cause });
}
