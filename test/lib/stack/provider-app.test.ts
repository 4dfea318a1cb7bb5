/**
 * The CDK app as an operator and the local host run it: without the CDK command line, to an
 * assembly that every validation accepts, or to a line that says what is wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import { createProviderApp } from '../../../lib/stack/provider-app.ts';

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'ciba-app-'));
afterAll(() => rmSync(folder, { recursive: true }));

const withoutBundles = { 'aws:cdk:bundling-stacks': [] };

/** Runs bin/app.ts as the local host does. */
function runApp(outdir: string, context: Record<string, unknown>) {
  return spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      // Whatever another file has set: here the rules are the subject.
      CDK_VALIDATION: undefined,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...withoutBundles, ...context }),
    },
  });
}

describe('bin/app.ts', () => {
  it('writes an assembly that cdk-nag and the rules of CloudFormation accept', () => {
    const outdir = join(folder, 'accepted');
    const { status, stderr } = runApp(outdir, { issuer: 'http://localhost:4010' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(readdirSync(outdir)).toContain('CibaProvider.template.json');
  });

  it('says in a line what is wrong with a setting, and writes nothing', () => {
    const outdir = join(folder, 'refused');
    const { status, stderr } = runApp(outdir, { interval: 'x' });
    expect(stderr).toBe('Setting interval must be a whole number from 1 to 60; it is "x".\n');
    expect(status).toBe(1);
  });
});

describe('createProviderApp', () => {
  it('takes its context from cdk.json, with every feature flag as CDK recommends it', () => {
    const project = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
    const recommended = createRequire(import.meta.url)(
      'aws-cdk-lib/recommended-feature-flags.json',
    );
    expect(project.context).toEqual({ ...recommended, senderAddress: 'approvals@example.com' });
  });

  const customDomain = {
    customDomain: 'login.bank.example',
    certificateArn:
      'arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef',
    hostedZoneId: 'Z0123456789ABCDEFGHIJ',
    hostedZoneName: 'bank.example',
  };

  it.each([
    ['without settings', {}],
    ['with a custom domain', customDomain],
    ['with an identity of its own', { senderIdentity: 'create' }],
  ])('has no finding of cdk-nag left to acknowledge, %s', (_, settings) => {
    const provider = createProviderApp({
      outdir: mkdtempSync(join(folder, 'nag-')),
      context: { ...withoutBundles, ...settings },
    });
    if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
    const report = new AwsSolutionsChecks(provider.app).validateScope(provider.app);
    expect(report.violations).toEqual([]);
  });
});
