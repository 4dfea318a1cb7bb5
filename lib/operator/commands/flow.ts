/** `ciba flow`: the flows that notify users. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { flowPoliciesOf, flowsOf } from '../read-json-output.ts';
import { examples } from './examples.ts';

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
  const policies = flowPoliciesOf(found);
  output.json({ flows, ...(policies && { policies }) });
  output.table(['FLOW', 'STATE MACHINE'], Object.entries(flows));
  if (policies === undefined) return;
  output.line('');
  output.table(
    ['POLICY', 'FLOWS AND WEIGHTS'],
    Object.entries(policies).map(([name, weights]) => [name, describeWeights(weights)]),
  );
}

function describeWeights(weights: Record<string, number>): string {
  return Object.entries(weights)
    .map(([flow, weight]) => `${flow} ${weight}`)
    .join(', ');
}
