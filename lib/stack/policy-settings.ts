/**
 * The policies of a deployment as its settings name them: how often users may be asked, and over
 * which flows requests are distributed. A client names one of each kind; one that names none goes
 * by the default.
 */
import * as z from 'zod';
import { parseStrictJson } from '../../lambdas/ciba/jwt/strict-json.ts';
import {
  type FlowPolicies,
  type FlowPolicy,
  flowPolicy,
} from '../../lambdas/ciba/policy/flow-policy.ts';
import {
  type NotificationPolicies,
  type NotificationPolicy,
  notificationPolicy,
} from '../../lambdas/ciba/policy/notification-policy.ts';
import { isPolicyName, policyName } from '../../lambdas/ciba/policy/policy-name.ts';
import { MAIN_FLOW } from '../flows/flow-definitions.ts';

/** What every deployment has; a setting of the same name takes its place. */
export const builtInNotificationPolicies = {
  standard: {
    mailsPerUserPerMinute: 5,
    mailsPerUserPerDay: 20,
    pendingPerUser: 3,
    denialsBeforePause: 2,
    denialWindowSeconds: 600,
    pauseSeconds: 1800,
    muteSeconds: 86_400,
  },
  none: {},
} satisfies Record<string, NotificationPolicy>;
const builtInFlowPolicies: Record<string, FlowPolicy> = {
  standard: { [MAIN_FLOW]: 100 },
  'generic-mail': { 'ciba-generic-mail-flow': 100 },
};

/** The policy of either kind that clients go by which name none, unless a setting says another. */
export const DEFAULT_POLICY = 'standard';

export const namedPolicy = z.string().refine(isPolicyName).default(DEFAULT_POLICY);

/**
 * Policies by their names: as an object, or as the JSON of one, which is how the command line gives
 * it.
 */
function named<Policy extends z.core.SomeType>(policy: Policy) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? (parseStrictJson(value) ?? value) : value),
    z.record(policyName, policy, { error: 'must be an object of policies by their names' }),
  );
}

export const notificationPolicies = named(notificationPolicy)
  .optional()
  .transform(
    (policies): Record<string, NotificationPolicy> => ({
      ...builtInNotificationPolicies,
      ...policies,
    }),
  );

export const flowPolicies = named(flowPolicy)
  .optional()
  .transform((policies) => ({ ...builtInFlowPolicies, ...policies }));

/** The policies of the settings. */
export interface PolicySettings {
  notificationPolicy: string;
  notificationPolicies: Record<string, NotificationPolicy>;
  flowPolicy: string;
  flowPolicies: Record<string, FlowPolicy>;
}

/** A default that is no policy. */
export function findPolicyContradictions(settings: PolicySettings): string[] {
  const kinds = [
    ['notificationPolicy', settings.notificationPolicy, settings.notificationPolicies],
    ['flowPolicy', settings.flowPolicy, settings.flowPolicies],
  ] as const;
  return kinds
    .filter(([, name, policies]) => !(name in policies))
    .map(
      ([key, name, policies]) =>
        `Setting ${key} must be one of ${Object.keys(policies).join(', ')}; it is ${name}.`,
    );
}

/** Flows that a policy names and the deployment does not have; a request would start nothing. */
export function findUnknownFlows(
  { flowPolicies: policies }: PolicySettings,
  flows: readonly string[],
): string[] {
  return Object.entries(policies).flatMap(([policy, weights]) =>
    Object.keys(weights)
      .filter((flow) => !flows.includes(flow))
      .map(
        (flow) =>
          `Setting flowPolicies.${policy} names the flow ${flow}; the flows are ${flows.join(', ')}.`,
      ),
  );
}

/** The notification policies as the function takes them. */
export function notificationPoliciesSetting(settings: PolicySettings): NotificationPolicies {
  return { byDefault: settings.notificationPolicy, policies: settings.notificationPolicies };
}

/** The flow policies as the function takes them. */
export function flowPoliciesSetting(settings: PolicySettings): FlowPolicies {
  return { byDefault: settings.flowPolicy, policies: settings.flowPolicies };
}
