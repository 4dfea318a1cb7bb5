/**
 * The code of an approval that needs one: the binding message (CIBA Core 7.1), which the user reads
 * on the consumption device and types into the page.
 */
import { base64url } from '../ciba/base64url.ts';
import { ATTEMPT_ENTROPY_BYTES } from '../ciba/handles.ts';
import type { AuthenticationRequest } from '../ciba/request/authentication-request.ts';
import { isBlank, isCode } from '../ciba/request/confirmation.ts';
import type { WrongCode } from '../ciba/request/rules.ts';
import type { AuthenticationRequestStore, Entropy, WrongCodeOutcome } from '../ports.ts';

interface ConfirmationCodeDeps {
  requests: Pick<AuthenticationRequestStore, 'countWrongCode'>;
  entropy: Entropy;
}

/** The code was typed, and is the binding message. */
interface TypedCode {
  outcome: 'correct';
  typedMessage: string;
}

/**
 * Judges what was typed, and counts it if it is wrong, in one atomic step. An empty field is not
 * counted: a program that presses buttons does not use up the user's tries.
 */
export async function judgeCode(
  { requests, entropy }: ConfirmationCodeDeps,
  { bindingMessage }: Pick<AuthenticationRequest, 'bindingMessage'>,
  typed: string,
  by: Omit<WrongCode, 'attemptId'>,
): Promise<TypedCode | { outcome: 'missing' } | WrongCodeOutcome> {
  if (isBlank(typed)) return { outcome: 'missing' };
  if (bindingMessage !== undefined && isCode(typed, bindingMessage)) {
    return { outcome: 'correct', typedMessage: bindingMessage };
  }
  return requests.countWrongCode({ ...by, attemptId: base64url(entropy(ATTEMPT_ENTROPY_BYTES)) });
}
