/**
 * A short flow against any deployment, from outside as a client sees it: discovery, keys, a
 * request, a decision, tokens (CIBA Core 7, 10, 11), each step told as it is done. It leaves
 * nothing behind but the one request it makes.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import * as z from 'zod/mini';
import { CIBA_GRANT_TYPE } from '../../../lambdas/ciba/client/client.ts';
import { SLOW_DOWN_SECONDS } from '../../../lambdas/ciba/request/rules.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import {
  type Answer,
  assertRefused,
  errorOf,
  readJson,
  request,
  Unexpected,
} from './smoke-http.ts';
import { approve, awaitLink } from './smoke-mail.ts';
import type { SmokeTarget } from './smoke-target.ts';

/** A step that went as it should, and what it saw. */
export interface SmokeStep {
  step: string;
  seen: string;
}

/** Who follows the flow. */
export interface SmokeListener {
  passed(step: SmokeStep): void;
  /** What a person has to do now. */
  asked(text: string): void;
}

/**
 * Runs every step in order, and tells of each that went as it should.
 * @throws OperatorError at the first step that did not: it names the step, what it expected and
 * what it saw
 */
export async function smoke(target: SmokeTarget, { passed, asked }: SmokeListener): Promise<void> {
  const step: Step = async (name, run) => {
    try {
      const { seen, ...result } = await run();
      passed({ step: name, seen });
      return result;
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      throw new OperatorError(`FAILED  ${name}: ${error.message}`, { code: 'faults_found' });
    }
  };

  const { metadata } = await step('discovery', () => discover(target.issuer));
  const { jwks } = await step('keys', () => readKeys(metadata.jwks_uri));
  const client: Client = { ...target, metadata };
  await step('wrong secret', () => presentWrongSecret(client));
  const { authenticationRequest } = await step('request', () => ask(client));
  await step('first poll', () => expectPending(client, authenticationRequest));
  await decide(client, authenticationRequest, step, asked);
  const { tokens } = await step('tokens', () => awaitTokens(client, authenticationRequest));
  await step('ID Token', () => verifyIdToken(client, jwks, tokens.id_token));
  await step('access token', () => verifyAccessToken(client, jwks, tokens.access_token));
  await step('second redemption', () => redeemAgain(client, authenticationRequest));
}

/** Runs one step of a name; what it has seen is told, the rest of its result is the answer. */
type Step = <Result extends { seen: string }>(
  name: string,
  run: () => Promise<Result>,
) => Promise<Omit<Result, 'seen'>>;

const metadataSchema = z.object({
  issuer: z.string(),
  backchannel_authentication_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  grant_types_supported: z.array(z.string()),
});
type Metadata = z.output<typeof metadataSchema>;

/** OpenID Connect Discovery 4.3: the issuer must be exactly the one that was asked for. */
async function discover(issuer: string) {
  const answer = await request(`${issuer}/.well-known/openid-configuration`);
  const what = 'the metadata of an OpenID Provider for CIBA';
  const metadata = readJson(answer, metadataSchema, { status: 200, what });
  if (metadata.issuer !== issuer) throw new Unexpected(`issuer ${issuer}`, metadata.issuer);
  if (!metadata.grant_types_supported.includes(CIBA_GRANT_TYPE)) {
    throw new Unexpected(`grant type ${CIBA_GRANT_TYPE}`, metadata.grant_types_supported.join(' '));
  }
  return { metadata, seen: metadata.backchannel_authentication_endpoint };
}

const jwksSchema = z.object({
  keys: z.array(z.looseObject({ kid: z.string(), kty: z.string(), alg: z.string() })),
});
type Jwks = z.output<typeof jwksSchema>;

/** RFC 7517, with nothing private among it. */
async function readKeys(jwksUri: string) {
  const answer = await request(jwksUri);
  const jwks = readJson(answer, jwksSchema, { status: 200, what: 'public keys' });
  const isPrivate = jwks.keys.find((key) => 'd' in key || 'k' in key);
  if (isPrivate) throw new Unexpected('public keys', `the private half of ${isPrivate.kid}`);
  return { jwks, seen: jwks.keys.map(({ alg, kid }) => `${alg} ${kid}`).join(', ') };
}

/** A client of a provider. */
interface Client extends SmokeTarget {
  metadata: Metadata;
}

/** POSTs a form with the client's authentication (RFC 6749 2.3.1). */
function post(url: string, client: Client, parameters: Record<string, string>): Promise<Answer> {
  const { clientId, clientSecret, method } = client;
  if (method === 'post') {
    const body = { ...parameters, client_id: clientId, client_secret: clientSecret };
    return request(url, { method: 'POST', body: new URLSearchParams(body) });
  }
  const pair = `${formEncode(clientId)}:${formEncode(clientSecret)}`;
  const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  return request(url, { method: 'POST', headers, body: new URLSearchParams(parameters) });
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

async function presentWrongSecret(client: Client) {
  const other = { ...client, clientSecret: randomBytes(32).toString('base64url') };
  const answer = await post(client.metadata.backchannel_authentication_endpoint, other, {
    scope: 'openid',
    login_hint: client.loginHint,
  });
  assertRefused(answer, 401, 'invalid_client');
  return { seen: `refused; ${challengeOf(answer)}` };
}

/**
 * RFC 9110 15.5.2: by which header the answer names a scheme; API Gateway may rename the standard's
 * own.
 */
function challengeOf({ headers }: Answer): string {
  const names = ['WWW-Authenticate', 'x-amzn-remapped-www-authenticate'];
  const came = names.filter((name) => headers.has(name));
  return `challenge in ${came.join(' and ') || 'no header'}`;
}

const acknowledgementSchema = z.object({
  auth_req_id: z.string(),
  expires_in: z.number(),
  // CIBA Core 7.3: five seconds if the provider does not say.
  interval: z._default(z.number(), 5),
});

/** The request that this flow makes. */
interface AuthenticationRequest {
  authReqId: string;
  /** What mail and page call the Request ID. */
  ref: string;
  bindingMessage: string;
  expiresIn: number;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** Seconds between two polls. */
  interval: number;
}

/** Long enough for a person to find the mail, in seconds. */
const REQUESTED_EXPIRY = 300;

async function ask(client: Client) {
  const bindingMessage = `Smoke test ${randomInt(1000, 10_000)}`;
  const answer = await post(client.metadata.backchannel_authentication_endpoint, client, {
    scope: 'openid',
    login_hint: client.loginHint,
    binding_message: bindingMessage,
    requested_expiry: String(REQUESTED_EXPIRY),
  });
  const what = 'an acknowledgement';
  const body = readJson(answer, acknowledgementSchema, { status: 200, what });
  const [ref = ''] = body.auth_req_id.split('.');
  const authenticationRequest: AuthenticationRequest = {
    authReqId: body.auth_req_id,
    ref,
    bindingMessage,
    expiresIn: body.expires_in,
    expiresAt: Date.now() + body.expires_in * 1000,
    interval: body.interval,
  };
  const seen = `acknowledged for ${body.expires_in} s, Request ID ${ref}`;
  return { authenticationRequest, seen };
}

function poll(client: Client, { authReqId }: AuthenticationRequest): Promise<Answer> {
  return post(client.metadata.token_endpoint, client, {
    grant_type: CIBA_GRANT_TYPE,
    auth_req_id: authReqId,
  });
}

async function expectPending(client: Client, authenticationRequest: AuthenticationRequest) {
  assertRefused(await poll(client, authenticationRequest), 400, 'authorization_pending');
  return { seen: 'authorization_pending' };
}

/** By the mail, if it can be read; by the person who reads these lines, if not. */
async function decide(
  { mailStore, issuer }: Client,
  { ref, bindingMessage, expiresIn }: AuthenticationRequest,
  step: Step,
  asked: SmokeListener['asked'],
): Promise<void> {
  if (mailStore === undefined) {
    asked(
      `open the mail with Request ID ${ref}: it says "${bindingMessage}", or its page asks for it`,
    );
    asked(`approve within ${expiresIn} s; this goes on by itself then`);
    return;
  }
  const { link } = await step('mail', async () => {
    const found = await awaitLink(mailStore, ref);
    // A link that leads elsewhere would hand the user's decision to others.
    if (!found.startsWith(`${issuer}/`)) {
      throw new Unexpected(`a link below ${issuer}`, `one to ${new URL(found).origin}`);
    }
    return { link: found, seen: 'came, with a link' };
  });
  await step('decision', async () => {
    await approve(link, bindingMessage);
    return { seen: 'approved on the page' };
  });
}

const tokensSchema = z.object({ id_token: z.string(), access_token: z.string() });

/** Polls no faster than the provider asks, until there are tokens or the request is over. */
async function awaitTokens(client: Client, authenticationRequest: AuthenticationRequest) {
  let { interval } = authenticationRequest;
  let wait = interval;
  while (Date.now() < authenticationRequest.expiresAt) {
    await sleep(wait * 1000);
    const answer = await poll(client, authenticationRequest);
    const error = errorOf(answer);
    if (error !== 'authorization_pending' && error !== 'slow_down') {
      const what = 'an ID Token and an access token';
      return { tokens: readJson(answer, tokensSchema, { status: 200, what }), seen: 'issued' };
    }
    if (error === 'slow_down') interval += SLOW_DOWN_SECONDS;
    wait = Math.max(interval, Number(answer.headers.get('retry-after') ?? 0));
  }
  throw new Unexpected('a decision and tokens', `none within ${authenticationRequest.expiresIn} s`);
}

/** OpenID Connect Core 3.1.3.7, CIBA Core 10.1.1. */
async function verifyIdToken({ issuer, clientId }: Client, jwks: Jwks, token: string) {
  const payload = await verify(token, jwks, {
    issuer,
    audience: clientId,
    requiredClaims: ['sub', 'exp', 'iat', 'auth_time'],
  });
  return { seen: `verified, of ${payload.sub}, acr ${String(payload['acr'])}` };
}

/** RFC 9068. */
async function verifyAccessToken({ issuer, clientId }: Client, jwks: Jwks, token: string) {
  const payload = await verify(token, jwks, {
    issuer,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'exp', 'aud', 'client_id'],
  });
  if (payload['client_id'] !== clientId) {
    throw new Unexpected(`client_id ${clientId}`, String(payload['client_id']));
  }
  return { seen: `verified, for ${[payload.aud].flat().join(' ')}` };
}

async function verify(token: string, jwks: Jwks, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, createLocalJWKSet(jwks), options)).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new Unexpected('a valid token', error.message);
    throw error;
  }
}

async function redeemAgain(client: Client, authenticationRequest: AuthenticationRequest) {
  assertRefused(await poll(client, authenticationRequest), 400, 'invalid_grant');
  return { seen: 'refused' };
}
