/** `ciba template` and `ciba flow` where a deployment is not as its files are, and what is shown to a person. */
import type { SESv2Client } from '@aws-sdk/client-sesv2';
import { describe, expect, it } from 'vitest';
import { escapeHtml } from '../../../lambdas/ciba/html.ts';
import { compileNotificationTemplates } from '../../../lib/notification-templates/compile.ts';
import { compareTemplates } from '../../../lib/operator/compare-templates.ts';
import { ciba } from '../../support/ciba-command.ts';
import {
  answeredClients,
  awsError,
  operatedDeployment,
} from '../../support/operated-deployment.ts';

const files = compileNotificationTemplates();
const withMessage = 'ciba-with-binding-message';
const withoutMessage = 'ciba-without-binding-message';
const locales = ['de', 'en', 'es', 'fr', 'ja'];

const mailOutputs = {
  Issuer: 'https://id.bank.example',
  NotificationTemplates: JSON.stringify({ [withMessage]: locales, [withoutMessage]: locales }),
  TemplatePrefix: 'Bank-',
  Sender: '"Bank" <approvals@bank.example>',
  ConfigurationSet: 'bank-set',
};

/** What SES has when the files are deployed, by name. */
function storedTemplates() {
  return new Map(
    files.map(({ name, locale, subject, html, text }) => [
      `Bank-${name}-${locale}`,
      { Subject: subject, Html: html, Text: text },
    ]),
  );
}

function clientsWith(stored: ReturnType<typeof storedTemplates>) {
  return answeredClients((command, input) => {
    if (command !== 'GetEmailTemplateCommand') throw new Error(`unexpected ${command}`);
    const name = String(Object(input).TemplateName);
    const content = stored.get(name);
    if (content === undefined) throw awsError('NotFoundException', `no ${name}`);
    return { TemplateName: name, TemplateContent: content };
  });
}

describe('ciba template list', () => {
  it('says where SES has another text, and where it has none', async () => {
    const stored = storedTemplates();
    stored.set(`Bank-${withMessage}-de`, { Subject: 'Old', Html: 'old', Text: 'old' });
    stored.delete(`Bank-${withoutMessage}-ja`);
    const deployment = operatedDeployment(mailOutputs, clientsWith(stored));
    const { exitCode, stdout, stderr } = await ciba(['template', 'list'], { deployment });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'LOCALE', 'SES AND FILES'],
      ...[withMessage, withoutMessage].flatMap((name) =>
        locales.map((locale) => {
          if (name === withMessage && locale === 'de') return [name, locale, 'differs'];
          if (name === withoutMessage && locale === 'ja') return [name, locale, 'missing in SES'];
          return [name, locale, 'same'];
        }),
      ),
      [''],
    ]);
    expect(stderr).toBe('npx cdk deploy brings SES to the state of the files.\n');
  });

  it.each(['Subject', 'Html', 'Text'] as const)('sees a difference in %s alone', async (part) => {
    const stored = storedTemplates();
    const name = `Bank-${withMessage}-fr`;
    const french = stored.get(name);
    if (french === undefined) throw new Error('no French template');
    stored.set(name, { ...french, [part]: `${french[part]}!` });
    const deployment = operatedDeployment(mailOutputs, clientsWith(stored));
    const { stdout } = await ciba(['template', 'list', '--json'], { deployment });
    const others = JSON.parse(stdout).filter(({ state }: { state: string }) => state !== 'same');
    expect(others).toEqual([{ name: withMessage, locale: 'fr', state: 'differs' }]);
  });

  it('lists what is only in the files or only deployed, in the order of names', async () => {
    const deployed = { [withMessage]: ['en', 'it'], reminder: ['en'] };
    const outputs = { ...mailOutputs, NotificationTemplates: JSON.stringify(deployed) };
    const stored = storedTemplates();
    const same = { Subject: 's', Html: 'h', Text: 't' };
    stored.set(`Bank-${withMessage}-it`, same).set('Bank-reminder-en', same);
    const deployment = operatedDeployment(outputs, clientsWith(stored));
    const { stdout } = await ciba(['template', 'list', '--json'], { deployment });
    expect(JSON.parse(stdout)).toEqual(
      [
        { name: withMessage, locale: 'de', state: 'not deployed' },
        { name: withMessage, locale: 'en', state: 'same' },
        { name: withMessage, locale: 'es', state: 'not deployed' },
        { name: withMessage, locale: 'fr', state: 'not deployed' },
        { name: withMessage, locale: 'it', state: 'not in the files' },
        { name: withMessage, locale: 'ja', state: 'not deployed' },
        ...locales.map((locale) => ({ name: withoutMessage, locale, state: 'not deployed' })),
        { name: 'reminder', locale: 'en', state: 'not in the files' },
      ].sort((one, other) =>
        `${one.name}/${one.locale}` < `${other.name}/${other.locale}` ? -1 : 1,
      ),
    );
  });

  it('waits for SES, which answers one question a second, and not for ever', async () => {
    const [file] = files;
    if (file === undefined) throw new Error('no template');
    const deployed = { prefix: 'Bank-', locales: { [file.name]: [file.locale] } };
    const pauses: number[] = [];
    const pause = async (milliseconds: number) => void pauses.push(milliseconds);
    const busyFor = (times: number): SESv2Client => {
      let asked = 0;
      return answeredClients(() => {
        asked += 1;
        if (asked <= times) throw awsError('TooManyRequestsException', 'slow down');
        return { TemplateContent: { Subject: file.subject, Html: file.html, Text: file.text } };
      }).ses;
    };
    const compare = (times: number) =>
      compareTemplates({ ...deployed, ses: busyFor(times) }, [file], () => {}, pause);
    expect(await compare(3)).toMatchObject([{ state: 'same' }]);
    expect(pauses).toHaveLength(3);
    expect(Math.min(...pauses)).toBeGreaterThan(1000);
    await expect(compare(100)).rejects.toMatchObject({ name: 'TooManyRequestsException' });
  });

  it.each([
    ['an output that is no JSON', 'CibaProvider-'],
    ['an output of another form', '{"ciba-with-binding-message":"en"}'],
  ])('says what mends %s', async (_, NotificationTemplates) => {
    const clients = clientsWith(storedTemplates());
    const deployment = operatedDeployment({ ...mailOutputs, NotificationTemplates }, clients);
    const run = await ciba(['template', 'list'], { deployment });
    expect(run).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'The output NotificationTemplates cannot be read: npx cdk deploy\n',
    });
  });
});

describe('ciba template preview', () => {
  it('shows subject and text in the language that a user gets', async () => {
    const { exitCode, stdout, stderr } = await ciba([
      ...['template', 'preview', withMessage, '--locale', 'de-CH'],
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^Fuel & Go, Pump 4 bittet um Ihre Zustimmung\n\nFuel & Go, Pump 4 bittet/,
    );
    expect(stdout).toContain('52.30 EUR & receipt at pump "4"');
    expect(stdout).toContain('https://id.example.com/approve/this-is-only-a-sample');
    expect(stdout).not.toMatch(/\{\{|\}\}|\$\{|<html/);
    expect(stderr).toBe('There is no de-CH: users of that locale get de.\n');
  });

  it('shows English without a locale, and to a user whose language there is not', async () => {
    const preview = ['template', 'preview', withoutMessage];
    const english = await ciba(preview);
    expect(english).toMatchObject({ exitCode: 0, stderr: '' });
    expect(english.stdout).toMatch(/^Fuel & Go, Pump 4 asks for your approval\n/);
    expect(await ciba([...preview, '--locale', 'it'])).toEqual({
      ...english,
      stderr: 'There is no it: users of that locale get en.\n',
    });
  });

  it('prints one part alone, HTML escaped as it is sent', async () => {
    const preview = (part: string) => ciba(['template', 'preview', withMessage, part]);
    const html = (await preview('--html')).stdout;
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain(escapeHtml('52.30 EUR & receipt at pump "4"'));
    expect(html).not.toContain('52.30 EUR & receipt');
    const text = (await preview('--text')).stdout;
    expect(text).toMatch(/^Fuel & Go, Pump 4 asks you to approve/);
    expect(text).not.toContain('<');
  });
});

describe('ciba template test', () => {
  it('sends the deployment’s template from its sender, through its configuration set', async () => {
    const calls: unknown[] = [];
    const clients = answeredClients((command, input) => {
      calls.push([command, input]);
      return { MessageId: 'm' };
    });
    const deployment = operatedDeployment(mailOutputs, clients);
    const { exitCode, stdout } = await ciba(
      ['template', 'test', withMessage, '--to', 'me@bank.example', '--locale', 'ja'],
      { deployment },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      'SES has taken ciba-with-binding-message in ja for me@bank.example. Its link is a sample and opens nothing.\n',
    );
    expect(calls).toEqual([
      [
        'SendEmailCommand',
        {
          FromEmailAddress: '"Bank" <approvals@bank.example>',
          Destination: { ToAddresses: ['me@bank.example'] },
          Content: {
            Template: {
              TemplateName: 'Bank-ciba-with-binding-message-ja',
              TemplateData: expect.stringContaining(
                '"magicLink":"https://id.bank.example/approve/this-is-only-a-sample"',
              ),
              Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
            },
          },
          ConfigurationSetName: 'bank-set',
        },
      ],
    ]);
  });

  it('says why SES does not send it', async () => {
    const clients = answeredClients(() => {
      throw awsError('MessageRejected', 'Email address is not verified: me@bank.example');
    });
    const deployment = operatedDeployment(mailOutputs, clients);
    const run = await ciba(['template', 'test', withMessage, '--to', 'me@bank.example'], {
      deployment,
    });
    expect(run).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'AWS refused: MessageRejected: Email address is not verified: me@bank.example\n',
    });
  });
});

describe('ciba flow list', () => {
  const arn = (name: string) => `arn:aws:states:eu-west-1:111122223333:stateMachine:${name}`;
  const flows = { 'ciba-flow': arn('a'), 'night-flow': arn('b') };
  const Flows = JSON.stringify(flows);
  const list = (outputs: Record<string, string>, ...options: string[]) => {
    const clients = answeredClients((command) => {
      throw new Error(`unexpected ${command}`);
    });
    return ciba(['flow', 'list', ...options], { deployment: operatedDeployment(outputs, clients) });
  };

  const policies = {
    standard: { 'ciba-flow': 100 },
    trial: { 'ciba-flow': 90, 'night-flow': 10 },
  };
  const outputs = { Flows, FlowPolicies: JSON.stringify(policies), FlowPolicy: 'trial' };

  it('shows the flows with their state machines, and the policies with their weights', async () => {
    const { exitCode, stdout } = await list(outputs);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      `FLOW        STATE MACHINE\nciba-flow   ${arn('a')}\nnight-flow  ${arn('b')}\n\n` +
        'FLOW POLICY      FLOWS AND WEIGHTS\nstandard         ciba-flow 100\ntrial (default)  ciba-flow 90, night-flow 10\n',
    );
    expect(JSON.parse((await list(outputs, '--json')).stdout)).toEqual({
      flows,
      byDefault: 'trial',
      policies,
    });
  });

  it.each([
    ['Flows', { ...outputs, Flows: 'arn' }],
    ['Flows', { ...outputs, Flows: '["arn"]' }],
    ['FlowPolicies', { ...outputs, FlowPolicies: '{"standard":100}' }],
  ])('says what mends an output %s that cannot be read', async (name, outputs) => {
    expect(await list(outputs)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `The output ${name} cannot be read: npx cdk deploy\n`,
    });
  });
});

describe('ciba policy list', () => {
  const outputs = {
    NotificationPolicy: 'standard',
    NotificationPolicies: '{"standard":{"pendingPerUser":3,"mailsPerDay":500},"none":{}}',
    FlowPolicy: 'standard',
    FlowPolicies: '{"standard":{"ciba-flow":100}}',
  };
  const list = (...options: string[]) => {
    const clients = answeredClients((command) => {
      throw new Error(`unexpected ${command}`);
    });
    return ciba(['policy', 'list', ...options], {
      deployment: operatedDeployment(outputs, clients),
    });
  };

  it('shows both kinds, and which clients go by that name none', async () => {
    expect(await list()).toMatchObject({
      exitCode: 0,
      stdout:
        'NOTIFICATION POLICY  LIMITS\nstandard (default)   pendingPerUser 3, mailsPerDay 500\nnone                 no limit\n\n' +
        'FLOW POLICY         FLOWS AND WEIGHTS\nstandard (default)  ciba-flow 100\n',
    });
    expect(JSON.parse((await list('--json')).stdout)).toEqual({
      notification: {
        byDefault: 'standard',
        policies: { standard: { pendingPerUser: 3, mailsPerDay: 500 }, none: {} },
      },
      flow: { byDefault: 'standard', policies: { standard: { 'ciba-flow': 100 } } },
    });
  });
});
