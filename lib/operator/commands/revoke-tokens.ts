/**
 * `ciba user revoke-tokens` and `ciba client revoke-tokens`: what was approved before is worth
 * nothing from now on.
 */
import { Command } from 'commander';
import { isoTime } from '../audit/show-audit.ts';
import type { CommandContext } from '../command-context.ts';
import { findClient } from '../directory/clients.ts';
import type { EntryKind } from '../directory/plan.ts';
import { LIVES_ON, revokeTokens } from '../directory/revoke-tokens.ts';
import type { NamedBy } from '../directory/users.ts';
import { notFound, OperatorError } from '../terminal/operator-error.ts';
import type { Output } from '../terminal/output.ts';
import { openDirectory } from './connect-directory.ts';
import { examples } from './examples.ts';
import { addNaming, findOrFail } from './named-user.ts';

const HELP = `
A refresh is refused at once, and an approval whose tokens were not fetched yet gives none. ${LIVES_ON}
What is approved from then on counts. The instant is read from the clock of this machine; running the command again moves it
on.`;

/** One command of the group `ciba user`. */
export function revokeUserTokensCommand(context: CommandContext): Command {
  return addNaming(new Command('revoke-tokens'))
    .description('ends everything that a user has approved so far, for every client')
    .addHelpText(
      'after',
      `${HELP}\n${examples({ 'ciba user revoke-tokens alice@example.com': 'her mailbox was in other hands' })}`,
    )
    .action(async (name: string, { by }: { by?: NamedBy }) => {
      const { sub } = (await findOrFail(await openDirectory(context), name, by)).user;
      await revoke(context, { kind: 'user', id: sub, approved: `user ${sub} has approved` });
    });
}

/** One command of the group `ciba client`. */
export function revokeClientTokensCommand(context: CommandContext): Command {
  return new Command('revoke-tokens')
    .argument('<client_id>')
    .description('ends everything that was approved for a client so far, by every user')
    .addHelpText(
      'after',
      `${HELP}\n${examples({ 'ciba client revoke-tokens pump-4': 'after the device was stolen' })}`,
    )
    .action(async (clientId: string) => {
      if (!(await findClient(await openDirectory(context), clientId))) {
        throw notFound(`No client ${clientId}: ciba client list lists them`);
      }
      const approved = `was approved for client ${clientId}`;
      await revoke(context, { kind: 'client', id: clientId, approved });
    });
}

interface Revoked {
  kind: EntryKind;
  id: string;
  /** What ends, as the end of a sentence about what was approved. */
  approved: string;
}

async function revoke(context: CommandContext, { kind, id, approved }: Revoked): Promise<void> {
  const { output } = context;
  const { stackName } = await context.deployment();
  if (!(await context.confirm(`End all that ${approved} so far in the stack ${stackName}?`))) {
    throw new OperatorError('Nothing was revoked.');
  }
  const notBefore = await revokeTokens(await openDirectory(context), { kind, id });
  if (notBefore === undefined) throw new OperatorError(`No ${kind} ${id} any more.`);
  const named = kind === 'user' ? { sub: id } : { client_id: id };
  output.json({ ...named, tokens_not_before: isoTime(notBefore) });
  output.line(
    `What ${approved} before ${isoTime(notBefore)} gives no tokens any more, by refresh or otherwise.`,
  );
  output.line(LIVES_ON);
}

/** Says of a user or client that is shown what of theirs was revoked; nothing where nothing was. */
export function tellRevoked(output: Output, notBefore: number | undefined): void {
  if (notBefore === undefined) return;
  output.line(`Tokens of what was approved before ${isoTime(notBefore)} are revoked.`);
}
