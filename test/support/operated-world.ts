/**
 * A deployment with something of everything that commands show: real tables with clients, users and
 * requests, the functions behind their names, and SES, Step Functions and CloudWatch that answer as
 * AWS does where all is well.
 */
import { readFileSync } from 'node:fs';
import { undeliverableAddresses, userDirectory } from '../../lambdas/aws/directory-table.ts';
import { keyStore } from '../../lambdas/aws/keys-table.ts';
import { requestsTable } from '../../lambdas/aws/requests-table.ts';
import { overLimitCause } from '../../lambdas/ciba/policy/over-limit.ts';
import type { PendingRequest } from '../../lambdas/ciba/request/authentication-request.ts';
import { SUB_LENGTH } from '../../lambdas/ciba/user/login.ts';
import { revokeRefreshTokenTask } from '../../lambdas/tasks/revoke-refresh-token.ts';
import { rotateKeysTask } from '../../lambdas/tasks/rotate-keys.ts';
import { compileNotificationTemplates } from '../../lib/notification-templates/compile.ts';
import type { Deployment } from '../../lib/operator/deployment/deployment.ts';
import { applyDirectory } from '../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { logoUri, quarters } from './example-images.ts';
import { generateClientKey } from './example-jwts.ts';
import { exampleRequest } from './example-request.ts';
import {
  type AnswerCall,
  answeredClients,
  awsError,
  operatedDeployment,
} from './operated-deployment.ts';
import { type TestTables, tablesOnDynalite } from './tables-on-dynalite.ts';

/** 15 January 2027, 08:00 UTC. */
export const WORLD_NOW = 1_800_000_000;

/** The longest ids and names that there may be. */
export const LONG_CLIENT = 'c'.repeat(64);
export const LONG_SUB = 's'.repeat(SUB_LENGTH);

const secret = 'a secret of thirty-two characters at least';

const directory = parseDirectory({
  clients: [
    {
      client_id: 'pump-4',
      client_name: 'Fuel & Go, Pump 4',
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: secret,
      logo_uri: logoUri(quarters.png),
      grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
      scope: 'openid profile email offline_access',
    },
    {
      client_id: LONG_CLIENT,
      client_name: '山'.repeat(64),
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [generateClientKey('ES256', { kid: 'k'.repeat(60) }).jwk] },
    },
  ],
  users: [
    { sub: 'u-alice', username: 'alice', email: 'alice@bank.example', email_verified: true },
    { sub: 'u-bob', username: 'bob', email: 'bob@bank.example', email_verified: true },
    {
      sub: LONG_SUB,
      username: 'u'.repeat(64),
      email: `${'e'.repeat(60)}@${'long.'.repeat(20)}example`,
      email_verified: true,
      name: 'N'.repeat(100),
    },
  ],
});

const files = compileNotificationTemplates();
const locales = ['de', 'en', 'es', 'fr', 'ja'];
const arnOf = (flow: string) =>
  `arn:aws:states:eu-central-1:111122223333:stateMachine:${'CibaProvider'.repeat(3)}-${flow}`;

const outputs = {
  ApiEndpoint: 'https://abcdefghij.execute-api.eu-central-1.amazonaws.com',
  BackchannelAuthenticationEndpoint: 'https://id.example/cibaAuthorization',
  ConfigurationSet: 'mails',
  DirectoryTable: 'directory',
  FlowPolicies: JSON.stringify({ standard: { 'ciba-flow': 90, 'ciba-generic-mail-flow': 10 } }),
  FlowPolicy: 'standard',
  Flows: JSON.stringify(
    Object.fromEntries(['ciba-flow', 'ciba-generic-mail-flow'].map((flow) => [flow, arnOf(flow)])),
  ),
  // Nothing answers there, and no check waits for it.
  Issuer: 'http://127.0.0.1:1',
  KeyRotationDays: '90',
  KeysTable: 'keys',
  NotificationPolicies: JSON.stringify({
    none: {},
    standard: {
      mailsPerUserPerMinute: 3,
      mailsPerUserPerDay: 100,
      pendingPerUser: 3,
      denialsBeforePause: 3,
      denialWindowSeconds: 600,
      pauseSeconds: 600,
      muteSeconds: 86_400,
      mailsPerDay: 40_000,
    },
  }),
  NotificationPolicy: 'standard',
  NotificationTemplates: JSON.stringify({
    'ciba-with-binding-message': locales,
    'ciba-without-binding-message': locales,
  }),
  RequestsTable: 'requests',
  RevokeRefreshTokenFunction: 'revoke',
  RotateKeysFunction: 'rotate',
  Sender: '"Bank" <approvals@bank.example>',
  TemplatePrefix: 'CibaProvider-',
  TokenEndpoint: 'https://id.example/token',
};

export interface OperatedWorld {
  deployment: Deployment;
  tables: TestTables;
  /** Request IDs by what became of the request. */
  refs: Record<'pending' | 'redeemed' | 'denied' | 'failed' | 'refused' | 'throttled', string>;
  /** A signing key that signs no more. */
  superseded: string;
  /** Puts question marks into a template, as CloudFormation does. */
  garble(): void;
  /** Whether no command has written to it, so that it is as good as a new one. */
  isAsMade(): boolean;
  stop(): Promise<void>;
}

/** The world at {@link WORLD_NOW}, anew. */
export async function operatedWorld(): Promise<OperatedWorld> {
  const tables = await tablesOnDynalite();
  const store = requestsTable(tables.client, 'requests');
  let made = 0;
  const rotate = rotateKeysTask({
    keys: keyStore(tables.client, 'keys', 'directory'),
    generateSigningKey: (alg) =>
      alg === 'ES256'
        ? { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }
        : { kty: 'RSA', n: 'n', e: 'AQAB', d: 'd' },
    periodSeconds: 90 * 86_400,
    clock: () => WORLD_NOW - 1000 + made,
    entropy: (bytes) => Buffer.alloc(bytes, ++made),
    log: () => {},
  });
  await rotate({ rotate: 'when-due' });
  const superseded = (await keyStore(tables.client, 'keys', 'directory').publishedKeys()).keys[0];
  await rotate({ rotate: 'now', lead: 0 });
  await applyDirectory({
    client: tables.client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory,
    prune: false,
  });
  const revoke = revokeRefreshTokenTask({ requests: store, clock: () => WORLD_NOW, log: () => {} });
  const templates = new Map(
    files.map(({ name, locale, subject, html, text }) => [
      `CibaProvider-${name}-${locale}`,
      { Subject: subject, Html: html, Text: text },
    ]),
  );
  const invoke = async (input: unknown) => {
    const { FunctionName, Payload } = input as { FunctionName: string; Payload: Uint8Array };
    const task = FunctionName === 'rotate' ? rotate : revoke;
    const answer = await task(JSON.parse(String(Payload)));
    return { Payload: Buffer.from(JSON.stringify(answer)) };
  };
  let areTemplatesAsMade = true;
  const answer: AnswerCall = (command, input) => {
    switch (command) {
      case 'InvokeCommand':
        return invoke(input);
      case 'GetEmailTemplateCommand': {
        const content = templates.get(String(Object(input).TemplateName));
        if (!content) throw awsError('NotFoundException', 'no');
        return { TemplateContent: content };
      }
      case 'UpdateEmailTemplateCommand':
        areTemplatesAsMade = false;
        templates.set(String(Object(input).TemplateName), Object(input).TemplateContent);
        return {};
      default:
        return answers[command]?.(input) ?? {};
    }
  };
  const refs = await askedRequests(tables);
  const writesToMake = tables.writes().length;
  return {
    deployment: operatedDeployment(outputs, answeredClients(answer, { dynamodb: tables.client })),
    tables,
    refs,
    superseded: superseded?.jwk.kid ?? '',
    garble() {
      const name = 'CibaProvider-ciba-with-binding-message-ja';
      areTemplatesAsMade = false;
      templates.set(name, { Subject: '???', Html: '???', Text: '???' });
    },
    isAsMade: () => areTemplatesAsMade && tables.writes().length === writesToMake,
    stop: () => tables.stop(),
  };
}

const flowDefinition = (arn: string) =>
  readFileSync(
    new URL(
      `../../statemachines/${arn.includes('generic') ? 'ciba-generic-mail-flow' : 'ciba-flow'}.asl.json`,
      import.meta.url,
    ),
    'utf8',
  ).replaceAll(/\$\{(\w+)\}/g, 'arn:aws:lambda:eu-central-1:1:function:$1');

const answers: Record<string, (input: unknown) => object> = {
  DescribeStateMachineCommand: (input) => ({
    status: 'ACTIVE',
    definition: flowDefinition(String(Object(input).stateMachineArn)),
  }),
  GetEmailIdentityCommand: () => ({ VerifiedForSendingStatus: true }),
  GetAccountCommand: () => ({ SendingEnabled: true, ProductionAccessEnabled: false }),
  DescribeAlarmsCommand: () => ({ MetricAlarms: [] }),
  ListStackResourcesCommand: () => ({ StackResourceSummaries: [] }),
};

async function askedRequests({ client }: TestTables): Promise<OperatedWorld['refs']> {
  const store = requestsTable(client, 'requests');
  const asked = async (ago: number, changes: Partial<PendingRequest> = {}) => {
    const createdAt = WORLD_NOW - ago;
    const request = exampleRequest({ createdAt, expiresAt: createdAt + 120, ...changes });
    await store.create(request);
    return request.ref;
  };
  const decided = async (ago: number, decision: 'approve' | 'deny' | 'report') => {
    const ref = await asked(ago);
    const at = WORLD_NOW - ago + 1;
    const linkNonce = 'n'.repeat(22);
    await store.claimMail({ ref, claimId: 'c', linkNonce, now: at, until: at + 15 });
    await store.recordMailed(ref, 'c', at + 1);
    const agent =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150 Safari';
    const origin = { from: '2001:db8:1234:5678:9abc:def0:1234:5678', agent };
    await store.decide({ ref, decision, linkNonce, contactVersion: 1, origin, now: at + 5 });
    return ref;
  };
  const redeemed = await decided(900, 'approve');
  const { secretHash, clientId } = exampleRequest();
  const refresh = { hash: 'h', endsAt: WORLD_NOW + 86_400, forgetAt: WORLD_NOW + 9e6 };
  await store.redeem({
    ...{ ref: redeemed, secretHash, clientId, contactVersion: 1, attemptId: 'a', refresh },
    now: WORLD_NOW - 880,
  });
  const failed = await asked(700, { sub: 'u-bob' });
  await store.fail(failed, 'email_undeliverable', WORLD_NOW - 690);
  const refuse = async (
    ago: number,
    why: { code: 'invalid_request' | 'access_denied'; cause: string },
  ) => {
    const { ref } = exampleRequest();
    await store.refuse({
      ...{ ref, clientId: 'pump-4', sub: 'u-alice', ...why },
      ...{ createdAt: WORLD_NOW - ago, forgetAt: WORLD_NOW + 9e6 },
    });
    return ref;
  };
  const users = undeliverableAddresses(client, 'directory');
  const bob = await userDirectory(client, 'directory').findUser('u-bob');
  await users.noteUndeliverable(
    { sub: 'u-bob', contactVersion: bob?.contact_version ?? 0 },
    'mail_bounced',
    WORLD_NOW,
  );
  const over = overLimitCause({ limit: 'mailsPerUserPerMinute', ofShare: true });
  return {
    redeemed,
    denied: await decided(800, 'report'),
    failed,
    refused: await refuse(600, { code: 'invalid_request', cause: 'id_token_hint: '.repeat(8) }),
    throttled: await refuse(500, { code: 'access_denied', cause: over }),
    pending: await asked(20, { clientId: LONG_CLIENT, sub: LONG_SUB }),
  };
}
