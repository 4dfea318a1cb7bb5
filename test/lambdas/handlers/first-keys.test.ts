/**
 * The first keys of a deployment whose role and key are seconds old: refused for a while by any
 * service that the function calls, or for good. The clock is a fake one that waits move.
 */
import { type DynamoDBClient, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { generateSigningKey } from '../../../lambdas/aws/generate-signing-key.ts';
import { keyStore } from '../../../lambdas/aws/keys-table.ts';
import { customResourceHandler } from '../../../lambdas/handlers/custom-resource.ts';
import { runtime } from '../../../lambdas/handlers/runtime.ts';
import { rotateKeysTask } from '../../../lambdas/tasks/rotate-keys.ts';
import { disturb } from '../../support/disturbed-calls.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

const region = 'eu-west-1';
const event = {
  RequestType: 'Create',
  ResponseURL:
    'https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x?X-Amz-Signature=x',
  StackId: 's',
  RequestId: 'r',
  LogicalResourceId: 'FirstKeys',
};

/**
 * What the function has left of its 90 seconds when the last try has failed; each of three answers
 * may take five.
 */
const PATIENCE_SECONDS = 60;

let tables: TestTables;
beforeEach(async () => {
  tables = await tablesOnDynalite();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await tables.stop();
});

const rsaKey = generateSigningKey('RS256');

interface Outcome {
  answers: { Status: string; Reason?: string }[];
  seconds: number;
}

/**
 * Runs the function as CloudFormation calls it; `refuse` may throw before each call of its bucket.
 */
async function deploy(client: DynamoDBClient, refuse = () => {}): Promise<Outcome> {
  const started = 1_700_000_000;
  let now = started;
  const answers: Outcome['answers'] = [];
  vi.stubGlobal('fetch', async (_url: URL, { body }: { body: string }) => {
    refuse();
    answers.push(JSON.parse(body));
    return new Response();
  });
  const clock = () => now;
  const rotateKeys = rotateKeysTask({
    ...runtime,
    clock,
    log: () => {},
    keys: keyStore(client, 'keys', 'directory'),
    generateSigningKey: (alg) => (alg === 'RS256' ? rsaKey : generateSigningKey(alg)),
    periodSeconds: 90 * 86_400,
  });
  const wait = async (seconds: number) => {
    now += seconds;
  };
  const handler = customResourceHandler(
    () => rotateKeys({ rotate: 'when-due' }),
    { region },
    { clock, wait },
  );
  await handler(event);
  return { answers, seconds: now - started };
}

/** Refuses the calls of one kind so many times; each refusal fails a try of the function. */
function refuseCalls(table: string, command: string, name: string, times: number): () => number {
  let left = times;
  disturb(tables.client, (call) => {
    if (call.command !== command || !call.input.includes(`"TableName":"${table}"`)) return;
    if (left === 0) return;
    left -= 1;
    throw new DynamoDBServiceException({ name, $fault: 'client', $metadata: {}, message: name });
  });
  return () => left;
}

const calls = [
  ['keys', 'GetItemCommand'],
  ['keys', 'PutItemCommand'],
  ['directory', 'GetItemCommand'],
  ['directory', 'PutItemCommand'],
] as const;

const refusals = [
  'AccessDeniedException',
  'AccessDenied',
  'UnrecognizedClientException',
  'KMSAccessDeniedException',
  'KMSNotFoundException',
  'KMSInvalidStateException',
  'ResourceNotFoundException',
  'ThrottlingException',
];

describe('O5: the first keys', () => {
  it.each(
    calls.flatMap(([table, command]) =>
      [1, 2, 5, 12].map((times) => [command, table, times] as const),
    ),
  )('are made when %s on %s is denied and allowed after %i tries', async (command, table, n) => {
    const left = refuseCalls(table, command, 'AccessDeniedException', n);
    const { answers, seconds } = await deploy(tables.client);
    expect(left()).toBe(0);
    expect(answers).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
    expect(seconds).toBeLessThanOrEqual(PATIENCE_SECONDS);
    expect(Object.keys(await tables.items('keys')).toSorted()).toEqual([
      'link',
      'signing#ES256',
      'signing#RS256',
      'wrap',
    ]);
  });

  it.each(refusals)('are made when KMS or DynamoDB calls it %s', async (name) => {
    refuseCalls('keys', 'PutItemCommand', name, 3);
    const { answers } = await deploy(tables.client);
    expect(answers).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
  });

  it('are made when every call is refused once, and the bucket of CloudFormation twice', async () => {
    for (const [table, command] of calls) refuseCalls(table, command, 'AccessDeniedException', 1);
    let refused = 0;
    const { answers } = await deploy(tables.client, () => {
      refused += 1;
      if (refused <= 2) throw new Error('ECONNRESET');
    });
    expect(answers).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
  });

  it.each(calls)(
    'fail with the cause within a minute when %s denies %s for good',
    async (table, command) => {
      refuseCalls(table, command, 'KMSAccessDeniedException', Number.POSITIVE_INFINITY);
      const { answers, seconds } = await deploy(tables.client);
      expect(answers).toEqual([
        expect.objectContaining({
          Status: 'FAILED',
          Reason: expect.stringContaining('KMSAccessDeniedException'),
        }),
      ]);
      expect(seconds).toBeGreaterThan(PATIENCE_SECONDS - 10);
      expect(seconds).toBeLessThanOrEqual(PATIENCE_SECONDS);
    },
  );

  it('fail at once over stored data that no waiting mends', async () => {
    const broken = {
      ...tables.client,
      send: async () => ({ Item: { pk: { S: 'signing#ES256' }, version: { S: 'x' } } }),
    };
    const { answers, seconds } = await deploy(broken as unknown as DynamoDBClient);
    expect(answers).toEqual([expect.objectContaining({ Status: 'FAILED' })]);
    expect(seconds).toBe(0);
  });
});
