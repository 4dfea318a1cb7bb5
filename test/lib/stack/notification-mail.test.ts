/** What mails are sent with: templates, sender, configuration set. */
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import {
  readable,
  synthesize,
  template,
  templateNames,
} from '../../support/synthesized-template.ts';

describe('the mail', () => {
  it('is tracked by nothing: no open, no click, no redirect, whatever the account has turned on', () => {
    template.allResourcesProperties('AWS::SES::ConfigurationSet', {
      TrackingOptions: Match.absent(),
      VdmOptions: { DashboardOptions: { EngagementMetrics: 'DISABLED' } },
      DeliveryOptions: { TlsPolicy: 'REQUIRE' },
      ReputationOptions: { ReputationMetricsEnabled: true },
    });
    template.allResourcesProperties('AWS::SES::ConfigurationSetEventDestination', {
      EventDestination: {
        MatchingEventTypes: ['bounce', 'complaint', 'reject', 'renderingFailure'],
      },
    });
  });

  it('is told of once it bounces, is complained of, refused or not rendered: counted, and on the event bus', () => {
    const destinations = Object.values(
      template.findResources('AWS::SES::ConfigurationSetEventDestination'),
    ).map(({ Properties }) => Properties.EventDestination);
    expect(destinations).toHaveLength(2);
    const [bus] = destinations.flatMap(
      ({ EventBridgeDestination }) => EventBridgeDestination ?? [],
    );
    expect(readable(bus.EventBusArn)).toBe(
      'arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/default',
    );
  });

  it('tells its function of events of our configuration set alone', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.ses'],
        detail: {
          mail: {
            tags: {
              'ses:configuration-set': [
                { Ref: Match.stringLikeRegexp('^NotificationMailConfigurationSet') },
              ],
            },
          },
        },
      },
      Targets: [
        {
          Id: 'Target0',
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^MailFeedback.*Function'), 'Arn'] },
        },
      ],
    });
  });

  it('changes its templates one after the other', () => {
    const templates = template.findResources('AWS::SES::Template');
    const chain = Object.values(templates).map(({ DependsOn = [] }) => DependsOn);
    expect(chain.filter((before) => before.length === 0)).toHaveLength(1);
    expect(new Set(chain.flat()).size).toBe(templateNames.length - 1);
    expect(chain.flat().every((before) => before in templates)).toBe(true);
  });

  it('comes from a sender that exists, unless the settings ask to make one, which is kept', () => {
    template.resourceCountIs('AWS::SES::EmailIdentity', 0);
    const created = synthesize({ senderIdentity: 'create' }).template;
    created.hasResource('AWS::SES::EmailIdentity', {
      Properties: { EmailIdentity: 'approvals@bank.example' },
      DeletionPolicy: 'Retain',
    });
  });

  it.each([
    [undefined, 'approvals@bank.example'],
    ['Bank, Inc.', '"Bank, Inc." <approvals@bank.example>'],
    ['Bank Söhne', '=?UTF-8?B?QmFuayBTw7ZobmU=?= <approvals@bank.example>'],
  ])('writes the sender name %j as a header may hold it', (senderName, sender) => {
    synthesize({ senderName }).template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'lambdas/handlers/mail.ts',
      Environment: { Variables: Match.objectLike({ SENDER: sender }) },
    });
  });
});

describe('a sender at example.com', () => {
  const example = { senderAddress: 'approvals@example.com' };

  it('is warned of, since its mail cannot be sent', () => {
    Annotations.fromStack(synthesize(example).stack).hasWarning(
      '*',
      Match.stringLikeRegexp('^Mails cannot be sent from approvals@example.com'),
    );
  });

  it('is no matter on a local host, whose mail goes to its own inbox', () => {
    const { stack } = synthesize({ ...example, issuer: 'http://localhost:4010' });
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
  });
});
