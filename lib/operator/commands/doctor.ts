/** `ciba doctor`: what is wrong with the deployment, and what mends it. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { Verdict } from '../doctor/check.ts';
import { checks, examine, type NamedFinding } from '../doctor/doctor.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import type { Output, Tone } from '../terminal/output.ts';
import { LINE_WIDTH, wrap } from '../terminal/text-layout.ts';
import { examples } from './examples.ts';

export function doctorCommand(context: CommandContext): Command {
  return new Command('doctor')
    .description(
      'checks the deployment, says what is wrong and what mends it; ends with 1 if anything is',
    )
    .addHelpText(
      'after',
      examples({
        'ciba doctor': 'everything, a line for each finding',
        'ciba doctor --json': 'for a monitor: verdicts are ok, warning, fault, not here',
      }),
    )
    .action(() => doctor(context));
}

/** @throws OperatorError if anything is a fault */
async function doctor({ deployment, output, clock }: CommandContext): Promise<void> {
  const patient = { deployment: await deployment(), clock, fetch };
  const findings = await output.during(
    'Checking',
    ({ advance }) => examine(patient, advance),
    Object.keys(checks).length,
  );
  output.json({
    stack: patient.deployment.stackName,
    items: findings.map(({ mend = null, ...finding }) => ({ ...finding, mend })),
    next: null,
  });
  for (const finding of findings) output.line(describe(output, finding));
  const faults = findings.filter(({ verdict }) => verdict === 'fault').length;
  if (faults === 0) return;
  const message = faults === 1 ? '1 fault' : `${faults} faults`;
  throw new OperatorError(message, { code: 'faults_found' });
}

const tones: Record<Verdict, Tone> = {
  ok: 'good',
  warning: 'warning',
  fault: 'bad',
  'not here': 'quiet',
};

const VERDICT_WIDTH = 10;
const CHECK_WIDTH = 13;

/** Lines that fit, and one below them, whole so that it can be copied, that says what mends it. */
function describe(output: Output, { verdict, check, message, mend }: NamedFinding): string {
  const head = output.tone(tones[verdict], verdict.padEnd(VERDICT_WIDTH));
  const indent = ' '.repeat(VERDICT_WIDTH + CHECK_WIDTH);
  const told = wrap(message, LINE_WIDTH - indent.length).join(`\n${indent}`);
  const line = `${head}${check.padEnd(CHECK_WIDTH)}${told}`;
  return mend === undefined ? line : `${line}\n${indent}→ ${mend}`;
}
