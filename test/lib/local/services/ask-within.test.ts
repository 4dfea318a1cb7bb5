/** Calls of the SDK to a server of the same process. */
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { askWithin } from '../../../../lib/local/services/ask-within.ts';

function clientOf(answer: RequestListener): DynamoDBClient {
  return new DynamoDBClient({
    // Nobody listens there: what is answered comes from within.
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: askWithin(createServer(answer)),
    maxAttempts: 1,
  });
}

it('reaches the listener with method, path, headers and body, and brings back its answer', async () => {
  const asked: unknown[] = [];
  const client = clientOf(async (request, response) => {
    const { method, url, headers } = request;
    asked.push({ method, url, target: headers['x-amz-target'], body: await text(request) });
    response.setHeader('x-amzn-requestid', 'r-1');
    response.end('{"TableNames":["of this process"]}');
  });

  const { TableNames: names, $metadata } = await client.send(new ListTablesCommand({ Limit: 5 }));

  expect(names).toEqual(['of this process']);
  expect($metadata).toMatchObject({ httpStatusCode: 200, requestId: 'r-1' });
  expect(asked).toEqual([
    { method: 'POST', url: '/', target: 'DynamoDB_20120810.ListTables', body: '{"Limit":5}' },
  ]);
});

it('hands on a refusal as the error that it is', async () => {
  const client = clientOf((_, response) => {
    response.writeHead(400, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end('{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}');
  });

  await expect(client.send(new ListTablesCommand())).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    $metadata: { httpStatusCode: 400 },
  });
});

it('takes an answer that is cut off for an error', async () => {
  const client = clientOf((_, response) => void response.destroy());

  await expect(client.send(new ListTablesCommand())).rejects.toThrow('cut the answer off');
});
