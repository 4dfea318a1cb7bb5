/**
 * Makes a small synthesized stack for tests of the local host: resources as a template has them,
 * functions as source text.
 */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface AssemblyParts {
  /** Source of each function's bundle, by logical id. */
  functions?: Record<string, string>;
  /** Environment of the functions. */
  environment?: Record<string, unknown>;
  /** Path of each route, by the logical id of its function. */
  routes?: Record<string, string>;
  /** Any other resource. */
  resources?: Record<string, object>;
  outputs?: Record<string, { Value: unknown }>;
}

/**
 * Writes the assembly of a stack named `Test`; answers its folder, which is left to the system's
 * cleaning.
 */
export async function makeAssembly(parts: AssemblyParts): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assembly-'));
  const functions = Object.entries(parts.functions ?? {});
  for (const [id, source] of functions) {
    await mkdir(join(folder, `asset.${id}`));
    await writeFile(join(folder, `asset.${id}`, 'index.mjs'), source);
  }
  const template = {
    Resources: {
      Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'Test', ProtocolType: 'HTTP' } },
      ...Object.fromEntries(functions.map(([id]) => [id, functionResource(id, parts.environment)])),
      ...Object.assign({}, ...Object.entries(parts.routes ?? {}).map(routeResources)),
      ...parts.resources,
    },
    Outputs: parts.outputs ?? {},
  };
  const files = functions.map(([id]) => [
    id,
    {
      source: { path: `asset.${id}`, packaging: 'zip' },
      destinations: { current: { bucketName: 'assets', objectKey: `${id}.zip` } },
    },
  ]);
  await writeJson(folder, 'Test.template.json', template);
  await writeJson(folder, 'Test.assets.json', { files: Object.fromEntries(files) });
  await writeJson(folder, 'manifest.json', {
    artifacts: {
      Test: {
        type: 'aws:cloudformation:stack',
        properties: { templateFile: 'Test.template.json' },
      },
      'Test.assets': { type: 'cdk:asset-manifest', properties: { file: 'Test.assets.json' } },
    },
  });
  return folder;
}

function functionResource(id: string, environment: Record<string, unknown> = {}): object {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}' }, S3Key: `${id}.zip` },
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Timeout: 1,
      Environment: { Variables: environment },
      Role: { 'Fn::GetAtt': ['UnusedRole', 'Arn'] },
    },
  };
}

function routeResources([functionId, path]: [string, string]): Record<string, object> {
  return {
    [`${functionId}Route`]: {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: { Ref: 'Api' },
        RouteKey: `ANY ${path}`,
        Target: { 'Fn::Join': ['', ['integrations/', { Ref: `${functionId}Integration` }]] },
        AuthorizationType: 'NONE',
      },
    },
    [`${functionId}Integration`]: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: { Ref: 'Api' },
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: { 'Fn::GetAtt': [functionId, 'Arn'] },
        PayloadFormatVersion: '2.0',
      },
    },
  };
}

async function writeJson(folder: string, name: string, value: object): Promise<void> {
  await writeFile(join(folder, name), JSON.stringify(value));
}
