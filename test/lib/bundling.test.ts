/**
 * The bundles as synth makes them: within their limits, without what the stand-ins of
 * lambdas/aws/bundling leave out, and still able to call AWS.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { defaultProvider } from '../../lambdas/aws/bundling/credential-provider-node.ts';
import { measureBundles } from '../../lib/bundle-sizes.ts';
import { createProviderApp } from '../../lib/provider-app.ts';

const assembly = mkdtempSync(join(tmpdir(), 'ciba-bundles-'));
afterAll(() => rmSync(assembly, { recursive: true }));

let bundles: string[];
beforeAll(() => {
  vi.stubEnv('CDK_VALIDATION', 'false');
  const provider = createProviderApp({
    outdir: assembly,
    context: { issuer: 'http://localhost:1' },
  });
  if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
  provider.app.synth();
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

  it('hold no provider of credentials but the environment', () => {
    for (const bundle of bundles) {
      expect(readFileSync(bundle, 'utf8')).not.toMatch(
        /sso_session|credential_process|AWS_CONTAINER_CREDENTIALS|AWS_WEB_IDENTITY_TOKEN_FILE/,
      );
    }
  });
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

  beforeAll(async () => {
    authorizations = [];
    dynamoDb = createServer((request, response) => {
      authorizations.push(request.headers.authorization ?? '');
      request.resume();
      response.setHeader('Content-Type', 'application/x-amz-json-1.0').end('{}');
    }).listen(0, '127.0.0.1');
    await once(dynamoDb, 'listening');
  });
  afterAll(() => void dynamoDb.close());

  it('calls DynamoDB with the credentials of its environment, and undici stays unloaded', async () => {
    const address = z.object({ port: z.number() }).parse(dynamoDb.address());
    const bundle = bundleOf('record-failure');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', runner], {
      env: {
        BUNDLE: bundle,
        EVENT: JSON.stringify({ ref: 'a'.repeat(26) }),
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'AKIDOFTHEENVIRONMENT',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_SESSION_TOKEN: 'token',
        AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${address.port}`,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        REQUESTS_TABLE: 'requests',
      },
    });
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(errors).toBe('');
    expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toEqual({
      result: { outcome: 'recorded' },
      undici: false,
    });
    expect(authorizations).toEqual([expect.stringContaining('Credential=AKIDOFTHEENVIRONMENT/')]);
  });
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

describe('the credentials', () => {
  it('are read anew each time, so that a rotation is seen', async () => {
    const credentials = defaultProvider();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'first');
    expect(await credentials()).toMatchObject({ accessKeyId: 'first' });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'second');
    expect(await credentials()).toMatchObject({ accessKeyId: 'second' });
  });
});
