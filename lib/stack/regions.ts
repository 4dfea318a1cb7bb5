/**
 * Where the provider cannot be deployed, with the reason: it needs SES to mail with, and rights
 * that name services as the commercial partition and GovCloud do. Of a region that came later
 * nothing is known, and nothing is refused.
 */
import { RegionInfo } from 'aws-cdk-lib/region-info';

/**
 * As CloudFormation's own list of types has it for each region, and the endpoints of the SDK:
 * November 2026.
 */
const regionsWithoutSes = [
  'ap-east-1',
  'ap-east-2',
  'ap-southeast-4',
  'ap-southeast-6',
  'ap-southeast-7',
  'eu-south-2',
  'mx-central-1',
];

const partitionsWithoutSes = ['aws-cn', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f'];

/** The rights on the KMS key hold for DynamoDB by its name below this domain. */
const SERVICE_DOMAIN = 'amazonaws.com';

/**
 * Why nothing can be deployed to this region, as a sentence; undefined where nothing is known
 * against it.
 */
export function findRegionFault(region: string): string | undefined {
  const { partition, domainSuffix } = RegionInfo.get(region);
  if (partition !== undefined && partitionsWithoutSes.includes(partition)) {
    return `Region ${region} cannot be deployed to: the partition ${partition} has no SES, and no mail could be sent.`;
  }
  if (regionsWithoutSes.includes(region)) {
    return `Region ${region} cannot be deployed to: it has no SES, and no mail could be sent.`;
  }
  if (domainSuffix !== undefined && domainSuffix !== SERVICE_DOMAIN) {
    return `Region ${region} cannot be deployed to: its services are below ${domainSuffix}, and the rights name DynamoDB below ${SERVICE_DOMAIN}; no key could be decrypted.`;
  }
  return undefined;
}
