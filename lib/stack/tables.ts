/**
 * The three tables, the third under a KMS key of this deployment, with the rights that a function
 * can be given on each. Rights are written by hand, since CDK's grants give more than is used.
 */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import {
  attributesOfMember,
  besideRequests,
  constructIds,
  directoryKey,
  keyItem,
  partitionKey,
  requestsByDay,
  TIME_TO_LIVE,
} from '../../lambdas/aws/formats.ts';
import type { KeyKind } from '../../lambdas/ciba/keys/key-rotation.ts';
import { membersNamedBy, type Rule } from '../../lambdas/ciba/request/rule.ts';
import {
  claimingMail,
  failing,
  failingByMail,
  notingMailFailure,
  recordingMailed,
  releasingMail,
  revoking,
} from '../../lambdas/ciba/request/rules.ts';
import type { User } from '../../lambdas/ciba/user/user.ts';

/** What a function may do to requests that it names. */
export type RequestAction = 'BatchGetItem' | 'GetItem' | 'PutItem' | 'UpdateItem';

/** The kinds of items in the directory. */
export type DirectoryItem = keyof typeof directoryKey;

/**
 * The rules of a function that writes nothing but them; what they are made with does not count
 * here.
 */
const rulesOf = {
  revoking: [revoking(0)],
  mailing: [
    claimingMail({ ref: '', claimId: '', linkNonce: '', now: 0, until: 0 }),
    recordingMailed('', 0),
    releasingMail(''),
  ],
  failing: [failing('flow_error', 0)],
  hearingOfMail: [failingByMail('mail_bounced', 0), notingMailFailure('mail_bounced', 0)],
} satisfies Record<string, Rule<string>[]>;

/** State outlives the stack: what holds it is neither deleted with it nor by a slip of the hand. */
const stateful = {
  billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
} as const;

export class Tables extends Construct {
  /** One item per authentication request, which is also its audit. */
  readonly requests: dynamodb.Table;

  /** Clients and their logos, users, the logins that lead to them, and the public keys. */
  readonly directory: dynamodb.Table;

  /** Private signing keys, the link keys and the keys that wrap client secrets. */
  readonly keys: dynamodb.Table;

  readonly #encryptionKey: Key;

  constructor(scope: Construct, id: string) {
    super(scope, id);

    this.requests = new dynamodb.Table(this, constructIds.requests, {
      ...stateful,
      partitionKey: { name: partitionKey.requests, type: dynamodb.AttributeType.STRING },
      timeToLiveAttribute: TIME_TO_LIVE,
    });
    this.requests.addGlobalSecondaryIndex({
      indexName: requestsByDay.name,
      partitionKey: { name: requestsByDay.partitionKey, type: dynamodb.AttributeType.STRING },
      sortKey: { name: requestsByDay.sortKey, type: dynamodb.AttributeType.NUMBER },
      projectionType: dynamodb.ProjectionType.INCLUDE,
      nonKeyAttributes: [...requestsByDay.facts],
    });

    this.directory = new dynamodb.Table(this, constructIds.directory, {
      ...stateful,
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
    });

    this.#encryptionKey = new Key(this, 'KeysEncryption', {
      description: 'Encrypts the signing keys and the link key of the CIBA provider',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.keys = new dynamodb.Table(this, constructIds.keys, {
      ...stateful,
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.#encryptionKey,
    });
  }

  /** The right to do this to any request. */
  allowOnRequests(...actions: RequestAction[]): PolicyStatement {
    return new PolicyStatement({
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: [this.requests.tableArn],
    });
  }

  /** The right to write of any request that its refresh token has ended. */
  allowRevokingRefreshTokens(): PolicyStatement {
    return this.#allowWritingBy(rulesOf.revoking);
  }

  /**
   * The right to claim the mail of any request, and to write that it was sent; whoever claims it is
   * given the request.
   */
  allowMailing(): PolicyStatement {
    return this.#allowWritingBy(rulesOf.mailing, ['ALL_NEW', 'NONE']);
  }

  /** The right to write of any request that its flow has failed. */
  allowFailing(): PolicyStatement {
    return this.#allowWritingBy(rulesOf.failing);
  }

  /** The right to write of any request what became of its mail. */
  allowHearingOfMail(): PolicyStatement {
    return this.#allowWritingBy(rulesOf.hearingOfMail);
  }

  /**
   * The right to write by these rules, which name the attributes. IAM cannot tell a condition from
   * a write: a caller that may ask for the status may set it. An approval takes attributes beside
   * it.
   */
  #allowWritingBy(
    rules: Rule<string>[],
    returned: ('NONE' | 'ALL_NEW')[] = ['NONE'],
  ): PolicyStatement {
    const named = rules.flatMap(membersNamedBy).flatMap(attributesOfMember);
    const attributes = new Set([partitionKey.requests, ...named.sort()]);
    return new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [this.requests.tableArn],
      conditions: {
        'ForAllValues:StringEquals': {
          'dynamodb:Attributes': [...attributes],
        },
        StringEqualsIfExists: { 'dynamodb:ReturnValues': returned },
      },
    });
  }

  /**
   * The right to put the `jti`s of JWTs that are used up beside the requests, and nothing else
   * there.
   */
  allowBurningTokenIds(): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:PutItem'],
      resources: [this.requests.tableArn],
      conditions: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${besideRequests.usedTokenId}*`] },
      },
    });
  }

  /** The right to read items of the directory of these kinds. */
  allowReadingDirectory(...items: DirectoryItem[]): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:GetItem'],
      resources: [this.directory.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': items.map(keysOf) } },
    });
  }

  /** The right to note of a user that mail does not arrive, and to write nothing else of them. */
  allowNotingAddresses(): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [this.directory.tableArn],
      conditions: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keysOf('user')] },
        'ForAllValues:StringEquals': {
          'dynamodb:Attributes': [
            partitionKey.directory,
            'undeliverable' satisfies keyof User,
            'version',
          ],
        },
        StringEqualsIfExists: { 'dynamodb:ReturnValues': 'NONE' },
      },
    });
  }

  /** The right to publish public keys in the directory. */
  allowPublishingKeys(): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem'],
      resources: [this.directory.tableArn],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [directoryKey.publicKeys] },
      },
    });
  }

  /** The right to read these keys, and to have DynamoDB decrypt them. */
  allowReadingKeys(...kinds: KeyKind[]): PolicyStatement[] {
    const keys = kinds.map((kind) => keyItem[kind]);
    return [this.#allowOnKeys('GetItem', keys), this.#allowEncryption('kms:Decrypt')];
  }

  /** The right to read and replace every key, and to have DynamoDB decrypt and encrypt them. */
  allowRotatingKeys(): PolicyStatement[] {
    return [
      this.#allowOnKeys('GetItem', Object.values(keyItem)),
      this.#allowOnKeys('PutItem', Object.values(keyItem)),
      this.#allowEncryption('kms:Decrypt', 'kms:GenerateDataKey'),
    ];
  }

  /**
   * Lets a principal of the operator's change clients and users, not the keys published beside
   * them. Of the table of keys it reads the one that client secrets are wrapped with.
   */
  grantManageDirectory(grantee: IGrantable): Grant {
    const entries: DirectoryItem[] = ['client', 'user', 'login', 'logo'];
    const resourceArns = [this.directory.tableArn];
    const changing = Grant.addToPrincipal({
      grantee,
      actions: [
        ...['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        ...['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      ],
      resourceArns,
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': entries.map(keysOf) } },
    });
    // A scan has no leading key: it also sees the public keys.
    const listing = Grant.addToPrincipal({ grantee, actions: ['dynamodb:Scan'], resourceArns });
    const wrapping = [
      this.#allowOnKeys('GetItem', [keyItem.wrap]),
      this.#allowEncryption('kms:Decrypt'),
    ];
    for (const statement of wrapping) grantee.grantPrincipal.addToPrincipalPolicy(statement);
    return changing.combine(listing);
  }

  /**
   * Lets a principal of the operator's read the audit: look up requests, and list those of a day.
   */
  grantReadRequests(grantee: IGrantable): Grant {
    const { tableArn } = this.requests;
    const reading = Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
      resourceArns: [tableArn],
    });
    const listing = Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:Query'],
      resourceArns: [`${tableArn}/index/${requestsByDay.name}`],
    });
    return reading.combine(listing);
  }

  /**
   * Lets a principal of the operator's lift what limits say of users, read what these count, and
   * remove it.
   */
  grantClearLimits(grantee: IGrantable): Grant {
    const resourceArns = [this.requests.tableArn];
    const looking = Grant.addToPrincipal({ grantee, actions: ['dynamodb:GetItem'], resourceArns });
    const lifting = Grant.addToPrincipal({
      grantee,
      // With a user who is removed goes what was counted of them.
      actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem'],
      resourceArns,
      conditions: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${besideRequests.asked}*`] },
      },
    });
    return looking.combine(lifting);
  }

  #allowOnKeys(action: string, keys: string[]): PolicyStatement {
    return new PolicyStatement({
      actions: [`dynamodb:${action}`],
      resources: [this.keys.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': keys } },
    });
  }

  /**
   * Through DynamoDB alone: nobody who steals a function's credentials decrypts a copy of the table
   * with them.
   */
  #allowEncryption(...actions: string[]): PolicyStatement {
    const { region } = Stack.of(this);
    return new PolicyStatement({
      actions,
      resources: [this.#encryptionKey.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` } },
    });
  }
}

/** The pattern of all keys of a kind of items in the directory. */
function keysOf(item: DirectoryItem): string {
  return item === 'publicKeys' ? directoryKey.publicKeys : directoryKey[item]('*');
}
