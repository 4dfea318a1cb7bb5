/**
 * The names by which the rooms find each other in AWS: those that are stored in the tables, and
 * those of a deployment. Functions and command line read and write by them; the constructs define
 * tables and rights by them. A stored name never changes, because items outlive a deployment.
 */
import type { KeyKind } from '../ciba/keys/key-rotation.ts';

/** The attribute that is the partition key of each table. */
export const partitionKey = { requests: 'ref', directory: 'pk', keys: 'pk' } as const;

/** The attribute, epoch seconds, after which DynamoDB removes an item of the table of requests. */
export const TIME_TO_LIVE = 'ttl';

/**
 * The attributes of a request that are stored under a shorter name. Names count, and an item stays
 * below 1,024 bytes, so that a poll costs one write unit. The other attributes are short already,
 * or keys of an index.
 */
export const storedNames = {
  secretHash: 'sh',
  contactVersion: 'cv',
  scope: 'sc',
  bindingMessage: 'bm',
  flow: 'fl',
  decoy: 'dc',
  interval: 'iv',
  firstInterval: 'fi',
  polledAt: 'pa',
  polls: 'pn',
  linkNonce: 'ln',
  mailClaimId: 'mc',
  mailClaimUntil: 'mu',
  mailedAt: 'ma',
  mailFailure: 'mf',
  mailFailedAt: 'mx',
  wrongCodes: 'wc',
  wrongCodeAttempt: 'wa',
  decidedAt: 'da',
  /**
   * Marks what the user has denied. A caller who may write the status and not this mark cannot make
   * an approval of a denial.
   */
  isDenied: 'dn',
  decidedFrom: 'df',
  decidedWith: 'dw',
  reported: 'rd',
  failedAt: 'fa',
  redeemedAt: 'ra',
  attemptId: 'ai',
  replayedAt: 'rp',
  revokedAt: 'rv',
  refreshHash: 'rh',
  refreshEndsAt: 're',
} as const;

/** The members of a request that are attributes of other names, or of two. */
const membersApart = {
  forgetAt: [TIME_TO_LIVE],
  mailFailure: ['mailFailure', 'mailFailedAt'],
  decisionOrigin: ['decidedFrom', 'decidedWith'],
} as const;

/** The attributes that a member of a request is stored in, by the names they are stored under. */
export function attributesOfMember(member: string): string[] {
  const names: Record<string, string> = storedNames;
  const apart: Record<string, readonly string[]> = membersApart;
  return (apart[member] ?? [member]).map((name) => names[name] ?? name);
}

/** The index of the requests by day, which lists a day's requests in the order they came. */
export const requestsByDay = {
  name: 'byDay',
  partitionKey: 'day',
  sortKey: 'createdAt',
  /**
   * What it holds beside its keys. These facts never change, so a transition writes the table
   * alone.
   */
  facts: ['clientId', 'sub', 'expiresAt'],
} as const;

/** The beginnings of the other keys in the table of requests; a ref is 26 letters and digits. */
export const besideRequests = {
  /** `jti`s that are used up. */
  usedTokenId: 'jti#',
  /** How often each user was asked. */
  asked: 'asked#',
  /** The mails of a day: of all clients, and of each client. */
  mails: 'mails#',
  clientMails: 'client-mails#',
} as const;

/** The partition keys of the directory; with `'*'` as id, the pattern of all keys of a kind. */
export const directoryKey = {
  client: (clientId: string) => `client#${clientId}`,
  user: (sub: string) => `user#${sub}`,
  /**
   * By user name or address in normal form. It leads to a user, whose own item says whether it
   * still does.
   */
  login: (login: string) => `login#${login}`,
  /** The logo that the client's item refers to by its hash. */
  logo: (clientId: string) => `logo#${clientId}`,
  publicKeys: 'jwks',
} as const;

/**
 * The partition keys of the table of keys. A kind has one item, so a role can be given one kind.
 */
export const keyItem = {
  ES256: 'signing#ES256',
  RS256: 'signing#RS256',
  link: 'link',
  wrap: 'wrap',
} as const satisfies Record<KeyKind, string>;

/** The ids of constructs that CloudFormation makes names of which the command line looks for. */
export const constructIds = {
  tables: 'Tables',
  requests: 'Requests',
  directory: 'Directory',
  keys: 'Keys',
  alarms: 'Alarms',
} as const;

/** The longest name of a stack that CloudFormation takes. */
export const STACK_NAME_LENGTH = 128;

/** The name that a stack has unless its settings say otherwise. */
export const DEFAULT_STACK = 'CibaProvider';

/** The stack's outputs that commands ask for. */
export const stackOutputs = [
  'ApiEndpoint',
  'BackchannelAuthenticationEndpoint',
  'ConfigurationSet',
  'DirectoryTable',
  'FlowPolicies',
  'FlowPolicy',
  'Flows',
  'Issuer',
  'KeyRotationDays',
  'KeysTable',
  'NotificationPolicies',
  'NotificationPolicy',
  'NotificationTemplates',
  'RequestsTable',
  'RevokeRefreshTokenFunction',
  'RotateKeysFunction',
  'Sender',
  'TemplatePrefix',
  'TokenEndpoint',
] as const;

export type StackOutput = (typeof stackOutputs)[number];
