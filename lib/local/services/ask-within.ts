/**
 * Calls of the AWS SDK to a server of this very process: they reach its listener without a socket,
 * in four fifths of the time.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { readAgain } from './forward.ts';

/**
 * What the SDK asks of a handler of its requests, and the part of a request that the servers here
 * look at.
 */
interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

interface Answered {
  response: { statusCode: number; headers: Record<string, string>; body: Readable };
}

/**
 * The handler for a client's configuration. An answer that is cut off is an error, as on a
 * connection; headers arrive in lower case.
 */
export function askWithin(server: Server): NonNullable<DynamoDBClientConfig['requestHandler']> {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle(asked: Asked): Promise<Answered> {
      return new Promise((resolve, reject) => {
        const answer = new Answer((answered) =>
          answered ? resolve(answered) : reject(new Error('The server cut the answer off')),
        );
        server.emit('request', received(asked), answer as unknown as ServerResponse);
      });
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {},
  };
}

function received({ method, path, headers, body = '' }: Asked): IncomingMessage {
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return readAgain({ method, url: path, headers: Object.fromEntries(names) }, octets(body));
}

/** The SDK's bodies are octets that complain of whoever takes them for a text. */
function octets(body: string | Uint8Array): Buffer {
  return typeof body === 'string'
    ? Buffer.from(body)
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** As much of a response as listeners write to. */
class Answer extends Writable {
  statusCode = 200;
  readonly #headers: Record<string, string> = {};
  readonly #chunks: Buffer[] = [];

  constructor(told: (answered: Answered | undefined) => void) {
    super({ decodeStrings: true });
    this.once('finish', () => {
      const body = Readable.from(this.#chunks);
      told({ response: { statusCode: this.statusCode, headers: this.#headers, body } });
    });
    this.once('close', () => told(undefined));
  }

  setHeader(name: string, value: unknown): this {
    this.#headers[name.toLowerCase()] = String(value);
    return this;
  }

  writeHead(status: number, headers: Record<string, unknown> = {}): this {
    this.statusCode = status;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}
