/** `ciba user clear-limits`: a user whom limits keep from being asked can be asked again. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { findClient } from '../directory/clients.ts';
import { type DirectoryStore, directoryStore } from '../directory/directory-items.ts';
import { limitsJson, printLimits } from '../directory/show-limits.ts';
import { clearLimits, readLimits, type ShownLimits } from '../directory/user-limits.ts';
import type { NamedBy } from '../directory/users.ts';
import { notFound, OperatorError } from '../terminal/operator-error.ts';
import { examples } from './examples.ts';
import { addNaming, findOrFail } from './named-user.ts';

interface Options {
  by?: NamedBy;
  client?: string;
}

/** One command of the group `ciba user`. */
export function clearLimitsCommand(context: CommandContext): Command {
  return addNaming(new Command('clear-limits'))
    .description('lets a user be asked again whom limits keep from it: mutes, pauses and counts')
    .option('--client <client_id>', 'what counts against this client alone')
    .addHelpText(
      'after',
      `
The counts begin anew, a mute and a pause end. The audit stays, requests that wait for the user's decision go on waiting,
and a denial of one of them counts again. What all clients have in common by day (mailsPerDay) is no limit of the user's.
${examples({
  'ciba user clear-limits alice@example.com': 'after the wrong button was pressed',
  'ciba user clear-limits u-alice --client pump-4': 'of one client',
})}`,
    )
    .action((name: string, options: Options) => clear(context, name, options));
}

async function clear(context: CommandContext, name: string, options: Options): Promise<void> {
  const deployment = await context.deployment();
  const store = directoryStore(deployment, context.clock);
  const { sub } = (await findOrFail(store, name, options.by)).user;
  await demandClient(store, deployment, sub, options.client);
  const whose = options.client === undefined ? 'of all clients' : `of client ${options.client}`;
  const question = `Lift the limits ${whose} for user ${sub} of the stack ${deployment.stackName}?`;
  if (!(await context.confirm(question))) throw new OperatorError('Nothing was lifted.');
  const lifted = await clearLimits(deployment, store, { sub, clientId: options.client });
  tell(context, sub, whose, lifted);
}

/** @throws OperatorError for a client that neither is registered nor has asked for the user */
async function demandClient(
  store: DirectoryStore,
  deployment: Deployment,
  sub: string,
  clientId: string | undefined,
): Promise<void> {
  if (clientId === undefined || (await findClient(store, clientId))) return;
  const limits = await readLimits(deployment, store, sub);
  if (limits.some((one) => one.clientId === clientId)) return;
  throw notFound(`No client ${clientId}: ciba client list lists them`);
}

function tell(
  { output }: CommandContext,
  sub: string,
  whose: string,
  lifted: readonly ShownLimits[],
): void {
  output.json({ sub, lifted: lifted.map(limitsJson) });
  if (lifted.length === 0) {
    output.line(`Nothing ${whose} counts for user ${sub}: there is nothing to lift.`);
    return;
  }
  output.line(`Lifted for user ${sub}; this is what counted:`);
  printLimits(output, lifted);
}
