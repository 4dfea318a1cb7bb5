/**
 * What AWS would refuse while it deploys is refused as the stack is synthesized, with the name of
 * the setting or file: sizes and names beyond the services' limits, and regions that lack a
 * service. test/templates asks cfn-lint of what is left.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, Fn, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, it } from 'vitest';
import type { NotificationTemplate } from '../../../lib/notification-templates/compile.ts';
import { CibaProvider } from '../../../lib/stack/ciba-provider.ts';
import { mostBytes } from '../../../lib/stack/deployed-size.ts';
import { createProviderApp, type ProviderAppProps } from '../../../lib/stack/provider-app.ts';
import {
  fullNotificationPolicies,
  fullNotificationPolicy,
  largestSettings,
  MOST_FULL_POLICIES,
} from '../../support/deployment-settings.ts';

/**
 * CloudFormation's own rules take seconds; provider-app.test.ts holds the template against them.
 */
process.env['CDK_VALIDATION'] = 'false';

const folder = mkdtempSync(join(tmpdir(), 'ciba-limits-'));
afterAll(() => rmSync(folder, { recursive: true }));

const senderAddress = 'approvals@bank.example';
const withoutBundles = { 'aws:cdk:bundling-stacks': [] };

function createApp(settings: Record<string, unknown>, props: ProviderAppProps = {}) {
  const outdir = mkdtempSync(join(folder, 'out-'));
  const context = { ...withoutBundles, senderAddress, ...settings };
  return createProviderApp({ ...props, outdir, context });
}

function mistakesIn(settings: Record<string, unknown>, props?: ProviderAppProps): string[] {
  const provider = createApp(settings, props);
  return 'mistakes' in provider ? provider.mistakes : [];
}

function stackIn(region?: string, flags: Record<string, unknown> = {}): Stack {
  const context = { ...withoutBundles, ...flags };
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context });
  const env = region === undefined ? {} : { env: { account: '111122223333', region } };
  return new Stack(app, 'Bank', env);
}

/**
 * The environment of each function, as large as AWS can make it: every name that it gives as long
 * as it can be.
 */
function deployedEnvironments(template: Template, stackName: string): string[] {
  const prefix = 'arn:aws-us-gov:states:us-gov-west-1:111122223333:stateMachine:';
  const types = Object.fromEntries(
    Object.entries<{ Type: string }>(template.toJSON()['Resources']).map(([id, { Type }]) => [
      id,
      Type,
    ]),
  );
  const fill = (value: unknown): string => {
    if (typeof value === 'string') return value;
    const { Ref, 'Fn::Join': joined, 'Fn::GetAtt': got } = Object(value);
    if (joined) return joined[1].map(fill).join(joined[0]);
    if (got) return 'https://a1b2c3d4e5.execute-api.us-gov-west-1.amazonaws.com';
    const name = `${stackName}-${Ref}-1A2B3C4D5E6F7`;
    return types[Ref] === 'AWS::StepFunctions::StateMachine' ? prefix + name.slice(0, 80) : name;
  };
  return Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) =>
    Object.entries(Properties.Environment.Variables)
      .map(([name, value]) => name + fill(value))
      .join(''),
  );
}

const flowPolicies = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `canary-${index}`,
      { 'ciba-flow': 90, 'ciba-generic-mail-flow': 10 },
    ]),
  );

describe('the environment of a function', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      '16 full notification policies',
      { notificationPolicies: fullNotificationPolicies(16) },
      /^Setting notificationPolicies must be shorter: the environment of the function backchannel-authentication has up to \d{4} bytes, and Lambda takes 4096; it holds \d{4} of notificationPolicies, \d{3} of the flows, \d{2,3} of flowPolicies\.$/,
    ],
    [
      'notification policies with long names',
      {
        notificationPolicies: Object.fromEntries(
          Array.from({ length: 13 }, (_, index) => [
            String.fromCharCode(97 + index).repeat(64),
            fullNotificationPolicy,
          ]),
        ),
      },
      /^Setting notificationPolicies must be shorter: /,
    ],
    [
      '80 flow policies',
      { flowPolicies: flowPolicies(80) },
      /^Setting flowPolicies must be shorter: the environment of the function backchannel-authentication /,
    ],
    [
      'many policies of both kinds',
      {
        notificationPolicies: fullNotificationPolicies(8),
        flowPolicies: flowPolicies(40),
      },
      /^Setting flowPolicies must be shorter: .*; it holds \d{4} of flowPolicies, \d{4} of notificationPolicies, /,
    ],
  ])(
    'O10: is refused by the name of the setting where it is too large: %s',
    (_, settings, mistake) => {
      expect(mistakesIn(settings)).toEqual([expect.stringMatching(mistake)]);
    },
  );

  it('O10: is refused of a construct in another app as well', () => {
    const notificationPolicies = fullNotificationPolicies(16);
    const create = () =>
      new CibaProvider(stackIn(), 'Provider', {
        senderAddress,
        notificationPolicies: Object(notificationPolicies),
      });
    expect(create).toThrow(/^Setting notificationPolicies must be shorter: /);
  });

  it('O10: names the mails where their list is too large', () => {
    const create = () =>
      new CibaProvider(stackIn(), 'Provider', { senderAddress, templates: manyMails(60, 34) });
    expect(create).toThrow(
      /^The mail templates must be fewer, or their names shorter: the environment of the function mail /,
    );
  });

  it('O10: fits whatever names AWS gives, up to the last policy that synth takes', () => {
    const sizes: number[] = [];
    for (let count = 11; count < 17; count += 1) {
      const provider = createApp({ notificationPolicies: fullNotificationPolicies(count) });
      if ('mistakes' in provider) break;
      const template = Template.fromStack(provider.stack);
      const environments = deployedEnvironments(template, provider.stack.stackName);
      sizes.push(Math.max(...environments.map((text) => Buffer.byteLength(text))));
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4096);
    // Nor is much refused that Lambda would take: one policy is some 200 bytes.
    expect(Math.max(...sizes)).toBeGreaterThan(4096 - 2 * 250);
  });

  it('O10: takes the largest settings, and not one policy more', () => {
    expect(mistakesIn(largestSettings)).toEqual([]);
    const notificationPolicies = fullNotificationPolicies(MOST_FULL_POLICIES + 1);
    expect(mistakesIn({ ...largestSettings, notificationPolicies })).toEqual([
      expect.stringMatching(/^Setting notificationPolicies must be shorter: /),
    ]);
  });
});

describe('mostBytes', () => {
  const stack = stackIn();

  it.each<[string, string, number]>([
    ['a text, in UTF-8', 'Söhne', 6],
    ['the account', `a${Aws.ACCOUNT_ID}`, 13],
    ['the region', Aws.REGION, 'ap-southeast-1'.length],
    ['the partition', Aws.PARTITION, 'aws-us-gov'.length],
    ['a name that CloudFormation makes', Fn.ref('Table'), 'Bank-Table-1A2B3C4D5E6F7'.length],
    ['what nothing is known of', Fn.importValue('audience'), 255],
    ['several of them', `${Aws.REGION}/${Fn.ref('Table')}`, 14 + 1 + 24],
  ])('counts %s', (_, text, bytes) => {
    expect(mostBytes(stack, text)).toBe(bytes);
  });
});

/** So many mails, each locale of a name counted. */
function manyMails(count: number, nameLength = 3): NotificationTemplate[] {
  const shipped = ['ciba-with-binding-message', 'ciba-without-binding-message'];
  const made = Array.from({ length: count - shipped.length }, (_, index) =>
    `t${index}`.padEnd(nameLength, 'x'),
  );
  const text = { subject: 'Approve', html: '<p>Approve</p>', text: 'Approve' };
  return [...shipped, ...made].map((name) => ({ name, locale: 'en', ...text }));
}

describe('the mails', () => {
  function mistakesWith(templates: NotificationTemplate[]): string {
    try {
      new CibaProvider(stackIn(), 'Provider', { senderAddress, templates });
      return '';
    } catch (error) {
      return Object(error).message;
    }
  }
  const [first, ...others] = manyMails(60);
  if (first === undefined) throw new Error('no mail');

  it('O10: are taken up to sixty', () => {
    expect(mistakesWith([first, ...others])).toBe('');
  });

  it.each<[string, NotificationTemplate[], RegExp]>([
    [
      'more than a role can name',
      manyMails(61),
      /^The mail templates are 61, each locale of a name counted; allowed: 60, since the role that sends them names each\.$/,
    ],
    [
      'a name that is too long for SES',
      [first, { ...first, name: 'x'.repeat(70) }],
      /^The mail template Bank-Provider-\w{8}-x{70}-en has a name of 96 characters; SES takes 1 to 64 letters, digits, hyphens and underscores\.$/,
    ],
    [
      'a name with a character that SES does not take',
      [first, { ...first, name: 'a.b' }],
      /^The mail template Bank-Provider-\w{8}-a\.b-en has a name of 29 characters; SES takes /,
    ],
    [
      'more bytes than the template of the stack can hold',
      [{ ...first, html: 'ä'.repeat(350_000) }],
      /^The mail templates have 700\d\d\d bytes together; allowed: 700000, since the template of the stack holds them\.$/,
    ],
  ])('O10: are refused by name: %s', (_, templates, mistake) => {
    expect(mistakesWith(templates)).toMatch(mistake);
  });
});

describe('the sender', () => {
  const domain = `${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(63)}`;

  it.each([`${'a'.repeat(64)}@bank.example`, `${'a'.repeat(64)}@${domain}.exa`])(
    'O10: is an address as SMTP takes it: %s',
    (address) => {
      expect(mistakesIn({ senderAddress: address })).toEqual([]);
    },
  );

  it.each([`${'a'.repeat(65)}@bank.example`, `${'a'.repeat(64)}@${domain}.exam`])(
    'O10: is no address that it does not take: %s',
    (address) => {
      expect(mistakesIn({ senderAddress: address })).toEqual([
        expect.stringMatching(/^Setting senderAddress must be one e-mail address, /),
      ]);
    },
  );
});

describe('a region', () => {
  const noSes = 'it has no SES, and no mail could be sent.';
  const noSesIn = (partition: string) =>
    `the partition ${partition} has no SES, and no mail could be sent.`;
  const unsupported: [string, string][] = [
    ['cn-north-1', noSesIn('aws-cn')],
    ['cn-northwest-1', noSesIn('aws-cn')],
    ['us-iso-east-1', noSesIn('aws-iso')],
    ['us-iso-west-1', noSesIn('aws-iso')],
    ['us-isob-east-1', noSesIn('aws-iso-b')],
    ['us-isob-west-1', noSesIn('aws-iso-b')],
    ['eu-isoe-west-1', noSesIn('aws-iso-e')],
    ['us-isof-east-1', noSesIn('aws-iso-f')],
    ['us-isof-south-1', noSesIn('aws-iso-f')],
    [
      'eusc-de-east-1',
      'its services are below amazonaws.eu, and the rights name DynamoDB below amazonaws.com; no key could be decrypted.',
    ],
    ['ap-east-1', noSes],
    ['ap-east-2', noSes],
    ['ap-southeast-4', noSes],
    ['ap-southeast-6', noSes],
    ['ap-southeast-7', noSes],
    ['eu-south-2', noSes],
    ['mx-central-1', noSes],
  ];

  it.each(unsupported)('O9: %s is refused with the reason', (region, reason) => {
    const line = `Region ${region} cannot be deployed to: ${reason}`;
    expect(mistakesIn({}, { region })).toEqual([line]);
    expect(() => new CibaProvider(stackIn(region), 'Provider', { senderAddress })).toThrow(line);
  });

  it.each([
    'us-east-1',
    'eu-west-1',
    'ap-southeast-1',
    'us-gov-west-1',
    'us-gov-east-1',
    // One that came later.
    'eu-north-9',
  ])('O9: %s is taken', (region) => {
    expect(mistakesIn({}, { region })).toEqual([]);
  });

  it('O9: is refused where the command line says that it would deploy there, before anything is written', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
      cwd: join(import.meta.dirname, '../../..'),
      encoding: 'utf8',
      env: {
        ...process.env,
        CDK_OUTDIR: join(folder, 'refused'),
        CDK_CONTEXT_JSON: JSON.stringify({ ...withoutBundles, senderAddress }),
        CDK_DEFAULT_REGION: 'cn-north-1',
      },
    });
    expect(stderr).toBe(
      'Region cn-north-1 cannot be deployed to: the partition aws-cn has no SES, and no mail could be sent.\n',
    );
    expect(status).toBe(1);
  });
});

describe('the partition', () => {
  /**
   * With the CDK's flag that writes the partition of a known region out, as cdk.json has it, and
   * without, as another app may.
   */
  const flag = '@aws-cdk/core:enablePartitionLiterals';

  it.each([
    ['us-gov-west-1', {}, 'AWS::Partition'],
    ['us-gov-west-1', { [flag]: true }, 'arn:aws-us-gov:'],
    ['us-gov-east-1', { [flag]: true }, 'arn:aws-us-gov:'],
    [undefined, { [flag]: true }, 'AWS::Partition'],
  ])(
    'O9: is nowhere that of the commercial regions in a template for %s with %j',
    (region, context, partition) => {
      const stack = stackIn(region, context);
      new CibaProvider(stack, 'Provider', { senderAddress });
      const text = JSON.stringify(Template.fromStack(stack).toJSON());
      expect({
        commercial: text.includes('arn:aws:'),
        own: text.includes(partition),
        tasks: text.includes('lambdaInvoke'),
      }).toEqual({ commercial: false, own: true, tasks: true });
    },
  );
});
