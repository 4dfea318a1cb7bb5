/**
 * Calls a function of the deployment that does something for the operator, and reads what it
 * answers.
 */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { OperatorError } from '../terminal/operator-error.ts';

interface FunctionCall<Answer extends z.ZodMiniType> {
  functionName: string;
  /** What the function does, for errors: `renews keys`. */
  does: string;
  input: object;
  answer: Answer;
}

const functionError = z.object({ errorType: z.string(), errorMessage: z.string() });

/**
 * What the function answers; it runs once.
 * @throws OperatorError with what the function said if it failed, or if it is another function
 */
export async function callFunction<Answer extends z.ZodMiniType>(
  lambda: LambdaClient,
  { functionName, does, input, answer }: FunctionCall<Answer>,
): Promise<z.output<Answer>> {
  const { FunctionError: fault, Payload: payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(input)) }),
  );
  const given = parseStrictJson(Buffer.from(payload ?? []).toString());
  if (fault !== undefined) throw failed(does, fault, given);
  const result = answer.safeParse(given);
  if (result.success) return result.data;
  throw new OperatorError(`${functionName} is not the function that ${does}: deploy again`);
}

function failed(does: string, fault: string, given: unknown): OperatorError {
  const { errorType = fault, errorMessage = 'no message' } =
    functionError.safeParse(given).data ?? {};
  return new OperatorError(
    `The function that ${does} failed: ${errorType}: ${errorMessage}. Asking again goes on where it ended; its log tells more`,
  );
}
