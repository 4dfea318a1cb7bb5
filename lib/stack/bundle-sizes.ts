/**
 * The size of every function's bundle, as synth left it, against the most it may have: a cold start
 * reads, compiles and runs all of it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as z from 'zod';
import type { HandlerName } from './provider-function.ts';

/** Sizes in bytes. */
export interface BundleSize {
  handler: string;
  bytes: number;
  limit: number;
}

const KB = 1000;

/**
 * DynamoDB's client is in each of them, that of Step Functions in one and that of SES in another.
 */
const limits: Record<HandlerName, number> = {
  'backchannel-authentication': 350 * KB,
  token: 300 * KB,
  approve: 300 * KB,
  metadata: 300 * KB,
  'locate-user': 300 * KB,
  mail: 350 * KB,
  'record-failure': 300 * KB,
  'mail-feedback': 300 * KB,
  'revoke-refresh-token': 300 * KB,
  'rotate-keys': 300 * KB,
};

const template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

const bundledFunction = z.object({
  Properties: z.object({
    /** The file of its handler: ProviderFunction sees to it. */
    Description: z.string(),
    Code: z.object({ S3Key: z.string() }),
  }),
});

/**
 * The bundles of the assembly that synth wrote to this folder, the largest first.
 * @throws an error that names the function whose bundle is missing or unknown here
 */
export function measureBundles(assembly: string): BundleSize[] {
  const measured = findBundles(assembly).map(({ handler, file }) => {
    const limit = new Map(Object.entries(limits)).get(handler);
    if (limit === undefined) throw new Error(`No limit is set for the bundle of ${handler}.`);
    return { handler, bytes: statSync(file).size, limit };
  });
  for (const handler of Object.keys(limits)) {
    if (measured.some((bundle) => bundle.handler === handler)) continue;
    throw new Error(`${assembly} has no function of lambdas/handlers/${handler}.ts.`);
  }
  return measured.sort((one, other) => other.bytes - one.bytes);
}

/** The bundle of each function of the assembly that synth wrote to this folder. */
export function findBundles(assembly: string): { handler: string; file: string }[] {
  return readFunctions(assembly).map(({ Properties: { Description, Code } }) => ({
    handler: basename(Description, '.ts'),
    file: join(assembly, `asset.${basename(Code.S3Key, '.zip')}`, 'index.mjs'),
  }));
}

function readFunctions(assembly: string): z.output<typeof bundledFunction>[] {
  return readdirSync(assembly)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => template.parse(JSON.parse(readFileSync(join(assembly, file), 'utf8'))))
    .flatMap(({ Resources }) => Object.values(Resources))
    .filter(({ Type }) => Type === 'AWS::Lambda::Function')
    .map((resource) => bundledFunction.parse(resource));
}
