/**
 * Settings for whoever tests the template: each one at its largest, and each one other than its
 * default. A setting that is missing here does not compile.
 */
import type { Settings } from '../../lib/stack/settings.ts';

/** Every setting of the context, beside those that contradict it. */
type EverySetting = Record<keyof Required<Settings>, unknown>;

const certificateArn = `arn:aws:acm:eu-west-1:111122223333:certificate/${'c'.repeat(64)}`;

/** A domain of its own, whose DNS the operator keeps. */
export const customDomain = { customDomain: 'login.bank.example', certificateArn };

/** The same, with the zone that its addresses are written to. */
export const customDomainInZone = {
  ...customDomain,
  hostedZoneId: 'Z0123456789ABCDEFGHIJ',
  hostedZoneName: 'bank.example',
};

/** None is as it is by default. */
export const otherSettings: EverySetting = {
  ...customDomainInZone,
  issuer: 'https://login.bank.example',
  senderAddress: 'approvals@bank.example',
  senderName: 'Bank & Söhne',
  senderIdentity: 'create',
  expiresIn: 60,
  interval: 5,
  minExpiresIn: 30,
  maxExpiresIn: 300,
  accessTokenAudience: 'https://api.bank.example/payments',
  auditRetentionDays: 90,
  recordDecisionOrigin: 'full',
  notificationPolicy: 'desk',
  notificationPolicies: { desk: { mailsPerUserPerMinute: 10 } },
  flowPolicy: 'canary',
  flowPolicies: { canary: { 'ciba-flow': 90, 'ciba-generic-mail-flow': 10 } },
  keyRotationDays: 30,
  logRetentionDays: 365,
  flowLogLevel: 'ALL',
  throttleRate: 10,
  throttleBurst: 20,
  tokenThrottleRate: 30,
  tokenThrottleBurst: 40,
  authorizeThrottleRate: 50,
  authorizeThrottleBurst: 60,
  approveThrottleRate: 70,
  approveThrottleBurst: 80,
  approveReservedConcurrency: 10,
  target: 'emulator',
  alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:alarms',
  stackName: 'Other-2',
};

/** A host name of 253 characters. */
const longestHostName = `${`${'h'.repeat(61)}.`.repeat(4)}abcde`;

/** Every limit of a notification policy, at its largest. */
export const fullNotificationPolicy = {
  mailsPerUserPerMinute: 30,
  mailsPerUserPerDay: 1000,
  pendingPerUser: 30,
  denialsBeforePause: 10,
  denialWindowSeconds: 3600,
  pauseSeconds: 86_400,
  muteSeconds: 86_400,
  mailsPerDay: 100_000_000,
};

/** So many full policies, by names of two characters. */
export function fullNotificationPolicies(count: number): Record<string, unknown> {
  const names = Array.from({ length: count }, (_, index) => `p${index.toString(36)}`);
  return Object.fromEntries(names.map((name) => [name, fullNotificationPolicy]));
}

/** How many of them a deployment takes whose other settings are at their largest. */
export const MOST_FULL_POLICIES = 13;

/** Each as large as it may be, as far as the others let it. */
export const largestSettings: EverySetting = {
  customDomain: longestHostName,
  certificateArn,
  hostedZoneId: `Z${'0'.repeat(31)}`,
  hostedZoneName: longestHostName,
  issuer: `https://${longestHostName}`,
  senderAddress: `${'a'.repeat(64)}@${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(63)}.exa`,
  senderName: 'ö'.repeat(22),
  senderIdentity: 'create',
  expiresIn: 600,
  interval: 60,
  minExpiresIn: 600,
  maxExpiresIn: 600,
  accessTokenAudience: 'a'.repeat(255),
  auditRetentionDays: 3653,
  recordDecisionOrigin: 'coarse',
  notificationPolicy: 'standard',
  notificationPolicies: fullNotificationPolicies(MOST_FULL_POLICIES),
  flowPolicy: 'generic-mail',
  flowPolicies: { ['f'.repeat(64)]: { 'ciba-flow': 10_000, 'ciba-generic-mail-flow': 10_000 } },
  keyRotationDays: 365,
  logRetentionDays: 3653,
  flowLogLevel: 'ERROR',
  throttleRate: 1_000_000,
  throttleBurst: 1_000_000,
  tokenThrottleRate: 1_000_000,
  tokenThrottleBurst: 1_000_000,
  authorizeThrottleRate: 1_000_000,
  authorizeThrottleBurst: 1_000_000,
  approveThrottleRate: 1_000_000,
  approveThrottleBurst: 1_000_000,
  approveReservedConcurrency: 100_000,
  target: 'aws',
  alarmTopicArn: `arn:aws:sns:ap-southeast-1:111122223333:${'t'.repeat(256)}`,
  stackName: 'S'.repeat(22),
};
