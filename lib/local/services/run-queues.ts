/**
 * SQS on this machine: queues in memory, of which somebody takes what was lost, looks at it, and
 * deletes it.
 */
import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { parseJson } from '../../parse-json.ts';
import type { LocalQueue } from '../template/read-stack.ts';
import { type AwsAnswer, jsonAnswer, jsonError } from './aws-answer.ts';

interface Message {
  id: string;
  body: string;
  /** When it can be received, in epoch milliseconds. */
  visibleAt: number;
  /** Of its latest reception. */
  receiptHandle: string | undefined;
}

/** The queues of a stack. */
export interface LocalQueues {
  /** Puts an event into a queue, by its ARN. */
  keep(queueArn: string, event: unknown): void;
  /** Answers a call of the API. @param target the header X-Amz-Target */
  answer(target: string | undefined, body: string): AwsAnswer;
}

const queueInput = z.object({ QueueUrl: z.string() });
const receiveInput = z.object({
  MaxNumberOfMessages: z._default(z.int().check(z.gte(1), z.lte(10)), 1),
  VisibilityTimeout: z._default(z.int().check(z.gte(0), z.lte(43_200)), 30),
});
const deleteInput = z.object({ ReceiptHandle: z.string() });

/** @param now the time in epoch milliseconds */
export function runQueues(queues: LocalQueue[], now = Date.now): LocalQueues {
  const messages = new Map<string, Message[]>(queues.map(({ arn }) => [arn, []]));

  function receive(waiting: Message[], input: unknown): AwsAnswer {
    const parsed = receiveInput.safeParse(input);
    if (!parsed.success) return invalid(parsed.error);
    const { MaxNumberOfMessages: most, VisibilityTimeout: seconds } = parsed.data;
    const received = waiting.filter(({ visibleAt }) => visibleAt <= now()).slice(0, most);
    for (const message of received) {
      message.visibleAt = now() + seconds * 1000;
      message.receiptHandle = randomUUID();
    }
    return jsonAnswer(200, received.length === 0 ? {} : { Messages: received.map(describe) });
  }

  function remove(waiting: Message[], input: unknown): AwsAnswer {
    const parsed = deleteInput.safeParse(input);
    if (!parsed.success) return invalid(parsed.error);
    const index = waiting.findIndex(
      ({ receiptHandle }) => receiptHandle === parsed.data.ReceiptHandle,
    );
    if (index >= 0) waiting.splice(index, 1);
    return jsonAnswer(200, {});
  }

  return {
    keep(queueArn, event) {
      messages.get(queueArn)?.push({
        id: randomUUID(),
        body: JSON.stringify(event),
        visibleAt: now(),
        receiptHandle: undefined,
      });
    },
    answer(target, body) {
      const input = parseJson(body);
      const named = queueInput.safeParse(input);
      const queue = queues.find(({ url }) => url === named.data?.QueueUrl);
      const waiting = queue && messages.get(queue.arn);
      if (waiting === undefined) {
        return jsonError(400, 'QueueDoesNotExist', 'The stack has no queue of this QueueUrl');
      }
      if (target === 'AmazonSQS.ReceiveMessage') return receive(waiting, input);
      if (target === 'AmazonSQS.DeleteMessage') return remove(waiting, input);
      return jsonError(
        404,
        'UnknownOperationException',
        'The local host knows of sqs: ReceiveMessage, DeleteMessage',
      );
    },
  };
}

function invalid({ issues: [issue] }: z.core.$ZodError): AwsAnswer {
  const member = issue?.path.join('.');
  return jsonError(400, 'InvalidParameterValue', `${member} is missing or out of range`);
}

function describe({ id, body, receiptHandle }: Message): Record<string, unknown> {
  return {
    MessageId: id,
    ReceiptHandle: receiptHandle,
    // The SDK compares it.
    MD5OfBody: createHash('md5').update(body).digest('hex'),
    Body: body,
  };
}
