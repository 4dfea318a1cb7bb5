/**
 * The local host runs what it understands of a template, and stops at the first thing that it does
 * not.
 */
import { describe, expect, test } from 'vitest';
import { readAssembly } from '../../../../lib/local/template/read-assembly.ts';
import { type LocalStack, readStack } from '../../../../lib/local/template/read-stack.ts';
import { type AssemblyParts, makeAssembly } from './make-assembly.ts';

const origin = 'http://localhost:4010';

async function read(parts: AssemblyParts): Promise<LocalStack> {
  return readStack(await readAssembly(await makeAssembly(parts)), origin);
}

const table = {
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    SSESpecification: { KMSMasterKeyId: { 'Fn::GetAtt': ['Nowhere', 'Arn'] } },
  },
};

const machine = {
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    StateMachineType: 'EXPRESS',
    DefinitionString: JSON.stringify({
      StartAt: 'Call',
      States: {
        Call: {
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Parameters: { FunctionName: '${callee}', 'Payload.$': '$' },
          TimeoutSeconds: 5,
          End: true,
        },
      },
    }),
    DefinitionSubstitutions: { callee: { 'Fn::GetAtt': ['Hello', 'Arn'] } },
    RoleArn: { 'Fn::GetAtt': ['Nowhere', 'Arn'] },
  },
};

const helloArn = 'arn:aws:lambda:us-east-1:000000000000:function:Test-Hello';

describe('readStack', () => {
  test('reads functions with their environment, and routes to them', async () => {
    const stack = await read({
      functions: { Hello: '' },
      environment: {
        TABLE: { Ref: 'Table' },
        ISSUER: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] },
        STACK: { Ref: 'AWS::StackName' },
      },
      routes: { Hello: '/hello/{name}' },
      resources: { Table: table },
    });
    expect(stack.functions).toMatchObject([
      {
        name: 'Test-Hello',
        arn: helloArn,
        file: expect.stringMatching(/asset\.Hello\/index\.mjs$/),
        handler: 'handler',
        environment: { TABLE: 'Test-Table', ISSUER: origin, STACK: 'Test' },
        timeoutSeconds: 1,
      },
    ]);
    expect(stack.routes).toEqual([{ key: 'ANY /hello/{name}', functionArn: helloArn }]);
    expect(stack.tables).toMatchObject([{ TableName: 'Test-Table' }]);
  });

  test('reads the state machine with its substitutions made', async () => {
    const stack = await read({ functions: { Hello: '' }, resources: { Machine: machine } });
    expect(stack.stateMachines).toMatchObject([
      {
        name: 'Test-Machine',
        arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:Test-Machine',
        tasks: new Map([['Call', helloArn]]),
      },
    ]);
  });

  test('reads mail templates, custom resources and outputs', async () => {
    const stack = await read({
      functions: { Hello: '' },
      resources: {
        Mail: {
          Type: 'AWS::SES::Template',
          Properties: {
            Template: { TemplateName: 'T', SubjectPart: 's', HtmlPart: 'h', TextPart: 't' },
          },
        },
        Keys: {
          Type: 'Custom::Keys',
          Properties: {
            ServiceToken: { 'Fn::GetAtt': ['Hello', 'Arn'] },
            count: 3,
            nested: { on: true },
          },
        },
      },
      outputs: { Issuer: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } } },
    });
    expect(stack.mailTemplates).toEqual([{ name: 'T', subject: 's', html: 'h', text: 't' }]);
    expect(stack.customResources).toEqual([
      {
        logicalId: 'Keys',
        type: 'Custom::Keys',
        functionArn: helloArn,
        properties: { ServiceToken: helloArn, count: '3', nested: { on: 'true' } },
      },
    ]);
    expect(stack.outputs).toEqual({ Issuer: origin });
  });

  test.each([
    ['rate(1 minute)', 60],
    ['rate(10 minutes)', 600],
    ['rate(1 hour)', 3600],
    ['rate(12 hours)', 43_200],
    ['rate(1 day)', 86_400],
    ['rate(30 days)', 2_592_000],
  ])('reads the schedule %s with its constant input', async (expression, everySeconds) => {
    const { schedules } = await read(rule({ ScheduleExpression: expression }));
    expect(schedules).toEqual([{ everySeconds, functionArn: helloArn, input: { tidy: 'up' } }]);
  });

  const pattern = { source: ['aws.ses'], detail: { mail: { tags: { set: [{ Ref: 'Set' }] } } } };
  const configurationSet = { Type: 'AWS::SES::ConfigurationSet', Properties: {} };

  /** A rule that waits for events, with other properties. */
  function eventRule(properties: object): AssemblyParts {
    const { functions, resources } = rule({
      ScheduleExpression: undefined,
      EventPattern: pattern,
      Targets: [{ Id: 'Target0', Arn: { 'Fn::GetAtt': ['Hello', 'Arn'] } }],
      ...properties,
    });
    return { functions: { ...functions }, resources: { ...resources, Set: configurationSet } };
  }

  test('reads a rule that waits for events, with its pattern resolved', async () => {
    const { eventRules, schedules } = await read(eventRule({}));
    expect(schedules).toEqual([]);
    expect(eventRules).toEqual([
      {
        pattern: { source: ['aws.ses'], detail: { mail: { tags: { set: ['Test-Set'] } } } },
        functionArn: helloArn,
      },
    ]);
  });

  /** What SES tells of the mails of a configuration set, and whom. */
  function eventDestination(destination: object): AssemblyParts {
    return {
      resources: {
        Set: configurationSet,
        Destination: {
          Type: 'AWS::SES::ConfigurationSetEventDestination',
          Properties: {
            ConfigurationSetName: { Ref: 'Set' },
            EventDestination: {
              Enabled: true,
              MatchingEventTypes: ['bounce', 'complaint'],
              ...destination,
            },
          },
        },
      },
    };
  }

  const bus = { EventBusArn: { 'Fn::Sub': 'arn:aws:events:${AWS::Region}:1:event-bus/default' } };

  test('reads what SES is to tell the event bus, and not what it is to count', async () => {
    const told = await read(eventDestination({ EventBridgeDestination: bus }));
    expect(told.mailEvents).toEqual([
      { configurationSet: 'Test-Set', types: ['bounce', 'complaint'] },
    ]);
    const counted = await read(eventDestination({ CloudWatchDestination: {} }));
    expect(counted.mailEvents).toEqual([]);
  });

  test('leaves alone what means nothing on one machine', async () => {
    const types = ['IAM::Role', 'Logs::LogGroup', 'CloudWatch::Alarm', 'KMS::Key', 'KMS::Alias'];
    const resources = types.map((type) => [
      type.replace('::', ''),
      { Type: `AWS::${type}`, Properties: { Anything: { 'Fn::If': ['at', 'all'] } } },
    ]);
    await expect(read({ resources: Object.fromEntries(resources) })).resolves.toBeDefined();
  });

  function route(properties: object): AssemblyParts {
    return {
      functions: { Hello: '' },
      resources: {
        Route: {
          Type: 'AWS::ApiGatewayV2::Route',
          Properties: { ApiId: 'x', RouteKey: 'ANY /x', Target: 'integrations/I', ...properties },
        },
      },
    };
  }

  const target = { Id: 'Target0', Arn: { 'Fn::GetAtt': ['Hello', 'Arn'] }, Input: '{"tidy":"up"}' };

  function rule(properties: object): AssemblyParts {
    return {
      functions: { Hello: '' },
      resources: {
        Rule: {
          Type: 'AWS::Events::Rule',
          Properties: {
            Description: 'Tidies up',
            ScheduleExpression: 'rate(1 day)',
            State: 'ENABLED',
            Targets: [target],
            ...properties,
          },
        },
      },
    };
  }

  const refusedRules: [string, object, RegExp][] = [
    ['with a cron expression', { ScheduleExpression: 'cron(0 3 * * ? *)' }, /ScheduleExpression/],
    ['at a rate of none', { ScheduleExpression: 'rate(0 days)' }, /ScheduleExpression/],
    ['at a rate in bad grammar', { ScheduleExpression: 'rate(1 days)' }, /ScheduleExpression/],
    [
      'that waits for events and its time',
      { EventPattern: {}, Targets: [{ ...target, Input: undefined }] },
      /ScheduleExpression is not known/,
    ],
    ['of a bus of its own', { EventBusName: 'bus' }, /EventBusName is not known/],
    ['that is disabled', { State: 'DISABLED' }, /State/],
    ['without a target', { Targets: [] }, /Targets/],
    ['with two targets', { Targets: [target, target] }, /Targets/],
    ['with a role', { Targets: [{ ...target, RoleArn: 'r' }] }, /Targets\.0\.RoleArn is not known/],
    ['with an input made of the event', { Targets: [{ ...target, Input: undefined }] }, /Input/],
    ['with an input that is not JSON', { Targets: [{ ...target, Input: '{' }] }, /Input.*not JSON/],
    [
      'for something else than a function',
      { Targets: [{ ...target, Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }] },
      /^Rule: its target arn:aws:sqs:us-east-1:000000000000:q is no function of the stack$/,
    ],
  ];

  test.each<[string, AssemblyParts, RegExp]>([
    [
      'a rule for events by more than equality',
      eventRule({ EventPattern: { source: [{ prefix: 'aws.' }] } }),
      /EventPattern/,
    ],
    [
      'a rule for events with an input',
      eventRule({ Targets: [target] }),
      /Targets\.0\.Input is not known/,
    ],
    [
      'a rule for events that calls no function',
      eventRule({ Targets: [{ Id: 'T', Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }] }),
      /^Rule: its target arn:aws:sqs:us-east-1:000000000000:q is no function of the stack$/,
    ],
    [
      'events of mails for another bus',
      eventDestination({
        EventBridgeDestination: { EventBusArn: 'arn:aws:events:x:1:event-bus/y' },
      }),
      /EventBusArn/,
    ],
    [
      'events of mails for a topic',
      eventDestination({ SnsDestination: {} }),
      /SnsDestination is not known/,
    ],
    [
      'events of another kind',
      eventDestination({ MatchingEventTypes: ['open'], EventBridgeDestination: bus }),
      /MatchingEventTypes/,
    ],
    ...refusedRules.map(([what, properties, message]): [string, AssemblyParts, RegExp] => [
      `a rule ${what}`,
      rule(properties),
      message,
    ]),
    [
      'an unknown resource type',
      { resources: { Topic: { Type: 'AWS::SNS::Topic' } } },
      /^Topic: resource type AWS::SNS::Topic is not known to the local host$/,
    ],
    [
      'a queue that is more than one of lost events',
      { resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } } } },
      /^Queue \(AWS::SQS::Queue\): property FifoQueue is not known to the local host$/,
    ],
    [
      'an unknown property',
      {
        resources: {
          Table: { ...table, Properties: { ...table.Properties, StreamSpecification: {} } },
        },
      },
      /^Table \(AWS::DynamoDB::Table\): property StreamSpecification is not known/,
    ],
    [
      'an unknown value',
      { resources: { Table: { ...table, Properties: { ...table.Properties, BillingMode: 'X' } } } },
      /^Table .*property BillingMode: the local host does not know this value/,
    ],
    [
      'a route with an authorizer',
      route({ AuthorizationType: 'JWT' }),
      /Route .*AuthorizationType: the local host does not know/,
    ],
    ['a route option', route({ ApiKeyRequired: true }), /Route .*ApiKeyRequired is not known/],
    [
      'a route that is greedy before its end',
      route({ RouteKey: 'ANY /{proxy+}/x' }),
      /Route .*RouteKey/,
    ],
    ['the default route', route({ RouteKey: '$default' }), /Route .*RouteKey/],
    ['a route to nowhere', route({}), /Route: its target integrations\/I is no integration/],
    [
      'CORS answered by the gateway',
      {
        resources: {
          Api: {
            Type: 'AWS::ApiGatewayV2::Api',
            Properties: { Name: 'x', ProtocolType: 'HTTP', CorsConfiguration: {} },
          },
        },
      },
      /Api .*CorsConfiguration is not known/,
    ],
    [
      'a Standard state machine',
      {
        functions: { Hello: '' },
        resources: {
          Machine: {
            ...machine,
            Properties: { ...machine.Properties, StateMachineType: 'STANDARD' },
          },
        },
      },
      /Machine .*StateMachineType: the local host does not know/,
    ],
    [
      'a missing substitution',
      {
        resources: {
          Machine: {
            ...machine,
            Properties: { ...machine.Properties, DefinitionSubstitutions: {} },
          },
        },
      },
      /Machine: nothing to put in place of \$\{callee\}/,
    ],
    [
      'a condition',
      { resources: { Table: { ...table, Condition: 'Sometimes' } } },
      /Table: conditions are not known/,
    ],
    [
      'an unknown attribute',
      { outputs: { X: { Value: { 'Fn::GetAtt': ['Api', 'Colour'] } } } },
      /Fn::GetAtt Api\.Colour: no such attribute of AWS::ApiGatewayV2::Api/,
    ],
    [
      'an unknown name',
      { outputs: { X: { Value: { Ref: 'Nobody' } } } },
      /Ref Nobody: no resource/,
    ],
  ])('refuses %s', async (_, parts, message) => {
    await expect(read(parts)).rejects.toThrow(message);
  });

  test('refuses an assembly that is not there, saying where it looked', async () => {
    await expect(readAssembly('/nowhere')).rejects.toThrow(/^\/nowhere\/manifest\.json: cannot be/);
  });
});
