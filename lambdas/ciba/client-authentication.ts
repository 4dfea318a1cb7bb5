/**
 * Client authentication at both endpoints (CIBA Core 7.1 and 10.1, OpenID Connect Core 9, RFC 6749 section 2.3.1):
 * exactly one method, and that the one which is registered.
 */
import { timingSafeEqual } from 'node:crypto';
import { type Client, type ClientAuthenticationMethod, isClientId } from './client.ts';
import { hashSecret } from './handles.ts';
import { OAuthError } from './oauth-error.ts';

/** What a request presents to prove who its client is. */
export interface ClientCredentials {
  method: ClientAuthenticationMethod;
  clientId: string;
  clientSecret: string;
}

/** One text for every failure, so that nothing tells an unknown client from a wrong secret. */
function clientAuthenticationFailed(cause: string): OAuthError {
  return new OAuthError(
    'invalid_client',
    'Client authentication failed. Use the method and the credentials the client is registered with.',
    { cause },
  );
}

/**
 * The credentials of a request, from its `Authorization` header or its form.
 * @throws OAuthError `invalid_request` for more than one method (RFC 6749 5.2), `invalid_client` for none or one that
 * cannot be read
 */
export function readClientCredentials(
  authorization: string | null,
  form: ReadonlyMap<string, string>,
): ClientCredentials {
  const presented = [
    authorization !== null,
    form.has('client_secret'),
    form.has('client_assertion') || form.has('client_assertion_type'),
  ].filter(Boolean).length;
  if (presented > 1) {
    throw new OAuthError(
      'invalid_request',
      'The request uses more than one client authentication method.',
    );
  }
  const credentials =
    authorization !== null
      ? readBasicCredentials(authorization, form.get('client_id'))
      : readPostCredentials(form);
  if (!isClientId(credentials.clientId)) throw clientAuthenticationFailed('no possible client_id');
  return credentials;
}

function readPostCredentials(form: ReadonlyMap<string, string>): ClientCredentials {
  const clientId = form.get('client_id');
  const clientSecret = form.get('client_secret');
  if (clientId === undefined || clientSecret === undefined) {
    throw clientAuthenticationFailed('no credentials of a supported method');
  }
  return { method: 'client_secret_post', clientId, clientSecret };
}

/** RFC 7617 with both parts form-encoded, as RFC 6749 2.3.1 demands. */
function readBasicCredentials(
  authorization: string,
  formClientId: string | undefined,
): ClientCredentials {
  const [, base64] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  if (base64 === undefined) throw clientAuthenticationFailed('not the Basic scheme');
  const pair = Buffer.from(base64, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) throw clientAuthenticationFailed('no colon in the Basic credentials');
  const clientId = decodeFormText(pair.slice(0, colon));
  const clientSecret = decodeFormText(pair.slice(colon + 1));
  if (formClientId !== undefined && formClientId !== clientId) {
    throw clientAuthenticationFailed('client_id differs from the Basic credentials');
  }
  return { method: 'client_secret_basic', clientId, clientSecret };
}

function decodeFormText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw clientAuthenticationFailed('the Basic credentials are not form-encoded');
  }
}

/** What an unknown client's secret is compared with, so that it costs the same work as a known one's. */
const nobodysSecretHash = hashSecret('');

/**
 * The client that the credentials prove.
 * The comparison takes the same time for an unknown client and for a wrong secret.
 * @throws OAuthError `invalid_client`, in one wording for every reason
 */
export function authenticateClient(
  credentials: ClientCredentials,
  client: Client | undefined,
): Client {
  const presented = Buffer.from(hashSecret(credentials.clientSecret));
  const registered = Buffer.from(client?.client_secret_hash ?? nobodysSecretHash);
  const proved = presented.length === registered.length && timingSafeEqual(presented, registered);
  if (!client) throw clientAuthenticationFailed('unknown client');
  if (!proved) throw clientAuthenticationFailed('wrong secret');
  if (credentials.method !== client.token_endpoint_auth_method) {
    throw clientAuthenticationFailed('not the registered method');
  }
  if (!client.enabled) throw clientAuthenticationFailed('client disabled');
  return client;
}
