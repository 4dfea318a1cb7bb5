/**
 * Checks a deployment: every check looks at one thing, says what is wrong with it and which command
 * mends it, and none keeps another from its own.
 */
import { describeError } from '../terminal/describe-error.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import type { Check, Finding, Patient } from './check.ts';
import { checkAlarms, checkFlowRuns, checkFlows } from './doctor-flows.ts';
import { checkClock, checkIssuer } from './doctor-issuer.ts';
import { checkKeys } from './doctor-keys.ts';
import { checkLeftovers } from './doctor-leftovers.ts';
import { checkAccount, checkSender, checkTemplates } from './doctor-mail.ts';
import { checkStack } from './doctor-stack.ts';

/** In the order in which one mends: what is first is often the cause of what is below. */
export const checks: Readonly<Record<string, Check>> = {
  stack: checkStack,
  clock: checkClock,
  issuer: checkIssuer,
  keys: checkKeys,
  sender: checkSender,
  'SES account': checkAccount,
  templates: checkTemplates,
  flows: checkFlows,
  'flow runs': checkFlowRuns,
  alarms: checkAlarms,
  leftovers: checkLeftovers,
};

/** A finding with the name of its check. */
export interface NamedFinding extends Finding {
  check: string;
}

/**
 * Runs every check and answers all findings in the order of the checks. @param onDone is called as
 * each ends
 */
export async function examine(patient: Patient, onDone: () => void): Promise<NamedFinding[]> {
  const findings = await Promise.all(
    Object.entries(checks).map(async ([check, run]) => {
      const found = await run(patient).catch((error) => [findingOf(error)]);
      onDone();
      return found.map((finding) => ({ check, ...finding }));
    }),
  );
  return findings.flat();
}

/** What is answered for a service or a call that does not exist where AWS_ENDPOINT_URL leads. */
const unknownOperations = ['UnknownOperationException', 'InvalidAction', 'UnknownOperation'];

/** What could not be looked at: not offered here, not allowed, or broken. */
function findingOf(error: unknown): Finding {
  const { message } = describeError(error);
  if (error instanceof OperatorError) return { verdict: 'warning', message };
  const name = error instanceof Error ? error.name : '';
  if (unknownOperations.includes(name)) {
    return { verdict: 'not here', message: 'not offered where AWS_ENDPOINT_URL leads' };
  }
  if (/AccessDenied|NotAuthorized/.test(name)) {
    return { verdict: 'warning', message, mend: 'ask for the right to look' };
  }
  return { verdict: 'fault', message };
}
