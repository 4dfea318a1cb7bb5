/**
 * What the command line ends with when it cannot do what it was asked: a text for the operator, and
 * an exit code.
 */

/**
 * What kind of fault it is, for programs: asked wrongly; of something that is not there; against
 * what is stored; of a deployment that has faults, or templates that differ; AWS refused, or
 * nothing answered; or failed otherwise.
 */
export const errorCodes = [
  'usage',
  'not_found',
  'conflict',
  'faults_found',
  'templates_differ',
  'aws_refused',
  'unreachable',
  'failed',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * 1: what was asked failed or is not so. 2: it was asked wrongly, by an option, an argument or a
 * file.
 */
export type FailureCode = 1 | 2;

interface OperatorErrorOptions {
  /** @default failed */
  code?: ErrorCode;
  cause?: unknown;
}

/** A fault that the operator can mend; the message says how, and is all that is printed. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: ErrorCode;
  readonly exitCode: FailureCode;

  constructor(message: string, { code = 'failed', cause }: OperatorErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.exitCode = code === 'usage' ? 2 : 1;
  }
}

/**
 * For an option, an argument or a file that cannot be used; the message names it and what is
 * allowed.
 */
export function usageError(message: string, cause?: unknown): OperatorError {
  return new OperatorError(message, { code: 'usage', cause });
}

/**
 * For a wish that what is stored in the deployment stands against: nothing of the entry it names
 * was written.
 */
export function conflict(message: string): OperatorError {
  return new OperatorError(message, { code: 'conflict' });
}

export function isConflict(error: unknown): error is OperatorError {
  return error instanceof OperatorError && error.code === 'conflict';
}

/** For a user, client, request or stack that is not there; the message says where to look. */
export function notFound(message: string, cause?: unknown): OperatorError {
  return new OperatorError(message, { code: 'not_found', cause });
}
