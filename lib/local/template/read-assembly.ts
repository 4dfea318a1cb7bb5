/**
 * Reads what `cdk synth` left behind: the one template of the assembly and where its assets lie.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { OperatorError } from '../../operator/terminal/operator-error.ts';

const manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      properties: z.optional(
        z.object({
          templateFile: z.optional(z.string()),
          stackName: z.optional(z.string()),
          file: z.optional(z.string()),
        }),
      ),
    }),
  ),
});

const assetManifest = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string(), packaging: z.string() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
});

const template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.optional(z.record(z.string(), z.unknown())),
      Condition: z.optional(z.string()),
    }),
  ),
  Outputs: z._default(z.record(z.string(), z.object({ Value: z.unknown() })), {}),
});

/** A resource as the template has it, intrinsic functions and all. */
export type TemplateResource = z.output<typeof template>['Resources'][string];

/** A synthesized stack. */
export interface Assembly {
  stackName: string;
  /** By logical id. */
  resources: Record<string, TemplateResource>;
  outputs: z.output<typeof template>['Outputs'];
  /** Folder of an asset, by the object key under which a deployment would upload it. */
  assetFolders: Record<string, string>;
}

/**
 * Reads an assembly of exactly one stack.
 * @throws OperatorError if there is none, or more than one
 */
export async function readAssembly(directory: string): Promise<Assembly> {
  const { artifacts } = await readJson(join(directory, 'manifest.json'), manifest);
  const stacks = Object.entries(artifacts).filter(
    ([, { type }]) => type === 'aws:cloudformation:stack',
  );
  const [[id, stack] = []] = stacks;
  const templateFile = stack?.properties?.templateFile;
  if (id === undefined || templateFile === undefined || stacks.length > 1) {
    throw new OperatorError(
      `${directory}: ${stacks.length} stacks; the local host runs an assembly of one`,
    );
  }
  const { Resources: resources, Outputs: outputs } = await readJson(
    join(directory, templateFile),
    template,
  );
  const assetFolders: Record<string, string> = {};
  for (const { type, properties } of Object.values(artifacts)) {
    if (type !== 'cdk:asset-manifest' || properties?.file === undefined) continue;
    Object.assign(assetFolders, await readAssetFolders(directory, properties.file));
  }
  return { stackName: stack?.properties?.stackName ?? id, resources, outputs, assetFolders };
}

async function readAssetFolders(directory: string, file: string): Promise<Record<string, string>> {
  const { files } = await readJson(join(directory, file), assetManifest);
  return Object.fromEntries(
    Object.values(files)
      .filter(({ source }) => source.packaging === 'zip')
      .flatMap(({ source, destinations }) =>
        Object.values(destinations).map(({ objectKey }) => [
          objectKey,
          join(directory, source.path),
        ]),
      ),
  );
}

async function readJson<Schema extends z.ZodMiniType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OperatorError(
      `${path}: cannot be read (${error.code}); an assembly is what cdk synth writes`,
    );
  });
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OperatorError(`${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}
