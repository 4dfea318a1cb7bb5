/**
 * The backchannel authentication endpoint (CIBA Core 7): authenticates the client, checks the
 * request, finds the user, stores the request and starts the flow that notifies the user; then
 * acknowledges.
 */
import { answerTimes } from '../ciba/answer-time.ts';
import { type Client, mayUseCiba } from '../ciba/client/client.ts';
import type { ConfirmationLevel } from '../ciba/client/confirmation-level.ts';
import {
  formatHandle,
  formatRef,
  formatSecret,
  hashSecret,
  REF_ENTROPY_BYTES,
  SECRET_ENTROPY_BYTES,
} from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { chooseFlow, FLOW_ENTROPY_BYTES, type FlowPolicies } from '../ciba/policy/flow-policy.ts';
import {
  type AskedUser,
  type LimitReached,
  type NotificationPolicies,
  type NotificationPolicy,
  policyOf,
} from '../ciba/policy/notification-policy.ts';
import { overLimitCause } from '../ciba/policy/over-limit.ts';
import type { PendingRequest } from '../ciba/request/authentication-request.ts';
import { refuseAuthorizationDetails } from '../ciba/request/authorization-details.ts';
import {
  assertTypeable,
  backchannelAuthenticationParameters,
  type Hint,
  type LifetimeSettings,
  parseBindingMessage,
  parseHint,
  parseRequestedExpiry,
  parseScope,
  pollingInterval,
  refuseSignedRequest,
} from '../ciba/request/backchannel-authentication-request.ts';
import { levelFor } from '../ciba/request/confirmation.ts';
import { judgeIdTokenHint } from '../ciba/request/id-token-hint.ts';
import { judgeLoginHintToken } from '../ciba/request/login-hint-token.ts';
import { CAUSE_LENGTH, isRefusal } from '../ciba/request/refused-request.ts';
import { type LoginHint, parseLoginHint } from '../ciba/user/login.ts';
import { judgeReachability, type User } from '../ciba/user/user.ts';
import type { Caller } from '../http/api-gateway-event.ts';
import { oauthEndpoint, type Trace } from '../http/oauth-endpoint.ts';
import { describeCause, type Log } from '../log.ts';
import type {
  Addressee,
  AuthenticationRequestStore,
  CountedMail,
  Entropy,
  Flow,
  NotificationQuotas,
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
    /** How long the audit keeps a request after its end, in seconds. */
    auditRetention: number;
    notificationPolicies: NotificationPolicies;
    flowPolicies: FlowPolicies;
  };
  requests: Pick<AuthenticationRequestStore, 'create' | 'fail' | 'find' | 'refuse'>;
  quotas: NotificationQuotas;
  users: UserDirectory;
  keys: PublicKeys;
  flow: Flow;
  entropy: Entropy;
  log: Log;
}

/** POST /cibaAuthorization. */
export function backchannelAuthenticationEndpoint(
  deps: BackchannelAuthenticationDeps,
): (request: Request, caller?: Caller) => Promise<Response> {
  return oauthEndpoint('backchannel_authentication', deps, async (httpRequest, trace) => {
    const padTo = deps.startPadding();
    // RFC 6749 3.2: a posted form, no parameter twice. CIBA Core 7.2 step 1: the client proves
    // itself.
    const authenticated = await readAuthenticatedForm(
      httpRequest,
      deps,
      trace,
      backchannelAuthenticationParameters,
    );
    const refusal: RefusalFacts = {};
    try {
      return await acknowledge(deps, authenticated, trace, refusal);
    } catch (error) {
      await keepRefusal(deps, authenticated.client, trace, refusal, error);
      throw error;
    } finally {
      if (authenticated.client.unknown_user === 'decoy') {
        await padTo(answerTimes.acknowledgement);
      }
    }
  });
}

/** What the audit is to say of a refused request, as far as it went. */
interface RefusalFacts {
  sub?: string;
}

/**
 * The checks that follow client authentication, in the order of CIBA Core 7.2, each with its
 * clause. What needs no look-up comes first. Then the request is stored, its flow started, and it
 * is acknowledged (7.3).
 */
async function acknowledge(
  deps: BackchannelAuthenticationDeps,
  authenticated: AuthenticatedForm,
  trace: Trace,
  refusal: RefusalFacts,
): Promise<object> {
  const { issuer, settings } = deps;
  const { form, client } = authenticated;
  // CIBA Core 13, unauthorized_client: the client is registered for the grant.
  assertMayUseCiba(client);
  // CIBA Core 7.2 step 2, 7.1.1: signed requests are not supported.
  refuseSignedRequest(form);
  // RFC 9396 5: nor is any type of authorization_details.
  refuseAuthorizationDetails(form);
  // CIBA Core 7.2 steps 3 and 6, 7.1: scope is required, has openid and is the client's.
  const scope = parseScope(form, client);
  // CIBA Core 7.2 step 3, 7.1: one and only one hint.
  const hint = parseHint(form);
  // CIBA Core 7.1, 13: the binding message can be shown.
  const bindingMessage = parseBindingMessage(form);
  // CIBA Core 7.1: acr_values has no value of ours that is no level.
  const level = levelFor(client.confirmation_level, form.get('acr_values'), issuer, bindingMessage);
  // CIBA Core 13, invalid_binding_message: what the user is to type can be typed.
  assertTypeable(level, bindingMessage);
  // CIBA Core 7.1: requested_expiry is a positive integer.
  const expiresIn = parseRequestedExpiry(form, client, settings);
  // CIBA Core 7.2 step 4, 7.1, 13: the hint is valid, has not expired and was not used before.
  const found = await findUser(deps, authenticated, hint);
  if (found.user) refusal.sub = found.user.sub;

  const secret = formatSecret(deps.entropy(SECRET_ENTROPY_BYTES));
  const asked = { scope, bindingMessage, level, expiresIn };
  const facts = requestFacts(deps, client, asked, secret);
  const policy = policyOf(settings.notificationPolicies, client.notification_policy);
  // CIBA Core 13, access_denied: the user, known or unknown, is not asked too often.
  await assertUserLimit(deps, policy, facts, found);
  // CIBA Core 7.2 step 5, 13, unknown_user_id: there is a user who can be asked.
  const pending = { ...facts, ...requestedUser(client, found.user) };
  // CIBA Core 13, access_denied: the day has mails left.
  const counted = await assertMailLimit(deps, policy, { client, pending, found });

  await store(deps, pending, counted);
  trace.ref = pending.ref;
  await startFlow(deps, pending, counted);
  return {
    auth_req_id: formatHandle({ ref: pending.ref, secret }),
    expires_in: expiresIn,
    interval: pending.interval,
  };
}

function assertMayUseCiba(client: Client): void {
  if (mayUseCiba(client)) return;
  throw new OAuthError('unauthorized_client', 'The client is not registered for the CIBA grant.');
}

/**
 * A refusal after client authentication is in the audit, and the error's correlation id leads to
 * it.
 */
async function keepRefusal(
  { requests, settings, clock, entropy }: BackchannelAuthenticationDeps,
  { client_id: clientId }: Client,
  trace: Trace,
  refusal: RefusalFacts,
  error: unknown,
): Promise<void> {
  if (!(error instanceof OAuthError) || !isRefusal(error.code)) return;
  const ref = formatRef(entropy(REF_ENTROPY_BYTES));
  const createdAt = clock();
  const cause = describeCause(error.cause) ?? error.message;
  try {
    await requests.refuse({
      ref,
      clientId,
      ...refusal,
      code: error.code,
      cause: cause.slice(0, CAUSE_LENGTH),
      createdAt,
      forgetAt: Math.ceil(createdAt) + settings.auditRetention,
    });
    trace.ref = ref;
  } catch {
    // The client is refused all the same; that the audit lacks it shows in the log, whose line has
    // no ref then.
  }
}

/** Whom a request is for; a decoy is for nobody, which its client is not to learn. */
type RequestedUser = Pick<PendingRequest, 'sub' | 'contactVersion' | 'decoy'>;

/**
 * The user whom a hint leads to, if there is one, and whose notifications a request counts among.
 */
interface FoundUser {
  user: User | undefined;
  addressee: Addressee;
}

/**
 * CIBA Core 7.2: the user whom the hint names. The look-ups are the same whether or not there is
 * one, so that their time does not tell.
 */
async function findUser(
  deps: BackchannelAuthenticationDeps,
  { client, secrets }: AuthenticatedForm,
  hint: Hint,
): Promise<FoundUser> {
  const named = await readHint(deps, client, secrets, hint);
  const user =
    named?.by === 'sub' ? await deps.users.findUser(named.sub) : await findByLogin(deps, named);
  if (user) return { user, addressee: { sub: user.sub } };
  return {
    user,
    addressee: { hint: named?.by === 'sub' ? named.sub : (named?.login ?? hint.text) },
  };
}

/** A user who cannot be asked is no different from one who does not exist. */
function requestedUser(client: Client, user: User | undefined): RequestedUser {
  const reachability = judgeReachability(user);
  if (reachability.reachable) {
    const { sub, contact_version: contactVersion } = reachability.user;
    return { sub, contactVersion };
  }
  const { reason } = reachability;
  if (client.unknown_user === 'decoy') {
    return { sub: user?.sub ?? '', contactVersion: user?.contact_version ?? 0, decoy: reason };
  }
  throw new OAuthError('unknown_user_id', 'The hint does not identify a user who can be asked.', {
    cause: reason,
  });
}

/**
 * CIBA Core 13: refused in advance, for a user who exists as for one who does not (threats T3, T6).
 * What limits nothing is counted as well, since pages tell of all that waits (threats T4).
 */
async function assertUserLimit(
  { quotas }: BackchannelAuthenticationDeps,
  policy: NotificationPolicy,
  facts: RequestFacts,
  { addressee }: FoundUser,
): Promise<void> {
  const reached = await quotas.countAsked(addressee, askedOf(facts), policy);
  if (reached !== undefined) throw overLimit(reached);
}

function askedOf({ ref, clientId, createdAt: at, expiresAt }: RequestFacts): AskedUser {
  return { ref, clientId, at, expiresAt };
}

/**
 * Counted last, so that nothing that is refused anyway uses up what all users share; and what is
 * refused here, for which no mail is sent, is taken back from the user's own count. `undefined` if
 * the policy has no such limit.
 */
async function assertMailLimit(
  { quotas }: BackchannelAuthenticationDeps,
  { mailsPerDay }: NotificationPolicy,
  { client, pending, found }: { client: Client; pending: PendingRequest; found: FoundUser },
): Promise<CountedMail | undefined> {
  if (mailsPerDay === undefined) return undefined;
  const judged = await quotas.countMail({
    clientId: client.client_id,
    at: pending.createdAt,
    mailsPerDay,
    hasDecoys: client.unknown_user === 'decoy',
    isDecoy: pending.decoy !== undefined,
  });
  if (judged.outcome === 'counted') return judged.counted;
  // If that fails the user's count is too high by one; the answer is the same.
  await quotas.uncountAsked(found.addressee, askedOf(pending)).catch(() => undefined);
  throw overLimit({ limit: 'mailsPerDay', ofShare: judged.ofShare });
}

/** One text for every limit: it tells nothing of the user, nor whether others have used it up. */
function overLimit(reached: LimitReached): OAuthError {
  return new OAuthError('access_denied', 'Too many requests. Try again later.', {
    cause: overLimitCause(reached),
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
 * @throws OAuthError `invalid_request`, in one body for every fault of a token;
 * `expired_login_hint_token`
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

/** What the parameters of a request come to. */
interface AskedOfUser {
  scope: string;
  bindingMessage: string | undefined;
  level: ConfirmationLevel;
  /** Seconds. */
  expiresIn: number;
}

/** Everything of a request but whom it is for. */
type RequestFacts = Omit<PendingRequest, keyof RequestedUser>;

function requestFacts(
  { settings, clock, entropy }: BackchannelAuthenticationDeps,
  client: Client,
  asked: AskedOfUser,
  secret: string,
): RequestFacts {
  const createdAt = clock();
  const expiresAt = createdAt + asked.expiresIn;
  return {
    status: 'pending',
    ref: formatRef(entropy(REF_ENTROPY_BYTES)),
    secretHash: hashSecret(secret),
    clientId: client.client_id,
    scope: asked.scope,
    ...(asked.bindingMessage !== undefined && { bindingMessage: asked.bindingMessage }),
    ...(asked.level === 'code' && { wrongCodes: 0 }),
    flow: chooseFlow(settings.flowPolicies, client.flow_policy, entropy(FLOW_ENTROPY_BYTES)),
    createdAt,
    expiresAt,
    forgetAt: Math.ceil(expiresAt) + settings.auditRetention,
    interval: pollingInterval(client, settings),
    polls: 0,
  };
}

/** No flow is started of what could not be stored, so there will be no mail. */
async function store(
  { requests, quotas }: BackchannelAuthenticationDeps,
  pending: PendingRequest,
  counted: CountedMail | undefined,
): Promise<void> {
  try {
    await requests.create(pending);
  } catch (error) {
    if (counted) await quotas.uncountMail(counted).catch(() => undefined);
    throw error;
  }
}

/**
 * A flow that cannot be started would leave the user unasked and the client waiting: the request
 * fails at once.
 */
async function startFlow(
  deps: BackchannelAuthenticationDeps,
  { ref, flow: flowName }: PendingRequest,
  counted: CountedMail | undefined,
): Promise<void> {
  try {
    await deps.flow.start(ref, flowName);
  } catch (cause) {
    // If even that is not possible the request expires unasked; what went wrong first is what the
    // log is to say.
    await failUnstarted(deps, ref, counted).catch(() => undefined);
    throw new OAuthError('temporarily_unavailable', 'The request could not be started.', { cause });
  }
}

/**
 * The flow may have been started all the same, if only the answer was lost: the mail is taken back
 * if the request failed before any task claimed it, after which none can. It goes on to count among
 * the pending ones of its user, as whatever fails does.
 */
async function failUnstarted(
  { requests, quotas, clock }: BackchannelAuthenticationDeps,
  ref: string,
  counted: CountedMail | undefined,
): Promise<void> {
  const hasFailed = await requests.fail(ref, 'start_failed', clock());
  if (!counted || !hasFailed) return;
  const failed = await requests.find(ref);
  if (failed && failed.linkNonce === undefined) await quotas.uncountMail(counted);
}
