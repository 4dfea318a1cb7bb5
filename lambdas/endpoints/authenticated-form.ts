/**
 * What both endpoints of the protocol do first (CIBA Core 7.2 step 1, 10.1): read the form and
 * authenticate its client.
 */
import { answerTimes } from '../ciba/answer-time.ts';
import {
  authenticationEvidence,
  type ProviderAddresses,
} from '../ciba/client/authentication-evidence.ts';
import { type Client, liveSecrets } from '../ciba/client/client.ts';
import { judgeClientAssertion } from '../ciba/client/client-assertion.ts';
import {
  type AssertionCredentials,
  authenticateBySecret,
  type ClientCredentials,
  clientAuthenticationFailed,
  comparedKeyIds,
  demandEnabled,
  readClientCredentials,
} from '../ciba/client/client-authentication.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { type Form, readForm } from '../http/form.ts';
import type { Trace } from '../http/oauth-endpoint.ts';
import type { ClientDirectory, Clock, StartPadding, UsedTokenIds, WrappingKeys } from '../ports.ts';
import { protocolRoutes } from '../routes.ts';

export interface ClientAuthenticationDeps {
  issuer: string;
  clients: ClientDirectory;
  wrappingKeys: WrappingKeys;
  usedTokenIds: UsedTokenIds;
  clock: Clock;
  startPadding: StartPadding;
}

/**
 * The parameters that client authentication reads (RFC 6749 2.3.1, RFC 7521 4.2), at both
 * endpoints.
 */
export const clientAuthenticationParameters = [
  'client_id',
  'client_secret',
  'client_assertion_type',
  'client_assertion',
] as const;

/** A form whose client is proved. */
export interface AuthenticatedForm {
  form: Form;
  client: Client;
  /** The client's secrets as far as this request has proved them; none for a client with keys. */
  secrets: readonly string[];
}

/**
 * The form of a request and the client it proves; nothing but the client is looked up before that,
 * and a client assertion is burned before anything else is done with the request.
 * @param parameters the names of the endpoint's own
 * @throws OAuthError `invalid_request` for what is no form, `invalid_client` for what proves no
 * client
 */
export async function readAuthenticatedForm(
  httpRequest: Request,
  deps: ClientAuthenticationDeps,
  trace: Trace,
  parameters: readonly string[],
): Promise<AuthenticatedForm> {
  const form = await readForm(httpRequest, [...clientAuthenticationParameters, ...parameters]);
  const authorization = httpRequest.headers.get('authorization');
  try {
    const credentials = readClientCredentials(authorization, form);
    const proved = await padFailure(deps, () => authenticate(deps, credentials, trace));
    trace.clientId = proved.client.client_id;
    return { form, ...proved };
  } catch (error) {
    const presented = { authorization, form };
    trace.failedAuthentication = authenticationEvidence(
      presented,
      trace.registered,
      addressesOf(deps),
    );
    throw error;
  }
}

/** The first route of an endpoint is the one that discovery publishes; the others are aliases. */
function addressesOf({ issuer }: ClientAuthenticationDeps): ProviderAddresses {
  const [tokenEndpoint, ...tokenAliases] = protocolRoutes.token;
  const [backchannelEndpoint, ...backchannelAliases] = protocolRoutes.backchannelAuthentication;
  return {
    issuer,
    tokenEndpoint: issuer + tokenEndpoint,
    backchannelEndpoint: issuer + backchannelEndpoint,
    aliases: [...tokenAliases, ...backchannelAliases].map((path) => issuer + path),
  };
}

/**
 * Pads a failed authentication to the next 25 ms, so that timing does not reveal whether the client
 * exists.
 */
async function padFailure<Proved>(
  { startPadding }: ClientAuthenticationDeps,
  prove: () => Promise<Proved>,
): Promise<Proved> {
  const padTo = startPadding();
  try {
    return await prove();
  } catch (error) {
    await padTo(answerTimes.failedAuthentication);
    throw error;
  }
}

type ProvedClient = Omit<AuthenticatedForm, 'form'>;

/**
 * Authenticates by the cached registration, and on failure once more by the current one. A secret
 * or key that has just changed works at once, and every failure costs one look-up, whether or not
 * the client exists.
 */
async function authenticate(
  deps: ClientAuthenticationDeps,
  credentials: ClientCredentials,
  trace: Trace,
): Promise<ProvedClient> {
  const { clientId } = credentials;
  const started = deps.clock();
  const remembered = await deps.clients.findClient(clientId, 'cached');
  trace.registered = remembered;
  if (!remembered) return authenticateAs(deps, credentials, undefined);
  try {
    return await authenticateAs(deps, credentials, remembered);
  } catch (error) {
    if (!(error instanceof OAuthError) || error.code !== 'invalid_client') throw error;
    const present = await deps.clients.findClientSince(clientId, started);
    if (present === remembered) throw error;
    trace.registered = present;
    return authenticateAs(deps, credentials, present);
  }
}

async function authenticateAs(
  deps: ClientAuthenticationDeps,
  credentials: ClientCredentials,
  client: Client | undefined,
): Promise<ProvedClient> {
  if (credentials.method === 'client_assertion') {
    return authenticateByAssertion(deps, credentials, client);
  }
  const now = deps.clock();
  // An unknown client has keys read, too, so that it costs the same reads.
  const keys = await deps.wrappingKeys.macKeys(comparedKeyIds(client, now));
  return {
    client: authenticateBySecret(credentials, client, keys, now),
    secrets: [credentials.clientSecret],
  };
}

async function authenticateByAssertion(
  deps: ClientAuthenticationDeps,
  { assertion }: AssertionCredentials,
  client: Client | undefined,
): Promise<ProvedClient> {
  if (!client) throw clientAuthenticationFailed('unknown client');
  const secrets = await unwrapSecrets(deps, client);
  const audience = {
    issuer: deps.issuer,
    endpoints: Object.values(protocolRoutes)
      .flat()
      .map((path) => deps.issuer + path),
  };
  const judgement = await judgeClientAssertion(assertion, client, secrets, audience, deps.clock());
  if (!judgement.proved) throw clientAuthenticationFailed(judgement.cause);
  demandEnabled(client);
  const first = await deps.usedTokenIds.burn('assertion', client.client_id, judgement.singleUse);
  if (!first) throw clientAuthenticationFailed('assertion: jti used before');
  return { client, secrets };
}

/** The secrets of a `client_secret_jwt` client. Those of the other methods cannot be recovered. */
async function unwrapSecrets(
  { wrappingKeys, clock }: ClientAuthenticationDeps,
  client: Client,
): Promise<string[]> {
  if (client.token_endpoint_auth_method !== 'client_secret_jwt') return [];
  const wrapped = liveSecrets(client, clock()).flatMap(
    (secret) => secret.client_secret_wrapped ?? [],
  );
  return Promise.all(wrapped.map((secret) => wrappingKeys.unwrap(client.client_id, secret)));
}
