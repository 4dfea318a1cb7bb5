/**
 * The backchannel authentication endpoint (CIBA Core 7): authenticates the client, checks the request, finds the user,
 * stores the request and starts the flow that notifies the user; then acknowledges.
 */
import type { PendingRequest } from '../ciba/authentication-request.ts';
import {
  type BackchannelAuthenticationRequest,
  type LifetimeSettings,
  parseBackchannelAuthenticationRequest,
} from '../ciba/backchannel-authentication-request.ts';
import { type Client, mayUseCiba } from '../ciba/client.ts';
import {
  formatHandle,
  formatRef,
  formatSecret,
  hashSecret,
  REF_ENTROPY_BYTES,
  SECRET_ENTROPY_BYTES,
} from '../ciba/handles.ts';
import { parseLoginHint } from '../ciba/login.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { judgeReachability, type ReachableUser } from '../ciba/user.ts';
import { oauthEndpoint } from '../http/oauth-endpoint.ts';
import type { Log } from '../log.ts';
import type {
  AuthenticationRequestStore,
  ClientDirectory,
  Clock,
  Entropy,
  Flow,
  UserDirectory,
} from '../ports.ts';
import { readAuthenticatedForm } from './authenticated-form.ts';

export interface BackchannelAuthenticationDeps {
  issuer: string;
  settings: LifetimeSettings & {
    /** Least time between polls for a client that registered none, in seconds. */
    defaultInterval: number;
    /** How long the audit keeps a request after its end, in seconds. */
    auditRetention: number;
  };
  requests: Pick<AuthenticationRequestStore, 'create' | 'fail'>;
  clients: ClientDirectory;
  users: UserDirectory;
  flow: Flow;
  clock: Clock;
  entropy: Entropy;
  log: Log;
}

/** POST /cibaAuthorization. */
export function backchannelAuthenticationEndpoint(
  deps: BackchannelAuthenticationDeps,
): (request: Request) => Promise<Response> {
  return oauthEndpoint('backchannel_authentication', deps, async (httpRequest, trace) => {
    const { form, client } = await readAuthenticatedForm(httpRequest, deps.clients, trace);
    if (!mayUseCiba(client)) {
      throw new OAuthError(
        'unauthorized_client',
        'The client is not registered for the CIBA grant.',
      );
    }
    const asked = parseBackchannelAuthenticationRequest(form, client, deps.settings);
    const user = await identifyUser(deps, asked.loginHint);

    const secret = formatSecret(deps.entropy(SECRET_ENTROPY_BYTES));
    const pending = pendingRequest(deps, client, user, asked, secret);
    await deps.requests.create(pending);
    trace.ref = pending.ref;
    await startFlow(deps, pending);
    return {
      auth_req_id: formatHandle({ ref: pending.ref, secret }),
      expires_in: asked.expiresIn,
      interval: pending.interval,
    };
  });
}

/** CIBA Core 7.2: the hint is valid and names a user; one who cannot be asked is no different from one who does not exist. */
async function identifyUser(
  { issuer, users }: BackchannelAuthenticationDeps,
  hint: string,
): Promise<ReachableUser> {
  const login = parseLoginHint(hint, issuer);
  const found =
    login &&
    (login.by === 'sub'
      ? await users.findUser(login.sub)
      : await users.findUserByLogin(login.login));
  const reachability = judgeReachability(found);
  if (reachability.reachable) return reachability.user;
  throw new OAuthError('unknown_user_id', 'The hint does not identify a user who can be asked.', {
    cause: reachability.reason,
  });
}

function pendingRequest(
  { settings, clock, entropy }: BackchannelAuthenticationDeps,
  client: Client,
  user: ReachableUser,
  asked: BackchannelAuthenticationRequest,
  secret: string,
): PendingRequest {
  const createdAt = clock();
  const expiresAt = createdAt + asked.expiresIn;
  return {
    status: 'pending',
    ref: formatRef(entropy(REF_ENTROPY_BYTES)),
    secretHash: hashSecret(secret),
    clientId: client.client_id,
    sub: user.sub,
    contactVersion: user.contact_version,
    scope: asked.scope,
    ...(asked.bindingMessage !== undefined && { bindingMessage: asked.bindingMessage }),
    createdAt,
    expiresAt,
    forgetAt: Math.ceil(expiresAt) + settings.auditRetention,
    interval: client.interval ?? settings.defaultInterval,
  };
}

/** A flow that cannot be started would leave the user unasked and the client waiting: the request fails at once. */
async function startFlow(
  { flow, requests, clock }: BackchannelAuthenticationDeps,
  { ref }: PendingRequest,
): Promise<void> {
  try {
    await flow.start(ref);
  } catch (cause) {
    await requests.fail(ref, 'start_failed', clock());
    throw new OAuthError('temporarily_unavailable', 'The request could not be started.', { cause });
  }
}
