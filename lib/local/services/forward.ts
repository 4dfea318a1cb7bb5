/** Hands a request on to another server of this machine, and its answer back. */
import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * Hands the request on as it is, or with other headers. @throws what breaks the connection of one
 * or the other
 */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: string,
  headers: IncomingHttpHeaders = request.headers,
): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  const { method, url: path } = request;
  const onward = httpRequest({ hostname, port, method, path, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    onward.once('response', resolve).once('error', reject);
  });
  const [answer] = await Promise.all([answered, pipeline(request, onward)]);
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, response);
}

/** The same request to a reader of its own, who finds it whole. */
export function readAgain(
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
): IncomingMessage {
  return Object.assign(Readable.from([body]), { method, url, headers }) as IncomingMessage;
}
