/**
 * cfn-lint, AWS's own linter of templates, from PyPI: pinned versions in an environment of their
 * own. It knows what CloudFormation and the services take, region by region; no emulator does.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { installRequirements } from '../deploy/python-environment.ts';

const environment = fileURLToPath(new URL('../../.cfn-lint', import.meta.url));
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

/**
 * Installs cfn-lint, unless exactly these versions are there already. @throws an error if it cannot
 * be had
 */
export function installCfnLint(): Promise<void> {
  return installRequirements(environment, requirements);
}

/** A finding, as `W3005 Resources/KeyRotationRole: …`. */
interface Finding {
  rule: string;
  place: string;
  message: string;
}

const output = z.array(
  z
    .object({
      Rule: z.object({ Id: z.string() }),
      Message: z.string(),
      Location: z.object({ Path: z.array(z.union([z.string(), z.number()])).nullable() }),
    })
    .transform(
      ({ Rule, Message, Location }): Finding => ({
        rule: Rule.Id,
        place: (Location.Path ?? []).join('/'),
        message: Message,
      }),
    ),
);

/** What is no fault of this project's. */
const explained: Record<string, string> = {
  I1022: 'The CDK joins texts with Fn::Join; Fn::Sub would say the same.',
  W3005:
    'The CDK lets a function depend on its role, in case that a policy is added to it; a reference implies it already.',
};

/** The logical id of a function that no template has, with one variable more than Lambda takes. */
const CONTROL = 'TooLargeOnPurpose';
const controlFinding = { rule: 'E3697', place: `Resources/${CONTROL}` };

/**
 * What cfn-lint finds in a template for a region that is not explained, a line each. A copy is
 * looked at, which has one fault more: an answer without it is no answer.
 * @throws an error if cfn-lint did not look at the template, whatever it said
 */
export async function lintTemplate(file: string, region: string): Promise<string[]> {
  const copy = `${file}.for-cfn-lint.json`;
  await writeFile(copy, withControl(await readFile(file, 'utf8')));
  const findings = output.parse(JSON.parse(await runCfnLint(copy, region)));
  const others = findings.filter((finding) => !isControl(finding));
  if (others.length === findings.length) {
    throw new Error(`cfn-lint has not looked at ${file}: ${JSON.stringify(findings)}`);
  }
  return others
    .filter(({ rule }) => !(rule in explained))
    .map(({ rule, place, message }) => `${rule} ${place}: ${message}`);
}

const template = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string() })),
});

function withControl(text: string): string {
  const parsed = template.parse(JSON.parse(text));
  const tooLarge = {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { ZipFile: 'none' },
      Handler: 'index.handler',
      Role: 'arn:aws:iam::111122223333:role/none',
      Runtime: 'nodejs24.x',
      Environment: { Variables: { LARGE: 'x'.repeat(4096) } },
    },
  };
  return JSON.stringify({ ...parsed, Resources: { ...parsed.Resources, [CONTROL]: tooLarge } });
}

function isControl({ rule, place }: Finding): boolean {
  return place.startsWith(controlFinding.place) && rule === controlFinding.rule;
}

/** The regions that cfn-lint knows, with the types of these that each has. */
export async function typesByRegion(types: string[]): Promise<Record<string, string[]>> {
  const program = `
import json, sys
from cfnlint.helpers import REGIONS
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as manager
wanted = set(sys.argv[1:])
print(json.dumps({region: sorted(wanted & set(manager.get_resource_types(region))) for region in REGIONS}))
`;
  const run = promisify(execFile);
  const { stdout } = await run(join(environment, 'bin/python'), ['-c', program, ...types]);
  return z.record(z.string(), z.array(z.string())).parse(JSON.parse(stdout));
}

/** Its exit code tells of findings, which the output has. */
function runCfnLint(file: string, region: string): Promise<string> {
  const options = ['--format', 'json', '--include-checks', 'I', 'W', 'E', '--regions', region];
  return new Promise((resolve, reject) => {
    // Without a file of settings: one in the home folder could leave rules out.
    const lint = [...options, '--config-file', '/dev/null', '--template', file];
    execFile(
      join(environment, 'bin/cfn-lint'),
      lint,
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (stdout.trim() === '') reject(error ?? new Error(`cfn-lint said nothing: ${stderr}`));
        else resolve(stdout);
      },
    );
  });
}
