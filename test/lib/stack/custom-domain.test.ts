/** The provider under a domain of the operator's own. */
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { synthesize, template } from '../../support/synthesized-template.ts';

describe('a custom domain', () => {
  const customDomain = 'login.bank.example';
  const certificateArn =
    'arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef';
  const zone = { hostedZoneId: 'Z0123456789ABCDEFGHIJ', hostedZoneName: 'bank.example' };

  it('leads to the API, whose default address then answers nothing', () => {
    const { template: own } = synthesize({ customDomain, certificateArn });
    own.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: customDomain,
      DomainNameConfigurations: [
        Match.objectLike({ CertificateArn: certificateArn, SecurityPolicy: 'TLS_1_2' }),
      ],
    });
    own.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', {
      ApiId: { Ref: Match.stringLikeRegexp('^PublicApi') },
      DomainName: { Ref: Match.stringLikeRegexp('^PublicApiCustomDomainName') },
      Stage: '$default',
    });
    own.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      DisableExecuteApiEndpoint: Match.absent(),
    });
  });

  it('is the issuer of every function and output', () => {
    const { template: own } = synthesize({ customDomain, certificateArn });
    const issuer = 'https://login.bank.example';
    const { Issuer, ApiEndpoint, TokenEndpoint } = own.toJSON()['Outputs'];
    expect([Issuer.Value, ApiEndpoint.Value, TokenEndpoint.Value]).toEqual([
      issuer,
      issuer,
      `${issuer}/token`,
    ]);
    const issuers = Object.values(own.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties.Environment.Variables.ISSUER,
    );
    expect(new Set(issuers)).toEqual(new Set([issuer, undefined]));
    expect(JSON.stringify(own.toJSON())).not.toContain('ApiEndpoint"]');
  });

  it('tells the operator where his DNS has to lead', () => {
    const { template: own } = synthesize({ customDomain, certificateArn });
    own.resourceCountIs('AWS::Route53::RecordSet', 0);
    own.hasOutput('CustomDomainTarget', {
      Value: {
        'Fn::GetAtt': [Match.stringLikeRegexp('^PublicApiCustomDomainName'), 'RegionalDomainName'],
      },
    });
  });

  it('has its addresses, of both families, in the zone of the settings', () => {
    const { template: own } = synthesize({ customDomain, certificateArn, ...zone });
    for (const Type of ['A', 'AAAA']) {
      own.hasResourceProperties('AWS::Route53::RecordSet', {
        Type,
        Name: 'login.bank.example.',
        HostedZoneId: zone.hostedZoneId,
        AliasTarget: {
          DNSName: { 'Fn::GetAtt': [Match.anyValue(), 'RegionalDomainName'] },
          HostedZoneId: { 'Fn::GetAtt': [Match.anyValue(), 'RegionalHostedZoneId'] },
        },
      });
    }
    own.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainNameConfigurations: [Match.objectLike({ IpAddressType: 'dualstack' })],
    });
  });

  it('changes no resource that a deployment without it has, but for what knows the issuer', () => {
    const own = synthesize({ customDomain, certificateArn, ...zone }).template.toJSON();
    expect(Object.keys(own['Resources'])).toEqual(
      expect.arrayContaining(Object.keys(template.toJSON()['Resources'])),
    );
  });
});
