/**
 * The settings of a deployment: one schema over the CDK context, that is `cdk.json` and
 * `-c key=value`. A wrong value and an unknown key stop synth with a line that names the setting
 * and what is allowed.
 */

import { Token } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { DEFAULT_STACK } from '../../lambdas/aws/formats.ts';
import { EXPIRES_IN_BOUNDS, INTERVAL_BOUNDS } from '../../lambdas/ciba/client/client.ts';
import { isHostName } from '../../lambdas/ciba/host-name.ts';
import type { FlowPolicy } from '../../lambdas/ciba/policy/flow-policy.ts';
import type { NotificationPolicy } from '../../lambdas/ciba/policy/notification-policy.ts';
import { AUDIT_RETENTION_DAYS } from '../../lambdas/ciba/request/authentication-request.ts';
import {
  type DecisionOriginDetail,
  decisionOriginDetails,
} from '../../lambdas/ciba/request/decision-origin.ts';
import { EMAIL_LENGTH, EMAIL_LOCAL_LENGTH } from '../../lambdas/ciba/user/login.ts';
import { DEPLOYMENT_NAME_LENGTH } from '../notification-templates/compile.ts';
import { nearestName } from './nearest-name.ts';
import {
  findPolicyContradictions,
  flowPolicies,
  namedPolicy,
  notificationPolicies,
} from './policy-settings.ts';

/** What a deployment may be called: the names of its templates in SES begin with its name. */
export const DEPLOYMENT_NAME_RULE = `1 to ${DEPLOYMENT_NAME_LENGTH} letters, digits and hyphens, a letter first`;
export const deploymentNamePattern = new RegExp(
  `^[A-Za-z][A-Za-z0-9-]{0,${DEPLOYMENT_NAME_LENGTH - 1}}$`,
);

/** A mailbox as SMTP takes it (RFC 5321, 4.5.3.1). */
const mailboxLengths = new RegExp(`^(?=.{1,${EMAIL_LENGTH}}$)[^@]{1,${EMAIL_LOCAL_LENGTH}}@`);

const certificateArnPattern =
  /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]{1,64}$/;

const hostedZoneIdPattern = /^Z[A-Z0-9]{1,31}$/;

const snsTopicArnPattern = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;

/** An audience (RFC 7519, 4.1.3) that needs no escaping anywhere. */
const audiencePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;

/**
 * No character that would end a quoted display name (RFC 5322, 3.2.4), and none that cannot be
 * seen.
 */
const senderNamePattern = /^[^\p{C}\p{Zl}\p{Zp}"\\<>]+$/u;

/** What one encoded word (RFC 2047, 2) holds, in bytes of UTF-8. */
const SENDER_NAME_BYTES = 45;

const logRetentions: number[] = Object.values(RetentionDays).filter(
  (days) => typeof days === 'number' && days !== RetentionDays.INFINITE,
);

/** Context arrives as JSON from files and as text from the command line. */
const numeric = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);

/** The settings of a provider, as the context of this app or the props of another give them. */
export interface ProviderSettings {
  /**
   * The issuer identifier (OpenID Connect Core, 2), and what the links in the mails begin with.
   * @default the custom domain, or else the address of the stack's own HTTP API
   */
  issuer?: string | undefined;

  /**
   * A host name of the operator's own for the HTTP API, whose default address then answers nothing.
   * The issuer follows it.
   * @default none
   */
  customDomain?: string | undefined;

  /**
   * The certificate for the custom domain: one of ACM, issued, in the region of the stack.
   * @default none
   */
  certificateArn?: string | undefined;

  /**
   * The public hosted zone of Route 53 that gets the addresses of the custom domain.
   * @default none, the operator's DNS leads to the stack's output CustomDomainTarget
   */
  hostedZoneId?: string | undefined;

  /**
   * The name of that zone: the custom domain itself or a domain above it.
   * @default none
   */
  hostedZoneName?: string | undefined;

  /** The address that mails come from; SES must have verified it or its domain. */
  senderAddress: string;

  /**
   * The name beside that address.
   * @default none, the address alone
   */
  senderName?: string | undefined;

  /**
   * Whether SES knows the sender already. `create` makes an identity of the address and keeps it
   * when the stack goes; SES then mails a link to it that has to be opened once.
   * @default existing
   */
  senderIdentity?: 'existing' | 'create' | undefined;

  /**
   * Lifetime of a request in seconds, unless its client registered another or the request asks for
   * one.
   * @default 120
   */
  expiresIn?: number | undefined;

  /**
   * Least time between two polls in seconds (CIBA Core, 7.3), unless the client registered another.
   * @default 2
   */
  interval?: number | undefined;

  /**
   * The shortest lifetime that `requested_expiry` can ask for, in seconds.
   * @default 10
   */
  minExpiresIn?: number | undefined;

  /**
   * The longest lifetime that `requested_expiry` can ask for, in seconds.
   * @default 600
   */
  maxExpiresIn?: number | undefined;

  /**
   * The `aud` of access tokens (RFC 9068, 3): the resource server they are for.
   * @default the issuer
   */
  accessTokenAudience?: string | undefined;

  /**
   * How long a request can be looked up after its end, in days.
   * @default 30
   */
  auditRetentionDays?: number | undefined;

  /**
   * What is kept with a request of where its user decided: `coarse`, the network of the address by
   * its first 16 bits (32 of IPv6), which is of the size of a country, and the family of the
   * browser; `full`, the address and what the browser says of itself; or nothing. It goes with the
   * request.
   * @default coarse
   */
  recordDecisionOrigin?: DecisionOriginDetail | undefined;

  /**
   * The notification policy of clients that name none.
   * @default standard
   */
  notificationPolicy?: string | undefined;

  /**
   * How often users may be asked, by the name of the policy that a client names. `standard` and
   * `none` are always there; one given here under such a name takes its place.
   * @default standard and none
   */
  notificationPolicies?: Record<string, NotificationPolicy> | undefined;

  /**
   * The flow policy of clients that name none.
   * @default standard
   */
  flowPolicy?: string | undefined;

  /**
   * Over which flows requests are distributed: weights by the names of flows, by the name of the
   * policy that a client names. `standard` and `generic-mail` are always there; one given here
   * under such a name takes its place.
   * @default all of them to ciba-flow by standard, and to ciba-generic-mail-flow by generic-mail
   */
  flowPolicies?: Record<string, FlowPolicy> | undefined;

  /**
   * How old the newest signing, link or wrapping key becomes before another is made, in days. A new
   * signing or link key waits for a day before it is used; what the old ones made stays valid.
   * @default 90
   */
  keyRotationDays?: number | undefined;

  /**
   * How long the logs are kept, in days.
   * @default 30
   */
  logRetentionDays?: number | undefined;

  /**
   * Which events of the notification flow are logged; none of them carries data. ALL costs about $4
   * per million flows.
   * @default ERROR
   */
  flowLogLevel?: 'OFF' | 'ERROR' | 'FATAL' | 'ALL' | undefined;

  /**
   * Requests per second that the HTTP API lets through on each route without a rate of its own,
   * over all clients. The defaults of all routes together stay below the account's quota (10,000 a
   * second, 5,000 at once): none starves another.
   * @default 500
   */
  throttleRate?: number | undefined;

  /**
   * Requests that may come at once above that rate.
   * @default 250
   */
  throttleBurst?: number | undefined;

  /**
   * Requests per second on the token endpoint, which every waiting client polls.
   * @default 4000
   */
  tokenThrottleRate?: number | undefined;

  /**
   * Requests to the token endpoint that may come at once above that rate.
   * @default 2000
   */
  tokenThrottleBurst?: number | undefined;

  /**
   * Requests per second on the backchannel authentication endpoint, on each of its two paths.
   * @default 1000
   */
  authorizeThrottleRate?: number | undefined;

  /**
   * Requests to each path of the backchannel authentication endpoint that may come at once above
   * that rate.
   * @default 500
   */
  authorizeThrottleBurst?: number | undefined;

  /**
   * Requests per second on the approval page: a user's visit is two, and a mail scanner's one more.
   * @default 2000
   */
  approveThrottleRate?: number | undefined;

  /**
   * Requests to the approval page that may come at once above that rate.
   * @default 1000
   */
  approveThrottleBurst?: number | undefined;

  /**
   * Concurrent runs of Lambda that the approval page has for itself, whatever the other functions
   * use up. Lambda wants 100 left for those: a new account refuses it until its quota is raised.
   * @default none, all functions share the account's
   */
  approveReservedConcurrency?: number | undefined;

  /**
   * What the stack is deployed to. `emulator` leaves out the one type that MiniStack refuses, SES
   * templates, which then have to be made by API; it changes nothing else.
   * @default aws
   */
  target?: 'aws' | 'emulator' | undefined;

  /**
   * The SNS topic that alarms are sent to.
   * @default none, alarms only show in CloudWatch
   */
  alarmTopicArn?: string | undefined;
}

/** The rule of each setting, whose description completes the sentence "… must be". */
const providerSettingsSchema = z.strictObject({
  issuer: z
    .string()
    .refine(isIssuer)
    .optional()
    .describe(
      'an https origin without path, query, fragment or slash at its end, http://localhost:PORT or http://127.0.0.1:PORT',
    ),
  customDomain: z
    .string()
    .refine(isHostName)
    .optional()
    .describe('a host name in lower case, such as login.example.com'),
  certificateArn: resourceName(certificateArnPattern)
    .optional()
    .describe(
      'the ARN of an ACM certificate, such as arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef',
    ),
  hostedZoneId: resourceName(hostedZoneIdPattern)
    .optional()
    .describe('the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ'),
  hostedZoneName: z
    .string()
    .refine(isHostName)
    .optional()
    .describe('a host name in lower case, such as example.com'),
  senderAddress: z
    .email({ abort: true })
    .regex(mailboxLengths)
    .describe('one e-mail address, such as approvals@example.com'),
  senderName: z
    .string()
    .regex(senderNamePattern)
    .refine((name) => Buffer.byteLength(name) <= SENDER_NAME_BYTES)
    .optional()
    .describe(
      `at most ${SENDER_NAME_BYTES} bytes of text without control characters and without " \\ < >`,
    ),
  senderIdentity: z.enum(['existing', 'create']).default('existing').describe('existing or create'),
  expiresIn: wholeNumber(1, EXPIRES_IN_BOUNDS.max, 120),
  interval: wholeNumber(INTERVAL_BOUNDS.min, INTERVAL_BOUNDS.max, 2),
  minExpiresIn: wholeNumber(1, EXPIRES_IN_BOUNDS.max, 10),
  maxExpiresIn: wholeNumber(1, EXPIRES_IN_BOUNDS.max, EXPIRES_IN_BOUNDS.max),
  accessTokenAudience: z
    .string()
    .regex(audiencePattern)
    .optional()
    .describe('1 to 255 printable ASCII characters without space, " and \\'),
  auditRetentionDays: wholeNumber(AUDIT_RETENTION_DAYS.min, AUDIT_RETENTION_DAYS.max, 30),
  recordDecisionOrigin: z
    .enum(decisionOriginDetails)
    .default('coarse')
    .describe('none, coarse or full'),
  notificationPolicy: namedPolicy.describe('the name of a notification policy'),
  notificationPolicies: notificationPolicies.describe(
    'an object of notification policies by their names, or the JSON of one',
  ),
  flowPolicy: namedPolicy.describe('the name of a flow policy'),
  flowPolicies: flowPolicies.describe(
    'an object of flow policies by their names, or the JSON of one',
  ),
  keyRotationDays: wholeNumber(1, 365, 90),
  logRetentionDays: numeric
    .refine((days) => logRetentions.includes(days))
    .default(RetentionDays.ONE_MONTH)
    .describe(`one of ${logRetentions.join(', ')}`),
  flowLogLevel: z
    .enum(['OFF', 'ERROR', 'FATAL', 'ALL'])
    .default('ERROR')
    .describe('OFF, ERROR, FATAL or ALL'),
  throttleRate: throttle(500),
  throttleBurst: throttle(250),
  tokenThrottleRate: throttle(4000),
  tokenThrottleBurst: throttle(2000),
  authorizeThrottleRate: throttle(1000),
  authorizeThrottleBurst: throttle(500),
  approveThrottleRate: throttle(2000),
  approveThrottleBurst: throttle(1000),
  approveReservedConcurrency: numeric
    .pipe(z.int().min(1).max(100_000))
    .optional()
    .describe('a whole number from 1 to 100000'),
  target: z.enum(['aws', 'emulator']).default('aws').describe('aws or emulator'),
  alarmTopicArn: resourceName(snsTopicArnPattern)
    .optional()
    .describe('the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:111122223333:alarms'),
} satisfies Record<keyof ProviderSettings, z.ZodType>);

/** Those and what the stack adds that a provider of its own stands in. */
const settingsSchema = providerSettingsSchema.extend({
  /**
   * The name of the CloudFormation stack; a second deployment in the same account and region needs
   * another.
   * @default CibaProvider
   */
  stackName: z
    .string()
    .regex(deploymentNamePattern)
    .default(DEFAULT_STACK)
    .describe(DEPLOYMENT_NAME_RULE),
});

/** The settings of one deployment, checked, with every default in place. */
export type Settings = z.output<typeof settingsSchema>;

/** The settings of a provider, checked, with every default in place. */
export type CheckedProviderSettings = z.output<typeof providerSettingsSchema>;

/**
 * What the settings ask for and AWS or this project would refuse: the message has a line for each
 * mistake.
 */
export class SettingsRefused extends Error {
  override readonly name = 'SettingsRefused';

  readonly mistakes: string[];

  constructor(mistakes: string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}

/** Settings, or a line for each mistake that names the setting and what is allowed. */
export type ParsedSettings<Checked = Settings> = { settings: Checked } | { mistakes: string[] };

/**
 * Reads the settings from the whole context of an app. The CDK's command line and other programs
 * keep keys there too: what is like no setting is left alone, and what is nearly one is a slip.
 */
export function parseSettings(context: Record<string, unknown>): ParsedSettings {
  const known = Object.keys(settingsSchema.shape);
  const own = Object.fromEntries(
    Object.entries(context).filter(([key]) => nearestName(key, known) !== undefined),
  );
  return parse(settingsSchema, known, own);
}

/**
 * Checks the settings that another app gives to its provider, which may come from plain JavaScript.
 */
export function parseProviderSettings(
  settings: ProviderSettings,
): ParsedSettings<CheckedProviderSettings> {
  return parse(providerSettingsSchema, Object.keys(providerSettingsSchema.shape), { ...settings });
}

function parse<Checked extends CheckedProviderSettings>(
  schema: z.ZodType<Checked>,
  known: string[],
  given: Record<string, unknown>,
): ParsedSettings<Checked> {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    return { mistakes: parsed.error.issues.flatMap((issue) => describeIssue(issue, given, known)) };
  }
  const mistakes = findContradictions(parsed.data);
  return mistakes.length > 0 ? { mistakes } : { settings: parsed.data };
}

/** An id or ARN of AWS, or a reference to one that another construct of the app will have. */
function resourceName(pattern: RegExp) {
  return z.string().refine((name) => Token.isUnresolved(name) || pattern.test(name));
}

function wholeNumber(least: number, most: number, byDefault: number) {
  return numeric
    .pipe(z.int().min(least).max(most))
    .default(byDefault)
    .describe(`a whole number from ${least} to ${most}`);
}

/** An account's quota of API Gateway can be raised, so the limit here only catches slips. */
function throttle(byDefault: number) {
  return wholeNumber(1, 1_000_000, byDefault);
}

function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname, port } = new URL(text);
  if (origin !== text) return false;
  if (protocol === 'https:') return true;
  const loopback = hostname === 'localhost' || hostname === '127.0.0.1';
  return protocol === 'http:' && loopback && port !== '';
}

const allowedSettings = new Map(
  Object.entries(settingsSchema.shape).map(([key, schema]) => [key, schema.description]),
);

function describeIssue(
  issue: z.core.$ZodIssue,
  context: Record<string, unknown>,
  known: string[],
): string[] {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    return issue.keys.map((key) => describeUnknown(key, known));
  }
  const key = String(issue.path[0]);
  if (issue.path.length > 1) return [`Setting ${issue.path.join('.')} ${sentenceOf(issue)}.`];
  const found = key in context ? `it is ${JSON.stringify(context[key])}` : 'it is missing';
  return [`Setting ${key} must be ${allowedSettings.get(key)}; ${found}.`];
}

function describeUnknown(key: string, known: string[]): string {
  const nearest = nearestName(key, known);
  const question = nearest === undefined ? '' : `did you mean ${nearest}? `;
  return `Setting ${key} is unknown; ${question}the settings are ${known.join(', ')}.`;
}

/** What is wrong inside of a setting, as its own rule says it. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

/** What each setting alone cannot show. */
function findContradictions(settings: CheckedProviderSettings): string[] {
  return [
    ...findLifetimeContradictions(settings),
    ...findDomainContradictions(settings),
    ...findPolicyContradictions(settings),
  ];
}

function findDomainContradictions(settings: CheckedProviderSettings): string[] {
  const { customDomain, issuer, certificateArn, hostedZoneId, hostedZoneName } = settings;
  if (customDomain === undefined) {
    return Object.entries({ certificateArn, hostedZoneId, hostedZoneName })
      .filter(([, value]) => value !== undefined)
      .map(([key]) => `Setting ${key} must be left out where customDomain is.`);
  }
  const mistakes: string[] = [];
  if (certificateArn === undefined) {
    mistakes.push(
      `Setting certificateArn must be ${allowedSettings.get('certificateArn')}, since customDomain is ${customDomain}; it is missing.`,
    );
  }
  if (issuer !== undefined && issuer !== `https://${customDomain}`) {
    mistakes.push(
      `Setting issuer must be https://${customDomain} or left out, since customDomain is ${customDomain}; it is ${issuer}.`,
    );
  }
  if ((hostedZoneId === undefined) !== (hostedZoneName === undefined)) {
    mistakes.push('Settings hostedZoneId and hostedZoneName must be given both or neither.');
  }
  if (hostedZoneName !== undefined && !`.${customDomain}`.endsWith(`.${hostedZoneName}`)) {
    mistakes.push(
      `Setting customDomain must be ${hostedZoneName} or a name below it, since hostedZoneName is ${hostedZoneName}; it is ${customDomain}.`,
    );
  }
  return mistakes;
}

function findLifetimeContradictions(settings: CheckedProviderSettings): string[] {
  const { minExpiresIn, expiresIn, maxExpiresIn, interval } = settings;
  if (minExpiresIn > maxExpiresIn) {
    return [
      `Setting minExpiresIn must be at most maxExpiresIn, which is ${maxExpiresIn}; it is ${minExpiresIn}.`,
    ];
  }
  if (expiresIn < minExpiresIn || expiresIn > maxExpiresIn) {
    return [
      `Setting expiresIn must be from minExpiresIn to maxExpiresIn, that is ${minExpiresIn} to ${maxExpiresIn}; it is ${expiresIn}.`,
    ];
  }
  if (interval >= minExpiresIn) {
    return [
      `Setting interval must be less than minExpiresIn, which is ${minExpiresIn}; it is ${interval}.`,
    ];
  }
  return [];
}
