/**
 * Servers that this machine alone can reach: all of the local host listens on the loopback
 * addresses of both families, since `localhost` is either (RFC 6761, 6.3).
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { OperatorError } from '../operator/terminal/operator-error.ts';

const LOOPBACK = '127.0.0.1';

const IPV6_LOOPBACK = '::1';

/**
 * Longer than the pause between two polls, so that a client's kept connection is not cut as it
 * sends.
 */
const KEEP_ALIVE_MILLISECONDS = 65_000;

/** A port to listen on, and the option that sets it; port 0 is any free one. */
export interface PortChoice {
  port: number;
  option?: string;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * A server whose answers take time. If one fails, because the caller went away in the middle or for
 * a fault of ours, the connection is cut; the others go on. One of https greets nobody until it is
 * given a certificate.
 */
export function createAsyncServer(answer: Answer, { tls = false } = {}): Server {
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch(() => response.destroy());
  };
  return tls ? createTlsServer(onRequest) : createServer(onRequest);
}

/** What a server has beside its own listener, which is that of 127.0.0.1. */
interface Reach {
  /** Every connection, also one on which no request has come yet. */
  connections: Set<Socket>;
  /** Listens on [::1] for it. */
  ipv6?: NetServer;
}

const reaches = new WeakMap<Server, Reach>();

/**
 * Starts to listen on 127.0.0.1 and, where the machine has it, on [::1], and answers the port: one
 * port on both, as a name leads to either.
 * @throws OperatorError if the port cannot be had on both, naming it, the address and its option
 */
export async function listenOnLoopback(server: Server, choice: PortChoice): Promise<number> {
  server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS;
  const reach = reachOf(server);
  try {
    await listen(server, choice.port, LOOPBACK);
    const port = portOf(server);
    const ipv6 = handOver(server);
    if (await listenIfThere(ipv6, port, IPV6_LOOPBACK)) reach.ipv6 = ipv6;
    return port;
  } catch (error) {
    await closeServer(server);
    // Any free port: what is free on one address may be taken on the other.
    if (choice.port === 0 && codeOf(error) === 'EADDRINUSE')
      return listenOnLoopback(server, choice);
    throw explainListenError(error, choice);
  }
}

/**
 * Tries each port and frees it again, so that a conflict shows before anything slow is begun.
 * @throws OperatorError as `listenOnLoopback` does
 */
export async function assertPortsFree(choices: PortChoice[]): Promise<void> {
  for (const choice of choices) {
    const server = createServer();
    await listenOnLoopback(server, choice);
    await closeServer(server);
  }
}

/** Stops listening and cuts every connection. */
export async function closeServer(server: Server): Promise<void> {
  const { connections, ipv6 } = reachOf(server);
  const closed = Promise.all([close(server), ipv6 && close(ipv6)]);
  for (const connection of connections) connection.destroy();
  await closed;
}

/**
 * The issuer of a provider that listens: an origin as URLs have it, which name no port that is the
 * scheme's own.
 */
export function issuerAt({ port, tls }: { port: number; tls: boolean }): string {
  return new URL(`${tls ? 'https' : 'http'}://localhost:${port}`).origin;
}

/** The URL under which functions of this machine reach a server that listens. */
export function loopbackUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

/**
 * Whether a request may have been sent by a web page of another site, or by one whose name was
 * pointed at this machine (DNS rebinding): what it reads here are magic links, and what it writes
 * are users.
 */
export function isForeign(request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  if (!isLocalHost(`http://${host ?? ''}`)) return true;
  return origin !== undefined && origin !== `http://${host}`;
}

/**
 * The same answer, for programs alone: no web page can leave out its Origin where it writes or asks
 * first, and it is told 403.
 */
export function programsOnly(answer: Answer): Answer {
  return async (request, response) => {
    if (isForeign(request) || request.headers.origin !== undefined)
      return answerJson(response, 403, { message: 'Not for web pages' });
    return answer(request, response);
  };
}

/** Answers with a JSON body. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/**
 * The body of a request, or undefined as soon as it is longer than `limit` bytes; the rest is then
 * read and dropped.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    request.resume();
    return undefined;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) {
      request.resume();
      return undefined;
    }
  }
  return Buffer.concat(chunks);
}

/** Whether a URL leads to this machine and nowhere else. */
export function isLocalHost(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === LOOPBACK || hostname === `[${IPV6_LOOPBACK}]`;
}

function reachOf(server: Server): Reach {
  const known = reaches.get(server);
  if (known) return known;
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const reach: Reach = { connections };
  reaches.set(server, reach);
  return reach;
}

/**
 * A server has one listener; another can take connections for it, which Node documents at the event
 * `connection`.
 */
function handOver(server: Server): NetServer {
  // As Node's own servers of HTTP and of HTTPS are made.
  const allowHalfOpen = !(server instanceof TlsServer);
  return createNetServer({ allowHalfOpen, noDelay: true }, (socket) => {
    server.emit('connection', socket);
  });
}

async function listen(server: NetServer, port: number, address: string): Promise<void> {
  server.listen(port, address);
  await once(server, 'listening');
}

/** Whether it listens: not every machine has the address. */
async function listenIfThere(server: NetServer, port: number, address: string): Promise<boolean> {
  try {
    await listen(server, port, address);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return false;
    throw error;
  }
}

function close(server: NetServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port');
  return address.port;
}

/** @param error of `listen`, which says on which address it was */
function explainListenError(error: unknown, { port, option }: PortChoice): unknown {
  if (option === undefined) return error;
  const { address }: { address?: string } = Object(error);
  const where = address === IPV6_LOOPBACK ? `[${address}]` : address;
  const fault =
    codeOf(error) === 'EADDRINUSE'
      ? `is in use on ${where}`
      : `cannot be used on ${where} (${codeOf(error)})`;
  return new OperatorError(`Port ${port} ${fault}: choose another with ${option}`);
}

function codeOf(error: unknown): unknown {
  return Object(error).code;
}
