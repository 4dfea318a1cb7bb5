/**
 * A consumption device by hand: the requests of CIBA Core 7 and 10 over plain HTTP, with nothing
 * helped along.
 */
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { privateKeys } from './client-keys.ts';
import { issuer } from './deployment.ts';
import type { KeyClient, SecretClient, SecretJwtClient, TestClient } from './directory.ts';

/** An answer with its JSON body. */
export interface JsonAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

type Parameters = Record<string, string>;

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** RFC 6749 2.3.1: both parts form-encoded. */
export function basicAuthorization({ client_id, client_secret }: SecretClient): string {
  const pair = `${formEncode(client_id)}:${formEncode(client_secret)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** POSTs a form with the client's own authentication method. */
export async function post(
  path: string,
  client: TestClient,
  parameters: Parameters,
): Promise<JsonAnswer> {
  switch (client.token_endpoint_auth_method) {
    case 'client_secret_basic': {
      const headers = { Authorization: basicAuthorization(client) };
      return send(path, new URLSearchParams(parameters), headers);
    }
    case 'client_secret_post': {
      const { client_id, client_secret } = client;
      return send(path, new URLSearchParams({ ...parameters, client_id, client_secret }));
    }
    case 'client_secret_jwt':
    case 'private_key_jwt': {
      const assertion = await assert(client);
      return send(path, new URLSearchParams({ ...parameters, ...assertionParameters(assertion) }));
    }
  }
}

/** RFC 7523, 2.2. */
export function assertionParameters(client_assertion: string): Parameters {
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return { client_assertion_type, client_assertion };
}

/** A client assertion as RFC 10070 wants it, with changes to its claims and its algorithm. */
export async function assert(
  client: SecretJwtClient | KeyClient,
  changes: Record<string, unknown> = {},
  alg: string = client.token_endpoint_auth_signing_alg,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const { client_id } = client;
  const names = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID() };
  return new SignJWT({ ...names, iat: now, exp: now + 60, ...changes })
    .setProtectedHeader({ alg, typ: 'client-authentication+jwt' })
    .sign(await keyOf(client, alg));
}

function keyOf(client: SecretJwtClient | KeyClient, alg: string) {
  if (client.token_endpoint_auth_method === 'client_secret_jwt') {
    return new TextEncoder().encode(client.client_secret);
  }
  const { alg: _own, ...jwk } = privateKeys[client.token_endpoint_auth_signing_alg];
  return importJWK(jwk, alg);
}

/** POSTs a form as it is. */
export async function send(
  path: string,
  form: URLSearchParams | string,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> {
  const response = await fetch(issuer + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body: form,
    redirect: 'manual',
  });
  return { status: response.status, headers: response.headers, body: await jsonOf(response) };
}

async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  const value: unknown = await response.json();
  if (typeof value !== 'object' || value === null) throw new Error('the body is no JSON object');
  return { ...value };
}

/** A request that was acknowledged. */
export interface Acknowledgement {
  authReqId: string;
  /** The public half, which mail and page show as Request ID. */
  ref: string;
  expiresIn: number;
  interval: number;
}

/** CIBA Core 7.1 with the least a request needs. */
export function ask(client: TestClient, login_hint: string, parameters: Parameters = {}) {
  return post('/cibaAuthorization', client, { scope: 'openid', login_hint, ...parameters });
}

/** {@link ask}, and the acknowledgement of CIBA Core 7.3. */
export async function start(
  client: TestClient,
  login_hint: string,
  parameters: Parameters = {},
): Promise<Acknowledgement> {
  const { status, body } = await ask(client, login_hint, parameters);
  if (status !== 200) throw new Error(`not acknowledged: ${status} ${JSON.stringify(body)}`);
  const authReqId = String(body['auth_req_id']);
  return {
    authReqId,
    ref: authReqId.split('.')[0] ?? '',
    expiresIn: Number(body['expires_in']),
    interval: Number(body['interval']),
  };
}

/** One poll (CIBA Core 10.1). */
export function poll(client: TestClient, auth_req_id: string): Promise<JsonAnswer> {
  return post('/token', client, { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id });
}

/** The members of an error, the correlation id taken out of the description. */
export function errorOf({ status, body }: JsonAnswer): unknown {
  return {
    status,
    error: body['error'],
    description: String(body['error_description']).replace(/ \(Correlation ID: .*\)$/, ''),
  };
}
