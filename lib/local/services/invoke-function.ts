/**
 * Lambda on this machine: `Invoke`, for whoever calls a function of the stack as an operator does.
 */

import { parseJson } from '../../parse-json.ts';
import type { LocalFunction } from '../template/read-stack.ts';
import { type AwsAnswer, jsonAnswer, jsonError } from './aws-answer.ts';
import { FunctionError } from './run-functions.ts';
import type { Invoke } from './serve-step-functions.ts';

const invocation = /^\/2015-03-31\/functions\/([^/?]+)\/invocations$/;

/** A call of the API: its path, and what else of it has a meaning. */
export interface InvokeRequest {
  method: string | undefined;
  path: string | undefined;
  /** The header X-Amz-Invocation-Type. */
  type: string | undefined;
  payload: string;
}

/** Answers as Lambda does: what a function threw is an answer too, and marked as one. */
export async function invokeFunction(
  { method, path, type = 'RequestResponse', payload }: InvokeRequest,
  functions: LocalFunction[],
  invoke: Invoke,
): Promise<AwsAnswer> {
  const [, encoded] = (method === 'POST' && path?.match(invocation)) || [];
  if (encoded === undefined) {
    return jsonError(
      404,
      'UnknownOperationException',
      'The local host knows Invoke alone of lambda',
    );
  }
  if (type !== 'RequestResponse') {
    return jsonError(
      400,
      'InvalidParameterValueException',
      `InvocationType ${type} is not known to the local host; it knows RequestResponse`,
    );
  }
  const name = decodeName(encoded);
  const found = functions.find((lambda) => lambda.name === name || lambda.arn === name);
  if (found === undefined) {
    return jsonError(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  }
  const event = parseEvent(payload);
  if (event === undefined) {
    return jsonError(400, 'InvalidRequestContentException', 'The payload is not JSON');
  }
  return run(() => invoke(found.arn, event.value));
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** No payload is an empty event. */
function parseEvent(payload: string): { value: unknown } | undefined {
  if (payload === '') return { value: {} };
  const value = parseJson(payload);
  return value === undefined ? undefined : { value };
}

async function run(call: () => Promise<unknown>): Promise<AwsAnswer> {
  try {
    return jsonAnswer(200, (await call()) ?? null, { 'x-amz-executed-version': '$LATEST' });
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return jsonAnswer(200, JSON.parse(error.message), { 'x-amz-function-error': 'Unhandled' });
  }
}
