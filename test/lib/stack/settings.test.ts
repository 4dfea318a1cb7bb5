/**
 * The settings of a deployment: what is allowed, from JSON and from the command line alike, and the
 * line that an operator reads when it is not.
 */
import { Fn } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { parseSettings, type Settings } from '../../../lib/stack/settings.ts';

const senderAddress = 'approvals@bank.example';

/** The settings that this context gives beside a sender. */
function settingsOf(context: Record<string, unknown>): Settings {
  const parsed = parseSettings({ senderAddress, ...context });
  if ('mistakes' in parsed) throw new Error(parsed.mistakes.join('\n'));
  return parsed.settings;
}

function mistakesIn(context: Record<string, unknown>): string[] {
  const parsed = parseSettings(context);
  return 'mistakes' in parsed ? parsed.mistakes : [];
}

describe('settings', () => {
  it('has a default for everything but the sender', () => {
    expect(settingsOf({})).toEqual({
      senderAddress,
      senderIdentity: 'existing',
      expiresIn: 120,
      interval: 2,
      minExpiresIn: 10,
      maxExpiresIn: 600,
      auditRetentionDays: 30,
      keyRotationDays: 90,
      logRetentionDays: 30,
      flowLogLevel: 'ERROR',
      recordDecisionOrigin: 'coarse',
      notificationPolicy: 'standard',
      notificationPolicies: {
        standard: {
          mailsPerUserPerMinute: 5,
          mailsPerUserPerDay: 20,
          pendingPerUser: 3,
          denialsBeforePause: 2,
          denialWindowSeconds: 600,
          pauseSeconds: 1800,
          muteSeconds: 86_400,
        },
        none: {},
      },
      flowPolicy: 'standard',
      flowPolicies: {
        standard: { 'ciba-flow': 100 },
        'generic-mail': { 'ciba-generic-mail-flow': 100 },
      },
      throttleRate: 500,
      throttleBurst: 250,
      tokenThrottleRate: 4000,
      tokenThrottleBurst: 2000,
      authorizeThrottleRate: 1000,
      authorizeThrottleBurst: 500,
      approveThrottleRate: 2000,
      approveThrottleBurst: 1000,
      target: 'aws',
      stackName: 'CibaProvider',
    });
  });

  it('takes the text of the command line for a number', () => {
    const { expiresIn, logRetentionDays } = settingsOf({
      expiresIn: '300',
      logRetentionDays: '90',
    });
    expect({ expiresIn, logRetentionDays }).toEqual({ expiresIn: 300, logRetentionDays: 90 });
  });

  it('leaves the context of CDK itself alone', () => {
    const context = {
      '@aws-cdk/core:enablePartitionLiterals': true,
      'aws:cdk:enable-path-metadata': true,
      'availability-zones:account=111122223333:region=eu-west-1': ['eu-west-1a'],
      'cli/anything': 1,
    };
    expect(settingsOf(context)).toEqual(settingsOf({}));
  });

  it.each([
    ['issuer', 'https://login.bank.example'],
    ['issuer', 'https://login.bank.example:8443'],
    ['issuer', 'http://localhost:4010'],
    ['issuer', 'http://127.0.0.1:4010'],
    ['senderName', 'Bank & Söhne'],
    ['senderIdentity', 'create'],
    ['expiresIn', 600],
    ['interval', 1],
    ['accessTokenAudience', 'https://api.bank.example/payments'],
    ['flowLogLevel', 'ALL'],
    ['recordDecisionOrigin', 'full'],
    ['recordDecisionOrigin', 'none'],
    ['approveReservedConcurrency', 50],
    ['alarmTopicArn', 'arn:aws-cn:sns:cn-north-1:111122223333:alarms'],
    ['stackName', 'Ciba-2'],
    ['stackName', 'a'.repeat(22)],
  ])('takes %s = %j', (key, value) => {
    expect(settingsOf({ [key]: value })).toMatchObject({ [key]: value });
  });

  const issuer =
    'an https origin without path, query, fragment or slash at its end, http://localhost:PORT or http://127.0.0.1:PORT';
  const hostName = (example: string) => `a host name in lower case, such as ${example}`;
  const wholeNumber = (least: number, most: number) => `a whole number from ${least} to ${most}`;

  it.each([
    ['issuer', 'https://login.bank.example/', issuer],
    ['issuer', 'https://login.bank.example/ciba', issuer],
    ['issuer', 'https://login.bank.example?tenant=1', issuer],
    ['issuer', 'https://login.bank.example#', issuer],
    ['issuer', 'https://user@login.bank.example', issuer],
    ['issuer', 'https://Login.bank.example', issuer],
    ['issuer', 'https://login.bank.example:443', issuer],
    ['issuer', 'http://login.bank.example', issuer],
    ['issuer', 'http://localhost', issuer],
    ['issuer', 'http://localhost.bank.example:4010', issuer],
    ['issuer', 'login.bank.example', issuer],
    ['issuer', '', issuer],
    ['customDomain', 'https://login.bank.example', hostName('login.example.com')],
    ['customDomain', 'Login.bank.example', hostName('login.example.com')],
    ['customDomain', '*.bank.example', hostName('login.example.com')],
    ['customDomain', 'login', hostName('login.example.com')],
    ['customDomain', '10.0.0.1', hostName('login.example.com')],
    ['hostedZoneName', 'bank.example.', hostName('example.com')],
    [
      'hostedZoneId',
      '/hostedzone/Z0123456789',
      'the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ',
    ],
    ['senderAddress', 'approvals', 'one e-mail address, such as approvals@example.com'],
    [
      'senderAddress',
      'a@b.example,c@d.example',
      'one e-mail address, such as approvals@example.com',
    ],
    [
      'senderName',
      'Bank" <thief@evil.example>',
      'at most 45 bytes of text without control characters and without " \\ < >',
    ],
    [
      'senderName',
      'Bank\r\nBcc: thief@evil.example',
      'at most 45 bytes of text without control characters and without " \\ < >',
    ],
    [
      'senderName',
      'ö'.repeat(23),
      'at most 45 bytes of text without control characters and without " \\ < >',
    ],
    ['senderIdentity', 'new', 'existing or create'],
    ['expiresIn', 601, wholeNumber(1, 600)],
    ['expiresIn', null, wholeNumber(1, 600)],
    ['expiresIn', true, wholeNumber(1, 600)],
    ['expiresIn', '', wholeNumber(1, 600)],
    ['expiresIn', '1e2', wholeNumber(1, 600)],
    ['interval', 0, wholeNumber(1, 60)],
    ['interval', 1.5, wholeNumber(1, 60)],
    ['interval', '-1', wholeNumber(1, 60)],
    ['minExpiresIn', 0, wholeNumber(1, 600)],
    ['maxExpiresIn', 601, wholeNumber(1, 600)],
    [
      'accessTokenAudience',
      'my api',
      '1 to 255 printable ASCII characters without space, " and \\',
    ],
    ['auditRetentionDays', 0, wholeNumber(1, 3653)],
    ['keyRotationDays', 0, wholeNumber(1, 365)],
    ['keyRotationDays', 366, wholeNumber(1, 365)],
    ['flowLogLevel', 'error', 'OFF, ERROR, FATAL or ALL'],
    ['recordDecisionOrigin', 'Full', 'none, coarse or full'],
    ['recordDecisionOrigin', true, 'none, coarse or full'],
    ['throttleRate', 0, wholeNumber(1, 1_000_000)],
    ['throttleBurst', 1_000_001, wholeNumber(1, 1_000_000)],
    ['tokenThrottleRate', '', wholeNumber(1, 1_000_000)],
    ['approveThrottleBurst', 0.5, wholeNumber(1, 1_000_000)],
    ['approveReservedConcurrency', 0, wholeNumber(1, 100_000)],
    [
      'alarmTopicArn',
      'arn:aws:sqs:eu-west-1:111122223333:alarms',
      'the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:111122223333:alarms',
    ],
    ['stackName', 'ciba_provider', '1 to 22 letters, digits and hyphens, a letter first'],
    ['stackName', 'a'.repeat(23), '1 to 22 letters, digits and hyphens, a letter first'],
  ])('refuses %s = %j and says what is allowed', (key, value, allowed) => {
    expect(mistakesIn({ senderAddress, [key]: value })).toEqual([
      `Setting ${key} must be ${allowed}; it is ${JSON.stringify(value)}.`,
    ]);
  });

  it('takes only the log retentions that CloudWatch has', () => {
    const [mistake] = mistakesIn({ senderAddress, logRetentionDays: 31 });
    expect(mistake).toMatch(
      /^Setting logRetentionDays must be one of 1, 3, 5, 7, 14, 30, 60, .*; it is 31\.$/,
    );
    // CDK's number for "for ever".
    expect(mistakesIn({ senderAddress, logRetentionDays: 9999 })).toHaveLength(1);
  });

  it('names the sender that is missing', () => {
    expect(mistakesIn({})).toEqual([
      'Setting senderAddress must be one e-mail address, such as approvals@example.com; it is missing.',
    ]);
  });

  it('names an unknown key and every known one', () => {
    const [mistake] = mistakesIn({ senderAddress, expiresin: 120 });
    expect(mistake).toMatch(
      /^Setting expiresin is unknown; did you mean expiresIn\? the settings are issuer, .*senderAddress, .*stackName\.$/,
    );
  });

  it('shows all mistakes at once, a line each', () => {
    const mistakes = mistakesIn({ senderAddress: 1, interval: 'x', intervall: 'red' });
    expect(mistakes.map((mistake) => mistake.split(' ')[1])).toEqual([
      'senderAddress',
      'interval',
      'intervall',
    ]);
    expect(mistakes.join('')).not.toContain('\n');
  });

  const customDomain = 'login.bank.example';
  const certificateArn =
    'arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef';
  const zone = { hostedZoneId: 'Z0123456789ABCDEFGHIJ', hostedZoneName: 'bank.example' };

  it.each([
    ['a custom domain', { customDomain, certificateArn }],
    [
      'a custom domain and the issuer that follows',
      { customDomain, certificateArn, issuer: 'https://login.bank.example' },
    ],
    ['a custom domain in a zone', { customDomain, certificateArn, ...zone }],
    [
      'a custom domain that is its zone',
      { customDomain, certificateArn, ...zone, hostedZoneName: customDomain },
    ],
    [
      'the certificate of another construct',
      { customDomain, certificateArn: Fn.importValue('certificate') },
    ],
  ])('takes %s', (_, settings) => {
    expect(settingsOf(settings)).toMatchObject(settings);
  });

  it.each([
    [
      'a custom domain without a certificate',
      { customDomain },
      `Setting certificateArn must be the ARN of an ACM certificate, such as ${certificateArn}, since customDomain is login.bank.example; it is missing.`,
    ],
    [
      'an issuer that is not the custom domain',
      { customDomain, certificateArn, issuer: 'https://bank.example' },
      'Setting issuer must be https://login.bank.example or left out, since customDomain is login.bank.example; it is https://bank.example.',
    ],
    [
      'half a hosted zone',
      { customDomain, certificateArn, hostedZoneId: zone.hostedZoneId },
      'Settings hostedZoneId and hostedZoneName must be given both or neither.',
    ],
    [
      'a hosted zone beside the domain',
      { customDomain: 'login.notbank.example', certificateArn, ...zone },
      'Setting customDomain must be bank.example or a name below it, since hostedZoneName is bank.example; it is login.notbank.example.',
    ],
    [
      'a certificate for nothing',
      { certificateArn },
      'Setting certificateArn must be left out where customDomain is.',
    ],
  ])('refuses %s in one line', (_, settings, mistake) => {
    expect(mistakesIn({ senderAddress, ...settings })).toEqual([mistake]);
  });

  it('holds the lifetime to its bounds', () => {
    expect(mistakesIn({ senderAddress, maxExpiresIn: 60 })).toEqual([
      'Setting expiresIn must be from minExpiresIn to maxExpiresIn, that is 10 to 60; it is 120.',
    ]);
    expect(mistakesIn({ senderAddress, minExpiresIn: 300, maxExpiresIn: 200 })).toEqual([
      'Setting minExpiresIn must be at most maxExpiresIn, which is 200; it is 300.',
    ]);
  });

  it('P28: holds the interval below every lifetime that a request can have', () => {
    expect(mistakesIn({ senderAddress, interval: 10 })).toEqual([
      'Setting interval must be less than minExpiresIn, which is 10; it is 10.',
    ]);
    expect(mistakesIn({ senderAddress, minExpiresIn: 1, interval: 1 })).toEqual([
      'Setting interval must be less than minExpiresIn, which is 1; it is 1.',
    ]);
    expect(mistakesIn({ senderAddress, interval: 9 })).toEqual([]);
    expect(mistakesIn({ senderAddress, minExpiresIn: 61, interval: 60 })).toEqual([]);
  });
});

describe('the settings of policies', () => {
  it('are objects, or their JSON on the command line, beside those that are always there', () => {
    const desk = { desk: { mailsPerUserPerMinute: 10 } };
    const canary = { canary: { 'ciba-flow': 90, 'ciba-generic-mail-flow': 10 } };
    const given = { notificationPolicies: desk, flowPolicies: canary };
    const texts = {
      notificationPolicies: JSON.stringify(desk),
      flowPolicies: JSON.stringify(canary),
    };
    for (const context of [given, texts]) {
      const { notificationPolicies, flowPolicies } = settingsOf(context);
      expect(Object.keys(notificationPolicies)).toEqual(['standard', 'none', 'desk']);
      expect(notificationPolicies['desk']).toEqual(desk.desk);
      expect(Object.keys(flowPolicies)).toEqual(['standard', 'generic-mail', 'canary']);
      expect(flowPolicies['canary']).toEqual(canary.canary);
    }
  });

  it('take the place of those that are always there', () => {
    const { notificationPolicies } = settingsOf({
      notificationPolicies: { standard: { pendingPerUser: 1 } },
    });
    expect(notificationPolicies['standard']).toEqual({ pendingPerUser: 1 });
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'no JSON',
      { notificationPolicies: '{' },
      'Setting notificationPolicies must be an object of notification policies by their names, or the JSON of one; it is "{".',
    ],
    [
      'a limit out of bounds',
      { notificationPolicies: { desk: { pendingPerUser: 31 } } },
      'Setting notificationPolicies.desk.pendingPerUser must be a whole number from 1 to 30.',
    ],
    [
      'a limit that is a text',
      { notificationPolicies: { desk: { pendingPerUser: 'many' } } },
      'Setting notificationPolicies.desk.pendingPerUser must be a whole number from 1 to 30.',
    ],
    [
      'an unknown limit',
      { notificationPolicies: { desk: { mailsPerHour: 3 } } },
      'Setting notificationPolicies.desk has the unknown limit mailsPerHour; the limits are mailsPerUserPerMinute, mailsPerUserPerDay, pendingPerUser, denialsBeforePause, denialWindowSeconds, pauseSeconds, muteSeconds, mailsPerDay.',
    ],
    [
      'half a pause',
      { notificationPolicies: { desk: { pauseSeconds: 60 } } },
      'Setting notificationPolicies.desk must have all of denialsBeforePause, denialWindowSeconds, pauseSeconds or none.',
    ],
    [
      'a name that is none',
      { notificationPolicies: { 'Front Desk': {} } },
      'Setting notificationPolicies.Front Desk is no name of a policy; a name is 1 to 64 of a-z 0-9 -, a letter first.',
    ],
    [
      'a policy that is no object',
      { flowPolicies: { canary: 'ciba-flow' } },
      'Setting flowPolicies.canary must be an object of weights by the names of flows.',
    ],
    [
      'a weight that is none',
      { flowPolicies: { canary: { 'ciba-flow': 1, other: -1 } } },
      'Setting flowPolicies.canary.other must be a whole number from 0 to 10000.',
    ],
    [
      'a flow that can be no file',
      { flowPolicies: { canary: { 'Night Flow': 1 } } },
      'Setting flowPolicies.canary.Night Flow is no name of a flow; a name is words of lower-case letters and digits, a letter first, with hyphens between them, 32 characters in all.',
    ],
    [
      'no weight at all',
      { flowPolicies: { canary: { 'ciba-flow': 0 } } },
      'Setting flowPolicies.canary must give one flow a weight above 0.',
    ],
    [
      'a default that is no policy',
      { notificationPolicy: 'desk' },
      'Setting notificationPolicy must be one of standard, none; it is desk.',
    ],
    [
      'a default flow policy that is none',
      { flowPolicy: 'canary' },
      'Setting flowPolicy must be one of standard, generic-mail; it is canary.',
    ],
  ])('with %s stop synth with what is allowed', (_what, context, mistake) => {
    expect(mistakesIn({ senderAddress, ...context })).toEqual([mistake]);
  });
});
