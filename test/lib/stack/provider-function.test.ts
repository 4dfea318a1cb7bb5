/**
 * What each function may do and has: its rights, its role, its runtime, and what becomes of events
 * that it fails at.
 */
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import {
  asList,
  describeStatement,
  functionOf,
  functionSchema,
  plainId,
  policyDocument,
  readable,
  rightsOf,
  type Statement,
  synthesize,
  template,
  templateNames,
  viaDynamoDb,
} from '../../support/synthesized-template.ts';

describe('the rights of each function', () => {
  it.each([
    [
      'backchannel-authentication',
      [
        'dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in client#* user#* login#* jwks',
        'dynamodb:GetItem on TablesKeys if dynamodb:LeadingKeys in wrap',
        'dynamodb:GetItem on TablesRequests',
        'dynamodb:PutItem on TablesRequests',
        'dynamodb:UpdateItem on TablesRequests',
        `kms:Decrypt on TablesKeysEncryption ${viaDynamoDb}`,
        'states:StartExecution on NotificationFlowStateMachine',
        'states:StartExecution on NotificationFlowcibagenericmailflowStateMachine',
      ],
    ],
    [
      'token',
      [
        'dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in client#* user#*',
        'dynamodb:GetItem on TablesKeys if dynamodb:LeadingKeys in signing#ES256 signing#RS256 wrap',
        'dynamodb:GetItem on TablesRequests',
        'dynamodb:PutItem on TablesRequests if dynamodb:LeadingKeys in jti#*',
        'dynamodb:UpdateItem on TablesRequests',
        `kms:Decrypt on TablesKeysEncryption ${viaDynamoDb}`,
      ],
    ],
    [
      'approve',
      [
        'dynamodb:BatchGetItem on TablesRequests',
        'dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in client#* user#*',
        'dynamodb:GetItem on TablesKeys if dynamodb:LeadingKeys in link',
        'dynamodb:GetItem on TablesRequests',
        'dynamodb:UpdateItem on TablesRequests',
        `kms:Decrypt on TablesKeysEncryption ${viaDynamoDb}`,
      ],
    ],
    ['metadata', ['dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in jwks logo#*']],
    [
      'locate-user',
      [
        'dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in user#*',
        'dynamodb:GetItem on TablesRequests',
      ],
    ],
    [
      'mail',
      [
        'dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in client#* user#*',
        'dynamodb:GetItem on TablesKeys if dynamodb:LeadingKeys in link',
        'dynamodb:GetItem on TablesRequests',
        'dynamodb:UpdateItem on TablesRequests if dynamodb:Attributes in ref expiresAt ln ma mc mu status if dynamodb:ReturnValues in ALL_NEW NONE',
        `kms:Decrypt on TablesKeysEncryption ${viaDynamoDb}`,
        ...['ses:SendEmail', 'ses:SendTemplatedEmail'].flatMap((action) =>
          [
            'configuration-set/NotificationMailConfigurationSet',
            'identity/*',
            ...templateNames.map((name) => `template/${name}`),
          ].map(
            (resource) =>
              `${action} on arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:${resource} if ses:FromAddress in approvals@bank.example`,
          ),
        ),
      ],
    ],
    [
      'record-failure',
      [
        'dynamodb:UpdateItem on TablesRequests if dynamodb:Attributes in ref cause fa status if dynamodb:ReturnValues in NONE',
      ],
    ],
    [
      'mail-feedback',
      [
        'dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in user#*',
        'dynamodb:GetItem on TablesRequests',
        'dynamodb:UpdateItem on TablesDirectory if dynamodb:LeadingKeys in user#* if dynamodb:Attributes in pk undeliverable version if dynamodb:ReturnValues in NONE',
        'dynamodb:UpdateItem on TablesRequests if dynamodb:Attributes in ref cause expiresAt fa mf mx status if dynamodb:ReturnValues in NONE',
        'sqs:SendMessage on MailFeedbackLostEventsQueue',
      ],
    ],
    [
      'revoke-refresh-token',
      [
        'dynamodb:GetItem on TablesRequests',
        'dynamodb:UpdateItem on TablesRequests if dynamodb:Attributes in ref rh rv if dynamodb:ReturnValues in NONE',
      ],
    ],
    [
      'rotate-keys',
      [
        'dynamodb:GetItem on TablesDirectory if dynamodb:LeadingKeys in jwks',
        'dynamodb:GetItem on TablesKeys if dynamodb:LeadingKeys in signing#ES256 signing#RS256 link wrap',
        'dynamodb:PutItem on TablesDirectory if dynamodb:LeadingKeys in jwks',
        'dynamodb:PutItem on TablesKeys if dynamodb:LeadingKeys in signing#ES256 signing#RS256 link wrap',
        `kms:Decrypt on TablesKeysEncryption ${viaDynamoDb}`,
        `kms:GenerateDataKey on TablesKeysEncryption ${viaDynamoDb}`,
        'sqs:SendMessage on KeyRotationLostEventsQueue',
      ],
    ],
  ])('%s may do this and no more', (handler, rights) => {
    expect(rightsOf(handler)).toEqual(rights);
  });

  it('gives no two functions the same role', () => {
    const functions = Object.values(template.findResources('AWS::Lambda::Function'));
    const roles = functions.map((resource) => functionSchema.parse(resource).Properties.Role);
    expect(new Set(roles).size).toBe(functions.length);
  });

  it('lets nobody but API Gateway, by the route, the flow, the schedule of the keys and the rule of mail events call a function', () => {
    const permissions = Object.values(template.findResources('AWS::Lambda::Permission'));
    const isOfRule = ({ Properties }: { [key: string]: { Principal: string } }) =>
      Properties?.Principal === 'events.amazonaws.com';
    expect(
      permissions
        .filter(isOfRule)
        .map(({ Properties: { Action, FunctionName, SourceArn } }) =>
          [SourceArn, Action, FunctionName].map(readable),
        )
        .sort(),
    ).toEqual([
      ['KeyRotationEveryDay', 'lambda:InvokeFunction', 'KeyRotationRotateKeysFunction'],
      ['MailFeedbackOfOurMails', 'lambda:InvokeFunction', 'MailFeedbackFunction'],
    ]);
    for (const { Properties } of permissions.filter((permission) => !isOfRule(permission))) {
      expect(Properties).toMatchObject({
        Action: 'lambda:InvokeFunction',
        Principal: 'apigateway.amazonaws.com',
      });
      expect(readable(Properties.SourceArn)).toMatch(
        /:execute-api:<AWS::Region>:<AWS::AccountId>:PublicApi\/\*\/\*\/[^*]*$/,
      );
    }
  });
});

describe('the policies together', () => {
  function allStatements(): Statement[] {
    const inline = Object.values(template.findResources('AWS::IAM::Role')).flatMap(
      ({ Properties }) => Properties.Policies ?? [],
    );
    const attached = Object.values(template.findResources('AWS::IAM::Policy')).map(
      ({ Properties }) => Properties,
    );
    return [...inline, ...attached].flatMap(
      ({ PolicyDocument }) => policyDocument.parse(PolicyDocument).Statement,
    );
  }

  it('have no wildcard in an action', () => {
    const actions = allStatements().flatMap(({ Action }) => asList(Action));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('name every resource but those of log delivery and of mail identities', () => {
    const wild = allStatements()
      .flatMap(describeStatement)
      .filter((right) => / on \S*\*/.test(right))
      .map((right) => right.replace(/ if .*/, ''));
    expect(new Set(wild.map((right) => right.replace(/:.* on /, ' on ')))).toEqual(
      new Set([
        'logs on *',
        'ses on arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*',
      ]),
    );
  });

  it('let each flow call its three functions and no other', () => {
    const invocations = allStatements()
      .filter(({ Action }) => asList(Action).includes('lambda:InvokeFunction'))
      .flatMap(describeStatement);
    const ofOneFlow = [
      'lambda:InvokeFunction on NotificationFlowLocateUserFunction',
      'lambda:InvokeFunction on NotificationFlowMailFunction',
      'lambda:InvokeFunction on NotificationFlowRecordFailureFunction',
    ];
    expect(invocations).toEqual([...ofOneFlow, ...ofOneFlow]);
  });

  it('come from no managed policy of AWS', () => {
    template.resourcePropertiesCountIs(
      'AWS::IAM::Role',
      { ManagedPolicyArns: Match.anyValue() },
      0,
    );
  });
});

describe('the functions', () => {
  it('run on the newest Node on arm64, for ten seconds at most', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 256,
    });
    const longer = Object.values(template.findResources('AWS::Lambda::Function'))
      .map(({ Properties }) => Properties)
      .filter(({ Timeout }) => Timeout !== 10)
      .map(({ Description, Timeout }) => [Description, Timeout]);
    // O5: the first keys are tried for a minute.
    expect(longer).toEqual([['lambdas/handlers/rotate-keys.ts', 90]]);
  });

  it('get from their environment what their handler declares', () => {
    expect(functionOf('token').Environment.Variables).toEqual({
      ISSUER: { 'Fn::GetAtt': [expect.stringMatching(/^PublicApi/), 'ApiEndpoint'] },
      DIRECTORY_TABLE: { Ref: expect.stringMatching(/^TablesDirectory/) },
      REQUESTS_TABLE: { Ref: expect.stringMatching(/^TablesRequests/) },
      KEYS_TABLE: { Ref: expect.stringMatching(/^TablesKeys/) },
      ACCESS_TOKEN_AUDIENCE: { 'Fn::GetAtt': [expect.stringMatching(/^PublicApi/), 'ApiEndpoint'] },
    });
    expect(functionOf('backchannel-authentication').Environment.Variables).toMatchObject({
      DEFAULT_EXPIRES_IN: '120',
      MIN_EXPIRES_IN: '10',
      MAX_EXPIRES_IN: '600',
      DEFAULT_INTERVAL: '2',
      AUDIT_RETENTION: '2592000',
    });
  });

  it('log JSON to a group of their own, without a line for every start and end', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      LoggingConfig: {
        LogFormat: 'JSON',
        ApplicationLogLevel: 'INFO',
        SystemLogLevel: 'INFO',
        LogGroup: Match.anyValue(),
      },
    });
    const functions = Object.values(template.findResources('AWS::Lambda::Function'));
    const groups = functions.map(
      (resource) => functionSchema.parse(resource).Properties.LoggingConfig.LogGroup,
    );
    expect(new Set(groups).size).toBe(functions.length);
  });
});

describe('reserved concurrency', () => {
  function reserved(synthesized: Template): [string, unknown][] {
    return Object.values(synthesized.findResources('AWS::Lambda::Function'))
      .map(({ Properties }) => Properties)
      .filter((properties) => 'ReservedConcurrentExecutions' in properties)
      .map(({ Description, ReservedConcurrentExecutions }) => [
        Description,
        ReservedConcurrentExecutions,
      ]);
  }

  it('is asked for by no function unless a setting says so, since new accounts refuse it', () => {
    expect(reserved(template)).toEqual([]);
  });

  it('keeps runs for the approval page, whatever a storm of polls uses up', () => {
    expect(reserved(synthesize({ approveReservedConcurrency: '50' }).template)).toEqual([
      ['lambdas/handlers/approve.ts', 50],
    ]);
  });
});

describe('what is lost', () => {
  const queueOf = (handler: string) =>
    ({
      'rotate-keys': 'KeyRotationLostEventsQueue',
      'mail-feedback': 'MailFeedbackLostEventsQueue',
    })[handler];

  it.each(['rotate-keys', 'mail-feedback'])(
    'O14: by %s, or on the way to it, lies in a queue of its own for 14 days, encrypted',
    (handler) => {
      const functions = template.findResources('AWS::Lambda::Function', {
        Properties: { Description: `lambdas/handlers/${handler}.ts` },
      });
      const [[functionId = '', found] = []] = Object.entries(functions);
      expect(readable(found?.['Properties'].DeadLetterConfig.TargetArn)).toBe(queueOf(handler));
      const rules = Object.values(template.findResources('AWS::Events::Rule')).flatMap(
        ({ Properties: { Targets } }) => Targets,
      );
      const [target] = rules.filter(({ Arn }) => Arn['Fn::GetAtt'][0] === functionId);
      expect(readable(target.DeadLetterConfig.Arn)).toBe(queueOf(handler));
    },
  );

  it('O14: of no function that is called without waiting lies nowhere', () => {
    const called = Object.values(template.findResources('AWS::Lambda::Permission'))
      .filter(({ Properties: { Principal } }) => Principal === 'events.amazonaws.com')
      .map(({ Properties: { FunctionName } }) => readable(FunctionName));
    const kept = Object.entries(template.findResources('AWS::Lambda::Function'))
      .filter(([, { Properties }]) => Properties.DeadLetterConfig !== undefined)
      .map(([logicalId]) => plainId(logicalId));
    expect(kept.sort()).toEqual(called.sort());
  });

  it('O14: is sent there by EventBridge for its rule alone, and by nobody in the clear', () => {
    template.resourceCountIs('AWS::SQS::Queue', 2);
    template.allResourcesProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: 14 * 86_400,
      SqsManagedSseEnabled: true,
    });
    const allowed = Object.values(template.findResources('AWS::SQS::QueuePolicy')).map(
      ({ Properties: { PolicyDocument } }) =>
        PolicyDocument.Statement.map(({ Effect, Action, Condition }: Statement) => [
          Effect,
          Action,
          Object.values(Condition ?? {}).flatMap((test) => Object.values(test).map(readable)),
        ]),
    );
    const inTheClear = ['Deny', 'sqs:*', ['false']];
    expect(allowed).toEqual([
      [inTheClear, ['Allow', 'sqs:SendMessage', ['KeyRotationEveryDay']]],
      [inTheClear, ['Allow', 'sqs:SendMessage', ['MailFeedbackOfOurMails']]],
    ]);
  });
});
