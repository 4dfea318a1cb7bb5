/**
 * Whether the policies that clients name are policies of the deployment, which tells them in its
 * stack's outputs.
 */

import * as z from 'zod/mini';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { usageError } from '../terminal/operator-error.ts';
import type { ClientRegistration } from './registration/client-registration.ts';

/** The members that name a policy, and the output whose members are the names there are. */
const policyOutputs = [
  ['notification_policy', 'NotificationPolicies'],
  ['flow_policy', 'FlowPolicies'],
] as const;

/**
 * A deployment without these outputs has no policies to choose from, and is not asked.
 * @throws OperatorError with a line for each client that names a policy the deployment does not
 * have
 */
export function assertPolicies(
  clients: readonly ClientRegistration[],
  outputs: Readonly<Record<string, string>>,
): void {
  const faults = policyOutputs.flatMap(([member, output]) => {
    const allowed = readNames(output, outputs[output]);
    if (allowed === undefined) return [];
    return clients.flatMap((client) => {
      const policy = client[member];
      if (policy === undefined || allowed.includes(policy)) return [];
      return [
        `client ${client.client_id} ${member}: ${policy} is no policy of this deployment; allowed: ${allowed.join(', ') || 'none'}`,
      ];
    });
  });
  if (faults.length > 0) throw usageError(faults.join('\n'));
}

const policies = z.record(z.string(), z.unknown());

function readNames(output: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  try {
    return Object.keys(policies.parse(parseStrictJson(text)));
  } catch (error) {
    throw new Error(`The stack's output ${output} is no JSON object`, { cause: error });
  }
}
