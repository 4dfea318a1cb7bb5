/** What the command line ends with when it cannot do what it was asked: a text for the operator, and an exit code. */

/** 1: what was asked failed or is not so. 2: it was asked wrongly, by an option, an argument or a file. */
export type FailureCode = 1 | 2;

/** A fault that the operator can mend; the message says how, and is all that is printed. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly exitCode: FailureCode;

  constructor(
    message: string,
    { exitCode = 1, cause }: { exitCode?: FailureCode; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** For an option, an argument or a file that cannot be used; the message names it and what is allowed. */
export function usageError(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}
