/**
 * Whom the function that writes keys calls when an event says where (ASVS 1.3.6): CloudFormation's
 * bucket of this region, and nobody else. A server that listens where a forged event leads sees no
 * connection.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { customResourceHandler } from '../../../lambdas/handlers/custom-resource.ts';
import { parseResponseUrl } from '../../../lambdas/handlers/response-url.ts';
import { closeServer, listenOnLoopback } from '../../../lib/local/loopback.ts';

const region = 'eu-west-1';
const bucket = 'cloudformation-custom-resource-response-euwest1';
const good = `https://${bucket}.s3.${region}.amazonaws.com/stack%7CFirstKeys?X-Amz-Signature=x`;

const event = (ResponseURL: unknown) => ({
  RequestType: 'Create',
  ResponseURL,
  StackId: 's',
  RequestId: 'r',
  LogicalResourceId: 'FirstKeys',
});

describe('P34: a ResponseURL', () => {
  it.each([
    ['eu-west-1', `https://${bucket}.s3-eu-west-1.amazonaws.com/x?y=z`],
    ['eu-west-1', `https://${bucket}.s3.eu-west-1.amazonaws.com/x?y=z`],
    ['eu-west-1', `https://${bucket}.s3.eu-west-1.amazonaws.com:443/x?y=z`],
    ['eu-west-1', `HTTPS://${bucket.toUpperCase()}.S3.amazonaws.com/x`],
    ['us-east-1', 'https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/x'],
    [
      'us-gov-west-1',
      'https://cloudformation-custom-resource-response-usgovwest1.s3-us-gov-west-1.amazonaws.com/x',
    ],
    [
      'ap-southeast-7',
      'https://cloudformation-custom-resource-response-apsoutheast7.s3.ap-southeast-7.amazonaws.com/x',
    ],
    [
      'cn-north-1',
      'https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn/x',
    ],
    [
      'eusc-de-east-1',
      'https://cloudformation-custom-resource-response-euscdeeast1.s3.eusc-de-east-1.amazonaws.eu/x',
    ],
  ])('of CloudFormation in %s is called: %s', (where, url) => {
    expect(parseResponseUrl(url, { region: where }).href).toBe(new URL(url).href);
  });

  it.each([
    ['no URL', 'x', 'is no URL'],
    ['empty', '', 'is no URL'],
    ['a path', '/x', 'is no URL'],
    ['http', good.replace('https:', 'http:'), 'is not https'],
    ['another scheme', 'ftp://example.com/', 'is not https'],
    ['a file', 'file:///etc/passwd', 'is not https'],
    ['data', 'data:text/plain,x', 'is not https'],
    ['another port', good.replace('.com/', '.com:8443/'), 'names a port'],
    ['the port of http', good.replace('.com/', '.com:80/'), 'names a port'],
    ['a user', good.replace('https://', 'https://aws@'), 'names a user'],
    ['a user and password', good.replace('https://', 'https://a:b@'), 'names a user'],
    [
      'a user that looks like the host',
      `https://${bucket}.s3.${region}.amazonaws.com@evil.example/`,
      'names a user',
    ],
    ['a host behind the host', good.replace('.com/', '.com.evil.example/'), 'is not of'],
    ['a host that ends alike', good.replace('https://', 'https://evil-'), 'is not of'],
    ['a label before it', good.replace('https://', 'https://evil.'), 'is not of'],
    ['a suffix that begins alike', good.replace('.com/', '.community/'), 'is not of'],
    ['a suffix of another partition', good.replace('.com/', '.com.cn/'), 'is not of'],
    ['a trailing dot', good.replace('.com/', '.com./'), 'is not of'],
    ['a backslash', `https:\\\\evil.example\\${bucket}.s3.${region}.amazonaws.com/`, 'is not of'],
    [
      'the host as a path',
      `https://evil.example/${bucket}.s3.${region}.amazonaws.com/`,
      'is not of',
    ],
    ['another bucket', `https://mine.s3.${region}.amazonaws.com/`, 'is not of'],
    [
      'another region',
      good.replaceAll('west-1', 'west-2').replace('euwest1', 'euwest2'),
      'is not of',
    ],
    ['the bucket of another region', good.replace('euwest1', 'euwest2'), 'is not of'],
    [
      'the other bucket of CloudFormation',
      good.replace(bucket, `cloudformation-waitcondition-${region}`),
      'is not of',
    ],
    ['path style', `https://s3.${region}.amazonaws.com/${bucket}/x`, 'is not of'],
    ['IPv4', 'https://127.0.0.1/', 'is not of'],
    ['IPv4 in one number', 'https://2130706433/', 'is not of'],
    ['IPv6', 'https://[::1]/', 'is not of'],
    ['IPv4 in IPv6', 'https://[::ffff:169.254.169.254]/', 'is not of'],
    ['the metadata of the machine', 'https://169.254.169.254/latest/', 'is not of'],
    ['the loopback name', 'https://localhost/', 'is not of'],
    ['a letter of another alphabet', good.replace('amazonaws', 'аmazonaws'), 'is not of'],
  ])('that is or has %s is refused: %s', (_what, url, fault) => {
    expect(() => parseResponseUrl(url, { region })).toThrow(`ResponseURL: ${fault}`);
  });

  it('is refused by an error that does not repeat it, since it is a credential', () => {
    const faultOf = (url: string) => {
      try {
        return String(parseResponseUrl(url, { region }));
      } catch (error) {
        return String(error);
      }
    };
    expect(faultOf('https://evil.example/?X-Amz-Signature=canary')).not.toMatch(/canary|evil/);
  });
});

describe('P34: where S3 is elsewhere, as an emulator says,', () => {
  const at = (s3Endpoint: string) => (url: string) => parseResponseUrl(url, { region, s3Endpoint });

  it.each([
    ['http://127.0.0.1:4566', 'http://127.0.0.1:4566/x'],
    ['http://127.0.0.1:4566', 'http://localhost:4566/_ministack/cfn-response/x'],
    ['http://localhost:4566/', 'http://[::1]:4566/x'],
    ['http://s3.localhost.localstack.cloud:4566', 'http://s3.localhost.localstack.cloud:4566/x'],
  ])('at %s, %s is called', (endpoint, url) => {
    expect(at(endpoint)(url).href).toBe(url);
  });

  it.each([
    ['http://127.0.0.1:4566', 'http://127.0.0.1:4567/x'],
    ['http://127.0.0.1:4566', 'https://127.0.0.1:4566/x'],
    ['http://127.0.0.1:4566', 'http://127.0.0.2:4566/x'],
    ['http://127.0.0.1:4566', 'http://u@127.0.0.1:4566/x'],
    ['http://127.0.0.1:4566', good],
  ])('at %s, %s is refused', (endpoint, url) => {
    expect(() => at(endpoint)(url)).toThrow('ResponseURL: ');
  });
});

describe('P34: an event that leads elsewhere', () => {
  let server: Server;
  let port: number;
  let connections = 0;
  beforeAll(async () => {
    server = createServer((_request, response) => response.end());
    server.on('connection', () => {
      connections += 1;
    });
    port = await listenOnLoopback(server, { port: 0 });
  });
  afterAll(() => closeServer(server));

  it.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'https://127.0.0.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://0:PORT/',
    `http://${bucket}.s3.${region}.amazonaws.com@127.0.0.1:PORT/`,
    `https://${bucket}.s3.${region}.amazonaws.com:PORT/`,
  ])('%s is not called, the function fails, and nothing is done', async (url) => {
    const ensure = vi.fn(async () => {});
    const handler = customResourceHandler(ensure, { region });
    for (const RequestType of ['Create', 'Update', 'Delete']) {
      const forged = { ...event(url.replace('PORT', String(port))), RequestType };
      await expect(handler(forged)).rejects.toThrow('ResponseURL: ');
    }
    expect(ensure).not.toHaveBeenCalled();
    expect(connections).toBe(0);
  });

  it.each([undefined, null, 7, {}, ['https://x']])('%j is refused', async (url) => {
    await expect(customResourceHandler(async () => {}, { region })(event(url))).rejects.toThrow();
  });
});

describe('P34: the answer', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('goes to CloudFormation once, and a redirect is not followed', async () => {
    const fetched = vi.fn(async (_url: URL, _init: RequestInit) => new Response());
    vi.stubGlobal('fetch', fetched);
    await customResourceHandler(async () => {}, { region })(event(good));
    expect(fetched.mock.calls).toEqual([
      [new URL(good), expect.objectContaining({ method: 'PUT', redirect: 'error' })],
    ]);
  });

  it.each([301, 302, 303, 307, 308])(
    'that is answered with %i makes the function fail',
    async (status) => {
      let elsewhere = 0;
      const target = createServer((_request, response) => {
        elsewhere += 1;
        response.end();
      });
      const targetPort = await listenOnLoopback(target, { port: 0 });
      const redirecting = createServer((request, response) => {
        request.resume();
        response.writeHead(status, { Location: `http://127.0.0.1:${targetPort}/` }).end();
      });
      const s3Endpoint = `http://127.0.0.1:${await listenOnLoopback(redirecting, { port: 0 })}`;
      const place = { region, s3Endpoint };
      const pace = { clock: () => 0, wait: async () => {} };
      const handler = customResourceHandler(async () => {}, place, pace);
      await expect(handler(event(`${s3Endpoint}/x`))).rejects.toThrow();
      expect(elsewhere).toBe(0);
      const closed = [once(target, 'close'), once(redirecting, 'close')];
      await Promise.all([closeServer(target), closeServer(redirecting), ...closed]);
    },
  );
});
