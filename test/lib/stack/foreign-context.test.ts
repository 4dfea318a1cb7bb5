/** Keys of the CDK context that are none of our settings, and those that nearly are. */
import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../lib/stack/nearest-name.ts';
import { parseProviderSettings, parseSettings } from '../../../lib/stack/settings.ts';

const sender = { senderAddress: 'approvals@bank.example' };

const settings = [
  ...['issuer', 'customDomain', 'certificateArn', 'hostedZoneId', 'hostedZoneName', 'senderName'],
  ...['senderAddress', 'senderIdentity', 'expiresIn', 'interval', 'minExpiresIn', 'maxExpiresIn'],
  ...['accessTokenAudience', 'auditRetentionDays', 'notificationPolicy', 'notificationPolicies'],
  ...['flowPolicy', 'flowPolicies', 'keyRotationDays', 'logRetentionDays', 'flowLogLevel'],
  ...['throttleRate', 'tokenThrottleBurst', 'approveReservedConcurrency', 'target'],
  ...['alarmTopicArn', 'stackName', 'recordDecisionOrigin'],
];

describe('O7: the context', () => {
  it.each([
    'acknowledged-issue-numbers',
    'cli-telemetry',
    'availability-zones:account=111122223333:region=eu-west-1',
    'hosted-zone:account=1:domainName=example.com:region=eu-west-1',
    'ssm:account=1:parameterName=x:region=eu-west-1',
    '@aws-cdk/core:newStyleStackSynthesis',
    'aws:cdk:bundling-stacks',
    'env',
    'stage',
    'tags',
    'vpcId',
    'account',
    'projectName',
    '',
    '__proto__x',
  ])('may hold %s, which is of another program', (key) => {
    expect(parseSettings({ ...sender, [key]: [34892] })).toHaveProperty('settings');
  });

  it.each(settings)('names %s to who misspelt it by one letter, wherever that is', (name) => {
    for (let at = 0; at < name.length; at += 1) {
      const slips = [
        name.slice(0, at) + name.slice(at + 1),
        `${name.slice(0, at)}q${name.slice(at + 1)}`,
        `${name.slice(0, at)}q${name.slice(at)}`,
        name.slice(0, at) + (name[at + 1] ?? '') + name[at] + name.slice(at + 2),
      ].filter((slip) => slip !== name);
      for (const slip of slips) {
        const parsed = parseSettings({ ...sender, [slip]: 'x' });
        expect(parsed, slip).toEqual({
          mistakes: [
            expect.stringMatching(new RegExp(`^Setting ${slip} is unknown; did you mean`)),
          ],
        });
      }
    }
  });

  it.each([
    ['senderNmae', 'senderName'],
    ['sendername', 'senderName'],
    ['sender-name', 'senderName'],
    ['SENDER_NAME', 'senderName'],
    ['notificationPolices', 'notificationPolicies'],
  ])('that holds %s is asked: did you mean %s?', (slip, meant) => {
    const parsed = parseSettings({ ...sender, [slip]: 'x' });
    expect(parsed).toEqual({
      mistakes: [expect.stringContaining(`did you mean ${meant}? the settings are`)],
    });
  });

  it('is not looked at by the construct, whose props are all its own', () => {
    const props = { ...sender, vpcId: 'x' };
    expect(parseProviderSettings(props)).toEqual({
      mistakes: [expect.stringMatching(/^Setting vpcId is unknown; the settings are /)],
    });
  });

  it('knows a name that is given as it is', () => {
    expect(nearestName('issuer', ['issuers', 'issuer'])).toBe('issuer');
  });
});
