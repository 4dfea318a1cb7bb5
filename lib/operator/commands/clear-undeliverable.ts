/** `ciba user clear-undeliverable`: a user whose address mail came back from is mailed again. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { clearUndeliverable } from '../directory/clear-undeliverable.ts';
import type { NamedBy } from '../directory/users.ts';
import { notFound } from '../terminal/operator-error.ts';
import { showTime } from '../terminal/show-time.ts';
import { openDirectory } from './connect-directory.ts';
import { examples } from './examples.ts';
import { addNaming, findOrFail } from './named-user.ts';

/** One command of the group `ciba user`. */
export function clearUndeliverableCommand(context: CommandContext): Command {
  return addNaming(new Command('clear-undeliverable'))
    .description('lets a user be mailed again whose address mail came back from')
    .addHelpText(
      'after',
      `
An address that mail bounces from, or is complained of at, gets no more mail until it is another one or this is run. SES
may have put it on its own list too: then the next mail is not sent either, and the user is marked again.
${examples({ 'ciba user clear-undeliverable alice@example.com': 'once mail arrives there again' })}`,
    )
    .action((name: string, { by }: { by?: NamedBy }) => clear(context, name, by));
}

async function clear(
  context: CommandContext,
  name: string,
  by: NamedBy | undefined,
): Promise<void> {
  const { output } = context;
  const store = await openDirectory(context);
  const { sub } = (await findOrFail(store, name, by)).user;
  const cleared = await clearUndeliverable(store.client, store.tableName, sub);
  switch (cleared.outcome) {
    case 'no_such_user':
      throw notFound(`No user ${sub}: removed meanwhile`);
    case 'nothing_noted':
      output.json({ sub, cleared: null });
      output.line(`Nothing is noted of the address of user ${sub}: it gets mail.`);
      return;
    case 'cleared': {
      const { email, cause, at } = cleared.mark;
      output.json({ sub, cleared: { email, cause, at: showTime(at) } });
      output.line(`User ${sub} is mailed again at ${email} (${cause}, ${showTime(at)}).`);
      output.note(
        `If SES suppresses the address as well: aws sesv2 delete-suppressed-destination --email-address ${email}`,
      );
    }
  }
}
