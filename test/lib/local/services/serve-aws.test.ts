/**
 * The local host as an AWS endpoint: the SDK's own clients at the control server's address, and
 * what must not get through.
 */
import { request as httpRequest } from 'node:http';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetAccountCommand,
  SESv2Client,
  TestRenderEmailTemplateCommand,
} from '@aws-sdk/client-sesv2';
import { DescribeStateMachineCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalHost, startLocalHost } from '../../../../lib/local/start-local-host.ts';
import { makeAssembly } from '../template/make-assembly.ts';

const functions = {
  Echo: 'export const handler = async (event) => ({ event });',
  Throw: 'export const handler = async () => { throw new RangeError("no such thing"); };',
  Silent: 'export const handler = async () => {};',
};

const resources = {
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    },
  },
  Mail: {
    Type: 'AWS::SES::Template',
    Properties: {
      Template: {
        TemplateName: 'greeting',
        SubjectPart: 'To {{name}}',
        HtmlPart: '<p>{{name}}</p>',
        TextPart: 'Hello {{name}}',
      },
    },
  },
  Machine: {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      StateMachineName: 'Flow',
      StateMachineType: 'EXPRESS',
      DefinitionString: '{"StartAt":"End","States":{"End":{"Type":"Succeed"}}}',
    },
  },
};

/** A value that has to be escaped in XML. */
const awkward = `<a> & "b" ]]> 日本 \u{1F600}`;

let host: LocalHost;
let settings: { endpoint: string; region: string };

beforeAll(async () => {
  const assembly = await makeAssembly({
    functions,
    resources,
    outputs: {
      Table: { Value: { Ref: 'Table' } },
      Machine: { Value: { Ref: 'Machine' } },
      Awkward: { Value: awkward },
    },
  });
  host = await startLocalHost({ assembly, port: 0, inboxPort: 0, controlPort: 0, log: () => {} });
  settings = { endpoint: host.control, region: 'us-east-1' };
});
afterAll(() => host.stop());

describe('cloudformation', () => {
  const describeStacks = (StackName?: string) =>
    new CloudFormationClient(settings).send(new DescribeStacksCommand({ StackName }));

  it.each([
    ['its name', 'Test'],
    ['no name', undefined],
  ])('describes the stack by %s, with the outputs as they are here', async (_, name) => {
    const { Stacks: stacks = [] } = await describeStacks(name);
    expect(stacks).toHaveLength(1);
    expect(stacks[0]).toMatchObject({ StackName: 'Test', StackStatus: 'CREATE_COMPLETE' });
    expect(stacks[0]?.CreationTime).toBeInstanceOf(Date);
    const outputs = stacks[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [
      OutputKey,
      OutputValue,
    ]);
    expect(Object.fromEntries(outputs ?? [])).toEqual({ ...host.stack.outputs, Awkward: awkward });
  });

  it('knows no other stack', async () => {
    await expect(describeStacks('Other<1>')).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Stack with id Other<1> does not exist',
    });
  });

  it('describes a stack by its id', async () => {
    const { Stacks: [stack] = [] } = await describeStacks();
    expect((await describeStacks(stack?.StackId)).Stacks).toHaveLength(1);
  });

  it('does nothing else', async () => {
    const body = 'Action=DeleteStack&StackName=Test';
    const answer = await fetch(host.control, signed('cloudformation', { method: 'POST', body }));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('does not know DeleteStack');
  });
});

describe('dynamodb', () => {
  it('is the tables of the stack', async () => {
    const dynamodb = new DynamoDBClient(settings);
    const TableName = host.stack.outputs['Table'];
    await dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, n: { N: '1' } } }));
    const { Item } = await dynamodb.send(
      new GetItemCommand({ TableName, Key: { pk: { S: 'a' } }, ConsistentRead: true }),
    );
    expect(Item?.['n']).toEqual({ N: '1' });
  });
});

describe('ses', () => {
  it('has the templates of the stack', async () => {
    const { RenderedTemplate: mail } = await new SESv2Client(settings).send(
      new TestRenderEmailTemplateCommand({
        TemplateName: 'greeting',
        TemplateData: '{"name":"Ann"}',
      }),
    );
    expect(mail).toContain('Hello Ann');
  });

  it('says what it does not have', async () => {
    await expect(new SESv2Client(settings).send(new GetAccountCommand())).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
  });

  it.each([
    '/store',
    '/clear-store',
    '/',
    '/get-emlContent?messageId=x',
    '/v2/email/../../store',
    '/v2/email/templates/../../../store',
  ])('leaves %s to the inbox', async (path) => {
    expect(await statusOf(path)).toBe(404);
  });

  /** As it stands: `fetch` would resolve the dots. */
  function statusOf(path: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const { port } = new URL(host.control);
      httpRequest({ port, path, agent: false, headers: signed('ses').headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
  }
});

describe('states', () => {
  it('describes the state machine and starts it', async () => {
    const states = new SFNClient(settings);
    const stateMachineArn = host.stack.outputs['Machine'] ?? '';
    const described = await states.send(new DescribeStateMachineCommand({ stateMachineArn }));
    expect(described).toMatchObject({ name: 'Flow', status: 'ACTIVE', type: 'EXPRESS' });
    const { executionArn } = await states.send(new StartExecutionCommand({ stateMachineArn }));
    expect(executionArn).toContain(':Flow:');
  });

  it('describes no other', async () => {
    const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:Other';
    await expect(
      new SFNClient(settings).send(new DescribeStateMachineCommand({ stateMachineArn })),
    ).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
  });
});

describe('lambda', () => {
  const invoke = async (FunctionName: string, payload?: string, type?: 'Event') => {
    const answer = await new LambdaClient(settings).send(
      new InvokeCommand({
        FunctionName,
        ...(payload !== undefined && { Payload: Buffer.from(payload) }),
        ...(type && { InvocationType: type }),
      }),
    );
    return { ...answer, result: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) };
  };

  it('invokes a function by name and by ARN', async () => {
    for (const name of ['Test-Echo', 'arn:aws:lambda:us-east-1:000000000000:function:Test-Echo']) {
      expect((await invoke(name, '{"a":1}')).result).toEqual({ event: { a: 1 } });
    }
  });

  it('takes no payload as an empty event, and answers null for no result', async () => {
    expect((await invoke('Test-Echo')).result).toEqual({ event: {} });
    expect((await invoke('Test-Silent')).result).toBeNull();
  });

  it('answers what a function threw, marked as its error', async () => {
    expect(await invoke('Test-Throw', '{}')).toMatchObject({
      StatusCode: 200,
      FunctionError: 'Unhandled',
      result: { errorType: 'RangeError', errorMessage: 'no such thing' },
    });
  });

  it.each([
    ['another function', 'Other', '{}', undefined, 'ResourceNotFoundException'],
    ['a payload that is not JSON', 'Test-Echo', '{', undefined, 'InvalidRequestContentException'],
    ['an answer nobody waits for', 'Test-Echo', '{}', 'Event', 'InvalidParameterValueException'],
  ] as const)('refuses %s', async (_, name, payload, type, error) => {
    await expect(invoke(name, payload, type)).rejects.toMatchObject({ name: error });
  });

  it('does nothing else', async () => {
    const answer = await fetch(`${host.control}/2015-03-31/functions/`, signed('lambda'));
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([
      404,
      'UnknownOperationException',
    ]);
  });
});

describe('everything else', () => {
  it('names the service it does not know, in the protocol of the SDK', async () => {
    await expect(
      new CloudWatchClient(settings).send(new DescribeAlarmsCommand()),
    ).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('does not know the service monitoring'),
    });
  });

  it('and in XML for a form', async () => {
    const body = new URLSearchParams({ Action: 'GetCallerIdentity' });
    const answer = await fetch(host.control, signed('sts', { method: 'POST', body }));
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('<Code>UnknownOperationException</Code>');
  });

  it('answers no web page, however it is signed', async () => {
    const { headers } = signed('dynamodb');
    for (const origin of [host.control, 'null', 'https://evil.example']) {
      const answer = await fetch(host.control, { method: 'POST', headers: { ...headers, origin } });
      expect(answer.status).toBe(403);
    }
  });

  it('is no way around the rules of the control server', async () => {
    const answer = await fetch(
      `${host.control}/rotate-keys`,
      signed('dynamodb', { method: 'POST' }),
    );
    expect(answer.status).not.toBe(200);
    const unsigned = await fetch(host.control, {
      method: 'POST',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 local',
        'x-amz-target': 'DynamoDB_20120810.ListTables',
      },
    });
    expect(unsigned.status).toBe(404);
  });
});

/** A request as an SDK signs it; the local host looks at the service alone. */
function signed(service: string, init: RequestInit = {}) {
  const scope = `local/20260101/us-east-1/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=00`;
  return { ...init, headers: { authorization } };
}
