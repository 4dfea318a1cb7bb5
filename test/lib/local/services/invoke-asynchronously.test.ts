/**
 * What nobody waits for on this machine: tried three times, then kept in a queue that speaks SQS.
 */
import { describe, expect, it } from 'vitest';
import { invokeAsynchronously } from '../../../../lib/local/services/invoke-asynchronously.ts';
import { runQueues } from '../../../../lib/local/services/run-queues.ts';

const url = 'https://sqs.us-east-1.amazonaws.com/000000000000/Lost';
const arn = 'arn:aws:sqs:us-east-1:000000000000:Lost';
const functions = [
  { arn: 'keeps', deadLetterQueue: arn },
  { arn: 'forgets', deadLetterQueue: undefined },
];

describe('an asynchronous invocation', () => {
  /**
   * Calls a function that throws so often before it answers; what was called, and what was kept.
   */
  async function call(functionArn: string, faults: number) {
    const called: unknown[] = [];
    const kept: [string, unknown][] = [];
    const invoke = invokeAsynchronously(
      async (_, event) => {
        called.push(event);
        if (called.length <= faults) throw new Error(`fault ${called.length}`);
        return 'answer';
      },
      functions,
      (queueArn, event) => void kept.push([queueArn, event]),
    );
    const outcome = await invoke(functionArn, { a: 1 }).catch((error) => error.message);
    return { outcome, calls: called.length, kept };
  }

  it.each([
    [0, 'answer', 1],
    [1, 'answer', 2],
    [2, 'answer', 3],
  ])('after %d faults ends with an answer, and nothing is kept', async (faults, outcome, calls) => {
    expect(await call('keeps', faults)).toEqual({ outcome, calls, kept: [] });
  });

  it('O14: that fails to the end is kept in the queue of its function, if it has one', async () => {
    const failed = { outcome: 'fault 3', calls: 3 };
    expect(await call('keeps', 9)).toEqual({ ...failed, kept: [[arn, { a: 1 }]] });
    expect(await call('forgets', 9)).toEqual({ ...failed, kept: [] });
  });
});

describe('a queue', () => {
  let time = 0;
  function queueOf(...events: unknown[]) {
    time = 0;
    const queues = runQueues([{ url, arn }], () => time);
    for (const event of events) queues.keep(arn, event);
    const ask = (operation: string, input: object = {}) => {
      const { status, body } = queues.answer(
        `AmazonSQS.${operation}`,
        JSON.stringify({ QueueUrl: url, ...input }),
      );
      return { status, ...JSON.parse(body) };
    };
    const bodies = (input?: object) =>
      (ask('ReceiveMessage', input).Messages ?? []).map(({ Body }: { Body: string }) => Body);
    return { ask, bodies };
  }

  it('O14: shows what lies in it, one message unless more are asked for', () => {
    const { bodies } = queueOf({ a: 1 }, { b: 2 });
    expect(bodies()).toEqual(['{"a":1}']);
    expect(bodies({ MaxNumberOfMessages: 10 })).toEqual(['{"b":2}']);
    expect(bodies({ MaxNumberOfMessages: 10 })).toEqual([]);
  });

  it('O14: shows it again when nobody deleted it within half a minute, or the time that was asked for', () => {
    const { bodies } = queueOf({ a: 1 });
    expect(bodies()).toHaveLength(1);
    time = 29_999;
    expect(bodies()).toHaveLength(0);
    time = 30_000;
    expect(bodies({ VisibilityTimeout: 0 })).toHaveLength(1);
    expect(bodies()).toHaveLength(1);
  });

  it('O14: lets go of what is deleted by the handle of its latest reception', () => {
    const { ask, bodies } = queueOf({ a: 1 });
    const receive = () => ask('ReceiveMessage', { VisibilityTimeout: 0 }).Messages[0].ReceiptHandle;
    const [former, latest] = [receive(), receive()];
    expect(ask('DeleteMessage', { ReceiptHandle: former })).toEqual({ status: 200 });
    expect(bodies({ VisibilityTimeout: 0 })).toHaveLength(1);
    expect(latest).not.toBe(former);
    expect(ask('DeleteMessage', { ReceiptHandle: receive() })).toEqual({ status: 200 });
    expect(bodies()).toHaveLength(0);
  });

  it.each([
    ['a queue that there is not', 'ReceiveMessage', { QueueUrl: 'x' }, 'QueueDoesNotExist'],
    ['eleven messages', 'ReceiveMessage', { MaxNumberOfMessages: 11 }, 'InvalidParameterValue'],
    ['no handle', 'DeleteMessage', {}, 'InvalidParameterValue'],
    ['another operation', 'SendMessage', { MessageBody: '' }, 'UnknownOperationException'],
  ])('refuses %s', (_, operation, input, error) => {
    expect(queueOf().ask(operation, input)).toMatchObject({ __type: error });
  });

  it('refuses what is no JSON', () => {
    const { status } = runQueues([{ url, arn }]).answer('AmazonSQS.ReceiveMessage', '{');
    expect(status).toBe(400);
  });
});
