/** Notification policies and flow policies by their names, as settings and clients write them. */
import * as z from 'zod/mini';

/** What a policy may be called, for an operator. */
export const POLICY_NAME_RULE = '1 to 64 of a-z 0-9 -, a letter first';

export function isPolicyName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,63}$/.test(text);
}

/** The name of a policy that is defined. */
export const policyName = z
  .string()
  .check(
    z.refine(isPolicyName, { error: `is no name of a policy; a name is ${POLICY_NAME_RULE}` }),
  );

/** Every policy of one kind that the deployment has, and the one of clients that name none. */
export function policiesOf<Policy extends z.ZodMiniType>(policy: Policy) {
  return z
    .object({ byDefault: z.string(), policies: z.record(policyName, policy) })
    .check(z.refine(({ byDefault, policies }) => byDefault in policies));
}
