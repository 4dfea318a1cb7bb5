/** `ciba flow`: the flows that notify users. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { flowsOf, policiesOf } from '../deployment/load-json-output.ts';
import { examples } from './examples.ts';
import { describePolicies, flowPoliciesJson } from './policy.ts';

export function flowCommand(context: CommandContext): Command {
  const flow = new Command('flow')
    .description('the flows that notify users, and the policies that choose among them')
    .addHelpText('after', examples({ 'ciba flow list': 'which there are' }));
  flow
    .command('list')
    .description('lists the flows with their state machines, and the policies with their weights')
    .addHelpText(
      'after',
      examples({ 'ciba flow list': 'as tables', 'ciba flow list --json': 'for a program' }),
    )
    .action(() => list(context));
  return flow;
}

async function list({ deployment, output }: CommandContext): Promise<void> {
  const found = await deployment();
  const flows = flowsOf(found);
  const policies = policiesOf(found, 'Flow');
  output.json({
    items: Object.entries(flows).map(([flow, arn]) => ({ flow, state_machine_arn: arn })),
    next: null,
    policies: flowPoliciesJson(policies),
  });
  output.table(
    ['FLOW', 'STATE MACHINE'],
    Object.entries(flows).map(([name, arn]) => [name, machineName(arn)]),
  );
  output.line('');
  output.table(['FLOW POLICY', 'FLOWS AND WEIGHTS'], describePolicies(policies, 'no flow'));
}

/** Its name is the end of its ARN, which `--json` has whole. */
function machineName(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1);
}
