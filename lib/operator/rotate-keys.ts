/** Asks the deployment for new keys now, which is what its schedule does when they are due. */
import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { callFunction } from './call-function.ts';

/** What functions and verifiers remember of keys, in seconds: a shorter lead surprises them. */
export const REMEMBERED_SECONDS = 300;

const rotationResult = z.object({ made: z.array(z.string()) });

/**
 * Makes a key of each kind that is used after the lead, and answers the kinds; of two callers at once one makes them.
 * @throws OperatorError with what the function said if it failed: asking again goes on where it ended
 */
export async function rotateKeys(
  lambda: LambdaClient,
  functionName: string,
  leadSeconds: number,
): Promise<string[]> {
  const { made } = await callFunction(lambda, {
    functionName,
    does: 'renews keys',
    input: { rotate: 'now', lead: leadSeconds },
    answer: rotationResult,
  });
  return made;
}
