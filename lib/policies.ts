/**
 * The policies of a deployment as its settings name them: how often users may be asked, and over which flows requests are
 * distributed. A client names one of each kind; one that names none goes by the default.
 */
import * as z from 'zod';
import type {
  FlowPoliciesSetting,
  NotificationLimit,
  NotificationPoliciesSetting,
} from '../lambdas/handlers/environment.ts';

/** What every deployment has; a setting of the same name takes its place. */
const builtInNotificationPolicies: Record<string, NotificationPolicy> = {
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
};
const builtInFlowPolicies: Record<string, FlowPolicy> = {
  standard: { 'ciba-flow': 100 },
  'generic-mail': { 'ciba-generic-mail-flow': 100 },
};

/** The policy of either kind that clients go by which name none, unless a setting says another. */
export const DEFAULT_POLICY = 'standard';

const namePattern = /^[a-z][a-z0-9-]{0,63}$/;
const NAME_RULE = '1 to 64 of a-z 0-9 -, a letter first';

const LARGEST_WEIGHT = 10_000;

export const policyName = z.string().regex(namePattern).default(DEFAULT_POLICY);

function limit(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.int({ error: message }).min(least, message).max(most, message).optional();
}

/** The bounds are those of the function that reads them, which refuses to start beyond. */
const limits = {
  mailsPerUserPerMinute: limit(1, 30),
  mailsPerUserPerDay: limit(1, 1000),
  pendingPerUser: limit(1, 30),
  denialsBeforePause: limit(1, 10),
  denialWindowSeconds: limit(60, 3600),
  pauseSeconds: limit(60, 86_400),
  muteSeconds: limit(60, 86_400),
  mailsPerDay: limit(1, 100_000_000),
} satisfies Record<NotificationLimit, z.ZodType>;

const pause = ['denialsBeforePause', 'denialWindowSeconds', 'pauseSeconds'] as const;

const notificationPolicy = z
  .strictObject(limits, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has the unknown limit ${issue.keys.join(', ')}; the limits are ${Object.keys(limits).join(', ')}`
        : 'must be an object of limits',
  })
  .refine(
    (policy) => new Set(pause.map((member) => policy[member] === undefined)).size === 1,
    `must have all of ${pause.join(', ')} or none`,
  );

/** Limits on asking users; each may be left out. */
export type NotificationPolicy = z.output<typeof notificationPolicy>;

const flowPolicy = z
  .record(
    z.string(),
    z
      .int({ error: `must be a whole number from 0 to ${LARGEST_WEIGHT}` })
      .min(0, `must be a whole number from 0 to ${LARGEST_WEIGHT}`)
      .max(LARGEST_WEIGHT, `must be a whole number from 0 to ${LARGEST_WEIGHT}`),
    { error: 'must be an object of weights by the names of flows' },
  )
  .refine(
    (weights) => Object.values(weights).some((weight) => weight > 0),
    'must give one flow a weight above 0',
  );

/** Weights by the names of flows. */
export type FlowPolicy = z.output<typeof flowPolicy>;

/** Policies by their names: as an object, or as the JSON of one, which is how the command line gives it. */
function named<Policy extends z.ZodType>(policy: Policy) {
  return z.preprocess(
    parseJson,
    z.record(
      z.string().regex(namePattern, `is no name of a policy; a name is ${NAME_RULE}`),
      policy,
      { error: 'must be an object of policies by their names' },
    ),
  );
}

function parseJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

export const notificationPolicies = named(notificationPolicy)
  .optional()
  .transform((policies) => ({ ...builtInNotificationPolicies, ...policies }));

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
export function notificationPoliciesSetting(settings: PolicySettings): NotificationPoliciesSetting {
  return { byDefault: settings.notificationPolicy, policies: settings.notificationPolicies };
}

/** The flow policies as the function takes them. */
export function flowPoliciesSetting(settings: PolicySettings): FlowPoliciesSetting {
  return { byDefault: settings.flowPolicy, policies: settings.flowPolicies };
}
