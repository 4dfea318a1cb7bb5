/** A whole local host over a small stack: what it answers is what the services of AWS would. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fetchTrusting } from '../../../lib/local/fetch-trusting.ts';
import { type LocalHost, startLocalHost } from '../../../lib/local/start-local-host.ts';
import { eventually } from '../../support/eventually.ts';
import { loopbackHosts } from '../../support/local-process.ts';
import { makeAssembly } from './template/make-assembly.ts';

const lines: string[] = [];
const log = (kind: string, line: string) => void lines.push(`${kind}: ${line}`);
const anyPorts = { port: 0, inboxPort: 0, controlPort: 0, log };
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

function task(functionId: string, fields: object): object {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: `\${${functionId}}`, 'Payload.$': '$' },
    ResultPath: '$.last',
    TimeoutSeconds: 5,
    ...fields,
  };
}

/** Fails twice with a name that is retried, then with one that is caught. */
const machine = {
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    StateMachineName: 'Flow',
    StateMachineType: 'EXPRESS',
    DefinitionString: JSON.stringify({
      StartAt: 'Flaky',
      States: {
        Flaky: task('Flaky', {
          Retry: [
            {
              ErrorEquals: ['Passing'],
              IntervalSeconds: 1,
              MaxAttempts: 5,
              JitterStrategy: 'FULL',
            },
          ],
          Catch: [{ ErrorEquals: ['Lasting'], ResultPath: '$.error', Next: 'Report' }],
          Next: 'NotReached',
        }),
        NotReached: { Type: 'Fail', Error: 'NotReached' },
        Report: task('Report', { End: true }),
      },
    }),
    DefinitionSubstitutions: {
      Flaky: { 'Fn::GetAtt': ['Flaky', 'Arn'] },
      Report: { 'Fn::GetAtt': ['Report', 'Arn'] },
    },
  },
};

const functions = {
  Echo: `export const handler = async (event) => ({
    statusCode: 201,
    headers: { 'Content-Type': 'application/json', 'X-Number': 7 },
    cookies: ['a=1; Path=/', 'b=2'],
    body: JSON.stringify(event),
  });`,
  Tail: `export const handler = async (event) => ({
    statusCode: 401,
    headers: { 'WWW-Authenticate': 'Basic realm="x"' },
    body: JSON.stringify(event.pathParameters ?? null),
  });`,
  Plain: 'export const handler = async () => ({ hello: "world" });',
  Throw: 'export const handler = async () => { throw new RangeError("no such thing"); };',
  Header: 'export const handler = async () => ({ statusCode: 200, headers: { x: "a\\nb" } });',
  Slow: 'export const handler = () => new Promise(() => setInterval(() => {}, 1000));',
  Exit: 'export const handler = async () => process.exit(1);',
  Environment: `let calls = 0;
    export const handler = async (event, context) => ({
      environment: process.env, calls: ++calls, name: context.functionName, left: context.getRemainingTimeInMillis(),
    });`,
  Flaky: `let calls = 0;
    export const handler = async () => {
      const error = new Error('call ' + ++calls);
      error.name = calls < 3 ? 'Passing' : 'Lasting';
      throw error;
    };`,
  Hear: `export const handler = async (event) => {
    console.log('heard ' + event['detail-type'] + ' of ' + event.detail.mail.tags.ref);
  };`,
  Rotate: 'export const handler = async (event) => ({ rotated: event });',
  Report:
    'export const handler = async (state) => { console.log("reported " + JSON.stringify(state)); };',
  Key: `export const handler = async (event) => {
    const { RequestType, ResponseURL, ResourceProperties, ...ids } = event;
    const answer = { ...ids, Status: 'SUCCESS', PhysicalResourceId: 'key' };
    await fetch(ResponseURL, { method: 'PUT', body: JSON.stringify(answer) });
    console.log(RequestType + ' ' + ResourceProperties.size);
  };`,
};

const resources = {
  Daily: {
    Type: 'AWS::Events::Rule',
    Properties: {
      ScheduleExpression: 'rate(1 day)',
      Targets: [
        {
          Id: 'Target0',
          Arn: { 'Fn::GetAtt': ['Rotate', 'Arn'] },
          Input: '{"rotate":"when-due"}',
        },
      ],
    },
  },
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'day', AttributeType: 'S' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byDay',
          KeySchema: [{ AttributeName: 'day', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
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
  Set: { Type: 'AWS::SES::ConfigurationSet', Properties: { Name: 'set' } },
  Events: {
    Type: 'AWS::SES::ConfigurationSetEventDestination',
    Properties: {
      ConfigurationSetName: { Ref: 'Set' },
      EventDestination: {
        Enabled: true,
        MatchingEventTypes: ['bounce'],
        EventBridgeDestination: { EventBusArn: 'arn:aws:events:us-east-1:1:event-bus/default' },
      },
    },
  },
  OfMails: {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: ['aws.ses'] },
      Targets: [{ Id: 'Target0', Arn: { 'Fn::GetAtt': ['Hear', 'Arn'] } }],
    },
  },
  Machine: machine,
  FirstKey: {
    Type: 'Custom::Key',
    Properties: { ServiceToken: { 'Fn::GetAtt': ['Key', 'Arn'] }, size: 256 },
  },
};

const routes = {
  Echo: '/echo/{name}',
  Tail: '/tail/{rest+}',
  Plain: '/plain',
  Throw: '/throw',
  Header: '/header',
  Slow: '/slow',
  Exit: '/exit',
  Environment: '/environment',
};

let host: LocalHost;

beforeAll(async () => {
  const assembly = await makeAssembly({
    functions,
    resources,
    routes,
    environment: { TABLE: { Ref: 'Table' } },
    outputs: {
      Issuer: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } },
      DirectoryTable: { Value: { Ref: 'Table' } },
      KeysTable: { Value: { Ref: 'Table' } },
    },
  });
  host = await startLocalHost({ ...anyPorts, assembly });
  const { endpoints, stack } = host;
  const region = 'us-east-1';
  const client = new DynamoDBClient({ endpoint: endpoints.dynamodb, region, credentials });
  // What the custom resource of this stack does not make: a key that client secrets are stored
  // under.
  const keys = { pk: 'wrap', version: 1, keys: [{ kid: 'k', secret: 'A'.repeat(43) }] };
  const TableName = stack.outputs['KeysTable'];
  await client.send(new PutItemCommand({ TableName, Item: marshall(keys) }));
});

afterAll(() => host.stop());

describe('the HTTP API', () => {
  test('hands the event to the function and its result to the client', async () => {
    const response = await fetch(`${host.issuer}/echo/a%20b?x=1`, {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-number')).toBe('7');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
    expect(await response.json()).toMatchObject({
      routeKey: 'ANY /echo/{name}',
      rawPath: '/echo/a%20b',
      pathParameters: { name: 'a b' },
      body: Buffer.from('a=b').toString('base64'),
      isBase64Encoded: true,
    });
  });

  test('answers a result without a status as JSON with 200', async () => {
    const response = await fetch(`${host.issuer}/plain`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/json',
    ]);
    expect(await response.json()).toEqual({ hello: 'world' });
  });

  test.each([
    ['/tail/a', { rest: 'a' }],
    ['/tail/a/b%20c/', { rest: 'a/b c/' }],
    ['/tail//a', { rest: '/a' }],
    ['/tail/', { rest: '' }],
  ])('hands all that is left of %s to a greedy route', async (path, parameters) => {
    expect(await (await fetch(`${host.issuer}${path}`)).json()).toEqual(parameters);
  });

  test('P40: answers HEAD with the length of GET, and no body', async () => {
    const [get, head] = await Promise.all(
      ['GET', 'HEAD'].map((method) => fetch(`${host.issuer}/plain`, { method })),
    );
    expect(await head?.text()).toBe('');
    expect(head?.headers.get('content-length')).toBe(String((await get?.text())?.length));
  });

  test('P52: renames WWW-Authenticate where it is told to', async () => {
    const assembly = await makeAssembly({
      functions,
      routes: { Tail: '/tail/{rest+}' },
      resources,
    });
    const renaming = await startLocalHost({ ...anyPorts, assembly, renameWwwAuthenticate: true });
    const names = ['www-authenticate', 'x-amzn-remapped-www-authenticate'];
    const challenges = await Promise.all(
      [host, renaming].map(async ({ issuer }) => {
        const { headers } = await fetch(`${issuer}/tail/a`);
        return names.map((name) => headers.get(name));
      }),
    );
    await renaming.stop();
    expect(challenges).toEqual([
      ['Basic realm="x"', null],
      [null, 'Basic realm="x"'],
    ]);
  });

  test.each([
    '/tail',
    '/',
    '/nowhere',
    '/echo',
    '/echo/',
    '/echo/a/b',
    '/plain/',
    '//plain',
    '/PLAIN',
  ])('answers 404 for %s, which no route has', async (path) => {
    const response = await fetch(`${host.issuer}${path}`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('{"message":"Not Found"}');
  });

  test.each(['/throw', '/header', '/exit'])(
    'answers 500 without a word of why for %s, and goes on',
    async (path) => {
      for (const _ of [1, 2]) {
        const response = await fetch(`${host.issuer}${path}`);
        expect(response.status).toBe(500);
        expect(await response.text()).toBe('{"message":"Internal Server Error"}');
      }
    },
  );

  test("answers 500 when a function's time is up, and tells the log", async () => {
    const response = await fetch(`${host.issuer}/slow`);
    expect(response.status).toBe(500);
    expect(lines).toContainEqual(expect.stringMatching(/Test-Slow.*timed out after 1\.00 seconds/));
  });

  test('answers 413 for more than 10 MB, declared or not', async () => {
    const tooMuch = Buffer.alloc(10 * 1024 * 1024 + 1);
    const declared = await fetch(`${host.issuer}/plain`, { method: 'POST', body: tooMuch });
    expect(declared.status).toBe(413);
    expect(await declared.text()).toBe('{"message":"Request Entity Too Large"}');
    expect(await postInChunks(`${host.issuer}/plain`, tooMuch)).toBe(413);
  });

  test('names the route in its log, and neither path nor query', async () => {
    await fetch(`${host.issuer}/echo/secret-link?secret=1`);
    expect(lines).toContainEqual(
      expect.stringMatching(/^request: GET \/echo\/\{name\} 201 \d+ ms [A-Za-z0-9+/]{15}=$/),
    );
    expect(lines.join('\n')).not.toContain('secret-link');
  });
});

describe('the functions', () => {
  test('see their own environment, the credentials and endpoints of Lambda, and nothing of this process', async () => {
    const response = await fetch(`${host.issuer}/environment`);
    const { environment, name, left } = JSON.parse(await response.text());
    expect(environment).toMatchObject({
      TABLE: 'Test-Table',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'Test-Environment',
      AWS_ENDPOINT_URL_DYNAMODB: host.endpoints.dynamodb,
      AWS_ENDPOINT_URL_SESV2: host.endpoints.sesv2,
      AWS_ENDPOINT_URL_SFN: host.endpoints.stepFunctions,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    });
    expect(environment).not.toHaveProperty('PATH');
    expect(name).toBe('Test-Environment');
    expect(left).toBeGreaterThan(0);
  });
});

describe('the custom resource', () => {
  test('was created before the first request', () => {
    expect(lines).toContainEqual('function: Create 256');
  });
});

describe('Step Functions', () => {
  const start = (input: string, stateMachineArn = host.stack.stateMachines[0]?.arn) => {
    const endpoint = host.endpoints.stepFunctions;
    const client = new SFNClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
    return client.send(new StartExecutionCommand({ stateMachineArn, input, name: 'run-1' }));
  };

  test('answers at once, retries and catches by the name of the error, in the background', async () => {
    const { executionArn, startDate } = await start('{"ref":"r"}');
    expect(executionArn).toMatch(/:express:Flow:run-1:/);
    expect(startDate).toBeInstanceOf(Date);
    await eventually(() =>
      expect(lines).toContainEqual(expect.stringMatching(/^flow: Flow run-1 ended/)),
    );
    expect(lines).toContain('flow: Flow run-1 ended: Flaky > Report');
    const [, reported] = lines.join('\n').match(/^function: reported (.*)$/m) ?? [];
    const state = JSON.parse(reported ?? '');
    expect(state).toMatchObject({ ref: 'r', error: { Error: 'Lasting' } });
    expect(JSON.parse(state.error.Cause)).toMatchObject({
      errorType: 'Lasting',
      errorMessage: 'call 3',
    });
  });

  test('refuses an unknown machine and an input that is not JSON, as AWS does', async () => {
    await expect(
      start('{}', 'arn:aws:states:us-east-1:000000000000:stateMachine:No'),
    ).rejects.toThrow(expect.objectContaining({ name: 'StateMachineDoesNotExist' }));
    await expect(start('{')).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidExecutionInput' }),
    );
  });

  test('refuses an operation that it does not know', async () => {
    const response = await fetch(host.endpoints.stepFunctions, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSStepFunctions.ListExecutions' },
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'UnknownOperationException' });
  });
});

describe('the inbox', () => {
  const send = (to = 'to@example.com') => {
    const endpoint = host.endpoints.sesv2;
    const client = new SESv2Client({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
    return client.send(
      new SendEmailCommand({
        FromEmailAddress: 'from@example.com',
        Destination: { ToAddresses: [to] },
        ConfigurationSetName: 'set',
        EmailTags: [{ Name: 'ref', Value: `mail-to-${to.split('@')[0]}` }],
        Content: { Template: { TemplateName: 'greeting', TemplateData: '{"name":"A & B"}' } },
      }),
    );
  };
  const readMails = async () =>
    JSON.parse(await (await fetch(`${host.inbox}/store`)).text()).emails;

  test('takes mail of the stored templates, lists it, forgets it, and goes on sending', async () => {
    await send();
    expect(await readMails()).toMatchObject([
      { subject: 'To A & B', body: { text: 'Hello A & B', html: '<p>A & B</p>' } },
    ]);
    const cleared = await fetch(`${host.inbox}/clear-store`, { method: 'POST' });
    expect(cleared.status).toBe(200);
    await send();
    expect(await readMails()).toHaveLength(1);
  });

  test.each(['bounce', 'suppressionlist'])(
    'has SES tell of a mail to its simulator, and shows the mail all the same: %s',
    async (name) => {
      const address = `${name}@simulator.amazonses.com`;
      await send(address);
      await eventually(() =>
        expect(lines).toContain(`function: heard Email Bounced of mail-to-${name}`),
      );
      const mails = await readMails();
      expect(mails.at(-1)).toMatchObject({ destination: { to: [address] } });
      expect(lines.join()).not.toContain('mail-to-to');
    },
  );

  test('loses no mail that is sent while it is cleared', async () => {
    const clear = () => fetch(`${host.inbox}/clear-store`, { method: 'POST' });
    const turns = Array.from({ length: 20 }, (_, turn) => (turn % 5 === 2 ? clear() : send()));
    await expect(Promise.all(turns)).resolves.toBeDefined();
    await send();
  });

  test('shows its page to its own address alone: magic links lie in it', async () => {
    expect((await fetch(host.inbox)).status).toBe(200);
    const foreign = await fetch(`${host.inbox}/store`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
    expect(await getAs(`${host.inbox}/store`, 'rebound.example:4011')).toBe(403);
  });
});

describe('the control server', () => {
  const put = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${host.control}/directory`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const client = {
    client_id: 'c',
    client_name: 'A client',
    token_endpoint_auth_method: 'client_secret_basic',
  };

  test('replaces the directory, tells the secrets it made, and lets functions forget', async () => {
    const before = JSON.parse(await (await fetch(`${host.issuer}/environment`)).text());
    const response = await put(JSON.stringify({ clients: [client], users: [] }));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      generatedSecrets: [{ client_id: 'c', client_secret: expect.any(String) }],
    });
    const after = JSON.parse(await (await fetch(`${host.issuer}/environment`)).text());
    expect([before.calls > 0, after.calls]).toEqual([true, 1]);
  });

  const rotateKeys = (on: LocalHost, init: RequestInit = {}) =>
    fetch(`${on.control}/rotate-keys`, { method: 'POST', ...init });

  test('rotates keys without a day to wait, and lets functions forget', async () => {
    const before = JSON.parse(await (await fetch(`${host.issuer}/environment`)).text());
    const response = await rotateKeys(host);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ rotated: { rotate: 'now', lead: 0 } });
    const after = JSON.parse(await (await fetch(`${host.issuer}/environment`)).text());
    expect([before.calls > 0, after.calls]).toEqual([true, 1]);
  });

  test('says so where a stack rotates none, and goes on', async () => {
    const assembly = await makeAssembly({});
    const other = await startLocalHost({ ...anyPorts, assembly });
    for (let time = 0; time < 2; time += 1) {
      const response = await rotateKeys(other);
      expect(response.status).toBe(500);
      expect(await response.json()).toEqual({
        message: 'The stack has no schedule that rotates keys',
      });
    }
    await other.stop();
  });

  test('answers 400 with what is wrong with a directory', async () => {
    const response = await put(JSON.stringify({ clients: [{ ...client, colour: 'red' }] }));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message: expect.stringContaining('colour') });
    expect((await put('{')).status).toBe(400);
  });

  test('cannot be called by a web page', async () => {
    expect((await put('{}', { origin: host.control })).status).toBe(403);
    expect((await rotateKeys(host, { headers: { origin: host.control } })).status).toBe(403);
    expect((await rotateKeys(host, { headers: { origin: 'null' } })).status).toBe(403);
    expect((await put('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect(await getAs(`${host.control}/directory`, 'rebound.example')).toBe(403);
  });

  test('knows nothing else', async () => {
    expect((await fetch(`${host.control}/keys`, { method: 'PUT' })).status).toBe(404);
    expect((await fetch(`${host.control}/directory`)).status).toBe(405);
    expect((await fetch(`${host.control}/rotate-keys`)).status).toBe(405);
  });
});

describe('DynamoDB', () => {
  test('survives a caller that goes away in the middle of a request', async () => {
    const { port } = new URL(host.endpoints.dynamodb);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await sleep(50);
    socket.resetAndDestroy();
    await sleep(50);
    expect((await fetch(host.endpoints.dynamodb)).status).toBe(200);
  });
});

describe('startLocalHost', () => {
  const port = () => Number(new URL(host.issuer).port);

  test('says which port is taken and by which option to choose another', async () => {
    const assembly = await makeAssembly({});
    await expect(startLocalHost({ ...anyPorts, assembly, port: port() })).rejects.toThrow(
      `Port ${port()} is in use on 127.0.0.1: choose another with --port`,
    );
    await expect(startLocalHost({ ...anyPorts, assembly, inboxPort: port() })).rejects.toThrow(
      `Port ${port()} is in use on 127.0.0.1: choose another with --inbox-port`,
    );
  });

  test('P50: with tls, functions are told of https, and of the address that called', async () => {
    const assembly = await makeAssembly({
      functions: { Echo: 'export const handler = async ({ headers }) => headers;' },
      routes: { Echo: '/echo' },
    });
    const secure = await startLocalHost({ ...anyPorts, assembly, tls: true });
    const trusting = fetchTrusting(await readFile(secure.ca ?? '', 'utf8'));
    const { port } = new URL(secure.issuer);
    const ask = async (host: string) => {
      const url = `https://${host}:${port}/echo`;
      const response = await trusting(url, { method: 'GET', headers: {}, body: undefined });
      return response.json();
    };
    expect(secure.issuer).toBe(`https://localhost:${port}`);
    for (const host of loopbackHosts) {
      expect(await ask(host)).toMatchObject({
        host: `${host}:${port}`,
        'x-forwarded-for': host.replaceAll(/[[\]]/g, ''),
        'x-forwarded-port': port,
        'x-forwarded-proto': 'https',
      });
    }
    await secure.stop();
    await expect(ask('localhost')).rejects.toThrow();
    await expect(readFile(secure.ca ?? '')).rejects.toThrow('ENOENT');
  });

  test('P50: removes the CA when the start fails', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ciba-start-'));
    vi.stubEnv('TMPDIR', folder);
    const assembly = await makeAssembly({});
    const options = { ...anyPorts, assembly, tls: true, inboxPort: port() };
    await expect(startLocalHost(options)).rejects.toThrow('choose another with --inbox-port');
    vi.unstubAllEnvs();
    const left = await readdir(folder);
    await rm(folder, { recursive: true });
    expect(left.filter((name) => name.startsWith('ciba-local-ca-'))).toEqual([]);
  });

  test.each([
    ['http', true],
    ['https', false],
  ])('P50: refuses a stack whose issuer is %s where tls is %s', async (scheme, tls) => {
    const Issuer = { Value: `${scheme}://localhost:${port()}` };
    const assembly = await makeAssembly({ outputs: { Issuer } });
    await expect(startLocalHost({ ...anyPorts, assembly, tls })).rejects.toThrow(
      /synthesize it again, or choose --port and --tls to match$/,
    );
  });

  test('refuses a stack that was synthesized for another issuer', async () => {
    const assembly = await makeAssembly({ outputs: { Issuer: { Value: 'http://localhost:1' } } });
    await expect(startLocalHost({ ...anyPorts, assembly })).rejects.toThrow(
      /was synthesized for the issuer http:\/\/localhost:1, not for http:\/\/localhost:\d+/,
    );
  });

  test.each([
    ['fails', 'Status: "FAILED", Reason: "no luck", ', /^Custom resource FirstKey: no luck$/],
    ['answers for another', 'Status: "SUCCESS", RequestId: "x", ', /another RequestId/],
  ])('fails when a custom resource %s', async (_, answer, message) => {
    const source = `export const handler = async ({ ResponseURL, ...ids }) => {
      const body = JSON.stringify({ ...ids, PhysicalResourceId: 'key', ${answer} });
      await fetch(ResponseURL, { method: 'PUT', body });
    };`;
    const { FirstKey } = resources;
    const assembly = await makeAssembly({ functions: { Key: source }, resources: { FirstKey } });
    await expect(startLocalHost({ ...anyPorts, assembly })).rejects.toThrow(message);
  });

  test.each([
    ['throws', 'throw new TypeError("oh")', /its function failed: TypeError.*oh/],
    ['answers nothing', '', /ended without an answer to ResponseURL/],
  ])('fails when the function of a custom resource %s', async (_, body, message) => {
    const source = `export const handler = async () => { ${body} };`;
    const { FirstKey } = resources;
    const assembly = await makeAssembly({ functions: { Key: source }, resources: { FirstKey } });
    await expect(startLocalHost({ ...anyPorts, assembly })).rejects.toThrow(message);
  });
});

/** Sends without a length; answers the status. */
async function postInChunks(url: string, body: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
    for (let start = 0; start < body.length; start += 1_000_000) {
      request.write(body.subarray(start, start + 1_000_000));
    }
    request.end();
  });
}

/** Sends with another Host than the address; answers the status. */
async function getAs(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
