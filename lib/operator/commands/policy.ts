/** `ciba policy`: how often users may be asked, and over which flows requests are distributed. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type PoliciesOutput, policiesOf } from '../deployment/load-json-output.ts';
import { examples } from './examples.ts';

export function policyCommand(context: CommandContext): Command {
  const policy = new Command('policy')
    .description('notification policies and flow policies, as clients name them')
    .addHelpText('after', examples({ 'ciba policy list': 'which there are' }));
  policy
    .command('list')
    .description('lists the policies of both kinds; the settings of the deployment define them')
    .addHelpText(
      'after',
      examples({ 'ciba policy list': 'as tables', 'ciba policy list --json': 'for a program' }),
    )
    .action(() => list(context));
  return policy;
}

async function list({ deployment, output }: CommandContext): Promise<void> {
  const found = await deployment();
  const notification = policiesOf(found, 'Notification');
  const flow = policiesOf(found, 'Flow');
  output.json({
    items: [...notificationPoliciesJson(notification), ...flowPoliciesJson(flow)],
    next: null,
  });
  output.table(['NOTIFICATION POLICY', 'LIMITS'], describePolicies(notification, 'no limit'));
  output.line('');
  output.table(['FLOW POLICY', 'FLOWS AND WEIGHTS'], describePolicies(flow, 'no flow'));
}

/** Each flow policy for a program, with the weight of each of its flows. */
export function flowPoliciesJson(output: PoliciesOutput) {
  return policiesJson(output).map(({ members, ...policy }) => ({
    kind: 'flow',
    ...policy,
    flows: members.map(([flow, weight]) => ({ flow, weight })),
  }));
}

function notificationPoliciesJson(output: PoliciesOutput) {
  return policiesJson(output).map(({ members, ...policy }) => ({
    kind: 'notification',
    ...policy,
    limits: members.map(([limit, value]) => ({ limit, value })),
  }));
}

function policiesJson({ byDefault, policies }: PoliciesOutput) {
  return Object.entries(policies).map(([policy, members]) => ({
    policy,
    is_default: policy === byDefault,
    members: Object.entries(members),
  }));
}

/** A row for each policy: its name, marked if it is the default one, and its numbers. */
export function describePolicies(
  { byDefault, policies }: PoliciesOutput,
  empty: string,
): [string, string][] {
  return Object.entries(policies).map(([name, members]) => [
    name === byDefault ? `${name} (default)` : name,
    Object.entries(members)
      .map(([member, value]) => `${member} ${value}`)
      .join('\n') || empty,
  ]);
}
