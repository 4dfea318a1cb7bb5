/** The checks of `ciba doctor`: what each says of a healthy deployment and of each thing that can be wrong with one. */
import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../../lib/operator/deployment.ts';
import { checks } from '../../../lib/operator/doctor.ts';
import { judgeAlarms } from '../../../lib/operator/doctor-flows.ts';
import { judgeClocks } from '../../../lib/operator/doctor-issuer.ts';
import { judgeFreshness } from '../../../lib/operator/doctor-keys.ts';
import { judgeAccount, judgeIdentities } from '../../../lib/operator/doctor-mail.ts';
import { judgeStatus } from '../../../lib/operator/doctor-stack.ts';
import type { Finding } from '../../../lib/operator/finding.ts';
import type { KeyState } from '../../../lib/operator/key-states.ts';
import { ciba } from '../../support/ciba-command.ts';
import {
  type AnswerCall,
  answeredClients,
  awsError,
  operatedDeployment,
} from '../../support/operated-deployment.ts';

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
  NotificationTemplates: JSON.stringify({ 'ciba-mail': ['en', 'de'] }),
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
  const answering =
    (metadata: object | string, ...kids: string[]): typeof fetch =>
    async (url) =>
      String(url).endsWith('/jwks')
        ? Response.json({ keys: kids.map((kid) => ({ kid })) })
        : new Response(typeof metadata === 'string' ? metadata : JSON.stringify(metadata));
  const metadata = { issuer: outputs.Issuer, jwks_uri: `${outputs.Issuer}/jwks` };

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

  it('has other keys than the table', async () => {
    const fetched = answering(metadata, 'a', 'old');
    expect(await run('issuer', tables, { fetched })).toContainEqual(
      expect.objectContaining({
        verdict: 'warning',
        message: '/jwks has a, old, and published are a, b',
      }),
    );
  });

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

describe('templates', () => {
  it('are rendered one by one, in every language, with values for every variable', async () => {
    const rendered: string[] = [];
    const findings = await run('templates', (command, input) => {
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
    expect(rendered).toEqual(['CibaProvider-ciba-mail-en', 'CibaProvider-ciba-mail-de']);
    expect(findings).toEqual([{ verdict: 'ok', message: '2 templates are there and render' }]);
  });

  it.each([
    ['are not there', 'NotFoundException', 'is not in SES'],
    ['do not render', 'BadRequestException', 'does not render'],
  ])('%s', async (_, error, message) => {
    expect(await run('templates', refuse(error))).toMatchObject([
      { verdict: 'fault', message: expect.stringContaining(message), mend: 'npx cdk deploy' },
      { verdict: 'fault' },
    ]);
  });

  it('are not known from an output that is no list of them', async () => {
    for (const NotificationTemplates of ['[', '{"a":"en"}']) {
      await expect(
        run('templates', () => ({}), { own: { ...outputs, NotificationTemplates } }),
      ).rejects.toThrow('The output NotificationTemplates cannot be read');
    }
  });
});

describe('flows', () => {
  it.each([
    ['are active', () => ({ status: 'ACTIVE' }), 'ok'],
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
    const findings = await run('alarms', (_, input) => {
      asked.push(input);
      return pages[asked.length - 1] ?? expect.fail('a page too many');
    });
    const AlarmNamePrefix = 'CibaProvider-Alarms';
    expect(asked).toEqual([{ AlarmNamePrefix }, { AlarmNamePrefix, NextToken: 'more' }]);
    expect(findings).toMatchObject([{ verdict: 'fault', message: 'AlarmsApi is on: why' }]);
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
    const { stack, findings } = JSON.parse(stdout);
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
