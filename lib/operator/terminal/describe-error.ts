/**
 * Turns whatever ended a command into what the operator reads: one line that says what to do, and
 * never a stack.
 */
import { type ErrorCode, type FailureCode, OperatorError } from './operator-error.ts';

/** What is said of an error, of which kind it is, and the exit code. */
export interface DescribedError {
  message: string;
  code: ErrorCode;
  exitCode: FailureCode;
}

/** What is printed for an error, and the exit code. */
export function describeError(error: unknown): DescribedError {
  if (error instanceof OperatorError) {
    const { message, code, exitCode } = error;
    return { message, code, exitCode };
  }
  const { message, code } = explain(error);
  return { message: oneLine(message), code, exitCode: 1 };
}

/**
 * An error for a program: `hint` is the part of the message that says what is allowed or what to
 * do, where it has one.
 */
export function errorJson({ message, code }: Pick<DescribedError, 'message' | 'code'>) {
  const [, allowed] = /[;:,] (allowed: .*)$/s.exec(message) ?? [];
  const [, advice] = /[;:,] ((?:ciba |npx |--|is |are |AWS_).*)$/s.exec(message) ?? [];
  return { error: { code, message, hint: allowed ?? advice ?? null } };
}

/**
 * What has a cause is told by it: an adapter of the provider says no more than that a service does
 * not answer.
 */
function explain(error: unknown): Pick<DescribedError, 'message' | 'code'> {
  if (!(error instanceof Error)) return { message: String(error), code: 'failed' };
  const connection = explainConnection(error);
  if (connection !== undefined) return { message: connection, code: 'unreachable' };
  const aws = explainAws(error);
  if (aws !== undefined) return { message: aws, code: 'aws_refused' };
  return error.cause === undefined
    ? { message: named(error), code: 'failed' }
    : explain(error.cause);
}

function named({ name, message }: Error): string {
  return `${name}: ${message}`;
}

/**
 * A name such as `localhost` is tried at each of its addresses: the fault of the first stands for
 * all.
 */
function explainConnection(error: Error): string | undefined {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  const code = textAt(first, 'code');
  if (code === 'ECONNREFUSED') {
    const address = `${textAt(first, 'address')}:${String(valueAt(first, 'port'))}`;
    return `Nothing listens at ${address}: is AWS_ENDPOINT_URL right, and is the local host running (npm start)?`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const host = textAt(first, 'hostname');
    return `No host ${host}: are AWS_REGION and AWS_ENDPOINT_URL right, and is there a network?`;
  }
  return undefined;
}

function explainAws(error: Error): string | undefined {
  if (error.name === 'CredentialsProviderError') {
    return `No AWS credentials (${error.message}): AWS_PROFILE names a profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY give them`;
  }
  if (error.message === 'Region is missing') {
    return 'No AWS region: AWS_REGION names one, or the profile in AWS_PROFILE does';
  }
  if (error.name === 'TimeoutError') {
    return `AWS did not answer in time (${error.message}): is AWS_ENDPOINT_URL right, and is there a network?`;
  }
  return '$metadata' in error && '$fault' in error ? `AWS refused: ${named(error)}` : undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function textAt(value: unknown, key: string): string | undefined {
  const found = valueAt(value, key);
  return typeof found === 'string' ? found : undefined;
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
