/** `ciba user clear-undeliverable`: a user whose address mail came back from is mailed again. */
import { Command } from 'commander';
import { clearUndeliverable } from '../clear-undeliverable.ts';
import type { CommandContext } from '../command-context.ts';
import { OperatorError } from '../operator-error.ts';
import { showTime } from '../show-time.ts';
import { examples } from './examples.ts';

/** One command of the group `ciba user`. */
export function clearUndeliverableCommand(context: CommandContext): Command {
  return new Command('clear-undeliverable')
    .description('lets a user be mailed again whose address mail came back from')
    .argument('<sub>', 'the user')
    .addHelpText(
      'after',
      `
An address that mail bounces from, or is complained of at, gets no more mail until it is another one or this is run. SES
may have put it on its own list too: then the next mail is not sent either, and the user is marked again.
${examples({ 'ciba user clear-undeliverable u-alice': 'once mail arrives there again' })}`,
    )
    .action((sub: string) => clear(context, sub));
}

async function clear({ deployment, output }: CommandContext, sub: string): Promise<void> {
  const { clients, output: outputOf } = await deployment();
  const cleared = await clearUndeliverable(clients.dynamodb, outputOf('DirectoryTable'), sub);
  switch (cleared.outcome) {
    case 'no_such_user':
      throw new OperatorError(`No user ${sub}.`);
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
