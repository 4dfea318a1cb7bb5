/** Hands a call of a service to the service itself, from a server that stands before it. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

/** Passes the request on with this body, and the answer back; a service that does not answer is a connection that ends. */
export function passOn(
  service: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const { method, headers, url = '/' } = request;
  const passedOn = httpRequest(new URL(url, service), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  passedOn.once('error', () => response.destroy());
  passedOn.end(body);
}
