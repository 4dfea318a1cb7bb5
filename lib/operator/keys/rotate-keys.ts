/** Asks the deployment for new keys now, which is what its schedule does when they are due. */
import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { LEAD_SECONDS, type RotationInput } from '../../../lambdas/ciba/keys/key-rotation.ts';
import { KEYS_REMEMBERED_SECONDS } from '../../../lambdas/ciba/keys/signing-keys.ts';
import { callFunction } from '../deployment/call-function.ts';

/** A shorter lead surprises functions and verifiers. */
export const REMEMBERED_SECONDS = KEYS_REMEMBERED_SECONDS;

/** The most that the deployment takes, and what it takes if nothing is said. */
export const LONGEST_LEAD_SECONDS = LEAD_SECONDS;

const rotationResult = z.object({ made: z.array(z.string()) });

/**
 * Makes a key of each kind that is used after the lead, and answers the kinds; of two callers at
 * once one makes them.
 * @throws OperatorError with what the function said if it failed: asking again goes on where it
 * ended
 */
export async function rotateKeys(
  lambda: LambdaClient,
  functionName: string,
  leadSeconds: number,
): Promise<string[]> {
  const { made } = await callFunction(lambda, {
    functionName,
    does: 'renews keys',
    input: { rotate: 'now', lead: leadSeconds } satisfies RotationInput,
    answer: rotationResult,
  });
  return made;
}
