/**
 * The templates of every kind of deployment: cfn-lint, which knows the services' own limits and
 * regions, has nothing against them.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type AppProps, Stack } from 'aws-cdk-lib';
import { afterAll, describe, expect, it } from 'vitest';
import { CibaProvider } from '../../lib/stack/ciba-provider.ts';
import { createProviderApp } from '../../lib/stack/provider-app.ts';
import { findRegionFault } from '../../lib/stack/regions.ts';
import {
  customDomain,
  customDomainInZone,
  largestSettings,
  otherSettings,
} from '../support/deployment-settings.ts';
import { lintTemplate, typesByRegion } from './cfn-lint.ts';

/** The CDK's own rules belong to deploying; here cfn-lint is asked. */
process.env['CDK_VALIDATION'] = 'false';

const folder = mkdtempSync(join(tmpdir(), 'ciba-templates-'));
afterAll(() => rmSync(folder, { recursive: true }));

const senderAddress = 'approvals@bank.example';

/** An app in a folder of its own, without bundles, which have no say in the template. */
function appProps(context: Record<string, unknown>): AppProps {
  return {
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { 'aws:cdk:bundling-stacks': [], ...context },
  };
}

/** The file of the template, for any region. */
function synthesize(settings: Record<string, unknown>): string {
  const provider = createProviderApp(appProps({ senderAddress, ...settings }));
  if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
  provider.app.synth();
  return join(provider.app.outdir, provider.stack.templateFile);
}

/** The file of the template of a stack that is for this region alone. */
function synthesizeFor(region: string): string {
  const app = new App(appProps({}));
  const stack = new Stack(app, 'Bank', { env: { account: '111122223333', region } });
  new CibaProvider(stack, 'Default', { senderAddress });
  app.synth();
  return join(app.outdir, stack.templateFile);
}

describe('a region', () => {
  /** Of the isolated regions cfn-lint has no list of their own. */
  const isolated = /^(us-iso|eu-iso)/;
  /** Refused for another reason. */
  const sovereign = 'eusc-de-east-1';

  it('O9: is refused exactly where CloudFormation lacks a type of the template', async () => {
    const { Resources } = JSON.parse(readFileSync(synthesize(otherSettings), 'utf8'));
    const types = new Set(Object.values<{ Type: string }>(Resources).map(({ Type }) => Type));
    types.add('AWS::SES::Template');
    const own = [...types].filter((type) => !type.startsWith('Custom::')).sort();
    const lists = Object.entries(await typesByRegion(own)).filter(
      ([region]) => !isolated.test(region) && region !== sovereign,
    );
    expect(lists.length).toBeGreaterThan(30);
    const lacking = lists.filter(([, known]) => known.length < own.length);
    const refused = lists.filter(([region]) => findRegionFault(region) !== undefined);
    expect(refused.map(([region]) => region)).toEqual(lacking.map(([region]) => region));
  });
});

describe('cfn-lint', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['without settings', 'us-east-1', {}],
    ['without settings', 'eu-west-1', {}],
    ['without settings', 'us-gov-west-1', {}],
    ['with a custom domain', 'us-east-1', customDomain],
    ['with a custom domain in a hosted zone', 'us-east-1', customDomainInZone],
    ['with a custom domain in a hosted zone', 'us-gov-west-1', customDomainInZone],
    ['with every setting at its largest', 'us-east-1', largestSettings],
    ['with every setting at its largest', 'us-gov-west-1', largestSettings],
    ['with every setting other than by default', 'us-east-1', otherSettings],
    [
      'with every setting other than by default, but the target',
      'us-east-1',
      { ...otherSettings, target: 'aws' },
    ],
  ])('has nothing against the template %s, in %s', async (_, region, settings) => {
    expect(await lintTemplate(synthesize(settings), region)).toEqual([]);
  });

  it.each(['eu-west-1', 'us-gov-west-1', 'us-gov-east-1'])(
    'has nothing against the template of a stack that is for %s alone',
    async (region) => {
      expect(await lintTemplate(synthesizeFor(region), region)).toEqual([]);
    },
  );

  it('has something against a template with a fault of each kind', async () => {
    const file = synthesize({});
    const faulty = JSON.parse(readFileSync(file, 'utf8'));
    for (const { Type, Properties } of Object.values<Record<string, never>>(faulty.Resources)) {
      if (Type === 'AWS::SES::Template') Object(Properties).Template.TemplateName = 'x'.repeat(65);
      if (Type === 'AWS::DynamoDB::Table') Object(Properties).Colour = 'red';
    }
    writeFileSync(file, JSON.stringify(faulty));
    const found = await lintTemplate(file, 'us-east-1');
    // A name that is too long, and hence of no allowed form; a property that there is not.
    expect(new Set(found.map((line) => line.split(' ')[0]))).toEqual(
      new Set(['E3033', 'E3031', 'E3002']),
    );
  });

  it('is not taken at its word about a template that it did not look at', async () => {
    const file = join(folder, 'none.json');
    writeFileSync(file, JSON.stringify({ Resources: {}, Transform: 'AWS::Serverless-2016-10-31' }));
    await expect(lintTemplate(join(folder, 'missing.json'), 'us-east-1')).rejects.toThrow('ENOENT');
    await expect(lintTemplate(file, 'xx-north-9')).rejects.toThrow(/./);
  });
});
