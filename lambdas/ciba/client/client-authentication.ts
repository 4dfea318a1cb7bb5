/**
 * Client authentication at both endpoints (CIBA Core 7.1 and 10.1, OpenID Connect Core 9, RFC 6749
 * section 2.3.1): exactly one method, and that the one which is registered.
 */

import { equalTexts } from '../equal-texts.ts';
import { hashSecret } from '../handles.ts';
import { readSignedJwt, type SignedJwt } from '../jwt/signed-jwt.ts';
import { OAuthError } from '../oauth-error.ts';
import { decodeFormText } from '../percent-encoding.ts';
import {
  type Client,
  type ClientAuthenticationMethod,
  isClientId,
  liveSecrets,
  type StoredSecret,
} from './client.ts';
import { CLIENT_ASSERTION_TYPE } from './client-assertion.ts';
import { type MacKey, macKeyId, macSecretHash } from './secret-mac.ts';

/** A secret that a request presents to prove who its client is. */
export interface SecretCredentials {
  method: Extract<ClientAuthenticationMethod, 'client_secret_basic' | 'client_secret_post'>;
  clientId: string;
  clientSecret: string;
}

/** A JWT that does; whether by secret or by key is for the registration to say. */
export interface AssertionCredentials {
  method: 'client_assertion';
  clientId: string;
  assertion: SignedJwt;
}

export type ClientCredentials = SecretCredentials | AssertionCredentials;

/** One text for every failure, so that nothing tells an unknown client from a wrong secret. */
export function clientAuthenticationFailed(cause: string): OAuthError {
  return new OAuthError(
    'invalid_client',
    'Client authentication failed. Use the method and the credentials the client is registered with.',
    { cause },
  );
}

/**
 * The credentials of a request, from its `Authorization` header or its form.
 * @throws OAuthError `invalid_request` for more than one method (RFC 6749 5.2), `invalid_client`
 * for none or one that cannot be read
 */
export function readClientCredentials(
  authorization: string | null,
  form: ReadonlyMap<string, string>,
): ClientCredentials {
  const hasAssertion = form.has('client_assertion') || form.has('client_assertion_type');
  const presented = [authorization !== null, form.has('client_secret'), hasAssertion];
  if (presented.filter(Boolean).length > 1) {
    throw new OAuthError(
      'invalid_request',
      'The request uses more than one client authentication method.',
    );
  }
  const credentials =
    authorization !== null
      ? readBasicCredentials(authorization, form.get('client_id'))
      : hasAssertion
        ? readAssertion(form)
        : readPostCredentials(form);
  if (!isClientId(credentials.clientId)) throw clientAuthenticationFailed('no possible client_id');
  return credentials;
}

/**
 * RFC 7521 4.2, RFC 7523 2.2. Who it speaks for is in the assertion; a `client_id` beside it has to
 * agree.
 */
function readAssertion(form: ReadonlyMap<string, string>): AssertionCredentials {
  if (form.get('client_assertion_type') !== CLIENT_ASSERTION_TYPE) {
    throw clientAuthenticationFailed('another client_assertion_type');
  }
  const assertion = readSignedJwt(form.get('client_assertion') ?? '');
  const clientId = assertion?.claims['iss'];
  if (!assertion || typeof clientId !== 'string') {
    throw clientAuthenticationFailed('the client_assertion is no signed JWT of a client');
  }
  if ((form.get('client_id') ?? clientId) !== clientId) {
    throw clientAuthenticationFailed('client_id differs from the client_assertion');
  }
  return { method: 'client_assertion', clientId, assertion };
}

function readPostCredentials(form: ReadonlyMap<string, string>): SecretCredentials {
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
): SecretCredentials {
  const [, base64] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  if (base64 === undefined) throw clientAuthenticationFailed('not the Basic scheme');
  const pair = Buffer.from(base64, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) throw clientAuthenticationFailed('no colon in the Basic credentials');
  const clientId = decodeFormText(pair.slice(0, colon));
  const clientSecret = decodeFormText(pair.slice(colon + 1));
  if (clientId === undefined || clientSecret === undefined) {
    throw clientAuthenticationFailed('the Basic credentials are not form-encoded');
  }
  if (formClientId !== undefined && formClientId !== clientId) {
    throw clientAuthenticationFailed('client_id differs from the Basic credentials');
  }
  return { method: 'client_secret_basic', clientId, clientSecret };
}

/**
 * Stands in for the hash of an unknown client, so that both cases compare 43 characters. It matches
 * no secret: no 32 octets are written so in base64url.
 */
const nobodysSecretHash = '-'.repeat(43);

/** What a client may have: its present secret and one that retires. */
const secretsCompared = [0, 1];

/**
 * The names of the keys that a secret is compared under, always as many; `undefined` where nothing
 * is stored under one, and any key serves.
 */
export function comparedKeyIds(client: Client | undefined, now: number): (string | undefined)[] {
  return comparedSecrets(client, now).map(({ client_secret_mac: mac }) => mac && macKeyId(mac));
}

/** Always two, of which a client without a retiring secret has the second in common with nobody. */
function comparedSecrets(client: Client | undefined, now: number): StoredSecret[] {
  const secrets = client ? liveSecrets(client, now) : [];
  return secretsCompared.map((index) => secrets[index] ?? {});
}

/**
 * The client that a presented secret proves. The comparison takes the same time for an unknown
 * client, for a wrong secret and for a client that registered another method.
 * @param keys those of {@link comparedKeyIds}, in their order
 * @throws OAuthError `invalid_client`, in one wording for every reason
 */
export function authenticateBySecret(
  credentials: SecretCredentials,
  client: Client | undefined,
  keys: readonly MacKey[],
  now: number,
): Client {
  const hash = hashSecret(credentials.clientSecret);
  const registered = comparedSecrets(client, now);
  const proved = keys.flatMap((key, index) => {
    const { client_secret_mac, client_secret_hash } = registered[index] ?? {};
    const mac = macSecretHash(key, credentials.clientId, hash);
    const nobodysMac = `${key.kid}.${nobodysSecretHash}`;
    return [
      equalTexts(mac, client_secret_mac ?? nobodysMac),
      equalTexts(hash, client_secret_hash ?? nobodysSecretHash),
    ];
  });
  if (!client) throw clientAuthenticationFailed('unknown client');
  if (!proved.includes(true)) throw clientAuthenticationFailed('wrong secret');
  if (credentials.method !== client.token_endpoint_auth_method) {
    throw clientAuthenticationFailed('not the registered method');
  }
  return demandEnabled(client);
}

/** @throws OAuthError `invalid_client` for a client that is switched off, whatever it has proved */
export function demandEnabled(client: Client): Client {
  if (!client.enabled) throw clientAuthenticationFailed('client disabled');
  return client;
}
