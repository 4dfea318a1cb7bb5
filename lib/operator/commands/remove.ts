/**
 * `ciba user remove` and `ciba client remove`: single ones, with what is kept for them, once it is
 * said what ends.
 */
import { Command, Option } from 'commander';
import { openAudit, revokeRefreshToken } from '../audit/connect-audit.ts';
import { describeEnding, type Ending, type EndingRequest, findEnding } from '../audit/what-ends.ts';
import type { CommandContext } from '../command-context.ts';
import { inParallel } from '../deployment/in-parallel.ts';
import { findClient } from '../directory/clients.ts';
import { directoryStore } from '../directory/directory-items.ts';
import { unlessDenied } from '../directory/find-user.ts';
import type { EntryKind } from '../directory/plan.ts';
import {
  eraseClient,
  eraseUsers,
  findRemovableUser,
  type Removable,
} from '../directory/remove-entries.ts';
import { LIVES_ON } from '../directory/revoke-tokens.ts';
import type { NamedBy } from '../directory/users.ts';
import { describeError } from '../terminal/describe-error.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import { examples } from './examples.ts';

/** What the audit keeps of people who are removed, and for how long. */
const AUDIT_KEEPS =
  'The audit keeps the requests of before, with the sub, for auditRetentionDays after their end (30 unless the setting says otherwise), backups of the tables for 35 days.';

/** More rows of what ends than these are only counted. */
const SHOWN_ROWS = 50;

/** One command of the group `ciba user`. */
export function removeUserCommand(context: CommandContext): Command {
  return new Command('remove')
    .description('removes users for good, with all that names them but the audit')
    .argument('<user...>', 'subs, user names or addresses')
    .addOption(
      new Option('--by <kind>', 'what the names are, where one could be both').choices([
        'sub',
        'login',
      ] as const),
    )
    .addHelpText(
      'after',
      `
The user, every login that leads there, what was noted of the address, and what limits count of the user are removed. What is
pending can be approved no more, and refresh tokens end, also for whoever comes back under the same sub. ${LIVES_ON}
${AUDIT_KEEPS}
Nobody of the name is no error: the command may be run again.
${examples({
  'ciba user remove alice@example.com': 'shows what ends, and asks',
  'ciba user remove u-alice u-bob --yes': 'several, without asking',
})}`,
    )
    .action((names: string[], { by }: { by?: NamedBy }) => removeUsers(context, names, by));
}

/** One command of the group `ciba client`. */
export function removeClientCommand(context: CommandContext): Command {
  return new Command('remove')
    .description('removes clients for good, with their secrets, keys and logos')
    .argument('<client_id...>')
    .addHelpText(
      'after',
      `
What is pending can be approved no more. Refresh tokens are revoked one by one, so that whoever is registered under the same
id later cannot use them. ${LIVES_ON} The audit stays.
No client of the id is no error: the command may be run again.
${examples({ 'ciba client remove pump-4': 'shows what ends, and asks' })}`,
    )
    .action((clientIds: string[]) => removeClients(context, clientIds));
}

/** One to be removed, and what ends with it; `undefined` where the audit may not be read. */
interface Removal extends Removable {
  ending: EndingRequest[] | undefined;
}

async function removeUsers(
  context: CommandContext,
  names: readonly string[],
  by: NamedBy | undefined,
): Promise<void> {
  const deployment = await context.deployment();
  const store = directoryStore(deployment, context.clock);
  const found: Removable[] = [];
  for (const name of names) found.push(await findRemovableUser(store, name, by));
  const removals = await lookUpEnding(context, 'user', found);
  await ask(context, 'user', removals);
  await eraseUsers(deployment, store, removals);
  tell(context, 'user', removals);
  context.output.line(AUDIT_KEEPS);
}

async function removeClients(context: CommandContext, clientIds: readonly string[]): Promise<void> {
  const store = directoryStore(await context.deployment(), context.clock);
  const found: Removable[] = [];
  for (const id of clientIds) {
    const client = await findClient(store, id);
    const title = client && String(client.members['client_name']);
    found.push({ name: id, id, title, isThere: client !== undefined });
  }
  const removals = await lookUpEnding(context, 'client', found);
  await ask(context, 'client', removals);
  for (const { name } of removals) await eraseClient(store, name);
  tell(context, 'client', removals);
  await revokeEnding(context, removals);
}

/** What ends with each, each once however often it is named. */
async function lookUpEnding(
  context: CommandContext,
  kind: EntryKind,
  found: readonly Removable[],
): Promise<Removal[]> {
  const audit = openAudit(await context.deployment());
  const now = context.clock();
  const removals: Removal[] = [];
  await context.output.during('Reading what ends', async () => {
    for (const one of found) {
      const { id, name } = one;
      const isOne = (other: Removable) =>
        id === undefined ? other.name === name : other.id === id;
      if (removals.some(isOne)) continue;
      const whose = kind === 'user' ? { sub: id ?? '' } : { clientId: id ?? '' };
      const isKnown = kind === 'client' || one.isThere;
      const ending = isKnown ? await unlessDenied(findEnding(audit, whose, now)) : [];
      removals.push({ ...one, ending });
    }
  });
  return removals;
}

/**
 * Shows what ends, and asks; where nobody is there of whom anything ends there is nothing to ask.
 */
async function ask(
  context: CommandContext,
  kind: EntryKind,
  removals: readonly Removal[],
): Promise<void> {
  const there = removals.filter(({ isThere }) => isThere);
  const ending = removals.flatMap((removal) => removal.ending ?? []);
  if (there.length === 0 && ending.length === 0) return;
  showEnding(context, ending);
  const [first] = there;
  const who =
    there.length === 1 && first
      ? `${kind} ${first.id} (${first.title})`
      : there.length === 0
        ? `what is left of ${removals.map(({ name }) => name).join(', ')}`
        : `${there.length} ${kind}s`;
  const { stackName } = await context.deployment();
  const isUnknown = removals.some((removal) => removal.ending === undefined);
  const ends = isUnknown
    ? 'What is pending, and which refresh tokens end, is not known: the audit may not be read.'
    : describeEnding(ending);
  if (await context.confirm(`${ends} Remove ${who} of the stack ${stackName} for good?`)) return;
  throw new OperatorError('Nothing was removed.');
}

const titles: Record<Ending, string> = {
  pending: 'pending request',
  unfetched: 'approved request',
  refresh_token: 'refresh token',
};

function showEnding({ output }: CommandContext, ending: readonly EndingRequest[]): void {
  output.table(
    ['ENDS', 'CLIENT', 'USER', 'REQUEST ID'],
    ending
      .slice(0, SHOWN_ROWS)
      .map(({ ends, clientId, sub, ref }) => [titles[ends], clientId, sub, ref]),
    { whole: ['REQUEST ID'] },
  );
  const left = ending.length - SHOWN_ROWS;
  if (left > 0) output.line(`… and ${left} more; --json names all`);
}

function tell({ output }: CommandContext, kind: EntryKind, removals: readonly Removal[]): void {
  const refs = ({ ending }: Removal, wanted: Ending) =>
    ending?.filter(({ ends }) => ends === wanted).map(({ ref }) => ref) ?? null;
  output.json({
    items: removals.map((removal) => ({
      ...(kind === 'user'
        ? { name: removal.name, sub: removal.id ?? null }
        : { client_id: removal.name }),
      removed: removal.isThere,
      pending: refs(removal, 'pending'),
      unfetched: refs(removal, 'unfetched'),
      refresh_tokens: refs(removal, 'refresh_token'),
    })),
    next: null,
  });
  for (const { name, id, isThere } of removals) {
    output.line(
      isThere ? `Removed ${kind} ${id}.` : `No ${kind} ${name}: there is nothing to remove.`,
    );
  }
}

/**
 * Ends the refresh tokens of clients that are gone.
 * @throws OperatorError if some are not ended; they give nothing as long as no client has the id
 */
async function revokeEnding(context: CommandContext, removals: readonly Removal[]): Promise<void> {
  const deployment = await context.deployment();
  const tokens = removals
    .flatMap(({ ending = [] }) => ending)
    .filter(({ ends }) => ends === 'refresh_token');
  let ended = 0;
  try {
    await inParallel(tokens, async ({ ref }) => {
      await revokeRefreshToken(deployment, ref);
      ended += 1;
    });
  } catch (error) {
    throw new OperatorError(
      `${ended} of ${tokens.length} refresh tokens were revoked, and then: ${describeError(error).message}. The others give nothing unless a client of the same id is registered again; run it again to end them`,
      { cause: error },
    );
  }
}
