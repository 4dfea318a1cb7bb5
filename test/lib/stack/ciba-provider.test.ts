/**
 * The provider as a construct in somebody else's app: twice in one stack, with what it exposes
 * wired to other resources.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import type { NotificationTemplate } from '../../../lib/notification-templates/compile.ts';
import { CibaProvider } from '../../../lib/stack/ciba-provider.ts';

/**
 * CloudFormation's own rules take seconds; provider-app.test.ts holds the template against them.
 */
process.env['CDK_VALIDATION'] = 'false';

const folder = mkdtempSync(join(tmpdir(), 'ciba-construct-'));
afterAll(() => rmSync(folder, { recursive: true }));

const senderAddress = 'approvals@bank.example';

/** Ten mail templates, the logs of two flows and of the API, and the API. */
const NAMES_OF_ONE = 10 + 3 + 1;

function createStack(id = 'Bank') {
  const outdir = mkdtempSync(join(folder, 'out-'));
  const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
  return { app, stack: new Stack(app, id) };
}

function addTwo(stack: Stack) {
  return {
    retail: new CibaProvider(stack, 'Retail', { senderAddress }),
    corporate: new CibaProvider(stack, 'Corporate', {
      senderAddress,
      issuer: 'https://corporate.bank.example',
      expiresIn: 300,
    }),
  };
}

/**
 * The resources of a template under the name that their type gives them, those without such a name
 * left out.
 */
function namesIn(template: Template): string[] {
  const named: [string, (properties: Record<string, never>) => unknown][] = [
    ['AWS::SES::Template', ({ Template: mail }) => mail?.['TemplateName']],
    ['AWS::Logs::LogGroup', ({ LogGroupName }) => LogGroupName],
    ['AWS::ApiGatewayV2::Api', ({ Name }) => Name],
    ['AWS::DynamoDB::Table', ({ TableName }) => TableName],
    ['AWS::Lambda::Function', ({ FunctionName }) => FunctionName],
    ['AWS::StepFunctions::StateMachine', ({ StateMachineName }) => StateMachineName],
    ['AWS::IAM::Role', ({ RoleName }) => RoleName],
    ['AWS::KMS::Alias', ({ AliasName }) => AliasName],
    ['AWS::SES::ConfigurationSet', ({ Name }) => Name],
    ['AWS::CloudWatch::Alarm', ({ AlarmName }) => AlarmName],
  ];
  return named.flatMap(([type, nameOf]) =>
    Object.values(template.findResources(type))
      .map(({ Properties }) => nameOf(Properties ?? {}))
      .filter((name) => typeof name === 'string'),
  );
}

describe('two providers in one stack', () => {
  const { app, stack } = createStack();
  const { retail, corporate } = addTwo(stack);
  const template = Template.fromStack(stack);

  it('share no name', () => {
    const names = namesIn(template);
    expect(names).toHaveLength(2 * NAMES_OF_ONE);
    expect(new Set(names).size).toBe(names.length);
  });

  it('have each their tables, API and flow', () => {
    template.resourceCountIs('AWS::DynamoDB::Table', 6);
    template.resourceCountIs('AWS::ApiGatewayV2::Api', 2);
    template.resourceCountIs('AWS::StepFunctions::StateMachine', 2 * 2);
    expect(Object.keys(retail.flows)).toEqual(['ciba-flow', 'ciba-generic-mail-flow']);
    expect(retail.functions).toHaveLength(10);
    expect(corporate.issuer).toBe('https://corporate.bank.example');
    expect(stack.resolve(retail.issuer)).toEqual(stack.resolve(retail.api.apiEndpoint));
    expect(stack.resolve(retail.directoryTable.tableName)).not.toEqual(
      stack.resolve(corporate.directoryTable.tableName),
    );
  });

  it('keep each to their settings', () => {
    for (const expiresIn of ['120', '300']) {
      template.hasResourceProperties('AWS::Lambda::Function', {
        Environment: { Variables: Match.objectLike({ DEFAULT_EXPIRES_IN: expiresIn }) },
      });
    }
  });

  it('have no finding of cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});

describe('the names that AWS asks for', () => {
  it('are not too long for SES, and differ still, however long the ids', () => {
    const { stack } = createStack('A-stack-with-a-name-that-goes-on-and-on-for-ever');
    const id = 'ProviderOfApprovalsForTheRetailCustomersOfTheBank';
    for (const end of ['One', 'Two']) new CibaProvider(stack, id + end, { senderAddress });
    const names = namesIn(Template.fromStack(stack));
    expect(new Set(names).size).toBe(2 * NAMES_OF_ONE);
    const templates = names.filter((name) => /-binding-message-[a-z]+$/.test(name));
    expect(templates).toHaveLength(2 * 10);
    expect(Math.max(...templates.map(({ length }) => length))).toBeLessThanOrEqual(64);
  });

  it('differ between two stacks with providers of one id', () => {
    const [one, other] = ['One', 'Other'].map((name) => {
      const { stack } = createStack(name);
      new CibaProvider(stack, 'Provider', { senderAddress });
      return namesIn(Template.fromStack(stack));
    });
    expect(one).toHaveLength(NAMES_OF_ONE);
    expect(one?.filter((name) => other?.includes(name))).toEqual([]);
  });
});

describe('O23: the name of a provider', () => {
  const nameOf = (stack: Stack) =>
    Object.values(Template.fromStack(stack).findResources('AWS::ApiGatewayV2::Api')).map(
      ({ Properties }) => Properties.Name,
    );

  function nameBy(stackId: string, id: string, name?: string): string {
    const { stack } = createStack(stackId);
    new CibaProvider(stack, id, { senderAddress, name });
    return nameOf(stack)[0];
  }

  it.each(['C', 'Ciba-2', 'CibaProvider', 'S'.repeat(22)])(
    'is that of the stack, whole, where the stack is all that there is: %s',
    (stackId) => {
      expect(nameBy(stackId, 'Default')).toBe(stackId);
    },
  );

  it.each([
    ['Bank', 'Retail', 'Bank-Retail-906D49C3'],
    ['shop', 'Approvals', 'shop-Aprovals-0A1BD737'],
    ['shop', 'ProviderOfApprovals', 'shop-Prrovals-C7D74E96'],
    ['A-stack-with-a-name-that-goes-on-and-on', 'Retail', 'A-stackRetail-04A439AE'],
  ])(
    'stays what it was where none is given, so that no deployment loses its logs: %s, %s',
    (stackId, id, name) => {
      expect(nameBy(stackId, id)).toBe(name);
    },
  );

  it('is readable in full where it is given, in every name that AWS asks for', () => {
    const { stack } = createStack('A-stack-with-a-name-that-goes-on-and-on');
    const name = 'Bank-approvals-retail2';
    new CibaProvider(stack, 'ProviderOfApprovals', { senderAddress, name });
    const names = namesIn(Template.fromStack(stack));
    expect(names).toHaveLength(NAMES_OF_ONE);
    for (const found of names) {
      expect(found).toMatch(/^(\/aws\/vendedlogs\/)?Bank-approvals-retail2([-/]|$)/);
    }
  });

  it.each(['', 'N'.repeat(23), '2nd', 'Bank_approvals', 'Bank/approvals', 'Bänk', '-Bank'])(
    'is refused where it is none: %j',
    (name) => {
      expect(() => nameBy('Bank', 'Provider', name)).toThrow(
        `Setting name must be 1 to 22 letters, digits and hyphens, a letter first; it is ${JSON.stringify(name)}.`,
      );
    },
  );

  it('is refused where another provider of the app has it, in this stack or another', () => {
    const { app, stack } = createStack('One');
    const name = 'Approvals';
    new CibaProvider(stack, 'Retail', { senderAddress, name });
    for (const place of [stack, new Stack(app, 'Other')]) {
      expect(() => new CibaProvider(place, 'Corporate', { senderAddress, name })).toThrow(
        'Setting name must be another than that of One/Retail; it is "Approvals".',
      );
    }
    const elsewhere = new Stack(app, 'Elsewhere', { env: { region: 'eu-west-1' } });
    new CibaProvider(elsewhere, 'Corporate', { senderAddress, name });
    expect(nameOf(elsewhere)).toEqual([name]);
  });
});

describe('the grants', () => {
  function statementsFor(grant: (provider: CibaProvider, role: Role) => unknown): unknown {
    const { stack } = createStack();
    const { retail } = addTwo(stack);
    grant(retail, new Role(stack, 'Operator', { assumedBy: new AccountPrincipal('111122223333') }));
    const [policy] = Object.values(
      Template.fromStack(stack).findResources('AWS::IAM::Policy', {
        Properties: { Roles: [{ Ref: Match.stringLikeRegexp('^Operator') }] },
      }),
    );
    return policy?.['Properties'].PolicyDocument.Statement;
  }

  const arnOf = (table: string) => ({
    'Fn::GetAtt': [expect.stringMatching(`^RetailTables${table}[0-9A-F]{8}$`), 'Arn'],
  });

  it('let one manage clients and users, not the keys published beside them, and wrap secrets', () => {
    expect(
      statementsFor((provider, role) => provider.grantManageDirectory(role).assertSuccess()),
    ).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'dynamodb:GetItem',
          'dynamodb:BatchGetItem',
          'dynamodb:PutItem',
          'dynamodb:UpdateItem',
          'dynamodb:DeleteItem',
        ],
        Resource: arnOf('Directory'),
        Condition: {
          'ForAllValues:StringLike': {
            'dynamodb:LeadingKeys': ['client#*', 'user#*', 'login#*', 'logo#*'],
          },
        },
      },
      { Effect: 'Allow', Action: 'dynamodb:Scan', Resource: arnOf('Directory') },
      {
        Effect: 'Allow',
        Action: 'dynamodb:GetItem',
        Resource: arnOf('Keys'),
        Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['wrap'] } },
      },
      {
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: arnOf('KeysEncryption'),
        Condition: { StringEquals: { 'kms:ViaService': expect.anything() } },
      },
    ]);
  });

  it('let one read requests and their index, and change nothing', () => {
    expect(
      statementsFor((provider, role) => provider.grantReadRequests(role).assertSuccess()),
    ).toEqual([
      {
        Effect: 'Allow',
        Action: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        Resource: arnOf('Requests'),
      },
      {
        Effect: 'Allow',
        Action: 'dynamodb:Query',
        Resource: { 'Fn::Join': ['', [arnOf('Requests'), '/index/byDay']] },
      },
    ]);
  });

  it('P31, O26: let one lift limits: put and remove histories of users, and nothing else', () => {
    expect(
      statementsFor((provider, role) => provider.grantClearLimits(role).assertSuccess()),
    ).toEqual([
      { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: arnOf('Requests') },
      {
        Effect: 'Allow',
        Action: ['dynamodb:PutItem', 'dynamodb:DeleteItem'],
        Resource: arnOf('Requests'),
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['asked#*'] } },
      },
    ]);
  });

  it('T24: let one revoke refresh tokens by the function that does, and write to no request', () => {
    expect(
      statementsFor((provider, role) => provider.grantRevokeRefreshTokens(role).assertSuccess()),
    ).toEqual([
      {
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: {
          'Fn::GetAtt': [expect.stringMatching(/^RetailRevocationRevokeFunction/), 'Arn'],
        },
      },
    ]);
  });
});

describe('the props', () => {
  it('are checked as the settings of a deployment are, a line for each mistake', () => {
    const { stack } = createStack();
    const create = () => new CibaProvider(stack, 'Wrong', { senderAddress: 'x', interval: 0 });
    expect(create).toThrow(
      'Setting senderAddress must be one e-mail address, such as approvals@example.com; it is "x".\n' +
        'Setting interval must be a whole number from 1 to 60; it is 0.',
    );
  });

  it('have no name of a stack', () => {
    const { stack } = createStack();
    const props = { senderAddress, stackName: 'Other' };
    expect(() => new CibaProvider(stack, 'Wrong', props)).toThrow(
      /^Setting stackName is unknown; the settings are issuer, .*alarmTopicArn\.$/,
    );
  });

  it('name no flow that there is not', () => {
    const { stack } = createStack();
    const flowPolicies = { canary: { 'ciba-flow': 90, 'night-flow': 10 } };
    expect(() => new CibaProvider(stack, 'Wrong', { senderAddress, flowPolicies })).toThrow(
      'Setting flowPolicies.canary names the flow night-flow; the flows are ciba-flow, ciba-generic-mail-flow.',
    );
  });

  it('take mails of the app', () => {
    const { stack } = createStack();
    const mail = { subject: 'Approve', html: '<p>Approve</p>', text: 'Approve' };
    new CibaProvider(stack, 'Own', {
      senderAddress,
      templates: [
        { name: 'ciba-with-binding-message', locale: 'en', ...mail },
        { name: 'ciba-without-binding-message', locale: 'en', ...mail },
      ],
    });
    Template.fromStack(stack).allResourcesProperties('AWS::SES::Template', {
      Template: { SubjectPart: 'Approve' },
    });
  });

  it('refuse mails that not every user can be sent, and those that lack what a flow sends', () => {
    const mail = { locale: 'de', subject: 'Freigabe', html: '<p>Freigabe</p>', text: 'Freigabe' };
    const create = (...templates: NotificationTemplate[]) =>
      new CibaProvider(createStack().stack, 'Own', { senderAddress, templates });
    expect(() => create({ name: 'other', ...mail })).toThrow(
      'Template other must have the locale en; it has de.',
    );
    expect(() => create({ name: 'other', ...mail, locale: 'en' })).toThrow(
      /^statemachines\/ciba-flow\.asl\.json:\d+: unknown substitution \$\{cibaWithBindingMessageTemplate\}; allowed: .*, \$\{otherTemplate\}$/m,
    );
  });
});
