/**
 * The synthesized template: who may do what, what is kept and for how long, and what is never
 * logged or tracked. Bundles have no say in it and are left out.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { overLimitCause } from '../../../lambdas/ciba/policy/over-limit.ts';
import { protocolRoutes, routes } from '../../../lambdas/routes.ts';
import { MAIN_FLOW } from '../../../lib/flows/flow-definitions.ts';
import { alarmPrefix } from '../../../lib/operator/doctor/doctor-flows.ts';
import { createProviderApp } from '../../../lib/stack/provider-app.ts';

/**
 * CloudFormation's own rules take seconds; provider-app.test.ts holds the template against them.
 */
process.env['CDK_VALIDATION'] = 'false';

const folder = mkdtempSync(join(tmpdir(), 'ciba-stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

function synthesize(settings: Record<string, unknown> = {}) {
  const provider = createProviderApp({
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { 'aws:cdk:bundling-stacks': [], senderAddress, ...settings },
  });
  if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
  return { stack: provider.stack, template: Template.fromStack(provider.stack) };
}

const senderAddress = 'approvals@bank.example';

let template: Template;
beforeAll(() => {
  template = synthesize().template;
});

const statementSchema = z.strictObject({
  Effect: z.literal('Allow'),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
type Statement = z.output<typeof statementSchema>;

const policyDocument = z.object({ Statement: z.array(statementSchema) });

function asList<Value>(value: Value | Value[]): Value[] {
  return Array.isArray(value) ? value : [value];
}

/** A resource's logical id without the hash that CDK puts at its end. */
function plainId(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}

const reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z
    .object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })
    .transform((get) => get['Fn::GetAtt'][0]),
]);
const joined = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });

/**
 * A value of the template as one reads it: `dynamodb.<AWS::Region>.amazonaws.com`, `TablesKeys`.
 */
function readable(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(readable).join(' ');
  const text = joined.safeParse(value);
  if (text.success) return text.data['Fn::Join'][1].map(readable).join('');
  const id = reference.parse(value);
  return id.startsWith('AWS::') ? `<${id}>` : plainId(id);
}

/** `dynamodb:GetItem on TablesKeys if dynamodb:LeadingKeys in link`. */
function describeStatement({ Action, Resource, Condition = {} }: Statement): string[] {
  const conditions = Object.values(Condition).flatMap((test) =>
    Object.entries(test).map(([key, allowed]) => ` if ${key} in ${readable(allowed)}`),
  );
  return asList(Action).flatMap((action) =>
    asList(Resource).map((resource) => `${action} on ${readable(resource)}${conditions.join('')}`),
  );
}

const functionSchema = z.object({
  Properties: z.object({
    Description: z.string(),
    Role: reference,
    LoggingConfig: z.object({ LogGroup: reference }),
    Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  }),
});

function functionOf(handler: string) {
  const found = Object.values(template.findResources('AWS::Lambda::Function'))
    .map((resource) => functionSchema.parse(resource).Properties)
    .find(({ Description }) => Description === `lambdas/handlers/${handler}.ts`);
  if (!found) throw new Error(`no function of ${handler}`);
  return found;
}

const roleSchema = z.object({
  Properties: z.object({
    ManagedPolicyArns: z.undefined().optional(),
    Policies: z.tuple([z.object({ PolicyDocument: policyDocument })]),
  }),
});

/** All that the function of a handler may do, beside its log. */
function rightsOf(handler: string): string[] {
  const { Role, LoggingConfig } = functionOf(handler);
  const role = roleSchema.parse(template.findResources('AWS::IAM::Role')[Role]);
  const rights = role.Properties.Policies[0].PolicyDocument.Statement.flatMap(describeStatement);
  const log = plainId(LoggingConfig.LogGroup);
  const logging = [`logs:CreateLogStream on ${log}`, `logs:PutLogEvents on ${log}`];
  expect(rights).toEqual(expect.arrayContaining(logging));
  return rights.filter((right) => !logging.includes(right)).sort();
}

/** The mail templates of the stack. */
const templateNames = ['with', 'without'].flatMap((with_) =>
  ['de', 'en', 'es', 'fr', 'ja'].map(
    (locale) => `CibaProvider-ciba-${with_}-binding-message-${locale}`,
  ),
);

const viaDynamoDb = 'if kms:ViaService in dynamodb.<AWS::Region>.amazonaws.com';

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

describe('what is kept', () => {
  it('restores every table to any second, and lets go of none', () => {
    template.allResources('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: Match.objectLike({
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    });
  });

  it('forgets requests by their ttl, and lists them by day with facts that never change', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'ref', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byDay',
          KeySchema: [
            { AttributeName: 'day', KeyType: 'HASH' },
            { AttributeName: 'createdAt', KeyType: 'RANGE' },
          ],
          Projection: {
            ProjectionType: 'INCLUDE',
            NonKeyAttributes: ['clientId', 'sub', 'expiresAt'],
          },
        },
      ],
    });
  });

  it('encrypts the keys with a key of this deployment, which rotates and outlives the stack', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      SSESpecification: {
        SSEEnabled: true,
        SSEType: 'KMS',
        KMSMasterKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^TablesKeysEncryption'), 'Arn'] },
      },
    });
    template.allResources('AWS::KMS::Key', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: Match.objectLike({ EnableKeyRotation: true }),
    });
  });

  it('keeps no log for ever', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    synthesize({ logRetentionDays: '90' }).template.allResourcesProperties('AWS::Logs::LogGroup', {
      RetentionInDays: 90,
    });
  });

  it('renews the keys that are due every day, after 90 days or what the setting says', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 day)',
      State: 'ENABLED',
      Targets: [
        {
          Id: Match.anyValue(),
          Arn: {
            'Fn::GetAtt': [Match.stringLikeRegexp('^KeyRotationRotateKeysFunction'), 'Arn'],
          },
          Input: '{"rotate":"when-due"}',
        },
      ],
    });
    const { Variables } = functionOf('rotate-keys').Environment;
    expect(Variables).toMatchObject({ ROTATION_PERIOD: String(90 * 86_400) });
    synthesize({ keyRotationDays: '7' }).template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'lambdas/handlers/rotate-keys.ts',
      Environment: { Variables: Match.objectLike({ ROTATION_PERIOD: String(7 * 86_400) }) },
    });
  });

  it('makes the first keys when both of their tables are there', () => {
    template.hasResource('Custom::FirstKeys', {
      Properties: {
        ServiceToken: {
          'Fn::GetAtt': [Match.stringLikeRegexp('^KeyRotationRotateKeysFunction'), 'Arn'],
        },
      },
      DependsOn: Match.arrayWith([
        Match.stringLikeRegexp('^TablesDirectory'),
        Match.stringLikeRegexp('^TablesKeys'),
      ]),
    });
  });
});

const throttleSchema = z.strictObject({
  ThrottlingRateLimit: z.number(),
  ThrottlingBurstLimit: z.number(),
});
type Throttle = z.output<typeof throttleSchema>;

const stageSchema = z.object({
  DependsOn: z.array(z.string()),
  Properties: z.object({
    DefaultRouteSettings: throttleSchema,
    RouteSettings: z.record(z.string(), throttleSchema),
  }),
});

/** The one stage of a template. */
function stageOf(synthesized: Template) {
  const [stage] = Object.values(synthesized.findResources('AWS::ApiGatewayV2::Stage'));
  return stageSchema.parse(stage);
}

/** The function behind each path, by what the template calls it. */
function functionsOfRoutes(synthesized: Template): Map<string, string> {
  const integrations = synthesized.findResources('AWS::ApiGatewayV2::Integration');
  const routesOfApi = Object.values(synthesized.findResources('AWS::ApiGatewayV2::Route'));
  return new Map(
    routesOfApi.map(({ Properties: { RouteKey, Target } }) => {
      const id = Object.keys(integrations).find((one) =>
        JSON.stringify(Target).includes(`"${one}"`),
      );
      const { IntegrationUri } = integrations[id ?? '']?.['Properties'] ?? {};
      return [String(RouteKey).replace('ANY ', ''), JSON.stringify(IntegrationUri)];
    }),
  );
}

describe('the HTTP API', () => {
  it('sends every method of every route to the function', () => {
    const keys = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(
      ({ Properties }) => Properties.RouteKey,
    );
    expect(keys.sort()).toEqual(
      Object.values(routes)
        .map((path) => `ANY ${path}`)
        .sort(),
    );
    template.allResourcesProperties('AWS::ApiGatewayV2::Integration', {
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
    });
  });

  it('P14: every route of the two endpoints of the protocol is known as one of their names', () => {
    const functionOf = functionsOfRoutes(template);
    for (const names of Object.values(protocolRoutes)) {
      const endpoint = functionOf.get(names[0]);
      const paths = [...functionOf].flatMap(([path, one]) => (one === endpoint ? path : []));
      expect(endpoint).toBeDefined();
      expect(paths.toSorted()).toEqual([...names].toSorted());
    }
  });

  it('has no route that a test or an emulator would approve by', () => {
    const paths = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(
      ({ Properties }) => String(Properties.RouteKey),
    );
    expect(paths.filter((path) => /auth_req_id|ref\b|test|debug|control/.test(path))).toEqual([]);
  });

  it('logs a request as JSON by its route, without path, query, headers or body', () => {
    const [stage] = Object.values(template.findResources('AWS::ApiGatewayV2::Stage'));
    const format: Record<string, string> = JSON.parse(
      stage?.['Properties'].AccessLogSettings.Format,
    );
    expect(Object.values(format).sort()).toEqual([
      '$context.httpMethod',
      '$context.identity.sourceIp',
      '$context.integration.integrationStatus',
      '$context.integration.latency',
      '$context.integration.requestId',
      '$context.integrationErrorMessage',
      '$context.requestId',
      '$context.requestTimeEpoch',
      '$context.responseLatency',
      '$context.responseLength',
      '$context.routeKey',
      '$context.status',
    ]);
    // P9: the lines of the functions have the id under this name too.
    expect(format['request_id']).toBe('$context.requestId');
    // O22: and so has that of the invocation.
    expect(format['lambda_request_id']).toBe('$context.integration.requestId');
  });

  it.each([
    [undefined, 'coarse'],
    ['none', 'none'],
    ['full', 'full'],
  ])('P10: tells the approval page what to keep of a decision: %s', (setting, detail) => {
    const context = setting === undefined ? {} : { recordDecisionOrigin: setting };
    synthesize(context).template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ RECORD_DECISION_ORIGIN: detail }) },
    });
  });

  it('throttles the default stage as the settings say', () => {
    synthesize({ throttleRate: '50', throttleBurst: 20 }).template.hasResourceProperties(
      'AWS::ApiGatewayV2::Stage',
      {
        StageName: '$default',
        AutoDeploy: true,
        DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 20 },
      },
    );
  });

  it('throttles polls, new requests and approvals apart, as the settings say', () => {
    const stage = stageOf(
      synthesize({
        tokenThrottleRate: 1,
        tokenThrottleBurst: 2,
        authorizeThrottleRate: 3,
        authorizeThrottleBurst: 4,
        approveThrottleRate: '5',
        approveThrottleBurst: '6',
      }).template,
    );
    const authorize = { ThrottlingRateLimit: 3, ThrottlingBurstLimit: 4 };
    expect(stage.Properties.RouteSettings).toEqual({
      'ANY /cibaAuthorization': authorize,
      'ANY /bc-authorize': authorize,
      'ANY /token': { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 },
      'ANY /approve/{proxy+}': { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 6 },
      'ANY /approve': { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 10 },
      'ANY /': { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 10 },
      'ANY /favicon.ico': { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 10 },
      'ANY /logo/{client}/{hash}': { ThrottlingRateLimit: 400, ThrottlingBurstLimit: 200 },
    });
  });

  it('makes every route before the stage, which refuses the throttle of one that is missing', () => {
    const all = Object.keys(template.findResources('AWS::ApiGatewayV2::Route'));
    expect(stageOf(template).DependsOn).toEqual(expect.arrayContaining(all));
  });

  it('leaves approvals their share in a storm of polls, or of anything: all routes fit into the quota of an account', () => {
    const { RouteSettings, DefaultRouteSettings } = stageOf(template).Properties;
    const limits = Object.values(routes).map(
      (path) => RouteSettings[`ANY ${path}`] ?? DefaultRouteSettings,
    );
    const total = (of: (limit: Throttle) => number) => limits.map(of).reduce((a, b) => a + b);
    expect(RouteSettings).toHaveProperty(['ANY /token']);
    expect(RouteSettings).toHaveProperty(['ANY /approve/{proxy+}']);
    expect(total(({ ThrottlingRateLimit }) => ThrottlingRateLimit)).toBeLessThan(10_000);
    expect(total(({ ThrottlingBurstLimit }) => ThrottlingBurstLimit)).toBeLessThan(5000);
  });
});

describe('the flows', () => {
  it('are the files of statemachines, each a state machine that the backchannel-authentication function finds by its name', () => {
    const files = readdirSync(new URL('../../../statemachines', import.meta.url))
      .filter((file) => file.endsWith('.asl.json'))
      .map((file) => file.replace('.asl.json', ''));
    expect(files.sort()).toEqual(['ciba-flow', 'ciba-generic-mail-flow']);
    const machines = Object.keys(template.findResources('AWS::StepFunctions::StateMachine'));
    const flows: Record<string, string> = JSON.parse(
      readable(functionOf('backchannel-authentication').Environment.Variables['FLOWS']),
    );
    expect(flows).toEqual({
      'ciba-flow': 'NotificationFlowStateMachine',
      'ciba-generic-mail-flow': 'NotificationFlowcibagenericmailflowStateMachine',
    });
    expect(Object.values(flows).sort()).toEqual(machines.map(plainId).sort());
    expect(flows).toHaveProperty(MAIN_FLOW);
  });

  it('have each a log of their own', () => {
    const names = Object.values(template.findResources('AWS::Logs::LogGroup')).map(
      ({ Properties }) => Properties.LogGroupName,
    );
    expect(names).toEqual(
      expect.arrayContaining([
        '/aws/vendedlogs/CibaProvider/ciba-flow',
        '/aws/vendedlogs/CibaProvider/ciba-generic-mail-flow',
      ]),
    );
  });

  it('O21: are not traced, and nothing else is: a trace of the flows alone would lead nowhere', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/x-?ray|tracing/i);
  });

  it('O9: invoke by an ARN of the partition that they are deployed to', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('arn:aws:');
    for (const { Properties } of Object.values(
      template.findResources('AWS::StepFunctions::StateMachine'),
    )) {
      expect(readable(Properties.DefinitionSubstitutions.lambdaInvoke)).toBe(
        'arn:<AWS::Partition>:states:::lambda:invoke',
      );
    }
  });

  it('are Express, and log no data', () => {
    template.allResourcesProperties('AWS::StepFunctions::StateMachine', {
      StateMachineType: 'EXPRESS',
      LoggingConfiguration: { IncludeExecutionData: false, Level: 'ERROR' },
    });
  });

  it('have every name that their definitions ask for, and no other', () => {
    const machines = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
    expect(machines).toHaveLength(2);
    for (const { Properties } of machines) {
      const definition: string = Properties.DefinitionString;
      const asked = [...definition.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(Properties.DefinitionSubstitutions).sort()).toEqual(
        [...new Set(asked)].sort(),
      );
    }
  });

  it('name templates of which the stack has every locale that the mail function knows', () => {
    const names = Object.values(template.findResources('AWS::SES::Template')).map(
      ({ Properties }) => Properties.Template.TemplateName,
    );
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      DefinitionSubstitutions: {
        cibaWithBindingMessageTemplate: 'CibaProvider-ciba-with-binding-message',
        cibaWithoutBindingMessageTemplate: 'CibaProvider-ciba-without-binding-message',
      },
    });
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      DefinitionSubstitutions: {
        cibaWithBindingMessageTemplate: Match.absent(),
        cibaWithoutBindingMessageTemplate: 'CibaProvider-ciba-without-binding-message',
      },
    });
    expect(names.sort()).toEqual(templateNames);
    const locales = ['de', 'en', 'es', 'fr', 'ja'];
    expect(JSON.parse(String(functionOf('mail').Environment.Variables['TEMPLATES']))).toEqual({
      'CibaProvider-ciba-with-binding-message': locales,
      'CibaProvider-ciba-without-binding-message': locales,
    });
  });
});

describe('the mail', () => {
  it('is tracked by nothing: no open, no click, no redirect, whatever the account has turned on', () => {
    template.allResourcesProperties('AWS::SES::ConfigurationSet', {
      TrackingOptions: Match.absent(),
      VdmOptions: { DashboardOptions: { EngagementMetrics: 'DISABLED' } },
      DeliveryOptions: { TlsPolicy: 'REQUIRE' },
      ReputationOptions: { ReputationMetricsEnabled: true },
    });
    template.allResourcesProperties('AWS::SES::ConfigurationSetEventDestination', {
      EventDestination: {
        MatchingEventTypes: ['bounce', 'complaint', 'reject', 'renderingFailure'],
      },
    });
  });

  it('is told of once it bounces, is complained of, refused or not rendered: counted, and on the event bus', () => {
    const destinations = Object.values(
      template.findResources('AWS::SES::ConfigurationSetEventDestination'),
    ).map(({ Properties }) => Properties.EventDestination);
    expect(destinations).toHaveLength(2);
    const [bus] = destinations.flatMap(
      ({ EventBridgeDestination }) => EventBridgeDestination ?? [],
    );
    expect(readable(bus.EventBusArn)).toBe(
      'arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/default',
    );
  });

  it('tells its function of events of our configuration set alone', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.ses'],
        detail: {
          mail: {
            tags: {
              'ses:configuration-set': [
                { Ref: Match.stringLikeRegexp('^NotificationMailConfigurationSet') },
              ],
            },
          },
        },
      },
      Targets: [
        {
          Id: 'Target0',
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^MailFeedback.*Function'), 'Arn'] },
        },
      ],
    });
  });

  it('changes its templates one after the other', () => {
    const templates = template.findResources('AWS::SES::Template');
    const chain = Object.values(templates).map(({ DependsOn = [] }) => DependsOn);
    expect(chain.filter((before) => before.length === 0)).toHaveLength(1);
    expect(new Set(chain.flat()).size).toBe(templateNames.length - 1);
    expect(chain.flat().every((before) => before in templates)).toBe(true);
  });

  it('comes from a sender that exists, unless the settings ask to make one, which is kept', () => {
    template.resourceCountIs('AWS::SES::EmailIdentity', 0);
    const created = synthesize({ senderIdentity: 'create' }).template;
    created.hasResource('AWS::SES::EmailIdentity', {
      Properties: { EmailIdentity: 'approvals@bank.example' },
      DeletionPolicy: 'Retain',
    });
  });

  it.each([
    [undefined, 'approvals@bank.example'],
    ['Bank, Inc.', '"Bank, Inc." <approvals@bank.example>'],
    ['Bank Söhne', '=?UTF-8?B?QmFuayBTw7ZobmU=?= <approvals@bank.example>'],
  ])('writes the sender name %j as a header may hold it', (senderName, sender) => {
    synthesize({ senderName }).template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'lambdas/handlers/mail.ts',
      Environment: { Variables: Match.objectLike({ SENDER: sender }) },
    });
  });
});

/** A metric of ours ends in the address of its log group. */
function withoutAddress(metricName: string): string {
  return metricName.replace(/-c[0-9a-f]{41}$/, '');
}

describe('the alarms', () => {
  const alarms = () =>
    Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties,
    );

  it('hear of every kind of failure', () => {
    expect(
      new Set(
        alarms().map(({ Namespace, MetricName }) => `${Namespace} ${withoutAddress(MetricName)}`),
      ),
    ).toEqual(
      new Set([
        'AWS/ApiGateway 5xx',
        'AWS/States ExecutionsFailed',
        'AWS/States ExecutionsTimedOut',
        'AWS/SES RenderingFailure',
        'AWS/SES Reject',
        'AWS/SES Reputation.BounceRate',
        'AWS/SES Reputation.ComplaintRate',
        'AWS/Events FailedInvocations',
        'AWS/DynamoDB ReadThrottleEvents',
        'AWS/DynamoDB WriteThrottleEvents',
        'AWS/Lambda Errors',
        'AWS/Lambda Invocations',
        'AWS/SQS ApproximateNumberOfMessagesVisible',
        'CibaProvider ShareUsedUp',
      ]),
    );
  });

  it('P4: hear that a client is at its share, by what the endpoint logs', () => {
    const [filter] = Object.values(template.findResources('AWS::Logs::MetricFilter'));
    const {
      FilterPattern: pattern,
      LogGroupName,
      MetricTransformations,
    } = filter?.['Properties'] ?? {};
    expect(readable(LogGroupName)).toMatch(/^BackchannelAuthenticationAuthorizeLog/);
    expect(alarms().map(({ MetricName }) => MetricName)).toContain(
      MetricTransformations[0].MetricName,
    );
    const [, begins = ''] = /^\{ \$\.cause = "(.*)\*" \}$/.exec(pattern) ?? [];
    const share = overLimitCause({ limit: 'pendingPerUser', ofShare: true });
    const whole = overLimitCause({ limit: 'pendingPerUser', ofShare: false });
    expect([share, whole].map((cause) => cause.startsWith(begins))).toEqual([true, false]);
    expect(begins).not.toBe('');
  });

  it('watch every flow, function and table', () => {
    const watched = (metricName: string) =>
      new Set(
        alarms()
          .filter(({ MetricName }) => MetricName === metricName)
          .map(({ Dimensions }) => readable(Dimensions[0].Value)),
      );
    const idsOf = (type: string) => new Set(Object.keys(template.findResources(type)).map(plainId));
    expect(watched('Errors')).toEqual(idsOf('AWS::Lambda::Function'));
    for (const metricName of ['ExecutionsFailed', 'ExecutionsTimedOut']) {
      expect(watched(metricName)).toEqual(idsOf('AWS::StepFunctions::StateMachine'));
    }
    for (const metricName of ['ReadThrottleEvents', 'WriteThrottleEvents']) {
      const tables = new Set(
        alarms()
          .filter(({ MetricName }) => MetricName === metricName)
          .flatMap(({ Dimensions }) => asList(Dimensions))
          .filter(({ Name }) => Name === 'TableName')
          .map(({ Value }) => readable(Value)),
      );
      expect(tables).toEqual(idsOf('AWS::DynamoDB::Table'));
    }
  });

  it('stay silent while there is nothing to measure, and tell nobody unless asked', () => {
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: Match.absent() });
    const others = alarms().filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching');
    expect(others.map(({ MetricName }) => MetricName)).toEqual(['Invocations']);
  });

  it('O14: hear of every event that was lost, and of a rotation that nobody called for', () => {
    const ofMetric = (name: string) => alarms().filter(({ MetricName }) => MetricName === name);
    const queues = ofMetric('ApproximateNumberOfMessagesVisible').map(
      ({ Dimensions, Threshold }) => [
        Dimensions[0].Value['Fn::GetAtt'][0].replace(/[0-9A-F]{8}$/, ''),
        Threshold,
      ],
    );
    expect(queues).toEqual([
      ['KeyRotationLostEventsQueue', 1],
      ['MailFeedbackLostEventsQueue', 1],
    ]);
    const [rotation] = ofMetric('Invocations');
    expect(readable(rotation.Dimensions[0].Value)).toBe('KeyRotationRotateKeysFunction');
    // Every hour of a day and two more without a call, and only then.
    expect(rotation).toMatchObject({
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Period: 3600,
      EvaluationPeriods: 26,
      Statistic: 'Sum',
      TreatMissingData: 'breaching',
    });
  });

  it('go to the topic of the settings', () => {
    const topic = 'arn:aws:sns:eu-west-1:111122223333:alarms';
    synthesize({ alarmTopicArn: topic }).template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [topic],
    });
  });

  it('cost what the README says: ten are free, the others ten cents each', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const [, beyond, dollars] =
      /the\s(\d+) alarms beyond the free ten cost \$([\d.]+)\./.exec(readme) ?? [];
    const metrics = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties: { Metrics = [{ MetricStat: {} }] } }) =>
        asList(Metrics).filter((metric) => 'MetricStat' in Object(metric)).length,
    );
    const charged = metrics.reduce((sum, count) => sum + count, 0) - 10;
    expect([Number(beyond), Number(dollars)]).toEqual([charged, charged / 10]);
  });

  it('have names that begin with those of the stack and of their construct: ciba doctor finds them so', () => {
    const found = template.findResources('AWS::CloudWatch::Alarm');
    expect(Object.keys(found).length).toBeGreaterThan(0);
    for (const [logicalId, { Properties: properties }] of Object.entries(found)) {
      expect(alarmPrefix('S')).toBe('S-Alarms');
      expect(logicalId).toMatch(/^Alarms/);
      expect(properties.AlarmName).toBeUndefined();
    }
  });
});

describe('the issuer', () => {
  it('is the address of the HTTP API, and the endpoints are told below it', () => {
    const { Issuer, BackchannelAuthenticationEndpoint, TokenEndpoint } =
      template.toJSON()['Outputs'];
    expect(readable(Issuer.Value)).toBe('PublicApi');
    expect(readable(BackchannelAuthenticationEndpoint.Value)).toBe('PublicApi/cibaAuthorization');
    expect(readable(TokenEndpoint.Value)).toBe('PublicApi/token');
  });

  it('is the setting wherever there is one', () => {
    const issuer = 'https://login.bank.example';
    const { template: own } = synthesize({ issuer, accessTokenAudience: 'payments' });
    expect(own.toJSON()['Outputs'].Issuer.Value).toBe(issuer);
    for (const { Properties } of Object.values(own.findResources('AWS::Lambda::Function'))) {
      const { ISSUER, ACCESS_TOKEN_AUDIENCE } = Properties.Environment.Variables;
      expect([issuer, undefined]).toContain(ISSUER);
      expect(['payments', undefined]).toContain(ACCESS_TOKEN_AUDIENCE);
    }
  });
});

describe('a custom domain', () => {
  const customDomain = 'login.bank.example';
  const certificateArn =
    'arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef';
  const zone = { hostedZoneId: 'Z0123456789ABCDEFGHIJ', hostedZoneName: 'bank.example' };

  it('leads to the API, whose default address then answers nothing', () => {
    const { template: own } = synthesize({ customDomain, certificateArn });
    own.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: customDomain,
      DomainNameConfigurations: [
        Match.objectLike({ CertificateArn: certificateArn, SecurityPolicy: 'TLS_1_2' }),
      ],
    });
    own.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', {
      ApiId: { Ref: Match.stringLikeRegexp('^PublicApi') },
      DomainName: { Ref: Match.stringLikeRegexp('^PublicApiCustomDomainName') },
      Stage: '$default',
    });
    own.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      DisableExecuteApiEndpoint: Match.absent(),
    });
  });

  it('is the issuer of every function and output', () => {
    const { template: own } = synthesize({ customDomain, certificateArn });
    const issuer = 'https://login.bank.example';
    const { Issuer, ApiEndpoint, TokenEndpoint } = own.toJSON()['Outputs'];
    expect([Issuer.Value, ApiEndpoint.Value, TokenEndpoint.Value]).toEqual([
      issuer,
      issuer,
      `${issuer}/token`,
    ]);
    const issuers = Object.values(own.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties.Environment.Variables.ISSUER,
    );
    expect(new Set(issuers)).toEqual(new Set([issuer, undefined]));
    expect(JSON.stringify(own.toJSON())).not.toContain('ApiEndpoint"]');
  });

  it('tells the operator where his DNS has to lead', () => {
    const { template: own } = synthesize({ customDomain, certificateArn });
    own.resourceCountIs('AWS::Route53::RecordSet', 0);
    own.hasOutput('CustomDomainTarget', {
      Value: {
        'Fn::GetAtt': [Match.stringLikeRegexp('^PublicApiCustomDomainName'), 'RegionalDomainName'],
      },
    });
  });

  it('has its addresses, of both families, in the zone of the settings', () => {
    const { template: own } = synthesize({ customDomain, certificateArn, ...zone });
    for (const Type of ['A', 'AAAA']) {
      own.hasResourceProperties('AWS::Route53::RecordSet', {
        Type,
        Name: 'login.bank.example.',
        HostedZoneId: zone.hostedZoneId,
        AliasTarget: {
          DNSName: { 'Fn::GetAtt': [Match.anyValue(), 'RegionalDomainName'] },
          HostedZoneId: { 'Fn::GetAtt': [Match.anyValue(), 'RegionalHostedZoneId'] },
        },
      });
    }
    own.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainNameConfigurations: [Match.objectLike({ IpAddressType: 'dualstack' })],
    });
  });

  it('changes no resource that a deployment without it has, but for what knows the issuer', () => {
    const own = synthesize({ customDomain, certificateArn, ...zone }).template.toJSON();
    expect(Object.keys(own['Resources'])).toEqual(
      expect.arrayContaining(Object.keys(template.toJSON()['Resources'])),
    );
  });
});

describe('the outputs', () => {
  it('name what an operator and the command line ask for', () => {
    expect(Object.keys(template.toJSON()['Outputs']).sort()).toEqual([
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
      'MailFeedbackFunction',
      'MailFeedbackLostEvents',
      'NotificationPolicies',
      'NotificationPolicy',
      'NotificationTemplates',
      'RequestsTable',
      'RevokeRefreshTokenFunction',
      'RotateKeysFunction',
      'RotateKeysLostEvents',
      'Sender',
      'TemplatePrefix',
      'TokenEndpoint',
    ]);
  });

  it('tell the policies as JSON, as the function has them', () => {
    const outputs = template.toJSON()['Outputs'];
    const { FLOW_POLICIES, NOTIFICATION_POLICIES } = functionOf('backchannel-authentication')
      .Environment.Variables;
    for (const [kind, variable] of [
      ['Flow', FLOW_POLICIES],
      ['Notification', NOTIFICATION_POLICIES],
    ] as const) {
      expect({
        byDefault: outputs[`${kind}Policy`].Value,
        policies: JSON.parse(outputs[`${kind}Policies`].Value),
      }).toEqual(JSON.parse(String(variable)));
    }
  });

  it('tell the flows and the mails as JSON, and what mails are sent with', () => {
    const { Flows, NotificationTemplates, TemplatePrefix, Sender, ConfigurationSet } =
      template.toJSON()['Outputs'];
    expect(readable(Flows.Value)).toBe(
      readable(functionOf('backchannel-authentication').Environment.Variables['FLOWS']),
    );
    expect(JSON.parse(NotificationTemplates.Value)).toEqual({
      'ciba-with-binding-message': ['de', 'en', 'es', 'fr', 'ja'],
      'ciba-without-binding-message': ['de', 'en', 'es', 'fr', 'ja'],
    });
    expect(TemplatePrefix.Value).toBe('CibaProvider-');
    expect(Sender.Value).toBe(senderAddress);
    expect(readable(ConfigurationSet.Value)).toBe('NotificationMailConfigurationSet');
  });

  it('name the function that ends refresh tokens', () => {
    const [revocation = ''] = Object.keys(
      template.findResources('AWS::Lambda::Function', {
        Properties: { Description: 'lambdas/handlers/revoke-refresh-token.ts' },
      }),
    );
    template.hasOutput('RevokeRefreshTokenFunction', { Value: { Ref: revocation } });
  });

  it('say how keys are renewed, and by which function', () => {
    const own = synthesize({ keyRotationDays: 30 }).template;
    own.hasOutput('KeyRotationDays', { Value: '30' });
    const [rotation = ''] = Object.keys(
      own.findResources('AWS::Lambda::Function', {
        Properties: { Description: 'lambdas/handlers/rotate-keys.ts' },
      }),
    );
    own.hasOutput('RotateKeysFunction', { Value: { Ref: rotation } });
  });
});

describe('a sender at example.com', () => {
  const example = { senderAddress: 'approvals@example.com' };

  it('is warned of, since its mail cannot be sent', () => {
    Annotations.fromStack(synthesize(example).stack).hasWarning(
      '*',
      Match.stringLikeRegexp('^Mails cannot be sent from approvals@example.com'),
    );
  });

  it('is no matter on a local host, whose mail goes to its own inbox', () => {
    const { stack } = synthesize({ ...example, issuer: 'http://localhost:4010' });
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
  });
});
