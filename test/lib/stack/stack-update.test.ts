/**
 * A second deployment with other settings: what holds state stays the very resource it was.
 * CloudFormation replaces a resource whose logical id changes, or one of the properties that it
 * documents as "Update requires: Replacement".
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createProviderApp } from '../../../lib/stack/provider-app.ts';

/**
 * CloudFormation's own rules take seconds; provider-app.test.ts holds the template against them.
 */
process.env['CDK_VALIDATION'] = 'false';

const folder = mkdtempSync(join(tmpdir(), 'ciba-update-'));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * What holds state, or an address that others hold on to, with the properties that replace it. An
 * index is no replacement of its table, but would be empty for a while: it counts as one.
 */
const replacingProperties: Record<string, string[]> = {
  'AWS::DynamoDB::Table': [
    'TableName',
    'KeySchema',
    'AttributeDefinitions',
    'GlobalSecondaryIndexes',
    'LocalSecondaryIndexes',
    'ImportSourceSpecification',
    'SSESpecification',
  ],
  'AWS::KMS::Key': ['KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'],
  'AWS::SES::EmailIdentity': ['EmailIdentity'],
  'AWS::ApiGatewayV2::Api': ['ProtocolType'],
};

const resourcesSchema = z.record(
  z.string(),
  z.looseObject({
    Type: z.string(),
    Properties: z.record(z.string(), z.unknown()).default({}),
    DeletionPolicy: z.string().optional(),
    UpdateReplacePolicy: z.string().optional(),
  }),
);
type Resources = z.output<typeof resourcesSchema>;

const firstDeployment = { senderAddress: 'approvals@bank.example', senderIdentity: 'create' };

function synthesize(settings: Record<string, unknown>): Resources {
  const provider = createProviderApp({
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { 'aws:cdk:bundling-stacks': [], ...firstDeployment, ...settings },
  });
  if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
  return resourcesSchema.parse(Template.fromStack(provider.stack).toJSON()['Resources']);
}

/**
 * By logical id, all that must not change for CloudFormation to keep the resource; with its
 * policies.
 */
function identitiesOf(resources: Resources): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(resources).flatMap(([logicalId, resource]) => {
      const names = replacingProperties[resource.Type];
      if (names === undefined) return [];
      const properties = Object.fromEntries(names.map((name) => [name, resource.Properties[name]]));
      const { DeletionPolicy, UpdateReplacePolicy } = resource;
      return [[logicalId, { ...properties, DeletionPolicy, UpdateReplacePolicy }]];
    }),
  );
}

const before = synthesize({});

const customDomain = {
  customDomain: 'login.bank.example',
  certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef',
};

describe('a second deployment replaces nothing that holds state', () => {
  it.each([
    ['no setting changes', {}],
    ['the issuer changes', { issuer: 'https://login.bank.example' }],
    ['a custom domain comes', customDomain],
    [
      'a custom domain comes with a hosted zone',
      { ...customDomain, hostedZoneId: 'Z0123456789', hostedZoneName: 'bank.example' },
    ],
    [
      'everything else changes',
      {
        senderName: 'Bank',
        expiresIn: 300,
        interval: 5,
        minExpiresIn: 60,
        maxExpiresIn: 400,
        accessTokenAudience: 'payments',
        auditRetentionDays: 365,
        keyRotationDays: 30,
        logRetentionDays: 90,
        flowLogLevel: 'ALL',
        throttleRate: 1,
        throttleBurst: 1,
        tokenThrottleRate: 1,
        tokenThrottleBurst: 1,
        authorizeThrottleRate: 1,
        authorizeThrottleBurst: 1,
        approveThrottleRate: 1,
        approveThrottleBurst: 1,
        approveReservedConcurrency: 50,
        alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:alarms',
      },
    ],
  ])('when %s', (_, settings) => {
    expect(identitiesOf(synthesize(settings))).toEqual(identitiesOf(before));
  });

  it('and the test knows of every resource that is kept', () => {
    const kept = Object.values(before).filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain');
    expect(kept.map(({ Type }) => Type).sort()).toEqual([
      'AWS::DynamoDB::Table',
      'AWS::DynamoDB::Table',
      'AWS::DynamoDB::Table',
      'AWS::KMS::Key',
      'AWS::SES::EmailIdentity',
    ]);
    for (const { Type } of kept) expect(replacingProperties).toHaveProperty([Type]);
  });

  it('and the identity that the sender leaves behind is kept', () => {
    const [identity] = Object.values(synthesize({ senderAddress: 'other@bank.example' })).filter(
      ({ Type }) => Type === 'AWS::SES::EmailIdentity',
    );
    expect(identity).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});

describe('a deployment of a later version', () => {
  it('finds the tables, the key, the identity and the API under the logical ids of this one', () => {
    expect(Object.keys(identitiesOf(before)).sort()).toEqual([
      'NotificationMailSenderIdentityCFE5632B',
      'PublicApi6461FF4B',
      'TablesDirectoryD82D92C0',
      'TablesKeys6B5A3ABF',
      'TablesKeysEncryptionF1C3AD0B',
      'TablesRequests3CA232D6',
    ]);
  });

  it('finds the log of the main flow, whose name no other could take while it is there', () => {
    const logs = Object.entries(before).filter(
      ([, { Properties }]) =>
        Properties['LogGroupName'] === '/aws/vendedlogs/CibaProvider/ciba-flow',
    );
    expect(logs.map(([logicalId]) => logicalId)).toEqual(['NotificationFlowLogDF78C619']);
  });
});
