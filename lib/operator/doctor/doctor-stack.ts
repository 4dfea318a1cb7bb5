/** Whether the last deployment of the stack went well, and is of this version. */

import { type StackOutput, stackOutputs } from '../../../lambdas/aws/formats.ts';
import type { Check, Finding } from './check.ts';

const redeploy = 'npx cdk deploy';

export const checkStack: Check = async ({ deployment }) => {
  const { status, outputs } = deployment;
  const missing = stackOutputs.filter((name) => outputs[name] === undefined);
  return [judgeStatus(deployment.stackName, status), ...judgeOutputs(missing)];
};

/** @param status as CloudFormation has it */
export function judgeStatus(stackName: string, status: string): Finding {
  const message = `${stackName} is ${status}`;
  if (status.endsWith('_IN_PROGRESS')) return { verdict: 'warning', message: `${message}: wait` };
  if (status.endsWith('_FAILED') || /^(?:ROLLBACK|DELETE)_/.test(status)) {
    return { verdict: 'fault', message, mend: `${redeploy}; its events say what failed` };
  }
  if (/ROLLBACK/.test(status)) {
    const explained = `${message}: the last deployment failed, and the one before it runs`;
    return { verdict: 'warning', message: explained, mend: redeploy };
  }
  return { verdict: 'ok', message };
}

function judgeOutputs(missing: StackOutput[]): Finding[] {
  if (missing.length === 0) return [];
  const message = `deployed by an older version: no output ${missing.join(', ')}`;
  return [{ verdict: 'warning', message, mend: redeploy }];
}
