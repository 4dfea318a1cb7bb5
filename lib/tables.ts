/**
 * The three tables, the third under a KMS key of this deployment, with the rights that a function can be given on each.
 * Rights are written by hand, since CDK's grants give more than is used.
 */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** What a function may do to requests that it names. */
export type RequestAction = 'BatchGetItem' | 'GetItem' | 'PutItem' | 'UpdateItem';

/** The items of the directory, by the form of their partition key. */
export type DirectoryKey = 'client#*' | 'user#*' | 'login#*' | 'logo#*' | 'jwks';

/** The items of the keys table. */
export type KeyName = 'signing#ES256' | 'signing#RS256' | 'link' | 'wrap';

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

  /** The index of {@link requests} that lists a day's requests in the order they came. */
  readonly requestsByDay = 'byDay';

  /** Clients and their logos, users, the logins that lead to them, and the public keys. */
  readonly directory: dynamodb.Table;

  /** Private signing keys, the link keys and the keys that wrap client secrets. */
  readonly keys: dynamodb.Table;

  readonly #encryptionKey: Key;

  constructor(scope: Construct, id: string) {
    super(scope, id);

    this.requests = new dynamodb.Table(this, 'Requests', {
      ...stateful,
      partitionKey: { name: 'ref', type: dynamodb.AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
    });
    this.requests.addGlobalSecondaryIndex({
      indexName: this.requestsByDay,
      partitionKey: { name: 'day', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'createdAt', type: dynamodb.AttributeType.NUMBER },
      // Facts that never change: a transition then writes the table alone.
      projectionType: dynamodb.ProjectionType.INCLUDE,
      nonKeyAttributes: ['clientId', 'sub', 'expiresAt'],
    });

    this.directory = new dynamodb.Table(this, 'Directory', {
      ...stateful,
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
    });

    this.#encryptionKey = new Key(this, 'KeysEncryption', {
      description: 'Encrypts the signing keys and the link key of the CIBA provider',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.keys = new dynamodb.Table(this, 'Keys', {
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
    return this.#allowUpdatingRequests(['status', 'rh', 'rv']);
  }

  /** The right to claim the mail of any request, and to write that it was sent; whoever claims it is given the request. */
  allowMailing(): PolicyStatement {
    const written = ['status', 'expiresAt', 'ln', 'mc', 'mu', 'ma'];
    return this.#allowUpdatingRequests(written, ['ALL_NEW', 'NONE']);
  }

  /** The right to write of any request that its flow has failed. */
  allowFailing(): PolicyStatement {
    return this.#allowUpdatingRequests(['status', 'fa', 'cause']);
  }

  /** The right to write of any request what became of its mail. */
  allowHearingOfMail(): PolicyStatement {
    return this.#allowUpdatingRequests(['status', 'expiresAt', 'mf', 'mx', 'fa', 'cause']);
  }

  /**
   * One transition of requests, by the attributes that its write and its condition name, as they are stored. IAM cannot tell a
   * condition from a write: whoever may ask for the status may set it. That a request is approved takes attributes beside it.
   */
  #allowUpdatingRequests(
    attributes: string[],
    returned: ('NONE' | 'ALL_NEW')[] = ['NONE'],
  ): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [this.requests.tableArn],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['ref', ...attributes] },
        StringEqualsIfExists: { 'dynamodb:ReturnValues': returned },
      },
    });
  }

  /** The right to put the `jti`s of JWTs that are used up beside the requests, and nothing else there. */
  allowBurningTokenIds(): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:PutItem'],
      resources: [this.requests.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['jti#*'] } },
    });
  }

  /** The right to read items of the directory whose key has one of these forms. */
  allowReadingDirectory(...keys: DirectoryKey[]): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:GetItem'],
      resources: [this.directory.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } },
    });
  }

  /** The right to note of a user that mail does not arrive, and to write nothing else of them. */
  allowNotingAddresses(): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [this.directory.tableArn],
      conditions: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['user#*'] },
        'ForAllValues:StringEquals': {
          'dynamodb:Attributes': ['pk', 'undeliverable', 'version'],
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
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['jwks'] } },
    });
  }

  /** The right to read these keys, and to have DynamoDB decrypt them. */
  allowReadingKeys(...keys: KeyName[]): PolicyStatement[] {
    return [this.#allowOnKeys('GetItem', keys), this.#allowEncryption('kms:Decrypt')];
  }

  /** The right to read and replace every key, and to have DynamoDB decrypt and encrypt them. */
  allowRotatingKeys(): PolicyStatement[] {
    const keys: KeyName[] = ['signing#ES256', 'signing#RS256', 'link', 'wrap'];
    return [
      this.#allowOnKeys('GetItem', keys),
      this.#allowOnKeys('PutItem', keys),
      this.#allowEncryption('kms:Decrypt', 'kms:GenerateDataKey'),
    ];
  }

  /**
   * Lets a principal of the operator's change clients and users, not the keys published beside them. Of the table of keys
   * it reads the one that client secrets are wrapped with.
   */
  grantManageDirectory(grantee: IGrantable): Grant {
    const entries: DirectoryKey[] = ['client#*', 'user#*', 'login#*', 'logo#*'];
    const resourceArns = [this.directory.tableArn];
    const changing = Grant.addToPrincipal({
      grantee,
      actions: [
        ...['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        ...['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      ],
      resourceArns,
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': entries } },
    });
    // A scan has no leading key: it also sees the public keys.
    const listing = Grant.addToPrincipal({ grantee, actions: ['dynamodb:Scan'], resourceArns });
    const wrapping = [this.#allowOnKeys('GetItem', ['wrap']), this.#allowEncryption('kms:Decrypt')];
    for (const statement of wrapping) grantee.grantPrincipal.addToPrincipalPolicy(statement);
    return changing.combine(listing);
  }

  /** Lets a principal of the operator's read the audit: look up requests, and list those of a day. */
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
      resourceArns: [`${tableArn}/index/${this.requestsByDay}`],
    });
    return reading.combine(listing);
  }

  /** Lets a principal of the operator's lift what limits say of users, read what these count, and remove it. */
  grantClearLimits(grantee: IGrantable): Grant {
    const resourceArns = [this.requests.tableArn];
    const looking = Grant.addToPrincipal({ grantee, actions: ['dynamodb:GetItem'], resourceArns });
    const lifting = Grant.addToPrincipal({
      grantee,
      // With a user who is removed goes what was counted of them.
      actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem'],
      resourceArns,
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['asked#*'] } },
    });
    return looking.combine(lifting);
  }

  #allowOnKeys(action: string, keys: KeyName[]): PolicyStatement {
    return new PolicyStatement({
      actions: [`dynamodb:${action}`],
      resources: [this.keys.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': keys } },
    });
  }

  /** Through DynamoDB alone: nobody who steals a function's credentials decrypts a copy of the table with them. */
  #allowEncryption(...actions: string[]): PolicyStatement {
    const { region } = Stack.of(this);
    return new PolicyStatement({
      actions,
      resources: [this.#encryptionKey.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` } },
    });
  }
}
