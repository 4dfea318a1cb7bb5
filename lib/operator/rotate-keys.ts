/** Asks the deployment for new keys now, which is what its schedule does when they are due. */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { parseStrictJson } from '../../lambdas/ciba/strict-json.ts';
import { OperatorError } from './operator-error.ts';

/** What functions and verifiers remember of keys, in seconds: a shorter lead surprises them. */
export const REMEMBERED_SECONDS = 300;

const rotationResult = z.object({ made: z.array(z.string()) });

const functionError = z.object({ errorType: z.string(), errorMessage: z.string() });

/**
 * Makes a key of each kind that is used after the lead, and answers the kinds; of two callers at once one makes them.
 * @throws OperatorError with what the function said if it failed: asking again goes on where it ended
 */
export async function rotateKeys(
  lambda: LambdaClient,
  functionName: string,
  leadSeconds: number,
): Promise<string[]> {
  const { FunctionError: fault, Payload: payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName,
      Payload: Buffer.from(JSON.stringify({ rotate: 'now', lead: leadSeconds })),
    }),
  );
  const answer = readJson(payload);
  if (fault !== undefined) {
    const { errorType = fault, errorMessage = 'no message' } =
      functionError.safeParse(answer).data ?? {};
    throw new OperatorError(
      `The function that renews keys failed: ${errorType}: ${errorMessage}. Asking again goes on where it ended; its log tells more`,
    );
  }
  const result = rotationResult.safeParse(answer);
  if (result.success) return result.data.made;
  throw new OperatorError(`${functionName} is not the function that renews keys: deploy again`);
}

function readJson(payload: Uint8Array | undefined): unknown {
  return parseStrictJson(Buffer.from(payload ?? []).toString());
}
