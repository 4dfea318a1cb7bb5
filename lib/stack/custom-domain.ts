/**
 * The provider under a name of the operator's own: a mail that links to an execute-api host looks
 * like phishing, and an issuer that outlives its API can move (OpenID Connect Core, 2).
 */
import {
  ApiMapping,
  DomainName,
  EndpointType,
  type HttpApi,
  type HttpStage,
  IpAddressType,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';

/**
 * A name, the certificate for it, and the zone that it is made known in; without a zone the
 * operator does that.
 */
export interface CustomDomainNames {
  domainName: string;

  /** A certificate of ACM, in the region of the stack. */
  certificateArn: string;

  /** A hosted zone of Route 53. */
  zone: { id: string; name: string } | undefined;
}

export interface CustomDomainProps extends CustomDomainNames {
  api: HttpApi;

  stage: HttpStage;
}

export class CustomDomain extends Construct {
  /** What the operator's own DNS has to lead to, as a CNAME or an alias, where no zone is given. */
  readonly target: string;

  constructor(scope: Construct, id: string, props: CustomDomainProps) {
    super(scope, id);

    const domain = new DomainName(this, 'Name', {
      domainName: props.domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
      ipAddressType: IpAddressType.DUAL_STACK,
    });
    this.target = domain.regionalDomainName;
    new ApiMapping(this, 'Mapping', { api: props.api, stage: props.stage, domainName: domain });
    if (props.zone) this.#addRecords(domain, props.domainName, props.zone);
  }

  #addRecords(domain: DomainName, recordName: string, { id, name }: { id: string; name: string }) {
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: id,
      zoneName: name,
    });
    const { regionalDomainName, regionalHostedZoneId } = domain;
    const target = RecordTarget.fromAlias(
      new ApiGatewayv2DomainProperties(regionalDomainName, regionalHostedZoneId),
    );
    new ARecord(this, 'Address', { zone, recordName, target });
    new AaaaRecord(this, 'AddressV6', { zone, recordName, target });
  }
}
