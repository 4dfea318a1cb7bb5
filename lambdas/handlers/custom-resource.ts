/**
 * CloudFormation's protocol for custom resources: do the work, then tell the pre-signed URL how it
 * went.
 */
import * as z from 'zod/mini';
import { keepTrying, type Pace, tryThrice } from './keep-trying.ts';
import { parseResponseUrl, type ResponsePlace } from './response-url.ts';
import { runtime } from './runtime.ts';

const customResourceEvent = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.string(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.optional(z.string()),
});

/**
 * Three of them, with the waits between, fit into what the minute of tries leaves of the function's
 * time.
 */
const ANSWER_MILLISECONDS = 5000;

/** Whether CloudFormation calls, and not something else that the function is for. */
export function isCustomResourceEvent(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'RequestType' in input;
}

/**
 * A handler that runs `ensure` on create and update and nothing on delete: what it made is data,
 * which outlives the resource. A new role and a new key may refuse for a while, so `ensure`, which
 * must be safe to repeat, is tried for a minute. A failure that stays is reported, so that the
 * deployment fails at once and not after an hour. An event that does not lead to CloudFormation is
 * refused before anything is done, and no redirect is followed.
 */
export function customResourceHandler(
  ensure: () => Promise<unknown>,
  place: ResponsePlace,
  pace: Pace = runtime,
): (input: unknown) => Promise<void> {
  return async (input) => {
    const event = customResourceEvent.parse(input);
    const responseUrl = parseResponseUrl(event.ResponseURL, place);
    const failure =
      event.RequestType === 'Delete' ? undefined : await failureOf(() => keepTrying(ensure, pace));
    const body = JSON.stringify({
      Status: failure === undefined ? 'SUCCESS' : 'FAILED',
      ...(failure !== undefined && { Reason: failure }),
      PhysicalResourceId: event.PhysicalResourceId ?? event.LogicalResourceId,
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
    });
    await tryThrice(() => answer(responseUrl, body), pace);
  };
}

/** CloudFormation takes the first answer: one that was lost on its way back may be sent again. */
async function answer(responseUrl: URL, body: string): Promise<void> {
  const response = await fetch(responseUrl, {
    method: 'PUT',
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MILLISECONDS),
    // The URL is signed for a request without a content type.
    headers: { 'Content-Type': '' },
    body,
  });
  if (!response.ok) throw new Error(`CloudFormation answered ${response.status}`);
}

async function failureOf(run: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    // The cause by its name alone: its text may quote what was written, and that is keys.
    const cause =
      error instanceof Error && error.cause instanceof Error ? `: ${error.cause.name}` : '';
    return `${error instanceof Error ? error.message : 'unknown error'}${cause}`;
  }
}
