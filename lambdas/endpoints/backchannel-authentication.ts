/**
 * The backchannel authentication endpoint (CIBA Core 7): authenticates the client, checks the request, finds the user,
 * stores the request and starts the flow that notifies the user; then acknowledges.
 */
import { answerSteps } from '../ciba/answer-time.ts';
import type { PendingRequest } from '../ciba/authentication-request.ts';
import {
  type BackchannelAuthenticationRequest,
  type Hint,
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
import { judgeIdTokenHint } from '../ciba/id-token-hint.ts';
import { type LoginHint, parseLoginHint } from '../ciba/login.ts';
import { judgeLoginHintToken } from '../ciba/login-hint-token.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { judgeReachability, type User } from '../ciba/user.ts';
import { oauthEndpoint } from '../http/oauth-endpoint.ts';
import type { Log } from '../log.ts';
import type {
  AuthenticationRequestStore,
  Entropy,
  Flow,
  PublicKeys,
  UserDirectory,
} from '../ports.ts';
import {
  type AuthenticatedForm,
  type ClientAuthenticationDeps,
  readAuthenticatedForm,
} from './authenticated-form.ts';

/** Neither a user name nor an address: nobody is found by it. */
const NOBODYS_LOGIN = '@';

export interface BackchannelAuthenticationDeps extends ClientAuthenticationDeps {
  settings: LifetimeSettings & {
    /** Least time between polls for a client that registered none, in seconds. */
    defaultInterval: number;
    /** How long the audit keeps a request after its end, in seconds. */
    auditRetention: number;
    /** The name of the flow that notifies the user. */
    flow: string;
  };
  requests: Pick<AuthenticationRequestStore, 'create' | 'fail'>;
  users: UserDirectory;
  keys: PublicKeys;
  flow: Flow;
  entropy: Entropy;
  log: Log;
}

/** POST /cibaAuthorization. */
export function backchannelAuthenticationEndpoint(
  deps: BackchannelAuthenticationDeps,
): (request: Request) => Promise<Response> {
  return oauthEndpoint('backchannel_authentication', deps, async (httpRequest, trace) => {
    const untilStep = deps.startSteps();
    const authenticated = await readAuthenticatedForm(httpRequest, deps, trace);
    const { form, client } = authenticated;
    if (!mayUseCiba(client)) {
      throw new OAuthError(
        'unauthorized_client',
        'The client is not registered for the CIBA grant.',
      );
    }
    const asked = parseBackchannelAuthenticationRequest(form, client, deps.settings);
    const user = await identifyUser(deps, authenticated, asked.hint);

    const secret = formatSecret(deps.entropy(SECRET_ENTROPY_BYTES));
    const pending = pendingRequest(deps, client, user, asked, secret);
    await deps.requests.create(pending);
    trace.ref = pending.ref;
    await startFlow(deps, pending);
    if (client.unknown_user === 'decoy') await untilStep(answerSteps.acknowledgement);
    return {
      auth_req_id: formatHandle({ ref: pending.ref, secret }),
      expires_in: asked.expiresIn,
      interval: pending.interval,
    };
  });
}

/** Whom a request is for; a decoy is for nobody, which its client is not to learn. */
type RequestedUser = Pick<PendingRequest, 'sub' | 'contactVersion' | 'decoy'>;

/**
 * CIBA Core 7.2: the hint is valid and names a user; one who cannot be asked is no different from one who does not exist.
 * The look-ups are the same for both, so that their time does not tell either.
 */
async function identifyUser(
  deps: BackchannelAuthenticationDeps,
  { client, secrets }: AuthenticatedForm,
  hint: Hint,
): Promise<RequestedUser> {
  const named = await readHint(deps, client, secrets, hint);
  const found =
    named?.by === 'sub' ? await deps.users.findUser(named.sub) : await findByLogin(deps, named);
  const reachability = judgeReachability(found);
  if (reachability.reachable) {
    const { sub, contact_version: contactVersion } = reachability.user;
    return { sub, contactVersion };
  }
  const { reason } = reachability;
  if (client.unknown_user === 'decoy') {
    return { sub: found?.sub ?? '', contactVersion: found?.contact_version ?? 0, decoy: reason };
  }
  throw new OAuthError('unknown_user_id', 'The hint does not identify a user who can be asked.', {
    cause: reason,
  });
}

/** A text that can be no login is looked up all the same, as one that nobody has. */
function findByLogin(
  { users }: BackchannelAuthenticationDeps,
  named: Extract<LoginHint, { by: 'login' }> | undefined,
): Promise<User | undefined> {
  return users.findUserByLogin(named?.login ?? NOBODYS_LOGIN);
}

/**
 * Whom the hint names, if it can name anybody.
 * @throws OAuthError `invalid_request`, in one body for every fault of a token; `expired_login_hint_token`
 */
async function readHint(
  { issuer, keys, usedTokenIds, clock }: BackchannelAuthenticationDeps,
  client: Client,
  secrets: readonly string[],
  { kind, text }: Hint,
): Promise<LoginHint | undefined> {
  if (kind === 'login_hint') return parseLoginHint(text, issuer);
  if (kind === 'id_token_hint') {
    const published = await keys.publicKeys();
    const judged = await judgeIdTokenHint(text, client.client_id, published, issuer, clock());
    if (judged.outcome === 'named') return judged.hint;
    throw invalidHint(judged.cause);
  }
  const judged = await judgeLoginHintToken(text, client, secrets, issuer, clock());
  if (judged.outcome === 'expired') {
    throw new OAuthError('expired_login_hint_token', 'The login_hint_token has expired.');
  }
  if (judged.outcome === 'invalid') throw invalidHint(judged.cause);
  const first = await usedTokenIds.burn('login_hint_token', client.client_id, judged.singleUse);
  if (!first) throw invalidHint('login_hint_token: jti used before');
  return judged.hint;
}

function invalidHint(cause: string): OAuthError {
  return new OAuthError('invalid_request', 'The hint is not valid.', { cause });
}

function pendingRequest(
  { settings, clock, entropy }: BackchannelAuthenticationDeps,
  client: Client,
  user: RequestedUser,
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
    ...user,
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
  { flow, requests, settings, clock }: BackchannelAuthenticationDeps,
  { ref }: PendingRequest,
): Promise<void> {
  try {
    await flow.start(ref, settings.flow);
  } catch (cause) {
    // If even that is not possible the request expires unasked; what went wrong first is what the log is to say.
    await requests.fail(ref, 'start_failed', clock()).catch(() => false);
    throw new OAuthError('temporarily_unavailable', 'The request could not be started.', { cause });
  }
}
