/**
 * API Gateway's HTTP API on this machine: the template's routes, the events of `http-api-event.ts`,
 * and the gateway's own answers.
 */
import { randomBytes } from 'node:crypto';
import {
  type IncomingMessage,
  type Server,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import { Server as TlsServer } from 'node:tls';
import * as z from 'zod/mini';
import type { Identity } from '../issue-certificate.ts';
import type { LocalLog } from '../local-log.ts';
import { createAsyncServer, readBody } from '../loopback.ts';
import type { LocalRoute } from '../template/read-stack.ts';
import {
  type HttpApi,
  type MatchedRoute,
  makeHttpApiEvent,
  splitTarget,
} from './http-api-event.ts';
import { FunctionError } from './run-functions.ts';
import type { Invoke } from './serve-step-functions.ts';

/** The gateway takes bodies of up to 10 MB. */
const BODY_BYTES = 10 * 1024 * 1024;

/** What the routes of an HTTP API need. */
export interface HttpApiSettings {
  api: HttpApi;
  routes: LocalRoute[];
  renameWwwAuthenticate: boolean;
  invoke: Invoke;
  log: LocalLog;
  /** Of the server, with `tls`. */
  identity?: Identity | undefined;
}

/**
 * A server that does not answer requests until it is given what it needs, so that its port is known
 * before.
 */
export function createHttpApi({ tls }: { tls: boolean }): {
  server: Server;
  open(settings: HttpApiSettings): void;
} {
  let settings: HttpApiSettings | undefined;
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    if (settings === undefined) send(response, newRequestId(), refuse(503, 'Service Unavailable'));
    else await answer(request, response, settings);
  };
  const server = createAsyncServer(onRequest, { tls });
  return {
    server,
    open(given) {
      if (given.identity && server instanceof TlsServer) present(server, given.identity);
      settings = { ...given, routes: given.routes.toSorted(byPrecision) };
    },
  };
}

function present(server: TlsServer, { certificate, privateKey }: Identity): void {
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
  server.setSecureContext({ cert: certificate, key });
}

interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  cookies: string[];
  body: Buffer;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  settings: HttpApiSettings,
): Promise<void> {
  const startedAt = performance.now();
  const requestId = newRequestId();
  const { method = '', url = '' } = request;
  const matched = matchRoute(settings.routes, method, splitTarget(url).rawPath);
  const reply = matched
    ? await callRoute(request, requestId, matched, settings)
    : refuse(404, 'Not Found');
  send(response, requestId, reply);
  const milliseconds = Math.round(performance.now() - startedAt);
  const path = matched?.route.key.split(' ')[1] ?? '(no route)';
  settings.log('request', `${method} ${path} ${reply.status} ${milliseconds} ms ${requestId}`);
}

/**
 * The answer of the function behind a route. @throws if the caller goes away before the request is
 * complete
 */
async function callRoute(
  request: IncomingMessage,
  requestId: string,
  { route, parameters }: { route: LocalRoute; parameters: MatchedRoute['parameters'] },
  { api, renameWwwAuthenticate, invoke, log }: HttpApiSettings,
): Promise<HttpAnswer> {
  const receivedAt = new Date();
  const { method = '', url = '', rawHeaders, socket } = request;
  const body = await readBody(request, BODY_BYTES);
  if (body === undefined) return refuse(413, 'Request Entity Too Large');
  const headers = pairUp(rawHeaders);
  const sourceIp = socket.remoteAddress ?? '';
  const received = { method, target: url, headers, body, sourceIp, requestId, receivedAt };
  const event = makeHttpApiEvent(received, { key: route.key, parameters }, api);
  try {
    const result = toAnswer(await invoke(route.functionArn, event));
    return renameWwwAuthenticate ? renamed(result) : result;
  } catch (error) {
    // What a function threw is told where it was thrown.
    if (!(error instanceof FunctionError)) log('failure', `${route.key}: ${String(error)}`);
    return refuse(500, 'Internal Server Error');
  }
}

const structuredResult = z.object({
  statusCode: z.int().check(z.gte(200), z.lte(599)),
  headers: z._default(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])), {}),
  cookies: z._default(z.array(z.string()), []),
  body: z._default(z.string(), ''),
  isBase64Encoded: z._default(z.boolean(), false),
});

/** What the gateway makes of a function's result. @throws for a result that it answers with 500 */
function toAnswer(result: unknown): HttpAnswer {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    return jsonAnswer(200, result);
  }
  const {
    statusCode: status,
    headers,
    cookies,
    body,
    isBase64Encoded,
  } = structuredResult.parse(result);
  const named = Object.entries(headers).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    String(value),
  ]);
  for (const [name, value] of named) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  }
  for (const cookie of cookies) validateHeaderValue('set-cookie', cookie);
  return {
    status,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...Object.fromEntries(named) },
    cookies,
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  };
}

/** As AWS documents it for REST APIs, and may do with HTTP APIs. */
function renamed(answer: HttpAnswer): HttpAnswer {
  const { 'www-authenticate': challenge, ...headers } = answer.headers;
  if (challenge === undefined) return answer;
  return { ...answer, headers: { ...headers, 'x-amzn-remapped-www-authenticate': challenge } };
}

/** An answer of the gateway itself. */
function refuse(status: number, message: string): HttpAnswer {
  return jsonAnswer(status, { message });
}

function jsonAnswer(status: number, body: unknown): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    cookies: [],
    body: Buffer.from(JSON.stringify(body)),
  };
}

/**
 * As the gateway makes one for each request; it is in the answer, in the event and in the line of
 * the log.
 */
function newRequestId(): string {
  return randomBytes(11).toString('base64');
}

function send(
  response: ServerResponse,
  requestId: string,
  { status, headers, cookies, body }: HttpAnswer,
): void {
  response.statusCode = status;
  response.setHeader('apigw-requestid', requestId);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  if (status !== 204 && status !== 304) response.setHeader('content-length', body.length);
  response.end(body);
}

function matchRoute(
  routes: LocalRoute[],
  method: string,
  path: string,
): { route: LocalRoute; parameters: Record<string, string> } | undefined {
  for (const route of routes) {
    const [routeMethod = '', routePath = ''] = route.key.split(' ');
    if (routeMethod !== 'ANY' && routeMethod !== method) continue;
    const parameters = matchPath(routePath, path);
    if (parameters) return { route, parameters };
  }
  return undefined;
}

/**
 * The decoded values of a path's `{parameters}`, each one whole segment, or with `{name+}` at the
 * end all that are left; undefined if the path is another.
 */
function matchPath(routePath: string, path: string): Record<string, string> | undefined {
  const wanted = routePath.split('/');
  const greedy = /^\{(\w+)\+\}$/.exec(wanted.at(-1) ?? '')?.[1];
  if (greedy !== undefined) return matchGreedily(wanted.slice(0, -1).join('/'), greedy, path);
  const segments = path.split('/');
  if (wanted.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const name = /^\{(\w+)\}$/.exec(wanted[index] ?? '')?.[1];
    if (name === undefined && segment !== wanted[index]) return undefined;
    if (name !== undefined && segment === '') return undefined;
    if (name !== undefined) parameters[name] = decode(segment);
  }
  return parameters;
}

/**
 * Of `/approve/` accounts differ whether `/approve` or `/approve/{proxy+}` takes it, and agree that
 * one of them does: here the latter.
 */
function matchGreedily(
  parent: string,
  name: string,
  path: string,
): Record<string, string> | undefined {
  if (!path.startsWith(`${parent}/`)) return undefined;
  return { [name]: decode(path.slice(parent.length + 1)) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * A route without parameters goes before one with, one whose parameter is greedy last, and a method
 * of its own before ANY.
 */
function byPrecision(one: LocalRoute, other: LocalRoute): number {
  const vagueness = ({ key }: LocalRoute) =>
    key.split('{').length * 2 + (key.startsWith('ANY ') ? 1 : 0) + (key.endsWith('+}') ? 100 : 0);
  return vagueness(one) - vagueness(other);
}

function pairUp(rawHeaders: string[]): [string, string][] {
  return rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
  );
}
