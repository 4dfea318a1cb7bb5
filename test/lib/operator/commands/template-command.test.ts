/**
 * `ciba template` and `ciba flow` where a deployment is not as its files are, and what is shown to
 * a person.
 */
import type { SESv2Client } from '@aws-sdk/client-sesv2';
import { describe, expect, it } from 'vitest';
import { escapeHtml } from '../../../../lambdas/ciba/words/html.ts';
import { toAsciiHtml } from '../../../../lib/notification-templates/ascii-html.ts';
import { compileNotificationTemplates } from '../../../../lib/notification-templates/compile.ts';
import { compareTemplates } from '../../../../lib/operator/mails/compare-templates.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { decodeHtml } from '../../../support/decoded-html.ts';
import {
  answeredClients,
  awsError,
  operatedDeployment,
} from '../../../support/operated-deployment.ts';

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

interface Changing {
  stored: ReturnType<typeof storedTemplates>;
  outputs: Record<string, string>;
}

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
    expect(exitCode).toBe(1);
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
    expect(stderr).toBe(
      '2 templates are not as the files say: ciba template push writes 2 of them into SES\n',
    );
  });

  it.each(['Subject', 'Html', 'Text'] as const)('sees a difference in %s alone', async (part) => {
    const stored = storedTemplates();
    const name = `Bank-${withMessage}-fr`;
    const french = stored.get(name);
    if (french === undefined) throw new Error('no French template');
    stored.set(name, { ...french, [part]: `${french[part]}!` });
    const deployment = operatedDeployment(mailOutputs, clientsWith(stored));
    const { stdout } = await ciba(['template', 'list', '--json'], { deployment });
    const others = JSON.parse(stdout).items.filter(
      ({ state }: { state: string }) => state !== 'same',
    );
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
    expect(JSON.parse(stdout).items).toEqual(
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
    ['nothing is otherwise', () => undefined, 0, ''],
    [
      'the deployment lacks a language of the files',
      ({ outputs }: Changing) => {
        outputs['NotificationTemplates'] = JSON.stringify({
          [withMessage]: locales.slice(1),
          [withoutMessage]: locales,
        });
      },
      1,
      '1 template is not as the files say: npx cdk deploy makes and removes templates\n',
    ],
    [
      'some are to be pushed and some to be deployed',
      ({ stored, outputs }: Changing) => {
        stored.delete(`Bank-${withMessage}-en`);
        outputs['NotificationTemplates'] = JSON.stringify({ [withMessage]: locales });
      },
      1,
      '6 templates are not as the files say: ciba template push writes 1 of them into SES; npx cdk deploy makes and removes templates\n',
    ],
  ])('O15: ends with %s: %s', async (_what, change, code, told) => {
    const stored = storedTemplates();
    const outputs: Record<string, string> = { ...mailOutputs };
    change({ stored, outputs });
    const deployment = operatedDeployment(outputs, clientsWith(stored));
    const { exitCode, stderr } = await ciba(['template', 'list'], { deployment });
    expect([exitCode, stderr]).toEqual([code, told]);
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

/** What CloudFormation is known to make of text. */
const garbled = (text: string) => text.replace(/[^\0-\x7f]/g, '?');

describe('ciba template push', () => {
  const push = (stored: ReturnType<typeof storedTemplates>, ...argv: string[]) => {
    const written: string[] = [];
    const clients = answeredClients((command, input) => {
      const { TemplateName: name, TemplateContent: content } = input as {
        TemplateName: string;
        TemplateContent: { Subject: string; Html: string; Text: string };
      };
      if (command === 'GetEmailTemplateCommand') {
        const found = stored.get(name);
        if (found === undefined) throw awsError('NotFoundException', `no ${name}`);
        return { TemplateContent: found };
      }
      expect(command).toBe(
        stored.has(name) ? 'UpdateEmailTemplateCommand' : 'CreateEmailTemplateCommand',
      );
      stored.set(name, content);
      written.push(name);
      return {};
    });
    const deployment = operatedDeployment(mailOutputs, clients);
    return ciba(['template', 'push', ...argv], { deployment }).then((run) => ({ ...run, written }));
  };

  it('O15: mends what CloudFormation garbles, and what is gone, and writes nothing else', async () => {
    const stored = storedTemplates();
    for (const [name, { Subject, Html, Text }] of stored) {
      stored.set(name, {
        Subject: garbled(Subject),
        Html: garbled(Html),
        Text: garbled(Text),
      });
    }
    stored.delete(`Bank-${withMessage}-en`);
    const { exitCode, written } = await push(stored, '--yes');
    expect(exitCode).toBe(0);
    // No language does without: English has dashes and quotes.
    expect(written.toSorted()).toEqual([...storedTemplates().keys()].toSorted());
    expect(stored).toEqual(storedTemplates());
    expect(await push(stored, '--yes')).toMatchObject({
      stdout: 'SES has every template as the files say.\n',
      written: [],
    });
  });

  it('O15: the HTML part has nothing to garble, and says the same', () => {
    for (const { html } of files) expect(garbled(html)).toBe(html);
    const [japanese] = files.filter(({ locale }) => locale === 'ja');
    expect(decodeHtml(japanese?.html ?? '')).toMatch(/[\p{Script=Han}\p{Script=Hiragana}]/u);
  });

  it.each([
    [
      'text',
      '<p title="é">ß – 日本 😀</p>',
      '<p title="&#233;">&#223; &#8211; &#26085;&#26412; &#128512;</p>',
    ],
    [
      'a style sheet',
      '<style>a{content:"→"}</style>→',
      '<style>a{content:"\\2192 "}</style>&#8594;',
    ],
    [
      'two style sheets',
      '<style>/*é*/</style>é<STYLE a="é">é</STYLE>',
      '<style>/*\\e9 */</style>&#233;<STYLE a="&#233;">\\e9 </STYLE>',
    ],
    ['ASCII alone', '<b>a &amp; b</b>', '<b>a &amp; b</b>'],
  ])('O15: %s is written in ASCII', (_what, html, ascii) => {
    expect(toAsciiHtml(html)).toBe(ascii);
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
      'FLOW        STATE MACHINE\nciba-flow   a\nnight-flow  b\n\n' +
        'FLOW POLICY      FLOWS AND WEIGHTS\nstandard         ciba-flow 100\ntrial (default)  ciba-flow 90\n                 night-flow 10\n',
    );
    expect(JSON.parse((await list(outputs, '--json')).stdout)).toEqual({
      items: Object.entries(flows).map(([flow, state_machine_arn]) => ({
        flow,
        state_machine_arn,
      })),
      next: null,
      policies: [
        {
          kind: 'flow',
          policy: 'standard',
          is_default: false,
          flows: [{ flow: 'ciba-flow', weight: 100 }],
        },
        {
          kind: 'flow',
          policy: 'trial',
          is_default: true,
          flows: [
            { flow: 'ciba-flow', weight: 90 },
            { flow: 'night-flow', weight: 10 },
          ],
        },
      ],
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
        'NOTIFICATION POLICY  LIMITS\nstandard (default)   pendingPerUser 3\n                     mailsPerDay 500\nnone                 no limit\n\n' +
        'FLOW POLICY         FLOWS AND WEIGHTS\nstandard (default)  ciba-flow 100\n',
    });
    expect(JSON.parse((await list('--json')).stdout)).toEqual({
      items: [
        {
          kind: 'notification',
          policy: 'standard',
          is_default: true,
          limits: [
            { limit: 'pendingPerUser', value: 3 },
            { limit: 'mailsPerDay', value: 500 },
          ],
        },
        { kind: 'notification', policy: 'none', is_default: false, limits: [] },
        {
          kind: 'flow',
          policy: 'standard',
          is_default: true,
          flows: [{ flow: 'ciba-flow', weight: 100 }],
        },
      ],
      next: null,
    });
  });
});
