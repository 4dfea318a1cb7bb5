/**
 * The event that API Gateway's HTTP API hands to a function, payload format 2.0, as AWS makes it
 * and no emulator does: pinned by recorded events in the tests.
 */
import { randomBytes } from 'node:crypto';
import { localAccount } from '../template/resource-names.ts';

/** A request as it was received. */
export interface ReceivedRequest {
  method: string;
  /** Path and query, as sent. */
  target: string;
  /** As sent, names in any case, one entry for each time a name was sent. */
  headers: [name: string, value: string][];
  body: Buffer;
  sourceIp: string;
  /** The id that the gateway gives to the request. */
  requestId: string;
  receivedAt: Date;
}

/** The route that was chosen for a request. */
export interface MatchedRoute {
  /** As `ANY /approve/{link}`. */
  key: string;
  /** The decoded values of its `{parameters}`. */
  parameters: Record<string, string>;
}

/** The server that the request came to. */
export interface HttpApi {
  id: string;
  scheme: 'http' | 'https';
  domainName: string;
  port: number;
}

/** The event of one request. */
export function makeHttpApiEvent(
  request: ReceivedRequest,
  route: MatchedRoute,
  api: HttpApi,
): object {
  const { rawPath, rawQueryString } = splitTarget(request.target);
  const received = joinHeaders(request.headers);
  const { cookie, ...headers } = received;
  const contentType = headers['content-type'];
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath,
    rawQueryString,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; ?/) }),
    headers: { ...headers, ...forwardingHeaders(request, api, headers) },
    ...unlessEmpty('queryStringParameters', joinQuery(rawQueryString)),
    requestContext: {
      accountId: localAccount.id,
      apiId: api.id,
      domainName: api.domainName,
      domainPrefix: api.domainName.split('.')[0],
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: request.requestId,
      routeKey: route.key,
      stage: '$default',
      time: formatTime(request.receivedAt),
      timeEpoch: request.receivedAt.getTime(),
    },
    ...unlessEmpty('pathParameters', route.parameters),
    ...encodeBody(request.body, contentType),
  };
}

/** Path and query of a request target, both as sent. */
export function splitTarget(target: string): { rawPath: string; rawQueryString: string } {
  const mark = target.indexOf('?');
  if (mark < 0) return { rawPath: target, rawQueryString: '' };
  return { rawPath: target.slice(0, mark), rawQueryString: target.slice(mark + 1) };
}

/** Headers that concern a connection and not the request; the gateway keeps them to itself. */
const connectionHeaders = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function joinHeaders(sent: ReceivedRequest['headers']): Record<string, string> {
  const headers = new Map<string, string>();
  for (const [sentName, value] of sent) {
    const name = sentName.toLowerCase();
    if (connectionHeaders.has(name)) continue;
    append(headers, name, value, name === 'cookie' ? '; ' : ',');
  }
  return Object.fromEntries(headers);
}

/** Whatever the name: `constructor` and `__proto__` are names as any. */
function append(values: Map<string, string>, name: string, value: string, separator: string): void {
  const before = values.get(name);
  values.set(name, before === undefined ? value : before + separator + value);
}

function forwardingHeaders(
  { body, sourceIp, receivedAt }: ReceivedRequest,
  api: HttpApi,
  headers: Record<string, string>,
): Record<string, string> {
  const seconds = Math.floor(receivedAt.getTime() / 1000).toString(16);
  const forwardedFor = headers['x-forwarded-for'];
  return {
    'content-length': String(body.length),
    'x-amzn-trace-id': `Root=1-${seconds}-${randomBytes(12).toString('hex')}`,
    'x-forwarded-for': forwardedFor === undefined ? sourceIp : `${forwardedFor}, ${sourceIp}`,
    'x-forwarded-port': String(api.port),
    'x-forwarded-proto': api.scheme,
  };
}

function joinQuery(rawQueryString: string): Record<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    append(parameters, name, value, ',');
  }
  return Object.fromEntries(parameters);
}

/**
 * Types that the gateway takes for text; any other, a form and a missing type too, comes as base64.
 */
const textTypes = /^(?:text\/.*|application\/(?:json|javascript|xml))$/;

function encodeBody(
  body: Buffer,
  contentType: string | undefined,
): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isText = textTypes.test(mediaType);
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}

function unlessEmpty(name: string, members: Record<string, string>): Record<string, object> {
  return Object.keys(members).length > 0 ? { [name]: members } : {};
}

/** As `12/Mar/2020:19:03:58 +0000`. */
function formatTime(time: Date): string {
  const [, day, month, year, clock] = time.toUTCString().split(' ');
  return `${day}/${month}/${year}:${clock} +0000`;
}
