/** Turns whatever ended a command into what the operator reads: one line that says what to do, and never a stack. */
import { DirectoryConflict, DirectoryError } from './directory-error.ts';
import { type FailureCode, OperatorError } from './operator-error.ts';

/** What is printed for an error, and the exit code. */
export function describeError(error: unknown): { message: string; exitCode: FailureCode } {
  if (error instanceof OperatorError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof DirectoryError) {
    return { message: error.message, exitCode: error instanceof DirectoryConflict ? 1 : 2 };
  }
  return { message: oneLine(explain(error)), exitCode: 1 };
}

/** The adapters of the provider have a text for its clients; what AWS said is its cause. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return explainConnection(error) ?? explainAws(error) ?? explainCause(error) ?? named(error);
}

function explainCause({ cause }: Error): string | undefined {
  return cause instanceof Error ? explain(cause) : undefined;
}

function named({ name, message }: Error): string {
  return `${name}: ${message}`;
}

/** A name such as `localhost` is tried at each of its addresses: the fault of the first stands for all. */
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
