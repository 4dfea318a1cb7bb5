/**
 * No port of the local host answers a web page of another site: neither one that names another
 * origin, nor one whose name was pointed at this machine. The ports are found by their servers as
 * they start to listen.
 */
import { request as sendRequest } from 'node:http';
import { type AddressInfo, Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type SynthesizedHost, startSynthesizedHost } from '../../support/synthesized-host.ts';

const listening = new Set<Server>();
let host: SynthesizedHost;
let ports: number[];

beforeAll(async () => {
  const listen = Server.prototype.listen;
  const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (
    this: Server,
    ...args: unknown[]
  ) {
    listening.add(this);
    return Reflect.apply(listen, this, args);
  });
  host = await startSynthesizedHost();
  spy.mockRestore();
  const addresses = [...listening].map((server) => server.address());
  const open = addresses.filter((address): address is AddressInfo => Object(address).port > 0);
  ports = [...new Set(open.map(({ port }) => port))];
});

afterAll(() => host?.stop());

interface Answer {
  status: number;
  allowedOrigin: string | undefined;
  body: string;
}

/** Sent as it is written: fetch would not let a caller choose these headers. */
function send(port: number, method: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', method, path: '/', headers };
    const sent = sendRequest(options, async (response) => {
      const { statusCode: status = 0, headers: received } = response;
      const allowedOrigin = received['access-control-allow-origin'];
      resolve({ status, allowedOrigin, body: await text(response) });
    });
    sent.on('error', reject).end(method === 'POST' ? '{}' : undefined);
  });
}

const evil = 'https://evil.example';
const dynamoDb = {
  'Content-Type': 'application/x-amz-json-1.0',
  'X-Amz-Target': 'DynamoDB_20120810.ListTables',
  Authorization:
    'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a',
  'X-Amz-Date': '20260101T000000Z',
};
const calls: [string, string, Record<string, string>][] = [
  ['a foreign Origin', 'POST', { ...dynamoDb, Origin: evil }],
  ['a foreign Origin that only reads', 'GET', { Origin: evil }],
  ['an opaque Origin', 'POST', { ...dynamoDb, Origin: 'null' }],
  ['a foreign Host', 'POST', { ...dynamoDb, Host: 'evil.example' }],
  ['a foreign Host that only reads', 'GET', { Host: 'evil.example:4010' }],
  ['a Host that begins like ours', 'GET', { Host: 'localhost.evil.example' }],
  [
    'a preflight',
    'OPTIONS',
    {
      Origin: evil,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': '*',
    },
  ],
];

describe('O19: a web page of another site', () => {
  it('is asked for at every port, of which there are those of the API, the inbox, the control, tables and flows', () => {
    expect(ports.length).toBeGreaterThanOrEqual(5);
    const named = [host.issuer, host.inbox, host.control, ...Object.values(host.endpoints)];
    expect(ports).toEqual(expect.arrayContaining(named.map((url) => Number(new URL(url).port))));
  });

  it.each(calls)('is refused with %s', async (_, method, headers) => {
    for (const port of ports) {
      // The API is public, as it is on AWS; what scripts of other origins read there, its own tests
      // say.
      if (String(port) === new URL(host.issuer).port) continue;
      const { status, allowedOrigin } = await send(port, method, headers);
      expect([port, status, allowedOrigin]).toEqual([port, 403, undefined]);
    }
  });

  it('is refused for that alone: a program is answered', async () => {
    const port = Number(new URL(host.endpoints.dynamodb).port);
    const { status, body } = await send(port, 'POST', dynamoDb);
    expect([status, JSON.parse(body)]).toEqual([200, { TableNames: expect.any(Array) }]);
  });
});
