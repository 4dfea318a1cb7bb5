/**
 * What the commands of the CDK leave in `cdk.out`, which `cdk deploy -a cdk.out` would upload:
 * bundles, or nothing.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

const project = fileURLToPath(new URL('../../..', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ciba-unbundled-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * What the CDK command line tells the app under each of its commands: the stacks whose assets are
 * bundled.
 */
const commands: [string, string[] | undefined][] = [
  ['bootstrap, list, metadata, context, acknowledge', []],
  ['synth, deploy, diff, watch, publish-assets', ['**']],
  ['deploy of another stack', ['Another']],
  ['the app without the command line', undefined],
];

const manifest = z.object({
  files: z.record(
    z.string(),
    z.object({ source: z.object({ path: z.string(), packaging: z.string() }) }),
  ),
});

/** The folders that a deployment of the assembly would upload. */
function zippedFolders(outdir: string): string[] {
  const text = readFileSync(join(outdir, 'CibaProvider.assets.json'), 'utf8');
  const { files } = manifest.parse(JSON.parse(text));
  const folders = Object.values(files)
    .filter(({ source }) => source.packaging === 'zip')
    .map(({ source }) => resolve(outdir, source.path));
  expect(folders.length).toBeGreaterThan(0);
  return folders;
}

describe('O20: the assets of an assembly', () => {
  it.each(commands)('hold bundles alone after %s', async (_command, stacks) => {
    const outdir = mkdtempSync(join(folder, 'out-'));
    await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
      cwd: project,
      env: {
        ...process.env,
        CDK_VALIDATION: 'false',
        CDK_OUTDIR: outdir,
        CDK_CONTEXT_JSON: JSON.stringify({
          senderAddress: 'approvals@bank.example',
          ...(stacks && { 'aws:cdk:bundling-stacks': stacks }),
        }),
      },
    });
    const files = zippedFolders(outdir).flatMap((asset) => readdirSync(asset));
    const isBundled = stacks === undefined || stacks.includes('**');
    expect(new Set(files)).toEqual(new Set(isBundled ? ['index.mjs'] : []));
  });
});
