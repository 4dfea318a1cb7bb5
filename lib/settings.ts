/**
 * The settings of a deployment: one schema over the CDK context, that is `cdk.json` and `-c key=value`.
 * A wrong value and an unknown key stop synth with a line that names the setting and what is allowed.
 */
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';

/** Longest life of a request in seconds: ASVS 5.0, 6.5 gives out-of-band authentication ten minutes. */
const LONGEST_LIFE = 600;

/** SES allows 64 characters in a template's name, and ours is `<stack>-ciba-without-binding-message`. */
const stackNamePattern = /^[A-Za-z][A-Za-z0-9-]{0,34}$/;

const snsTopicArnPattern = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;

/** An audience (RFC 7519, 4.1.3) that needs no escaping anywhere. */
const audiencePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;

/** No character that would end a quoted display name (RFC 5322, 3.2.4), and none that cannot be seen. */
const senderNamePattern = /^[^\p{C}\p{Zl}\p{Zp}"\\<>]+$/u;

/** What one encoded word (RFC 2047, 2) holds, in bytes of UTF-8. */
const SENDER_NAME_BYTES = 45;

const logRetentions: number[] = Object.values(RetentionDays).filter(
  (days) => typeof days === 'number' && days !== RetentionDays.INFINITE,
);

/** Context arrives as JSON from files and as text from the command line. */
const numeric = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);

/** The description of each setting completes the sentence "… must be". */
const settingsSchema = z.strictObject({
  /**
   * The issuer identifier (OpenID Connect Core, 2), and what the links in the mails begin with.
   * @default the address of the stack's own HTTP API
   */
  issuer: z
    .string()
    .refine(isIssuer)
    .optional()
    .describe(
      'an https origin without path, query, fragment or slash at its end, http://localhost:PORT or http://127.0.0.1:PORT',
    ),

  /** The address that mails come from; SES must have verified it or its domain. */
  senderAddress: z.email().describe('one e-mail address, such as approvals@example.com'),

  /**
   * The name beside that address.
   * @default none, the address alone
   */
  senderName: z
    .string()
    .regex(senderNamePattern)
    .refine((name) => Buffer.byteLength(name) <= SENDER_NAME_BYTES)
    .optional()
    .describe(
      `at most ${SENDER_NAME_BYTES} bytes of text without control characters and without " \\ < >`,
    ),

  /**
   * Whether SES knows the sender already. `create` makes an identity of the address and keeps it when the stack goes;
   * SES then mails a link to it that has to be opened once.
   * @default existing
   */
  senderIdentity: z.enum(['existing', 'create']).default('existing').describe('existing or create'),

  /**
   * Lifetime of a request in seconds, unless its client registered another or the request asks for one.
   * @default 120
   */
  expiresIn: wholeNumber(1, LONGEST_LIFE, 120),

  /**
   * Least time between two polls in seconds (CIBA Core, 7.3), unless the client registered another.
   * @default 2
   */
  interval: wholeNumber(1, 60, 2),

  /**
   * The shortest lifetime that `requested_expiry` can ask for, in seconds.
   * @default 10
   */
  minExpiresIn: wholeNumber(1, LONGEST_LIFE, 10),

  /**
   * The longest lifetime that `requested_expiry` can ask for, in seconds.
   * @default 600
   */
  maxExpiresIn: wholeNumber(1, LONGEST_LIFE, LONGEST_LIFE),

  /**
   * The `aud` of access tokens (RFC 9068, 3): the resource server they are for.
   * @default the issuer
   */
  accessTokenAudience: z
    .string()
    .regex(audiencePattern)
    .optional()
    .describe('1 to 255 printable ASCII characters without space, " and \\'),

  /**
   * How long a request can be looked up after its end, in days.
   * @default 30
   */
  auditRetentionDays: wholeNumber(1, 3653, 30),

  /**
   * How long the logs are kept, in days.
   * @default 30
   */
  logRetentionDays: numeric
    .refine((days) => logRetentions.includes(days))
    .default(RetentionDays.ONE_MONTH)
    .describe(`one of ${logRetentions.join(', ')}`),

  /**
   * Which events of the notification flow are logged; none of them carries data. ALL costs about $4 per million flows.
   * @default ERROR
   */
  flowLogLevel: z
    .enum(['OFF', 'ERROR', 'FATAL', 'ALL'])
    .default('ERROR')
    .describe('OFF, ERROR, FATAL or ALL'),

  /**
   * Requests per second that the HTTP API lets through, over all clients.
   * @default 2000
   */
  throttleRate: wholeNumber(1, 10_000, 2000),

  /**
   * Requests that may come at once above that rate.
   * @default 1000
   */
  throttleBurst: wholeNumber(1, 5000, 1000),

  /**
   * The SNS topic that alarms are sent to.
   * @default none, alarms only show in CloudWatch
   */
  alarmTopicArn: z
    .string()
    .regex(snsTopicArnPattern)
    .optional()
    .describe('the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:111122223333:alarms'),

  /**
   * The name of the CloudFormation stack; a second deployment in the same account and region needs another.
   * @default CibaProvider
   */
  stackName: z
    .string()
    .regex(stackNamePattern)
    .default('CibaProvider')
    .describe('1 to 35 letters, digits and hyphens, a letter first'),
});

/** The settings of one deployment, checked, with every default in place. */
export type Settings = z.output<typeof settingsSchema>;

/** Settings, or a line for each mistake that names the setting and what is allowed. */
export type ParsedSettings = { settings: Settings } | { mistakes: string[] };

/** Reads the settings from the whole context of an app; keys of CDK itself (they contain `:`, `@` or `/`) are left alone. */
export function parseSettings(context: Record<string, unknown>): ParsedSettings {
  const own = Object.fromEntries(Object.entries(context).filter(([key]) => !/[:@/]/.test(key)));
  const parsed = settingsSchema.safeParse(own);
  if (!parsed.success) {
    return { mistakes: parsed.error.issues.flatMap((issue) => describeIssue(issue, own)) };
  }
  const mistakes = findContradictions(parsed.data);
  return mistakes.length > 0 ? { mistakes } : { settings: parsed.data };
}

function wholeNumber(least: number, most: number, byDefault: number) {
  return numeric
    .pipe(z.int().min(least).max(most))
    .default(byDefault)
    .describe(`a whole number from ${least} to ${most}`);
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

function describeIssue(issue: z.core.$ZodIssue, context: Record<string, unknown>): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = [...allowedSettings.keys()].join(', ');
    return issue.keys.map((key) => `Setting ${key} is unknown; the settings are ${known}.`);
  }
  const key = String(issue.path[0]);
  const found = key in context ? `it is ${JSON.stringify(context[key])}` : 'it is missing';
  return [`Setting ${key} must be ${allowedSettings.get(key)}; ${found}.`];
}

/** What each setting alone cannot show. */
function findContradictions(settings: Settings): string[] {
  const { minExpiresIn, expiresIn, maxExpiresIn } = settings;
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
  return [];
}
