/**
 * CloudFormation's protocol for custom resources: do the work, then tell the pre-signed URL how it went.
 */
import * as z from 'zod/mini';
import { parseResponseUrl, type ResponsePlace } from './response-url.ts';

const customResourceEvent = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.string(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.optional(z.string()),
});

/** Whether CloudFormation calls, and not something else that the function is for. */
export function isCustomResourceEvent(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'RequestType' in input;
}

/**
 * A handler that runs `ensure` on create and update and nothing on delete: what it made is data, which outlives the
 * resource. A failure is reported, so that the deployment fails at once and not after an hour. An event that does not lead to
 * CloudFormation is refused before anything is done, and no redirect is followed.
 */
export function customResourceHandler(
  ensure: () => Promise<unknown>,
  place: ResponsePlace,
): (input: unknown) => Promise<void> {
  return async (input) => {
    const event = customResourceEvent.parse(input);
    const responseUrl = parseResponseUrl(event.ResponseURL, place);
    const failure = event.RequestType === 'Delete' ? undefined : await failureOf(ensure);
    const response = await fetch(responseUrl, {
      method: 'PUT',
      redirect: 'error',
      // The URL is signed for a request without a content type.
      headers: { 'Content-Type': '' },
      body: JSON.stringify({
        Status: failure === undefined ? 'SUCCESS' : 'FAILED',
        ...(failure !== undefined && { Reason: failure }),
        PhysicalResourceId: event.PhysicalResourceId ?? event.LogicalResourceId,
        StackId: event.StackId,
        RequestId: event.RequestId,
        LogicalResourceId: event.LogicalResourceId,
      }),
    });
    if (!response.ok) throw new Error(`CloudFormation answered ${response.status}`);
  };
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
