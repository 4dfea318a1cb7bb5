/** The one user whom a command of the group `ciba user` is about, by any of their names. */
import { type Command, Option } from 'commander';
import type { DirectoryStore } from '../directory/directory-items.ts';
import { findUser, type NamedBy, type ShownUser } from '../directory/users.ts';
import { notFound } from '../terminal/operator-error.ts';

/** Gives a command its argument, and the option that says which kind of name it is. */
export function addNaming(command: Command) {
  const by = new Option('--by <kind>', 'what the name is, where it could be both').choices([
    'sub',
    'login',
  ] as const);
  return command.argument('<sub_or_login>', 'sub, user name or address').addOption(by);
}

/** @throws OperatorError if nobody has this name */
export async function findOrFail(
  store: DirectoryStore,
  name: string,
  by: NamedBy | undefined,
): Promise<ShownUser> {
  const found = await findUser(store, name, by);
  if (found) return found;
  throw notFound(`No user ${name}: ciba user list lists them`);
}
