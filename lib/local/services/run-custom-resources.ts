/**
 * CloudFormation's custom resources on this machine: each one's function is called as for a stack
 * that is created.
 */

import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { OperatorError } from '../../operator/terminal/operator-error.ts';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
  programsOnly,
  readBody,
} from '../loopback.ts';
import type { LocalCustomResource } from '../template/read-stack.ts';
import { localArn } from '../template/resource-names.ts';
import type { Invoke } from './serve-step-functions.ts';

/** CloudFormation takes an answer of at most 4 KB. */
const ANSWER_BYTES = 4096;

const answerSchema = z.object({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.optional(z.string()),
  PhysicalResourceId: z.string().check(z.minLength(1)),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
});

/** Stands for the bucket that CloudFormation waits at. */
export interface ResponseBucket {
  /** Where S3 is to a function that answers. */
  endpoint: string;
  /** Calls a custom resource's function and answers what went wrong, or undefined. */
  create(
    stackName: string,
    resource: LocalCustomResource,
    invoke: Invoke,
  ): Promise<string | undefined>;
  stop(): Promise<void>;
}

/**
 * Calls the functions one after the other, in the template's order, and waits for each one's
 * success.
 * @throws OperatorError if one fails, or ends without an answer to its ResponseURL
 */
export async function runCustomResources(
  stackName: string,
  resources: LocalCustomResource[],
  bucket: ResponseBucket,
  invoke: Invoke,
): Promise<void> {
  for (const resource of resources) {
    const fault = await bucket.create(stackName, resource, invoke);
    if (fault !== undefined)
      throw new OperatorError(`Custom resource ${resource.logicalId}: ${fault}`);
  }
}

/** Starts it; each resource answers at a path of its own. */
export async function serveResponses(): Promise<ResponseBucket> {
  const answers = new Map<string, string>();
  const takeAnswer = programsOnly(async (request, response) => {
    const body = request.method === 'PUT' ? await readBody(request, ANSWER_BYTES) : undefined;
    if (body !== undefined) answers.set(request.url ?? '', body.toString());
    response.writeHead(body === undefined ? 400 : 200).end();
  });
  const server = createAsyncServer(takeAnswer);
  const endpoint = loopbackUrl(await listenOnLoopback(server, { port: 0 }));
  return {
    endpoint,
    async create(stackName, { logicalId, type, functionArn, properties }, invoke) {
      const path = `/${randomUUID()}`;
      const event = {
        RequestType: 'Create',
        RequestId: randomUUID(),
        StackId: localArn('cloudformation:stack/', `${stackName}/local`),
        LogicalResourceId: logicalId,
        ResourceType: type,
        ResponseURL: endpoint + path,
        ServiceToken: functionArn,
        ResourceProperties: properties,
      };
      try {
        await invoke(functionArn, event);
      } catch (error) {
        return `its function failed: ${String(error)}`;
      }
      return judge(answers.get(path), event);
    },
    stop: () => closeServer(server),
  };
}

function judge(answered: string | undefined, event: Record<string, unknown>): string | undefined {
  if (answered === undefined) return 'its function ended without an answer to ResponseURL';
  const parsed = answerSchema.safeParse(JSON.parse(answered));
  if (!parsed.success) return `its answer is not one that CloudFormation takes: ${answered}`;
  const { Status: status, Reason: reason, ...ids } = parsed.data;
  if (status === 'FAILED') return reason ?? 'failed without a reason';
  const echoed = ['StackId', 'RequestId', 'LogicalResourceId'] as const;
  const wrong = echoed.find((name) => ids[name] !== event[name]);
  return wrong && `its answer has another ${wrong} than the event`;
}
