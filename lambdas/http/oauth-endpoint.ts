/**
 * The one outlet of the protocol's two endpoints: JSON that is never stored (RFC 6749 5.1, 5.2,
 * CIBA Core 13), every error in that shape with its correlation id, and one log line per request.
 */

import { base64url } from '../ciba/base64url.ts';
import type { AuthenticationEvidence } from '../ciba/client/authentication-evidence.ts';
import type { Client } from '../ciba/client/client.ts';
import { errorBody, type OAuthEndpoint, OAuthError, statusOf } from '../ciba/oauth-error.ts';
import { describeCause, faultOf, type Log, placeOf, requestIdOf, startLine } from '../log.ts';
import { type Clock, type Entropy, Unavailable } from '../ports.ts';
import type { Caller } from './api-gateway-event.ts';
import { responseHeaders } from './response-headers.ts';

/** What the log line says of a request, filled in as it becomes known. */
export interface Trace {
  /** Random; at the end of an error's description and in the log line. */
  readonly id: string;
  /** Set once the client is authenticated. */
  clientId?: string;
  /** The registration of the client that is claimed, if there is one. */
  registered?: Client | undefined;
  /** What was presented where the authentication of the client failed. */
  failedAuthentication?: AuthenticationEvidence;
  /**
   * Set once the request is proved to be the caller's; from then on the correlation id starts with
   * it.
   */
  ref?: string;
}

interface OAuthEndpointDeps {
  issuer: string;
  clock: Clock;
  entropy: Entropy;
  log: Log;
}

/** The successful answer: the members of its JSON body. */
type Answer = (request: Request, trace: Trace) => Promise<object>;

const CORRELATION_ID_BYTES = 9;

/** Seconds until a client may try again when something we depend on does not answer. */
const UNAVAILABLE_RETRY_AFTER = '2';

/** Makes an HTTP endpoint of what it answers; nothing it throws leaves in another shape. */
export function oauthEndpoint(
  endpoint: OAuthEndpoint,
  deps: OAuthEndpointDeps,
  answer: Answer,
): (request: Request, caller?: Caller) => Promise<Response> {
  const { issuer, entropy } = deps;
  return async (request, caller = {}) => {
    const log = startLine(deps);
    const trace: Trace = { id: base64url(entropy(CORRELATION_ID_BYTES)) };
    const { response, outcome, cause, place } = await answer(request, trace).then(
      (body) => okAnswer(issuer, body),
      (error: unknown) => errorAnswer(issuer, endpoint, error, correlationId(trace)),
    );
    log({
      event: endpoint,
      ...requestIdOf(caller),
      status: response.status,
      outcome,
      correlation_id: correlationId(trace),
      ...(trace.clientId !== undefined && { client_id: trace.clientId }),
      ...(cause !== undefined && { cause }),
      ...place,
      ...trace.failedAuthentication,
    });
    return response;
  };
}

/** `ref "." random` for a request of the caller's, the random half alone otherwise. */
function correlationId({ ref, id }: Trace): string {
  return ref === undefined ? id : `${ref}.${id}`;
}

function toOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  if (error instanceof Unavailable) {
    return new OAuthError(
      'temporarily_unavailable',
      'The server cannot answer right now. Try again.',
      { cause: error.cause },
    );
  }
  return new OAuthError('server_error', 'The server met an unexpected condition.', {
    cause: faultOf(error).cause,
  });
}

function okAnswer(issuer: string, body: object) {
  return { response: jsonResponse(issuer, 200, body), outcome: 'ok', cause: undefined, place: {} };
}

function errorAnswer(issuer: string, endpoint: OAuthEndpoint, thrown: unknown, id: string) {
  const error = toOAuthError(thrown);
  const response = jsonResponse(
    issuer,
    error.status ?? statusOf(error.code, endpoint),
    errorBody(error.code, error.message, id),
    { ...headersOf(error), ...error.headers },
  );
  // A refusal is no fault of ours, and callers can have as many as they like.
  const place = response.status >= 500 ? placeOf(thrown) : {};
  return { response, outcome: error.code, cause: describeCause(error.cause), place };
}

function headersOf(error: OAuthError): Record<string, string> {
  // RFC 9110 15.5.2: every 401 names a scheme.
  if (error.code === 'invalid_client') return { 'WWW-Authenticate': 'Basic realm="client"' };
  if (error.code === 'temporarily_unavailable') return { 'Retry-After': UNAVAILABLE_RETRY_AFTER };
  return {};
}

function jsonResponse(
  issuer: string,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...responseHeaders('protocol', status, issuer), ...headers },
  });
}
