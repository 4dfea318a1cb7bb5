/** CloudFormation's custom resources on this machine: each one's function is called as for a stack that is created. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { LocalHostError } from './local-host-error.ts';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
  readBody,
} from './loopback.ts';
import type { LocalCustomResource } from './read-stack.ts';
import { localArn } from './resource-names.ts';
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

/**
 * Calls the functions one after the other, in the template's order, and waits for each one's success.
 * @throws LocalHostError if one fails, or ends without an answer to its ResponseURL
 */
export async function runCustomResources(
  stackName: string,
  resources: LocalCustomResource[],
  invoke: Invoke,
): Promise<void> {
  for (const resource of resources) {
    const fault = await createResource(stackName, resource, invoke);
    if (fault !== undefined)
      throw new LocalHostError(`Custom resource ${resource.logicalId}: ${fault}`);
  }
}

/** What went wrong, or undefined. */
async function createResource(
  stackName: string,
  { logicalId, type, functionArn, properties }: LocalCustomResource,
  invoke: Invoke,
): Promise<string | undefined> {
  let answered: unknown;
  const server = createAsyncServer(async (request, response) => {
    const body = request.method === 'PUT' ? await readBody(request, ANSWER_BYTES) : undefined;
    answered = body?.toString();
    response.writeHead(body === undefined ? 400 : 200).end();
  });
  const url = loopbackUrl(await listenOnLoopback(server, { port: 0 }));
  const event = {
    RequestType: 'Create',
    RequestId: randomUUID(),
    StackId: localArn('cloudformation:stack/', `${stackName}/local`),
    LogicalResourceId: logicalId,
    ResourceType: type,
    ResponseURL: `${url}/${randomUUID()}`,
    ServiceToken: functionArn,
    ResourceProperties: properties,
  };
  try {
    await invoke(functionArn, event);
  } catch (error) {
    return `its function failed: ${String(error)}`;
  } finally {
    await closeServer(server);
  }
  return judge(answered, event);
}

function judge(answered: unknown, event: Record<string, unknown>): string | undefined {
  if (typeof answered !== 'string') return 'its function ended without an answer to ResponseURL';
  const parsed = answerSchema.safeParse(JSON.parse(answered));
  if (!parsed.success) return `its answer is not one that CloudFormation takes: ${answered}`;
  const { Status: status, Reason: reason, ...ids } = parsed.data;
  if (status === 'FAILED') return reason ?? 'failed without a reason';
  const echoed = ['StackId', 'RequestId', 'LogicalResourceId'] as const;
  const wrong = echoed.find((name) => ids[name] !== event[name]);
  return wrong && `its answer has another ${wrong} than the event`;
}
