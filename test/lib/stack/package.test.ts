/**
 * What `npm pack` yields, in the hands of somebody else: a CDK app in plain JavaScript, on a
 * machine without this project, its compiler or its bundler.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'ciba-package-test-'));
const modules = join(folder, 'node_modules');
const installed = join(modules, 'ciba-provider');
afterAll(() => rmSync(folder, { recursive: true }));

const app = `
  const { App, CfnOutput, Stack } = require('aws-cdk-lib');
  const { AccountPrincipal, Role } = require('aws-cdk-lib/aws-iam');
  const { CibaProvider } = require('ciba-provider');

  const app = new App({ outdir: process.argv[2] });
  const stack = new Stack(app, 'Bank');
  const retail = new CibaProvider(stack, 'Retail', { senderAddress: 'retail@bank.example' });
  const corporate = new CibaProvider(stack, 'Corporate', {
    senderAddress: 'corporate@bank.example',
    expiresIn: 300,
  });
  const operator = new Role(stack, 'Operator', { assumedBy: new AccountPrincipal('111122223333') });
  retail.grantManageDirectory(operator);
  new CfnOutput(stack, 'RetailIssuer', { value: retail.issuer });
  new CfnOutput(stack, 'CorporateTable', { value: corporate.directoryTable.tableName });
  app.synth();
`;

const typedApp = `
  import { App, Stack } from 'aws-cdk-lib';
  import { CibaProvider, type CibaProviderProps } from 'ciba-provider';

  const props: CibaProviderProps = { senderAddress: 'retail@bank.example', interval: 5 };
  const stack = new Stack(new App(), 'Bank');
  export const issuer: string = new CibaProvider(stack, 'Retail', props).issuer;
  // @ts-expect-error A lifetime is a number.
  new CibaProvider(stack, 'Wrong', { senderAddress: 'retail@bank.example', expiresIn: 'long' });
`;

function run(command: string, args: string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, CDK_VALIDATION: 'false' },
  });
  return { status, stdout, stderr };
}

function runOrThrow(command: string, args: string[], cwd = folder): string {
  const { status, stdout, stderr } = run(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** Unpacks the package as npm would, beside the packages it asks for and no other. */
function install(tarball: string): void {
  mkdirSync(installed, { recursive: true });
  runOrThrow('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const name of ['aws-cdk-lib', 'constructs', 'zod']) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
}

beforeAll(() => {
  runOrThrow('npm', ['pack', '--silent', '--offline', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack left no package.');
  install(join(folder, tarball));
});

const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  peerDependencies: z.record(z.string(), z.string()),
});

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.any()).default({}) }),
  ),
  Outputs: z.record(z.string(), z.unknown()),
});

describe('the package', () => {
  it('has compiled constructs, bundles and files, and no source, test or tool', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    const kinds = new Set(
      files
        .map((name) => name.replace(/^layout\.[a-z]{2}\./, 'layout.'))
        .map((name) => name.replace(/^.*?(\.d)?\./, '$1.')),
    );
    expect(kinds).toEqual(
      new Set(['.js', '.d.ts', '.mjs', '.html', '.txt', '.asl.json', '.json', '.md', 'LICENSE']),
    );
    expect(readdirSync(join(installed, 'build/package')).sort()).toEqual([
      'functions',
      'lambdas',
      'lib',
      'statemachines',
    ]);
  });

  it('imports the CDK, zod and Node alone, in its code and in its declarations', () => {
    const built = join(installed, 'build/package');
    const files = ['lib', 'lambdas'].flatMap((room) =>
      readdirSync(join(built, room), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(?:js|d\.ts)$/.test(file))
        .map((file) => readFileSync(join(built, room, file), 'utf8')),
    );
    const imported = files.flatMap((source) =>
      Array.from(
        source.matchAll(/\b(?:from|import\(?)\s*['"](@[^/'"]+\/[^/'"]+|[^./'"][^/'"]*)/g),
        ([, name = '']) => name,
      ),
    );
    const packages = new Set(imported.filter((name) => !name.startsWith('node:')));
    expect([...packages].sort()).toEqual(['aws-cdk-lib', 'constructs', 'zod']);
  });

  it("brings no CDK of its own: constructs of two copies are strangers to one another's app", () => {
    const manifest = manifestSchema.parse(
      JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')),
    );
    expect(Object.keys(manifest.peerDependencies)).toEqual(['aws-cdk-lib', 'constructs']);
    expect(manifest.dependencies).toHaveProperty('zod');
    expect(manifest.dependencies).not.toHaveProperty('aws-cdk-lib');
  });

  it('holds a bundle of each handler of lambdas/handlers', () => {
    const ofHandlers = [
      ...['environments', 'runtime', 'http-function', 'custom-resource', 'response-url'],
      'keep-trying',
    ];
    const handlers = readdirSync(join(root, 'lambdas/handlers'))
      .map((file) => basename(file, '.ts'))
      .filter((name) => !ofHandlers.includes(name));
    const bundles = join(installed, 'build/package/functions');
    expect(readdirSync(bundles).sort()).toEqual(handlers.sort());
    for (const handler of handlers) {
      expect(existsSync(join(bundles, handler, 'index.mjs'))).toBe(true);
    }
  });
});

describe.each([
  ['CommonJS', 'app.cjs', app],
  [
    'an ES module',
    'app.mjs',
    app.replace(/const (\{.*\}) = require\((.*)\)/g, 'import $1 from $2'),
  ],
])('a CDK app in plain JavaScript, as %s', (_, file, source) => {
  const outdir = join(folder, `${file}.out`);
  let template: z.output<typeof templateSchema>;

  beforeAll(() => {
    writeFileSync(join(folder, file), source);
    runOrThrow(process.execPath, [file, outdir]);
    template = templateSchema.parse(
      JSON.parse(readFileSync(join(outdir, 'Bank.template.json'), 'utf8')),
    );
  });

  function propertiesOf(type: string) {
    return Object.values(template.Resources)
      .filter(({ Type }) => Type === type)
      .map(({ Properties }) => Properties);
  }

  it('has two whole providers in one stack', () => {
    expect(propertiesOf('AWS::DynamoDB::Table')).toHaveLength(6);
    expect(propertiesOf('AWS::Lambda::Function')).toHaveLength(20);
    expect(propertiesOf('AWS::StepFunctions::StateMachine')).toHaveLength(4);
    expect(Object.keys(template.Outputs)).toEqual(
      expect.arrayContaining(['RetailIssuer', 'CorporateTable']),
    );
  });

  it('whose names are all different', () => {
    const names = [
      ...propertiesOf('AWS::SES::Template').map(({ Template }) => Template.TemplateName),
      ...propertiesOf('AWS::ApiGatewayV2::Api').map(({ Name }) => Name),
      ...propertiesOf('AWS::Logs::LogGroup').flatMap(({ LogGroupName }) => LogGroupName ?? []),
    ];
    expect(names).toHaveLength(2 * 14);
    expect(new Set(names).size).toBe(names.length);
  });

  it('deploys the bundles of the package', () => {
    for (const { Code, Description, Handler } of propertiesOf('AWS::Lambda::Function')) {
      const asset = join(outdir, `asset.${basename(Code.S3Key, '.zip')}`);
      const packaged = join(
        installed,
        'build/package/functions',
        basename(Description, '.ts'),
        'index.mjs',
      );
      expect(Handler).toBe('index.handler');
      expect(readFileSync(join(asset, 'index.mjs')).equals(readFileSync(packaged))).toBe(true);
    }
  });
});

describe('a CDK app in TypeScript', () => {
  it('knows the props and what the construct exposes', () => {
    symlinkSync(join(root, 'node_modules/@types'), join(modules, '@types'));
    writeFileSync(join(folder, 'app.mts'), typedApp);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--types', 'node'];
    expect(run(process.execPath, [tsc, ...options, '--skipLibCheck', 'app.mts'], folder)).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('a mistake in the props', () => {
  it('is told to plain JavaScript in a line, by the name of the setting', () => {
    writeFileSync(join(folder, 'wrong.cjs'), app.replace('expiresIn: 300', "expiresin: '5 min'"));
    const { status, stderr } = run(process.execPath, ['wrong.cjs', join(folder, 'no')], folder);
    expect(status).not.toBe(0);
    expect(stderr).toContain(
      'SettingsRefused: Setting expiresin is unknown; did you mean expiresIn? the settings are issuer, ',
    );
  });
});
