/** What the command line ends with when it cannot do what it was asked: a text for the operator, and an exit code. */

/**
 * What kind of fault it is, for programs: asked wrongly; of something that is not there; against what is stored; of a
 * deployment that has faults, or templates that differ; AWS refused, or nothing answered; or failed otherwise.
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

/** 1: what was asked failed or is not so. 2: it was asked wrongly, by an option, an argument or a file. */
export type FailureCode = 1 | 2;

interface OperatorErrorOptions {
  exitCode?: FailureCode;
  code?: ErrorCode;
  cause?: unknown;
}

/** A fault that the operator can mend; the message says how, and is all that is printed. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly exitCode: FailureCode;
  readonly code: ErrorCode;

  /** @param options the code is `usage` or `failed`, by the exit code, unless it says more */
  constructor(message: string, options: OperatorErrorOptions = {}) {
    const { exitCode = 1, cause } = options;
    super(message, { cause });
    this.exitCode = exitCode;
    this.code = options.code ?? (exitCode === 2 ? 'usage' : 'failed');
  }
}

/** For an option, an argument or a file that cannot be used; the message names it and what is allowed. */
export function usageError(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}

/** For a user, client, request or stack that is not there; the message says where to look. */
export function notFound(message: string, cause?: unknown): OperatorError {
  return new OperatorError(message, { code: 'not_found', cause });
}
