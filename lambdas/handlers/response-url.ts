/**
 * Where CloudFormation waits for the answer of a custom resource: a pre-signed URL of a bucket of
 * its own, one in each region. The URL comes in an event, and whoever may invoke the function can
 * write one: nothing else is ever called. See {@link
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html}
 */
import { parseUrl } from '../ciba/parse-url.ts';

/** Where the function runs. */
export interface ResponsePlace {
  region: string;
  /**
   * Where S3 is instead, for a function that an emulator runs; AWS sets none, and no template of
   * ours does.
   */
  s3Endpoint?: string | undefined;
}

/**
 * The URL, if it is one that CloudFormation makes here: https, the host of its bucket in this
 * region and partition, the default port, no user. Where S3 is elsewhere it has to lead there.
 * @throws an error that names what is wrong with it and what is allowed, and never the URL, which
 * is a credential
 */
export function parseResponseUrl(text: string, { region, s3Endpoint }: ResponsePlace): URL {
  const url = parseUrl(text);
  if (url === undefined) throw new Error('ResponseURL: is no URL');
  if (url.username !== '' || url.password !== '') throw new Error('ResponseURL: names a user');
  if (s3Endpoint !== undefined) return assertAt(url, s3Endpoint);
  if (url.protocol !== 'https:') throw new Error('ResponseURL: is not https');
  if (url.port !== '') throw new Error('ResponseURL: names a port');
  const hosts = responseHosts(region);
  if (hosts.includes(url.hostname)) return url;
  throw new Error(`ResponseURL: is not of CloudFormation here; allowed: ${hosts.join(', ')}`);
}

/**
 * The suffix of the hosts of each partition that is not named like the commercial one, by what its
 * regions begin with.
 */
const suffixes = { 'cn-': 'amazonaws.com.cn', 'eusc-': 'amazonaws.eu' };

/**
 * The names of CloudFormation's bucket in a region, in the three forms in which S3 has had them.
 */
export function responseHosts(region: string): string[] {
  const bucket = `cloudformation-custom-resource-response-${region.replaceAll('-', '')}`;
  const partition = Object.entries(suffixes).find(([start]) => region.startsWith(start));
  const suffix = partition?.[1] ?? 'amazonaws.com';
  return [`s3.${region}`, `s3-${region}`, 's3'].map((service) => `${bucket}.${service}.${suffix}`);
}

function assertAt(url: URL, endpoint: string): URL {
  const { protocol, host } = withOneLoopback(new URL(endpoint));
  const called = withOneLoopback(url);
  if (called.protocol === protocol && called.host === host) return url;
  throw new Error(`ResponseURL: is not where S3 is; allowed: ${protocol}//${host}`);
}

/** An emulator may be given by one name of the machine and name itself by another. */
function withOneLoopback(url: URL): URL {
  const named = new URL(url);
  if (named.hostname === 'localhost' || named.hostname === '[::1]') named.hostname = '127.0.0.1';
  return named;
}
