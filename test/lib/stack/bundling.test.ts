/**
 * The bundles as synth makes them: within their limits, without what the stand-ins of
 * lambdas/bundling leave out, and still able to call AWS.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import * as z from 'zod';
import { Sha256 } from '../../../lambdas/bundling/checksum.ts';
import { defaultProvider } from '../../../lambdas/bundling/credential-provider-node.ts';
import { measureBundles } from '../../../lib/stack/bundle-sizes.ts';
import { synthesizedAssembly } from '../../support/synthesized-assembly.ts';

let assembly: string;
let bundles: string[];
beforeAll(async () => {
  assembly = await synthesizedAssembly(inject('runFolder'));
  bundles = readdirSync(assembly)
    .filter((name) => name.startsWith('asset.'))
    .map((name) => join(assembly, name, 'index.mjs'));
});

afterEach(() => vi.unstubAllEnvs());

describe('the bundles', () => {
  it('are within their limits', () => {
    const sizes = measureBundles(assembly);
    expect(sizes.filter(({ bytes, limit }) => bytes > limit)).toEqual([]);
  });

  it('import nothing but Node’s own modules', () => {
    for (const bundle of bundles) {
      const imports = [...readFileSync(bundle, 'utf8').matchAll(/\bfrom"([\w@:./-]+)"/g)];
      expect(imports.length).toBeGreaterThan(0);
      expect(imports.map(([, name]) => name).filter((name) => !name?.startsWith('node:'))).toEqual(
        [],
      );
    }
  });

  it('do not import node:http, which would load undici', () => {
    for (const bundle of bundles) {
      expect(readFileSync(bundle, 'utf8')).not.toMatch(/(from|import\()\s*"(node:)?http"/);
    }
  });

  it('hold nothing of the control server of the local host', () => {
    const marks = ['/rotate-keys', '/directory', 'Not for web pages'];
    const marksIn = (file: string | URL) => {
      const source = readFileSync(file, 'utf8');
      return marks.filter((mark) => new RegExp(`["'\`]${mark}["'\`]`).test(source));
    };
    const ofControl = ['serve-control', 'loopback'].flatMap((name) =>
      marksIn(new URL(`../../../lib/local/${name}.ts`, import.meta.url)),
    );
    expect(ofControl).toEqual(marks);
    expect(bundles.flatMap(marksIn)).toEqual([]);
  });

  it('hold no provider of credentials but the environment', () => {
    for (const bundle of bundles) {
      expect(readFileSync(bundle, 'utf8')).not.toMatch(
        /sso_session|credential_process|AWS_CONTAINER_CREDENTIALS|AWS_WEB_IDENTITY_TOKEN_FILE/,
      );
    }
  });
});

const ran = z.object({ result: z.unknown(), undici: z.boolean() });

/** Without the keys that secrets are stored under nobody is told that a secret is wrong. */
const wrappingKeys = JSON.stringify({
  Item: marshall({ pk: 'wrap', version: 1, keys: [{ kid: 'k', secret: 'A'.repeat(43) }] }),
});

/** Loads a bundle in a process of its own, calls it once, and tells what came of it. */
const runner = `
  const loadsUndici = () => process.moduleLoadList.some((name) => name.includes('deps/undici/undici'));
  const { handler } = await import(process.env.BUNDLE);
  const result = await handler(JSON.parse(process.env.EVENT));
  console.log(JSON.stringify({ result, undici: loadsUndici() }));
`;

describe('a bundle that runs', () => {
  let dynamoDb: Server;
  let authorizations: string[];
  let traces: unknown[];

  beforeAll(async () => {
    authorizations = [];
    traces = [];
    dynamoDb = createServer(async (request, response) => {
      authorizations.push(request.headers.authorization ?? '');
      traces.push(request.headers['x-amzn-trace-id']);
      const asked = await text(request);
      response
        .setHeader('Content-Type', 'application/x-amz-json-1.0')
        .end(asked.includes('"wrap"') ? wrappingKeys : '{}');
    }).listen(0, '127.0.0.1');
    await once(dynamoDb, 'listening');
  });
  afterAll(() => void dynamoDb.close());

  /** Calls the bundle once in a process of its own, with DynamoDB at the server above. */
  async function run(handler: string, event: object, environment: Record<string, string>) {
    const address = z.object({ port: z.number() }).parse(dynamoDb.address());
    const child = spawn(process.execPath, ['--input-type=module', '--eval', runner], {
      env: {
        BUNDLE: bundleOf(handler),
        EVENT: JSON.stringify(event),
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'AKIDOFTHEENVIRONMENT',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_SESSION_TOKEN: 'token',
        AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${address.port}`,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        ...environment,
      },
    });
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(errors).toBe('');
    return ran.parse(JSON.parse(output.trim().split('\n').at(-1) ?? ''));
  }

  it('calls DynamoDB with the credentials of its environment', async () => {
    const { result } = await run(
      'record-failure',
      { ref: 'a'.repeat(26) },
      {
        REQUESTS_TABLE: 'requests',
        AWS_LAMBDA_FUNCTION_NAME: 'record-failure',
        _X_AMZN_TRACE_ID: 'Root=1-2-3',
      },
    );
    expect(result).toEqual({ outcome: 'recorded' });
    expect(authorizations).toEqual([expect.stringContaining('Credential=AKIDOFTHEENVIRONMENT/')]);
    // Where one process serves one invocation at a time, this is how the trace of one goes on.
    expect(traces).toEqual(['Root=1-2-3']);
  });

  const everything = {
    ISSUER: 'https://ciba.example',
    DIRECTORY_TABLE: 'directory',
    REQUESTS_TABLE: 'requests',
    KEYS_TABLE: 'keys',
    RECORD_DECISION_ORIGIN: 'coarse',
    FLOWS: '{"ciba-flow":"arn:aws:states:eu-west-1:111122223333:stateMachine:ciba-flow"}',
    FLOW_POLICIES: '{"byDefault":"standard","policies":{"standard":{"ciba-flow":1}}}',
    NOTIFICATION_POLICIES: '{"byDefault":"none","policies":{"none":{}}}',
    ACCESS_TOKEN_AUDIENCE: 'https://ciba.example',
    DEFAULT_EXPIRES_IN: '120',
    MIN_EXPIRES_IN: '10',
    MAX_EXPIRES_IN: '600',
    DEFAULT_INTERVAL: '2',
    AUDIT_RETENTION: '86400',
  };

  it.each([
    ['backchannel-authentication', 'POST', '/cibaAuthorization', 401],
    ['token', 'POST', '/token', 401],
    ['approve', 'GET', `/approve/${'a'.repeat(26)}.${'b'.repeat(43)}`, 404],
    ['metadata', 'GET', '/jwks', 200],
  ])(
    '%s answers a request, and undici stays unloaded',
    async (handler, method, rawPath, status) => {
      const form = {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'client_id=unknown&client_secret=wrong',
        isBase64Encoded: false,
      };
      const event = {
        rawPath,
        requestContext: { http: { method } },
        ...(method === 'POST' ? form : { headers: {} }),
      };
      const { result, undici } = await run(handler, event, everything);
      expect(result).toMatchObject({ statusCode: status });
      expect(undici).toBe(false);
    },
  );
});

function bundleOf(handler: string): string {
  const template = z.object({ Resources: z.record(z.string(), z.looseObject({})) });
  const { Resources } = template.parse(
    JSON.parse(readFileSync(join(assembly, 'CibaProvider.template.json'), 'utf8')),
  );
  const lambda = z.object({
    Properties: z.object({
      Description: z.literal(`lambdas/handlers/${handler}.ts`),
      Code: z.object({ S3Key: z.string() }),
    }),
  });
  const found = Object.values(Resources)
    .map((resource) => lambda.safeParse(resource))
    .find(({ success }) => success)?.data;
  if (!found) throw new Error(`no function of ${handler}`);
  return join(assembly, `asset.${found.Properties.Code.S3Key.replace('.zip', '')}`, 'index.mjs');
}

describe('the SHA-256 that requests are signed with', () => {
  async function sha256(text: string, secret?: string | Uint8Array): Promise<Uint8Array> {
    const hash = new Sha256(secret);
    hash.update(text);
    return hash.digest();
  }

  it('is that of FIPS 180-4', async () => {
    expect(Buffer.from(await sha256('abc')).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('derives the signing key of the example in AWS’s documentation of Signature Version 4', async () => {
    const parts = ['20150830', 'us-east-1', 'iam', 'aws4_request'];
    let key: string | Uint8Array = 'AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
    for (const part of parts) key = await sha256(part, key);
    expect(Buffer.from(key).toString('hex')).toBe(
      'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9',
    );
  });

  it('begins anew when it is told to', async () => {
    const hash = new Sha256('secret');
    hash.update('something else');
    hash.reset();
    hash.update('abc');
    expect(await hash.digest()).toEqual(await sha256('abc', 'secret'));
  });
});

describe('the credentials', () => {
  it('are read anew each time, so that a rotation is seen', async () => {
    const credentials = defaultProvider();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'first');
    expect(await credentials()).toMatchObject({ accessKeyId: 'first' });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'second');
    expect(await credentials()).toMatchObject({ accessKeyId: 'second' });
  });
});
