/** The stack as a whole: its issuer and its outputs. */
import { describe, expect, it } from 'vitest';
import {
  functionOf,
  readable,
  senderAddress,
  synthesize,
  template,
} from '../../support/synthesized-template.ts';

describe('the issuer', () => {
  it('is the address of the HTTP API, and the endpoints are told below it', () => {
    const { Issuer, BackchannelAuthenticationEndpoint, TokenEndpoint } =
      template.toJSON()['Outputs'];
    expect(readable(Issuer.Value)).toBe('PublicApi');
    expect(readable(BackchannelAuthenticationEndpoint.Value)).toBe('PublicApi/cibaAuthorization');
    expect(readable(TokenEndpoint.Value)).toBe('PublicApi/token');
  });

  it('is the setting wherever there is one', () => {
    const issuer = 'https://login.bank.example';
    const { template: own } = synthesize({ issuer, accessTokenAudience: 'payments' });
    expect(own.toJSON()['Outputs'].Issuer.Value).toBe(issuer);
    for (const { Properties } of Object.values(own.findResources('AWS::Lambda::Function'))) {
      const { ISSUER, ACCESS_TOKEN_AUDIENCE } = Properties.Environment.Variables;
      expect([issuer, undefined]).toContain(ISSUER);
      expect(['payments', undefined]).toContain(ACCESS_TOKEN_AUDIENCE);
    }
  });
});

describe('the outputs', () => {
  it('name what an operator and the command line ask for', () => {
    expect(Object.keys(template.toJSON()['Outputs']).sort()).toEqual([
      'ApiEndpoint',
      'BackchannelAuthenticationEndpoint',
      'ConfigurationSet',
      'DirectoryTable',
      'FlowPolicies',
      'FlowPolicy',
      'Flows',
      'Issuer',
      'KeyRotationDays',
      'KeysTable',
      'MailFeedbackFunction',
      'MailFeedbackLostEvents',
      'NotificationPolicies',
      'NotificationPolicy',
      'NotificationTemplates',
      'RequestsTable',
      'RevokeRefreshTokenFunction',
      'RotateKeysFunction',
      'RotateKeysLostEvents',
      'Sender',
      'TemplatePrefix',
      'TokenEndpoint',
    ]);
  });

  it('tell the policies as JSON, as the function has them', () => {
    const outputs = template.toJSON()['Outputs'];
    const { FLOW_POLICIES, NOTIFICATION_POLICIES } = functionOf('backchannel-authentication')
      .Environment.Variables;
    for (const [kind, variable] of [
      ['Flow', FLOW_POLICIES],
      ['Notification', NOTIFICATION_POLICIES],
    ] as const) {
      expect({
        byDefault: outputs[`${kind}Policy`].Value,
        policies: JSON.parse(outputs[`${kind}Policies`].Value),
      }).toEqual(JSON.parse(String(variable)));
    }
  });

  it('tell the flows and the mails as JSON, and what mails are sent with', () => {
    const { Flows, NotificationTemplates, TemplatePrefix, Sender, ConfigurationSet } =
      template.toJSON()['Outputs'];
    expect(readable(Flows.Value)).toBe(
      readable(functionOf('backchannel-authentication').Environment.Variables['FLOWS']),
    );
    expect(JSON.parse(NotificationTemplates.Value)).toEqual({
      'ciba-with-binding-message': ['de', 'en', 'es', 'fr', 'ja'],
      'ciba-without-binding-message': ['de', 'en', 'es', 'fr', 'ja'],
    });
    expect(TemplatePrefix.Value).toBe('CibaProvider-');
    expect(Sender.Value).toBe(senderAddress);
    expect(readable(ConfigurationSet.Value)).toBe('NotificationMailConfigurationSet');
  });

  it('name the function that ends refresh tokens', () => {
    const [revocation = ''] = Object.keys(
      template.findResources('AWS::Lambda::Function', {
        Properties: { Description: 'lambdas/handlers/revoke-refresh-token.ts' },
      }),
    );
    template.hasOutput('RevokeRefreshTokenFunction', { Value: { Ref: revocation } });
  });

  it('say how keys are renewed, and by which function', () => {
    const own = synthesize({ keyRotationDays: 30 }).template;
    own.hasOutput('KeyRotationDays', { Value: '30' });
    const [rotation = ''] = Object.keys(
      own.findResources('AWS::Lambda::Function', {
        Properties: { Description: 'lambdas/handlers/rotate-keys.ts' },
      }),
    );
    own.hasOutput('RotateKeysFunction', { Value: { Ref: rotation } });
  });
});
