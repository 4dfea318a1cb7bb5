/**
 * What both endpoints of the protocol do first (CIBA Core 7.2 step 1, 10.1): read the form and authenticate its client.
 */
import { type Client, liveSecrets } from '../ciba/client.ts';
import { judgeClientAssertion } from '../ciba/client-assertion.ts';
import {
  type AssertionCredentials,
  authenticateBySecret,
  clientAuthenticationFailed,
  demandEnabled,
  readClientCredentials,
} from '../ciba/client-authentication.ts';
import { type Form, readForm } from '../http/form.ts';
import type { Trace } from '../http/oauth-endpoint.ts';
import type { ClientDirectory, Clock, UsedTokenIds, WrappingKeys } from '../ports.ts';
import { routes } from '../routes.ts';

export interface ClientAuthenticationDeps {
  issuer: string;
  clients: ClientDirectory;
  wrappingKeys: Pick<WrappingKeys, 'unwrap'>;
  usedTokenIds: UsedTokenIds;
  clock: Clock;
}

/** A form whose client is proved. */
export interface AuthenticatedForm {
  form: Form;
  client: Client;
  /** The client's secrets as far as this request has proved them; none for a client with keys. */
  secrets: readonly string[];
}

/**
 * The form of a request and the client it proves; nothing but the client is looked up before that, and a client
 * assertion is burned before anything else is done with the request.
 * @throws OAuthError `invalid_request` for what is no form, `invalid_client` for what proves no client
 */
export async function readAuthenticatedForm(
  httpRequest: Request,
  deps: ClientAuthenticationDeps,
  trace: Trace,
): Promise<AuthenticatedForm> {
  const form = await readForm(httpRequest);
  const credentials = readClientCredentials(httpRequest.headers.get('authorization'), form);
  const registered = await deps.clients.findClient(credentials.clientId, 'cached');
  const proved =
    credentials.method === 'client_assertion'
      ? await authenticateByAssertion(deps, credentials, registered)
      : {
          client: authenticateBySecret(credentials, registered, deps.clock()),
          secrets: [credentials.clientSecret],
        };
  trace.clientId = proved.client.client_id;
  return { form, ...proved };
}

async function authenticateByAssertion(
  deps: ClientAuthenticationDeps,
  { assertion }: AssertionCredentials,
  client: Client | undefined,
): Promise<Omit<AuthenticatedForm, 'form'>> {
  if (!client) throw clientAuthenticationFailed('unknown client');
  const secrets = await unwrapSecrets(deps, client);
  const audience = {
    issuer: deps.issuer,
    endpoints: [routes.token, routes.backchannelAuthentication].map((path) => deps.issuer + path),
  };
  const judgement = await judgeClientAssertion(assertion, client, secrets, audience, deps.clock());
  if (!judgement.proved) throw clientAuthenticationFailed(judgement.cause);
  demandEnabled(client);
  const first = await deps.usedTokenIds.burn('assertion', client.client_id, judgement.singleUse);
  if (!first) throw clientAuthenticationFailed('assertion: jti used before');
  return { client, secrets };
}

/** What a `client_secret_jwt` client signs with; the secrets of the other methods are not recoverable. */
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
