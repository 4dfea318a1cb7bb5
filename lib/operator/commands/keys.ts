/** `ciba keys`: the keys that the deployment signs with. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { listPublishedKeys } from '../keys.ts';
import { examples } from './examples.ts';

export function keysCommand(context: CommandContext): Command {
  const keys = new Command('keys').description('the keys that the deployment signs with');
  keys
    .command('list')
    .description('lists the published keys')
    .addHelpText('after', examples({ 'ciba keys list': 'what /jwks holds, and until when' }))
    .action(() => list(context));
  return keys;
}

async function list({ deployment, output }: CommandContext): Promise<void> {
  const { clients, ...found } = await deployment();
  const published = await listPublishedKeys(clients.dynamodb, found.output('DirectoryTable'));
  output.json(published);
  if (published.length === 0) output.line('No key is published.');
  output.table(
    ['KID', 'ALG', 'KEPT UNTIL'],
    published.map(({ kid, alg, kept_until }) => [kid, alg, kept_until ?? 'in use']),
  );
}
