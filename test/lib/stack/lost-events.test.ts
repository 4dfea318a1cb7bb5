/**
 * An event that a function fails at to the end, on the whole stack: it lies in the function's
 * queue, and is given again as README says, by calls of the services at the local host's own AWS
 * address.
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { parseDirectory } from '../../../lib/operator/directory/directory-file.ts';
import { eventually } from '../../support/eventually.ts';
import { recordCalls } from '../../support/recorded-calls.ts';
import { type SynthesizedHost, startSynthesizedHost } from '../../support/synthesized-host.ts';

const recorded = recordCalls();
let host: SynthesizedHost;

beforeAll(async () => {
  host = await startSynthesizedHost({ interpose: recorded.interpose });
  await host.applyDirectory(directory, { prune: false });
});
afterAll(async () => {
  await host?.stop();
  await recorded.stop();
});

const client = { client_id: 'pump', client_secret: 'the secret of a pump of this test' };
const directory = parseDirectory({
  clients: [{ ...client, client_name: 'Pump', token_endpoint_auth_method: 'client_secret_post' }],
  users: [
    {
      sub: 'u-bea',
      username: 'bea',
      email: 'bounce@simulator.amazonses.com',
      email_verified: true,
    },
  ],
});

/** Starts a request, or says why it cannot be. */
async function ask(): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({ ...client, scope: 'openid', login_hint: 'bea' });
  const response = await fetch(`${host.issuer}/cibaAuthorization`, { method: 'POST', body });
  return z.record(z.string(), z.unknown()).parse(await response.json());
}

const messages = z.object({
  Messages: z.array(z.object({ Body: z.string(), ReceiptHandle: z.string() })).default([]),
});

/** A call of SQS, as the AWS command line makes one under AWS_ENDPOINT_URL. */
async function sqs(operation: string, input: Record<string, unknown>) {
  const response = await fetch(host.control, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20261128/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(input),
  });
  expect(response.status).toBe(200);
  return messages.parse(await response.json());
}

it('O14: news of a mail that could not be kept lies in the queue, and is kept when it is given again', async () => {
  const FunctionName = host.stack.outputs['MailFeedbackFunction'];
  const QueueUrl = host.stack.outputs['MailFeedbackLostEvents'];
  for (let run = 0; run < 3; run += 1) {
    recorded.disturbNext(({ functionName }) => functionName === FunctionName, {
      refusedWith: 'AccessDeniedException',
    });
  }
  expect(await ask()).toHaveProperty('auth_req_id');
  const [lost] = await eventually(async () => {
    const { Messages } = await sqs('ReceiveMessage', { QueueUrl });
    expect(Messages).toHaveLength(1);
    return Messages;
  });
  // Nothing is known of the bounce: the user is mailed again.
  expect(JSON.parse(lost?.Body ?? '')).toMatchObject({
    source: 'aws.ses',
    detail: { eventType: 'Bounce' },
  });

  const lambda = new LambdaClient({
    endpoint: host.control,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const again = await lambda.send(
    new InvokeCommand({ FunctionName, Payload: Buffer.from(lost?.Body ?? '') }),
  );
  lambda.destroy();
  expect(again.FunctionError).toBeUndefined();
  expect(await ask()).toMatchObject({ error: 'unknown_user_id' });

  await sqs('DeleteMessage', { QueueUrl, ReceiptHandle: lost?.ReceiptHandle });
  expect(await sqs('ReceiveMessage', { QueueUrl, VisibilityTimeout: 0 })).toEqual({ Messages: [] });
});

it('O14: a rotation that could not be done is done when its event is given again', async () => {
  // As the schedule calls it, or an operator gives it again.
  const FunctionName = host.stack.outputs['RotateKeysFunction'];
  const lambda = new LambdaClient({
    endpoint: host.control,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const rotate = () =>
    lambda.send(new InvokeCommand({ FunctionName, Payload: Buffer.from('{"rotate":"when-due"}') }));
  recorded.disturbNext(({ functionName }) => functionName === FunctionName, {
    refusedWith: 'AccessDeniedException',
  });
  // What fails throws, so that Lambda tries it again and keeps it in the end.
  expect((await rotate()).FunctionError).toBe('Unhandled');
  expect((await rotate()).FunctionError).toBeUndefined();
  lambda.destroy();
});
