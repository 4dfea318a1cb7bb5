/**
 * The deploy test: the real `cdk bootstrap` and `cdk deploy` against MiniStack, then the black-box suite through the
 * deployed HTTP API. Exit code 0 if every case passed, 1 otherwise, 3 where the emulator cannot be had.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateEmailIdentityCommand,
  CreateEmailTemplateCommand,
  SESv2Client,
} from '@aws-sdk/client-sesv2';
import * as z from 'zod';
import { applyDirectory } from '../../lib/operator/apply-directory.ts';
import { parseDirectory } from '../../lib/operator/directory-file.ts';
import { directory } from '../black-box/directory.ts';
import { forwarder, mailStore } from './emulator-adapter.ts';
import { endProcesses, run } from './ended-processes.ts';
import { EmulatorUnavailable, freePort, installMiniStack, startMiniStack } from './ministack.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const region = 'us-east-1';
const account = '000000000000';

/** The sender of cdk.json, which stands for the address an operator has verified. */
const senderAddress = 'approvals@example.com';

const folder = await mkdtemp(join(tmpdir(), 'ciba-deploy-'));
const servers: Server[] = [];

async function end(): Promise<void> {
  endProcesses();
  for (const server of servers) server.close().closeAllConnections();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function testDeployment(): Promise<void> {
  const emulator = await startMiniStack(join(folder, 'emulator'));
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const env = { ...process.env, ...credentials, AWS_ENDPOINT_URL: emulator, AWS_REGION: region };
  const issuerPort = await freePort();
  const issuer = `http://localhost:${issuerPort}`;

  step('cdk bootstrap');
  await run('npx', ['cdk', 'bootstrap', `aws://${account}/${region}`], { cwd: projectFolder, env });
  step('cdk deploy');
  const outputsFile = join(folder, 'outputs.json');
  const context = ['--context', `issuer=${issuer}`, '--context', 'target=emulator'];
  await run(
    'npx',
    [
      ...['cdk', 'deploy', '--require-approval', 'never', '--output', join(folder, 'cdk.out')],
      ...['--outputs-file', outputsFile, ...context],
    ],
    { cwd: projectFolder, env },
  );
  const outputs = stackOutputs.parse(JSON.parse(await readFile(outputsFile, 'utf8'))).CibaProvider;

  step('templates, clients and users');
  const client = {
    endpoint: emulator,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  await createTemplates(new SESv2Client(client), issuer, env);
  await applyDirectory({
    client: new DynamoDBClient(client),
    tableName: outputs.DirectoryTable,
    keysTableName: outputs.KeysTable,
    directory: parseDirectory(directory),
    prune: false,
  });

  // The API's id is the first label of its address.
  const [apiId = ''] = new URL(outputs.ApiEndpoint).hostname.split('.');
  await listen(forwarder({ emulator, apiId }), issuerPort);
  const mailPort = await freePort();
  await listen(mailStore(emulator), mailPort);

  step('the black-box suite through the deployed API');
  await run(
    'npx',
    [
      ...['vitest', 'run', '--config', '.config/vitest.config.ts', '--project', 'black-box'],
      // Races by the hundred stay on the local host: the emulator takes some 75 polls a second.
      ...['--tagsFilter', '!heavy'],
    ],
    {
      cwd: projectFolder,
      env: {
        ...process.env,
        TEST_REPORT: 'build/deploy-test-results.json',
        BLACK_BOX_ISSUER: issuer,
        BLACK_BOX_MAIL_STORE: `http://127.0.0.1:${mailPort}`,
      },
    },
  );
}

function step(what: string): void {
  console.log(`\n== ${what}`);
}

const stackOutputs = z.object({
  CibaProvider: z.object({
    ApiEndpoint: z.string(),
    DirectoryTable: z.string(),
    KeysTable: z.string(),
  }),
});

async function listen(server: Server, port: number): Promise<void> {
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

const templates = z.object({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string() })),
});

const templateResource = z.object({
  Properties: z.object({
    Template: z.object({
      TemplateName: z.string(),
      SubjectPart: z.string(),
      HtmlPart: z.string(),
      TextPart: z.string(),
    }),
  }),
});

/** Makes the templates of a synth without the emulator's setting, and the sender whom SES has to know. */
async function createTemplates(
  ses: SESv2Client,
  issuer: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const assembly = join(folder, 'aws');
  const context = JSON.stringify({ issuer, 'aws:cdk:bundling-stacks': [] });
  const synthesis = { CDK_OUTDIR: assembly, CDK_CONTEXT_JSON: context, CDK_VALIDATION: 'false' };
  await run(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: projectFolder,
    env: { ...env, ...synthesis },
  });
  const text = await readFile(join(assembly, 'CibaProvider.template.json'), 'utf8');
  const { Resources } = templates.parse(JSON.parse(text));
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: senderAddress }));
  for (const resource of Object.values(Resources)) {
    if (resource.Type !== 'AWS::SES::Template') continue;
    const { Template } = templateResource.parse(resource).Properties;
    const { TemplateName, SubjectPart: Subject, HtmlPart: Html, TextPart: Text } = Template;
    await ses.send(
      new CreateEmailTemplateCommand({ TemplateName, TemplateContent: { Subject, Html, Text } }),
    );
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await end();
    process.exit(1);
  });
}

try {
  await installMiniStack();
  await testDeployment();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof EmulatorUnavailable ? 3 : 1;
} finally {
  await end();
}
