/**
 * The checks of `ciba doctor`: what each says of a healthy deployment and of each thing that can be
 * wrong with one.
 */
import { readFileSync } from 'node:fs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { providerMetadata } from '../../../../lambdas/ciba/provider-metadata.ts';
import { routes } from '../../../../lambdas/routes.ts';
import { compileNotificationTemplates } from '../../../../lib/notification-templates/compile.ts';
import type { Deployment } from '../../../../lib/operator/deployment/deployment.ts';
import type { Finding } from '../../../../lib/operator/doctor/check.ts';
import { checks, examine } from '../../../../lib/operator/doctor/doctor.ts';
import { judgeAlarms } from '../../../../lib/operator/doctor/doctor-flows.ts';
import { judgeClocks } from '../../../../lib/operator/doctor/doctor-issuer.ts';
import { judgeFreshness } from '../../../../lib/operator/doctor/doctor-keys.ts';
import { judgeAccount, judgeIdentities } from '../../../../lib/operator/doctor/doctor-mail.ts';
import { judgeStatus } from '../../../../lib/operator/doctor/doctor-stack.ts';
import type { KeyState } from '../../../../lib/operator/keys/key-states.ts';
import { ciba } from '../../../support/ciba-command.ts';
import {
  type AnswerCall,
  answeredClients,
  awsError,
  operatedDeployment,
} from '../../../support/operated-deployment.ts';

const now = 1_800_000_000;
const DAY = 86_400;

const verdicts = (findings: Finding[]) => findings.map(({ verdict }) => verdict);

const flowArn = 'arn:aws:states:us-east-1:1:stateMachine:ciba-flow';
const outputs = {
  ApiEndpoint: 'x',
  BackchannelAuthenticationEndpoint: 'x',
  ConfigurationSet: 'x',
  DirectoryTable: 'directory',
  FlowPolicies: '{}',
  FlowPolicy: 'x',
  Flows: JSON.stringify({ 'ciba-flow': flowArn }),
  Issuer: 'https://id.bank.example',
  KeyRotationDays: '90',
  KeysTable: 'keys',
  NotificationPolicies: '{}',
  NotificationPolicy: 'x',
  NotificationTemplates: JSON.stringify({
    'ciba-with-binding-message': ['de', 'en', 'es', 'fr', 'ja'],
    'ciba-without-binding-message': ['de', 'en', 'es', 'fr', 'ja'],
  }),
  RequestsTable: 'requests',
  RevokeRefreshTokenFunction: 'revoke',
  RotateKeysFunction: 'rotate',
  Sender: '"Bank" <approvals@bank.example>',
  TemplatePrefix: 'CibaProvider-',
  TokenEndpoint: 'x',
};

/** Runs one check over a deployment whose calls are answered so. */
async function run(
  check: string,
  answer: AnswerCall,
  { own = outputs, fetched }: { own?: Record<string, string>; fetched?: typeof fetch } = {},
): Promise<Finding[]> {
  const deployment: Deployment = operatedDeployment(own, answeredClients(answer));
  const found = await checks[check]?.({
    deployment,
    clock: () => now,
    fetch: fetched ?? (() => Promise.reject(new Error('no fetch in this test'))),
  });
  return found ?? expect.fail(`no check ${check}`);
}

const refuse =
  (name: string, message = 'no') =>
  () => {
    throw awsError(name, message);
  };

describe('stack', () => {
  it.each([
    ['CREATE_COMPLETE', 'ok'],
    ['UPDATE_COMPLETE', 'ok'],
    ['UPDATE_IN_PROGRESS', 'warning'],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'warning'],
    ['UPDATE_ROLLBACK_COMPLETE', 'warning'],
    ['ROLLBACK_COMPLETE', 'fault'],
    ['CREATE_FAILED', 'fault'],
    ['UPDATE_ROLLBACK_FAILED', 'fault'],
    ['DELETE_COMPLETE', 'fault'],
  ])('has %s for %s', (status, verdict) => {
    expect(judgeStatus('CibaProvider', status)).toMatchObject({ verdict });
  });

  it('names the outputs that an older version did not have', async () => {
    const { Flows: _, Sender: __, ...older } = outputs;
    expect(await run('stack', () => ({}), { own: older })).toContainEqual({
      verdict: 'warning',
      message: 'deployed by an older version: no output Flows, Sender',
      mend: 'npx cdk deploy',
    });
  });
});

describe('clock', () => {
  it.each([
    [0, 'ok'],
    [10.4, 'ok'],
    [-10.4, 'ok'],
    [11, 'warning'],
    [-60, 'warning'],
    [61, 'fault'],
    [-3600, 'fault'],
  ])('that is %d s off is %s', (off, verdict) => {
    expect(judgeClocks(now + 0.5 + off, now)).toMatchObject({ verdict });
  });

  it('says in which direction', () => {
    expect(judgeClocks(now + 90, now).message).toContain('ahead of');
    expect(judgeClocks(now - 90, now).message).toContain('behind');
  });

  it('is read from the Date of an answer of the issuer', async () => {
    const date = new Date((now - 90) * 1000).toUTCString();
    const fetched = async () => new Response('', { headers: { date } });
    expect(verdicts(await run('clock', () => ({}), { fetched }))).toEqual(['fault']);
  });

  it('is not known where the issuer does not answer, which is the fault of another check', async () => {
    expect(verdicts(await run('clock', () => ({})))).toEqual(['not here']);
  });
});

describe('issuer', () => {
  const jwk = (kid: string) => ({
    M: {
      kty: { S: 'RSA' },
      n: { S: 'n' },
      e: { S: 'AQAB' },
      kid: { S: kid },
      use: { S: 'sig' },
      alg: { S: 'RS256' },
    },
  });
  const tables: AnswerCall = (_, input) =>
    (input as { TableName: string }).TableName === 'directory'
      ? { Item: { version: { N: '1' }, keys: { L: [jwk('a'), jwk('b')] } } }
      : {};
  const answered = (kid: string) => ({
    kty: 'RSA',
    n: 'n',
    e: 'AQAB',
    kid,
    use: 'sig',
    alg: 'RS256',
  });
  const answering =
    (metadata: object | string, ...kids: string[]): typeof fetch =>
    async (url) =>
      String(url).endsWith('/jwks')
        ? Response.json({ keys: kids.map(answered) })
        : new Response(typeof metadata === 'string' ? metadata : JSON.stringify(metadata));
  const metadata = providerMetadata(outputs.Issuer, routes);

  it('answers discovery and the keys that are published', async () => {
    const fetched = answering(metadata, 'b', 'a');
    expect(verdicts(await run('issuer', tables, { fetched }))).toEqual(['ok', 'ok']);
  });

  it('is another', async () => {
    const fetched = answering({ ...metadata, issuer: 'https://other.example' }, 'a', 'b');
    const [finding] = await run('issuer', tables, { fetched });
    expect(finding).toMatchObject({
      verdict: 'fault',
      message: expect.stringContaining('https://other.example'),
    });
  });

  it('O15: has other keys than the table', async () => {
    const fetched = answering(metadata, 'a', 'old');
    expect(await run('issuer', tables, { fetched })).toContainEqual(
      expect.objectContaining({
        verdict: 'fault',
        message: '/jwks has what is not published: old; /jwks lacks what is published: b',
      }),
    );
  });

  it.each([
    ['made a minute ago', 60, 'warning'],
    ['made an hour ago', 3600, 'fault'],
  ])(
    'O15: lacks a key that was %s, while /jwks is remembered for five minutes',
    async (_what, ago, verdict) => {
      const stored: AnswerCall = (command, input) => {
        const { TableName, Key } = input as { TableName: string; Key: { pk: { S: string } } };
        if (TableName === 'directory') return tables(command, input);
        if (Key.pk.S !== 'signing#RS256') return {};
        const key = { M: { kid: { S: 'b' }, createdAt: { N: String(now - ago) } } };
        return { Item: { version: { N: '1' }, keys: { L: [key] } } };
      };
      const fetched = answering(metadata, 'a');
      expect(verdicts(await run('issuer', stored, { fetched }))).toEqual(['ok', verdict]);
    },
  );

  it.each([
    [
      'does not answer',
      () =>
        Promise.reject(
          new Error('fetch failed', { cause: Object.assign(new Error(), { code: 'ENOTFOUND' }) }),
        ),
      'does not answer (ENOTFOUND)',
    ],
    ['answers 503', async () => new Response('', { status: 503 }), 'answers 503'],
    ['answers something else', answering('<html>'), 'does not answer what it should'],
  ])('%s', async (_, fetched, message) => {
    const [finding] = await run('issuer', tables, { fetched });
    expect(finding).toMatchObject({ verdict: 'fault', message: expect.stringContaining(message) });
  });
});

describe('keys', () => {
  const inUse = (['ES256', 'RS256', 'link', 'wrap'] as const).map(
    (kind): KeyState => ({ kind, kid: kind, status: 'in use', createdAt: now - 10 * DAY }),
  );
  const judge = (...states: KeyState[]) => judgeFreshness(states, 90 * DAY, now);

  it('are in use and young', () => {
    expect(judge(...inUse)).toEqual([
      {
        verdict: 'ok',
        message: `every kind is in use; the oldest is 10 days old, the next are due ${new Date((now + 80 * DAY) * 1000).toISOString().slice(0, 19)}Z`,
      },
    ]);
  });

  it('are renewed within two runs of the rotation after they are due', () => {
    const aged = (days: number) =>
      judge(...inUse.map((key) => ({ ...key, createdAt: now - days * DAY })));
    expect(verdicts(aged(92))).toEqual(['ok']);
    const late = aged(93);
    expect(verdicts(late)).toEqual(['warning', 'warning', 'warning', 'warning']);
    expect(late[0]?.mend).toContain('keys rotate');
  });

  it('do not age while a successor waits', () => {
    const old = {
      ...inUse.find(({ kind }) => kind === 'ES256'),
      createdAt: now - 93 * DAY,
    } as KeyState;
    const next: KeyState = { kind: 'ES256', kid: 'next', status: 'waiting', createdAt: now };
    expect(verdicts(judge(next, old, ...inUse.slice(1)))).toEqual(['ok']);
  });

  it('are missing for a kind', () => {
    expect(judge(...inUse.slice(1))).toEqual([
      {
        verdict: 'fault',
        message: 'ES256: no key is in use',
        mend: 'npm run -s ciba -- keys rotate',
      },
    ]);
  });

  it('sign and are not published', () => {
    const hidden: KeyState = { kind: 'ES256', kid: 'h', status: 'not published', createdAt: now };
    expect(judge(hidden, ...inUse.slice(1))).toMatchObject([{ verdict: 'fault' }]);
  });

  it('may not be looked at', () => {
    expect(judge({ kind: 'ES256', kid: 'a', status: 'published' })).toMatchObject([
      { verdict: 'warning' },
    ]);
  });
});

describe('sender', () => {
  const dkim = { SigningEnabled: true, Status: 'SUCCESS' as const };
  const verified = { VerifiedForSendingStatus: true, DkimAttributes: dkim };
  const pending = {
    VerifiedForSendingStatus: false,
    DkimAttributes: { ...dkim, Status: 'PENDING' as const },
  };
  const judge = (...[ofAddress, ofDomain]: (typeof verified | typeof pending | undefined)[]) =>
    judgeIdentities('a@bank.example', 'bank.example', ofAddress, ofDomain);

  it.each([
    ['by itself', verified, undefined, ['ok']],
    ['by its domain', undefined, verified, ['ok']],
    ['by its domain, though the address is not', pending, verified, ['ok']],
    ['without DKIM', { ...pending, VerifiedForSendingStatus: true }, undefined, ['ok', 'warning']],
  ])('is verified %s', (_, ofAddress, ofDomain, expected) => {
    expect(verdicts(judge(ofAddress, ofDomain))).toEqual(expected);
  });

  it.each([
    [
      'its link was not opened',
      pending,
      undefined,
      'open the link that SES mailed to a@bank.example',
    ],
    ['its domain has no records', undefined, pending, 'publish the DKIM records of bank.example'],
    [
      'SES knows neither',
      undefined,
      undefined,
      'create-email-identity --email-identity bank.example',
    ],
  ])('is not verified: %s', (_, ofAddress, ofDomain, mend) => {
    expect(judge(ofAddress, ofDomain)).toMatchObject([
      { verdict: 'fault', mend: expect.stringContaining(mend) },
    ]);
  });

  it('is looked up by its address and its domain, without the display name', async () => {
    const asked: unknown[] = [];
    const findings = await run('sender', (_, input) => {
      asked.push(input);
      throw awsError('NotFoundException', 'no');
    });
    expect(asked).toEqual([
      { EmailIdentity: 'approvals@bank.example' },
      { EmailIdentity: 'bank.example' },
    ]);
    expect(verdicts(findings)).toEqual(['fault']);
  });
});

describe('SES account', () => {
  const healthy = {
    SendingEnabled: true,
    ProductionAccessEnabled: true,
    EnforcementStatus: 'HEALTHY',
    SendQuota: { Max24HourSend: 1000, MaxSendRate: 10, SentLast24Hours: 100 },
  };
  const sent = (SentLast24Hours: number) => ({
    SendQuota: { ...healthy.SendQuota, SentLast24Hours },
  });
  it.each([
    ['is out of the sandbox', {}, ['ok']],
    ['has no quota', { SendQuota: { Max24HourSend: -1, SentLast24Hours: 5000 } }, ['ok']],
    ['is in the sandbox', { ProductionAccessEnabled: false }, ['warning']],
    ['has little left', sent(900), ['warning']],
    ['has nothing left', sent(1000), ['fault']],
    ['is under review', { EnforcementStatus: 'PROBATION' }, ['warning']],
    ['is shut down', { EnforcementStatus: 'SHUTDOWN' }, ['fault']],
    ['may not send', { SendingEnabled: false }, ['fault']],
    [
      'is in the sandbox with little left',
      { ...sent(950), ProductionAccessEnabled: false },
      ['warning', 'warning'],
    ],
  ])('%s', (_, fields, expected) => {
    expect(verdicts(judgeAccount({ ...healthy, ...fields }))).toEqual(expected);
  });
});

const files = compileNotificationTemplates();

/** What SES has when the files are deployed, under the names of the outputs. */
const sesName = ({ name, locale }: { name: string; locale: string }) =>
  `${outputs.TemplatePrefix}${name}-${locale}`;
const storedTemplate = (input: unknown) => {
  const { TemplateName } = input as { TemplateName: string };
  const file = files.find((one) => sesName(one) === TemplateName);
  if (!file) throw awsError('NotFoundException', 'no');
  return { TemplateContent: { Subject: file.subject, Html: file.html, Text: file.text } };
};

describe('templates', () => {
  it('are compared with their files and rendered one by one, in every language, with values for every variable', async () => {
    const rendered: string[] = [];
    const findings = await run('templates', (command, input) => {
      if (command === 'GetEmailTemplateCommand') return storedTemplate(input);
      expect(command).toBe('TestRenderEmailTemplateCommand');
      const { TemplateName, TemplateData } = input as {
        TemplateName: string;
        TemplateData: string;
      };
      rendered.push(TemplateName);
      expect(JSON.parse(TemplateData)).toMatchObject({
        bindingMessage_html: expect.stringContaining('&amp;'),
      });
      return { RenderedTemplate: 'x' };
    });
    expect(rendered.toSorted()).toEqual(files.map(sesName).toSorted());
    expect(findings).toEqual([
      { verdict: 'ok', message: `${files.length} templates are as their files say, and render` },
    ]);
  });

  it.each([
    [
      'are not there',
      'GetEmailTemplateCommand',
      'NotFoundException',
      'is not in SES',
      'npm run -s ciba -- template push',
    ],
    [
      'do not render',
      'TestRenderEmailTemplateCommand',
      'BadRequestException',
      'does not render',
      'npx cdk deploy',
    ],
  ])('%s', async (_, refused, error, message, mend) => {
    const findings = await run('templates', (command, input) => {
      if (command === refused) throw awsError(error, 'no');
      return storedTemplate(input);
    });
    expect(findings).toHaveLength(files.length);
    for (const finding of findings) {
      expect(finding).toMatchObject({
        verdict: 'fault',
        message: expect.stringContaining(message),
        mend,
      });
    }
  });

  it('are not known from an output that is no list of them', async () => {
    for (const NotificationTemplates of ['[', '{"a":"en"}']) {
      await expect(
        run('templates', () => ({}), { own: { ...outputs, NotificationTemplates } }),
      ).rejects.toThrow('The output NotificationTemplates cannot be read');
    }
  });
});

/** The file with its substitutions made, as Step Functions has it. */
const flowDefinition = readFileSync(
  new URL('../../../../statemachines/ciba-flow.asl.json', import.meta.url),
  'utf8',
)
  .replaceAll('arn:aws:states:::lambda:invoke', 'arn:aws-cn:states:::lambda:invoke')
  .replaceAll(/\$\{(\w+)\}/g, 'arn:aws-cn:lambda:cn-north-1:1:function:S-$1');

describe('flows', () => {
  it.each([
    ['are active', () => ({ status: 'ACTIVE', definition: flowDefinition }), 'ok'],
    ['are being deleted', () => ({ status: 'DELETING' }), 'fault'],
    ['are gone', refuse('StateMachineDoesNotExist'), 'fault'],
  ])('%s', async (_, answer, verdict) => {
    expect(await run('flows', answer)).toMatchObject([{ verdict }]);
  });

  it('failed in the last day', async () => {
    const findings = await run('flow runs', (_, input) => {
      const { StartTime, EndTime, MetricDataQueries } = input as {
        StartTime: Date;
        EndTime: Date;
        MetricDataQueries: { Label: string; MetricStat: { Metric: { Dimensions: object[] } } }[];
      };
      expect([StartTime.getTime(), EndTime.getTime()]).toEqual([(now - DAY) * 1000, now * 1000]);
      return {
        MetricDataResults: MetricDataQueries.map(({ Label, MetricStat }) => {
          expect(MetricStat.Metric.Dimensions).toEqual([
            { Name: 'StateMachineArn', Value: flowArn },
          ]);
          return { Label, Values: Label === 'ExecutionsStarted' ? [40, 2] : [1] };
        }),
      };
    });
    expect(findings).toEqual([
      {
        verdict: 'warning',
        message: '3 of 42 runs of ciba-flow failed in the last day',
        mend: 'see the log of the state machine ciba-flow',
      },
    ]);
  });

  it('did not fail', async () => {
    expect(verdicts(await run('flow runs', () => ({ MetricDataResults: [] })))).toEqual(['ok']);
  });
});

describe('alarms', () => {
  const alarm = { AlarmName: 'S-AlarmsMail', StateValue: 'OK' as const, AlarmActions: ['topic'] };

  it.each([
    ['are off, and somebody is told', [alarm], ['ok']],
    ['tell nobody', [{ ...alarm, AlarmActions: [] }], ['ok', 'warning']],
    ['are on', [alarm, { ...alarm, StateValue: 'ALARM' as const }], ['fault']],
    ['are not there', [], ['warning']],
    ['have their actions switched off', [{ ...alarm, ActionsEnabled: false }], ['fault']],
  ])('%s', (_, alarms, expected) => {
    expect(verdicts(judgeAlarms(alarms, 'S'))).toEqual(expected);
  });

  it('are read page by page, and those of the stack alone', async () => {
    const pages = [
      { MetricAlarms: [alarm], NextToken: 'more' },
      {
        MetricAlarms: [
          {
            ...alarm,
            AlarmName: 'CibaProvider-AlarmsApi',
            StateValue: 'ALARM',
            StateReason: 'why',
          },
        ],
      },
    ];
    const asked: unknown[] = [];
    const findings = await run('alarms', (command, input) => {
      if (command === 'ListStackResourcesCommand') return { StackResourceSummaries: [] };
      asked.push(input);
      return pages[asked.length - 1] ?? expect.fail('a page too many');
    });
    const AlarmNamePrefix = 'CibaProvider-Alarms';
    expect(asked).toEqual([{ AlarmNamePrefix }, { AlarmNamePrefix, NextToken: 'more' }]);
    expect(findings).toMatchObject([{ verdict: 'fault', message: 'AlarmsApi is on: why' }]);
  });
});

describe('leftovers', () => {
  const tables = (suffix: string) =>
    ['TablesDirectoryD82D92C0', 'TablesKeys6B5A3ABF', 'TablesRequests3CA232D6'].map(
      (id) => `CibaProvider-${id}-${suffix}`,
    );
  const [owned, lost] = [tables('1ABCDEFGHIJKL'), tables('1MNOPQRSTUVWX')];
  const key = 'arn:aws:kms:us-east-1:1:key/of-the-lost-one';

  function answer(names: string[]): AnswerCall {
    const pages = [names.slice(0, 2), names.slice(2)];
    return (command, input) => {
      const { ExclusiveStartTableName: after, TableName } = input as Record<string, string>;
      switch (command) {
        case 'ListTablesCommand':
          return after === undefined
            ? { TableNames: pages[0], LastEvaluatedTableName: pages[0]?.at(-1) }
            : { TableNames: pages[1] };
        case 'ListStackResourcesCommand':
          return {
            StackResourceSummaries: owned.map((name) => ({ PhysicalResourceId: name })),
          };
        case 'DescribeTableCommand':
          return {
            Table: TableName === lost[1] ? { SSEDescription: { KMSMasterKeyArn: key } } : {},
          };
        default:
          return {};
      }
    };
  }

  it('O6: of a deployment that failed after its tables are named, with the key that they need', async () => {
    const [finding, ...others] = await run('leftovers', answer([...owned, ...lost]));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ verdict: 'warning' });
    for (const name of [...lost, key]) expect(finding?.message).toContain(name);
    for (const name of owned) expect(finding?.message).not.toContain(name);
    expect(finding?.mend).toContain('README');
  });

  it.each([
    ['the stack’s own alone', owned],
    ['tables of others', [...owned, 'orders', 'CibaProvider', 'CibaProvider-orders-1ABC']],
    [
      'tables of another provider, whose name begins like this one’s',
      [...owned, ...lost.map((name) => name.replace('CibaProvider-', 'CibaProvider-Test-'))],
    ],
    ['those of another', [...owned, ...lost.map((name) => name.replace('CibaProvider', 'Bank'))]],
  ])('O6: are none where there are %s', async (_what, names) => {
    expect(await run('leftovers', answer(names))).toEqual([
      { verdict: 'ok', message: 'no table of an earlier deployment is left' },
    ]);
  });

  it('O6: are found of a provider within another stack, too', async () => {
    const names = lost.map((name) => name.replace('-Tables', '-ApprovalsTables'));
    const [finding] = await run('leftovers', answer([...owned, ...names]));
    expect(finding).toMatchObject({ verdict: 'warning' });
  });
});

describe('ciba doctor', () => {
  const doctor = (answer: AnswerCall, ...argv: string[]) =>
    ciba(['doctor', ...argv], {
      // Nothing answers there, and no check waits for it.
      deployment: operatedDeployment(
        { ...outputs, Issuer: 'http://127.0.0.1:1' },
        answeredClients(answer),
      ),
      clock: () => now,
    });

  it('shows every finding with what mends it, and ends with 1 for a fault', async () => {
    const { exitCode, stdout, stderr } = await doctor(refuse('StateMachineDoesNotExist'));
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^\d+ faults\n$/)]);
    expect(stdout).toMatch(/^ok {8}stack {8}CibaProvider is CREATE_COMPLETE\n/);
    expect(stdout).toContain(
      'fault     flows        ciba-flow does not exist: no mail goes out\n                       → npx cdk deploy\n',
    );
  });

  it('lets no check keep another from its own: what may not be looked at is a warning, what is not offered no fault', async () => {
    const { stdout } = await doctor((command) => {
      if (command === 'DescribeAlarmsCommand') throw awsError('AccessDenied', 'no right');
      throw awsError('UnknownOperationException', 'not known');
    }, '--json');
    const { stack, items: findings } = JSON.parse(stdout);
    expect(stack).toBe('CibaProvider');
    const verdictOf = Object.fromEntries(
      findings.map(({ check, verdict }: { check: string; verdict: string }) => [check, verdict]),
    );
    expect(verdictOf).toMatchObject({
      stack: 'ok',
      issuer: 'fault',
      sender: 'not here',
      'SES account': 'not here',
      templates: 'not here',
      flows: 'not here',
      'flow runs': 'not here',
      alarms: 'warning',
    });
    expect(Object.keys(verdictOf)).toEqual(Object.keys(checks));
  });
});

describe('O15: whatever doctor calls ok is a fault after one change of its content', () => {
  const jwks = ['a', 'b'].map((kid) => ({
    kty: 'RSA',
    n: `modulus of ${kid}`,
    e: 'AQAB',
    kid,
    use: 'sig',
    alg: 'RS256',
  }));
  const alarms = ['Mail', 'Api'].map((name) => ({
    AlarmName: `CibaProvider-Alarms${name}`,
    StateValue: 'OK',
    ActionsEnabled: true,
    AlarmActions: ['topic'],
  }));
  const inUse = { createdAt: { N: String(now - 10 * DAY) } };
  const keysOf = (pk: string, kid = `${pk} 1`) => ({
    Item: {
      version: { N: '1' },
      keys: {
        L: [{ M: { kid: { S: kid }, signsFrom: { N: '1' }, usedFrom: { N: '0' }, ...inUse } }],
      },
    },
  });

  /** A healthy deployment, whose every part a test may change. */
  const healthyWorld = () => ({
    status: 'UPDATE_COMPLETE',
    outputs: { ...outputs } as Record<string, string>,
    metadata: { ...providerMetadata(outputs.Issuer, routes) } as Record<string, unknown>,
    jwks: structuredClone(jwks) as Record<string, unknown>[],
    published: structuredClone(jwks),
    keys: {
      'signing#ES256': keysOf('signing#ES256', 'es'),
      'signing#RS256': keysOf('signing#RS256', 'a'),
      link: keysOf('link'),
      wrap: keysOf('wrap'),
    } as Record<string, object>,
    identity: {
      VerifiedForSendingStatus: true,
      DkimAttributes: { SigningEnabled: true, Status: 'SUCCESS' },
    },
    account: { SendingEnabled: true, ProductionAccessEnabled: true, EnforcementStatus: 'HEALTHY' },
    templates: new Map(
      files.map((file) => [
        sesName(file),
        { Subject: file.subject, Html: file.html, Text: file.text },
      ]),
    ),
    flow: { status: 'ACTIVE', definition: flowDefinition },
    alarms: structuredClone(alarms),
  });
  type World = ReturnType<typeof healthyWorld>;

  function answerFor(world: World): AnswerCall {
    return (command, input) => {
      const {
        TableName,
        Key,
        TemplateName = '',
      } = input as {
        TableName?: string;
        Key?: { pk: { S: string } };
        TemplateName?: string;
      };
      switch (command) {
        case 'GetItemCommand':
          return TableName === 'directory'
            ? { Item: { version: { N: '1' }, ...marshall({ keys: [...world.published, es] }) } }
            : (world.keys[Key?.pk.S ?? ''] ?? {});
        case 'GetEmailIdentityCommand':
          return world.identity;
        case 'GetAccountCommand':
          return world.account;
        case 'GetEmailTemplateCommand': {
          const content = world.templates.get(TemplateName);
          if (!content) throw awsError('NotFoundException', 'no');
          return { TemplateContent: content };
        }
        case 'DescribeStateMachineCommand':
          return world.flow;
        case 'DescribeAlarmsCommand':
          return { MetricAlarms: world.alarms };
        case 'ListStackResourcesCommand':
          return {
            StackResourceSummaries: [
              { ResourceType: 'AWS::SNS::Topic', PhysicalResourceId: 'topic' },
              ...alarms.map(({ AlarmName }) => ({
                ResourceType: 'AWS::CloudWatch::Alarm',
                PhysicalResourceId: AlarmName,
              })),
            ],
          };
        default:
          return {};
      }
    };
  }

  const es = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'es', use: 'sig', alg: 'ES256' };

  async function examined(world: World) {
    const deployment = operatedDeployment(
      world.outputs,
      answeredClients(answerFor(world)),
      world.status,
    );
    const fetched: typeof fetch = async (url) =>
      String(url).endsWith('/jwks')
        ? Response.json({ keys: [...world.jwks, es] })
        : Response.json(world.metadata, { headers: { date: new Date(now * 1000).toUTCString() } });
    return examine({ deployment, clock: () => now, fetch: fetched }, () => {});
  }

  it('finds nothing but ok in a healthy deployment', async () => {
    const findings = await examined(healthyWorld());
    expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(Object.keys(checks)));
  });

  const changeTemplate =
    (part: 'Subject' | 'Html' | 'Text', to: (text: string) => string) =>
    ({ templates }: World) => {
      const name = 'CibaProvider-ciba-with-binding-message-de';
      const content = templates.get(name);
      if (content) templates.set(name, { ...content, [part]: to(content[part]) });
    };
  const definition = (from: string | RegExp, to: string) => (world: World) => {
    const changed = world.flow.definition.replace(from, to);
    expect(changed).not.toBe(world.flow.definition);
    world.flow.definition = changed;
  };
  const firstKey = (world: World) => world.jwks[0] ?? expect.fail();

  const changes: [check: string, what: string, change: (world: World) => unknown][] = [
    ['stack', 'its last deployment failed', (world) => (world.status = 'UPDATE_ROLLBACK_FAILED')],
    ['issuer', 'another issuer', ({ metadata }) => (metadata['issuer'] = 'https://x.example')],
    ...Object.keys(providerMetadata(outputs.Issuer, routes)).map(
      (name): (typeof changes)[number] => [
        'issuer',
        `discovery without ${name}`,
        ({ metadata }) => delete metadata[name],
      ],
    ),
    [
      'issuer',
      'another token endpoint',
      ({ metadata }) => (metadata['token_endpoint'] = 'https://x.example/token'),
    ],
    ['issuer', 'a member that is not ours', ({ metadata }) => (metadata['x'] = 'y')],
    ['issuer', 'a key of /jwks with another modulus', (world) => (firstKey(world)['n'] = 'x')],
    ['issuer', 'a key of /jwks with another exponent', (world) => (firstKey(world)['e'] = 'Aw')],
    ['issuer', 'a key of /jwks under another id', (world) => (firstKey(world)['kid'] = 'x')],
    ['issuer', 'a key of /jwks with one member more', (world) => (firstKey(world)['x5u'] = 'x')],
    ['issuer', 'a key too many', ({ jwks }) => jwks.push({ kid: 'x', kty: 'RSA' })],
    ['issuer', 'a key too few', ({ jwks }) => jwks.pop()],
    ['keys', 'no link key', ({ keys }) => delete keys['link']],
    ['keys', 'no wrapping key', ({ keys }) => delete keys['wrap']],
    ['keys', 'no signing key', ({ keys }) => delete keys['signing#ES256']],
    [
      'keys',
      'a signing key that is not published',
      ({ keys }) => (keys['signing#RS256'] = keysOf('x')),
    ],
    [
      'sender',
      'a sender not verified',
      ({ identity }) => (identity.VerifiedForSendingStatus = false),
    ],
    ['SES account', 'sending stopped', ({ account }) => (account.SendingEnabled = false)],
    [
      'SES account',
      'the account shut down',
      ({ account }) => (account.EnforcementStatus = 'SHUTDOWN'),
    ],
    [
      'templates',
      'one gone',
      ({ templates }) => templates.delete('CibaProvider-ciba-with-binding-message-en'),
    ],
    [
      'templates',
      'question marks in a subject',
      changeTemplate('Subject', (text) => text.replace(/[^x]$/, '?')),
    ],
    [
      'templates',
      'question marks in a text',
      changeTemplate('Text', (text) => text.replace(/[^\0-\x7f]/g, '?')),
    ],
    [
      'templates',
      'one letter of the HTML',
      changeTemplate('Html', (text) => text.replace('a', 'b')),
    ],
    ['templates', 'no HTML', changeTemplate('Html', () => '')],
    [
      'templates',
      'another link',
      changeTemplate('Text', (text) => text.replace('{{magicLink}}', 'https://x.example')),
    ],
    ['flows', 'a flow being deleted', ({ flow }) => (flow.status = 'DELETING')],
    ['flows', 'another time limit', definition('"TimeoutSeconds": 300', '"TimeoutSeconds": 301')],
    [
      'flows',
      'another state first',
      definition('"StartAt": "LocateUser"', '"StartAt": "RecordFailure"'),
    ],
    [
      'flows',
      'a state that is called otherwise',
      definition('"BindingMessageCheck": {', '"Check": {'),
    ],
    [
      'flows',
      'a branch that is taken otherwise',
      definition('"BooleanEquals": true', '"BooleanEquals": false'),
    ],
    ['flows', 'another function in one place', definition('S-mailFunction', 'S-other')],
    [
      'flows',
      'the same function for two tasks',
      (world) => definition(/S-\w+Function/g, 'S-mailFunction')(world),
    ],
    ['flows', 'another kind of task', definition('states:::lambda:invoke', 'states:::sns:publish')],
    [
      'flows',
      'a substitution that was not made',
      definition(/arn:aws-cn:lambda[^"]+locateUserFunction/, '${locateUserFunction}'),
    ],
    ['flows', 'a member more', definition('"Type": "Choice"', '"Type": "Choice", "Comment": "x"')],
    [
      'alarms',
      'an alarm on',
      ({ alarms: those }) => Object.assign(those[0] ?? {}, { StateValue: 'ALARM' }),
    ],
    ['alarms', 'an alarm removed', ({ alarms: those }) => those.pop()],
    [
      'alarms',
      'an alarm switched off',
      ({ alarms: those }) => Object.assign(those[0] ?? {}, { ActionsEnabled: false }),
    ],
  ];

  it.each(changes)('%s: %s', async (check, _what, change) => {
    const world = healthyWorld();
    change(world);
    const faults = (await examined(world)).filter(({ verdict }) => verdict === 'fault');
    expect(faults.map((finding) => finding.check)).toContain(check);
    for (const { mend } of faults.filter((finding) => finding.check === check)) {
      expect(mend).toEqual(expect.stringMatching(/./));
    }
  });

  it('has such a change for every check that looks at content', () => {
    const looked = new Set(changes.map(([check]) => check));
    expect(Object.keys(checks).filter((check) => !looked.has(check))).toEqual([
      // The time, what has happened, and what is no part of the deployment.
      'clock',
      'flow runs',
      'leftovers',
    ]);
  });
});
