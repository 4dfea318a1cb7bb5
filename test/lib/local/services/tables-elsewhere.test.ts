/**
 * Tables in an engine that runs already: on this machine alone, each host in a database of its own,
 * and nothing judged on the way.
 */
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
} from '../../../../lib/local/loopback.ts';
import { serveTables } from '../../../../lib/local/services/serve-tables.ts';

/** The access keys under which the engine was called. */
let keys: string[];
let bodies: string[];
let engine: ReturnType<typeof createAsyncServer>;
beforeEach(async () => {
  [keys, bodies] = [[], []];
  engine = createAsyncServer(async (request, response) => {
    keys.push(/Credential=([^/]*)\//.exec(request.headers.authorization ?? '')?.[1] ?? '');
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end('{"TableNames":["found"]}');
  });
  const endpoint = loopbackUrl(await listenOnLoopback(engine, { port: 0 }));
  vi.stubEnv('TEST_DYNAMODB_ENDPOINT', endpoint);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await closeServer(engine);
});

it('hands every call on under one key of twelve digits, whoever signed it', async () => {
  const tables = await serveTables();
  for (const accessKeyId of ['a-function', 'another']) {
    const credentials = { accessKeyId, secretAccessKey: 'x' };
    const client = new DynamoDBClient({
      endpoint: tables.endpoint,
      region: 'eu-west-1',
      credentials,
    });
    const { TableNames: names } = await client.send(new ListTablesCommand({ Limit: 7 }));
    expect(names).toEqual(['found']);
    client.destroy();
  }
  await tables.client.send(new ListTablesCommand({}));
  await tables.stop();
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^\d{12}$/);
  expect(bodies).toEqual(['{"Limit":7}', '{"Limit":7}', '{}']);
});

it('gives each host a database of its own', async () => {
  for (let host = 0; host < 20; host += 1) {
    const tables = await serveTables();
    await tables.client.send(new ListTablesCommand({}));
    await tables.stop();
  }
  expect(new Set(keys).size).toBe(20);
});

it.each([
  'http://10.0.0.1:8000',
  'http://dynamodb.us-east-1.amazonaws.com',
  'http://localhost.evil.example:8000',
  'http://0.0.0.0:8000',
  'localhost:8000',
  'no URL',
])('refuses %s, which is not on this machine', async (elsewhere) => {
  vi.stubEnv('TEST_DYNAMODB_ENDPOINT', elsewhere);
  await expect(serveTables()).rejects.toThrow(`${elsewhere} is not on this machine; allowed: http`);
});

it('answers no web page', async () => {
  const tables = await serveTables();
  const { status } = await fetch(tables.endpoint, {
    method: 'POST',
    headers: { origin: 'https://evil.example' },
    body: '{}',
  });
  await tables.stop();
  expect([status, keys]).toEqual([403, []]);
});
