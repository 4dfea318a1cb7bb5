/**
 * O11: connections that the other side closed while the function slept, by the clients as the
 * functions make them.
 */
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { SendEmailCommand } from '@aws-sdk/client-sesv2';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  dynamoDbClient,
  sesClient,
  stepFunctionsClient,
} from '../../../lambdas/aws/sdk-clients.ts';
import { closeServer, listenOnLoopback, loopbackUrl } from '../../../lib/local/loopback.ts';

let server: Server;
/** How often a call was carried out. */
let done = 0;

/**
 * Answers the first request of each connection, and resets it at the next, as after a close that
 * nobody has noticed.
 */
beforeEach(async () => {
  done = 0;
  const used = new WeakSet<Socket>();
  server = createServer((request, response) => {
    if (used.has(request.socket)) return void request.socket.resetAndDestroy();
    used.add(request.socket);
    done += 1;
    request.resume();
    request.once('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end('{}');
    });
  });
  vi.stubEnv('AWS_ENDPOINT_URL', loopbackUrl(await listenOnLoopback(server, { port: 0 })));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await closeServer(server);
});

const get = new GetItemCommand({ TableName: 't', Key: { pk: { S: 'k' } } });
const start = new StartExecutionCommand({
  stateMachineArn: 'arn:aws:states:us-east-1:1:stateMachine:x',
});
const mail = new SendEmailCommand({
  Destination: { ToAddresses: ['alice@example.com'] },
  Content: { Template: { TemplateName: 't', TemplateData: '{}' } },
});

it.each<[string, () => () => Promise<unknown>]>([
  [
    'DynamoDB',
    () => {
      const client = dynamoDbClient();
      return () => client.send(get);
    },
  ],
  [
    'DynamoDB, asked once',
    () => {
      const client = dynamoDbClient({ maxAttempts: 1 });
      return () => client.send(get);
    },
  ],
  [
    'Step Functions',
    () => {
      const client = stepFunctionsClient();
      return () => client.send(start);
    },
  ],
  [
    'SES',
    () => {
      const client = sesClient();
      return () => client.send(mail);
    },
  ],
])(
  'O11: a connection that is dead when the function wakes costs %s less than a second, and nothing is done twice',
  async (_, make) => {
    const send = make();
    // The first finds no connection that could be dead: so slow is the machine.
    let least = 0;
    for (let call = 1; call <= 3; call += 1) {
      const began = performance.now();
      await send();
      const milliseconds = performance.now() - began;
      if (call === 1) least = milliseconds;
      else expect(milliseconds).toBeLessThan(1000 + 10 * least);
      expect(done).toBe(call);
    }
  },
);
