/** Servers that this machine alone can reach: all of the local host listens on 127.0.0.1. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LocalHostError } from './local-host-error.ts';

const LOOPBACK = '127.0.0.1';

/** Longer than the pause between two polls, so that a client's kept connection is not cut as it sends. */
const KEEP_ALIVE_MILLISECONDS = 65_000;

/** A port to listen on, and the option that sets it; port 0 is any free one. */
export interface PortChoice {
  port: number;
  option?: string;
}

/**
 * A server whose answers take time. If one fails, because the caller went away in the middle or for a fault of ours,
 * the connection is cut; the others go on.
 */
export function createAsyncServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Server {
  return createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
}

/**
 * Starts to listen on 127.0.0.1 and answers the port.
 * @throws LocalHostError if the port cannot be had, naming it and its option
 */
export async function listenOnLoopback(server: Server, choice: PortChoice): Promise<number> {
  server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explainListenError(error, choice)));
    server.listen(choice.port, LOOPBACK, resolve);
  });
  return portOf(server);
}

/**
 * Tries each port and frees it again, so that a conflict shows before anything slow is begun.
 * @throws LocalHostError as `listenOnLoopback` does
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
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}

/** The URL under which functions of this machine reach a server that listens. */
export function loopbackUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

/**
 * Whether a request may have been sent by a web page of another site, or by one whose name was pointed at this machine
 * (DNS rebinding): what it reads here are magic links, and what it writes are users.
 */
export function isForeign(request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  if (!isLocalHost(`http://${host ?? ''}`)) return true;
  return origin !== undefined && origin !== `http://${host}`;
}

/** Answers with a JSON body. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** The body of a request, or undefined as soon as it is longer than `limit` bytes; the rest is then read and dropped. */
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

function isLocalHost(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === LOOPBACK;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port');
  return address.port;
}

function explainListenError(error: NodeJS.ErrnoException, { port, option }: PortChoice): Error {
  if (option === undefined) return error;
  if (error.code === 'EADDRINUSE') {
    return new LocalHostError(`Port ${port} is in use: choose another with ${option}`);
  }
  return new LocalHostError(
    `Port ${port} cannot be used (${error.code}): choose another with ${option}`,
  );
}
