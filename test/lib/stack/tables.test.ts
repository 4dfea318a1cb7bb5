/** What is kept, and for how long. */
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { functionOf, synthesize, template } from '../../support/synthesized-template.ts';

describe('what is kept', () => {
  it('restores every table to any second, and lets go of none', () => {
    template.allResources('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: Match.objectLike({
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    });
  });

  it('forgets requests by their ttl, and lists them by day with facts that never change', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'ref', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byDay',
          KeySchema: [
            { AttributeName: 'day', KeyType: 'HASH' },
            { AttributeName: 'createdAt', KeyType: 'RANGE' },
          ],
          Projection: {
            ProjectionType: 'INCLUDE',
            NonKeyAttributes: ['clientId', 'sub', 'expiresAt'],
          },
        },
      ],
    });
  });

  it('encrypts the keys with a key of this deployment, which rotates and outlives the stack', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      SSESpecification: {
        SSEEnabled: true,
        SSEType: 'KMS',
        KMSMasterKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^TablesKeysEncryption'), 'Arn'] },
      },
    });
    template.allResources('AWS::KMS::Key', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: Match.objectLike({ EnableKeyRotation: true }),
    });
  });

  it('keeps no log for ever', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    synthesize({ logRetentionDays: '90' }).template.allResourcesProperties('AWS::Logs::LogGroup', {
      RetentionInDays: 90,
    });
  });

  it('renews the keys that are due every day, after 90 days or what the setting says', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 day)',
      State: 'ENABLED',
      Targets: [
        {
          Id: Match.anyValue(),
          Arn: {
            'Fn::GetAtt': [Match.stringLikeRegexp('^KeyRotationRotateKeysFunction'), 'Arn'],
          },
          Input: '{"rotate":"when-due"}',
        },
      ],
    });
    const { Variables } = functionOf('rotate-keys').Environment;
    expect(Variables).toMatchObject({ ROTATION_PERIOD: String(90 * 86_400) });
    synthesize({ keyRotationDays: '7' }).template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'lambdas/handlers/rotate-keys.ts',
      Environment: { Variables: Match.objectLike({ ROTATION_PERIOD: String(7 * 86_400) }) },
    });
  });

  it('makes the first keys when both of their tables are there', () => {
    template.hasResource('Custom::FirstKeys', {
      Properties: {
        ServiceToken: {
          'Fn::GetAtt': [Match.stringLikeRegexp('^KeyRotationRotateKeysFunction'), 'Arn'],
        },
      },
      DependsOn: Match.arrayWith([
        Match.stringLikeRegexp('^TablesDirectory'),
        Match.stringLikeRegexp('^TablesKeys'),
      ]),
    });
  });
});
