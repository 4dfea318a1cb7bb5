/** `ciba user`: the end-users, one by one and by the thousand. */
import { writeFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { isoTime } from '../audit/show-audit.ts';
import type { CommandContext } from '../command-context.ts';
import { fileName, STDIN } from '../directory/data-file.ts';
import { memberRows } from '../directory/describe-entry.ts';
import { directoryStore } from '../directory/directory-items.ts';
import { switchEntry } from '../directory/enable-entry.ts';
import {
  carryOutImport,
  countImportReads,
  type ImportedUsers,
  judgeRows,
  planImport,
  type UserImport,
} from '../directory/import-users.ts';
import { countActions, type MemberChange } from '../directory/plan.ts';
import { countsJson, showValue } from '../directory/print-plan.ts';
import { limitsJson, printLimits } from '../directory/show-limits.ts';
import { readUserFile, type UserFile, userFileFormats } from '../directory/user-file.ts';
import { readLimits } from '../directory/user-limits.ts';
import { listUsers, type NamedBy, type ShownUser } from '../directory/users.ts';
import { wholeNumber } from '../option-values.ts';
import { describeError } from '../terminal/describe-error.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { notFound, OperatorError, usageError } from '../terminal/operator-error.ts';
import { clearLimitsCommand } from './clear-limits.ts';
import { clearUndeliverableCommand } from './clear-undeliverable.ts';
import { openDirectory } from './connect-directory.ts';
import { examples } from './examples.ts';
import { addNaming, findOrFail } from './named-user.ts';
import { removeUserCommand } from './remove.ts';
import { revokeUserTokensCommand, tellRevoked } from './revoke-tokens.ts';

/** How many users a listing has, and how many it may have. */
const LIMIT = { default: 50, min: 1, max: 10_000 };

/** More rejected rows than these are in the report alone. */
const SHOWN_REJECTED = 20;

interface ListOptions {
  limit: number;
  after?: string;
}

interface ImportOptions {
  format?: (typeof userFileFormats)[number];
  report?: string;
  dryRun?: true;
}

export function userCommand(context: CommandContext): Command {
  const user = new Command('user').description('the end-users').addHelpText(
    'after',
    examples({
      'ciba user show alice@example.com': 'one of them',
      'ciba user import users.csv': 'many of them',
    }),
  );
  user
    .command('list')
    .description('lists users, in no certain order')
    .option('--limit <count>', `how many, up to ${LIMIT.max}`, wholeNumber(LIMIT), LIMIT.default)
    .option('--after <sub>', 'begin after this one, as the end of a listing says')
    .addHelpText('after', examples({ 'ciba user list --limit 1000 --json': 'for a program' }))
    .action((options: ListOptions) => list(context, options));
  addNaming(user.command('show'))
    .description('shows a user, and which clients limits keep from asking')
    .addHelpText('after', examples({ 'ciba user show alice@example.com': 'by a login, or a sub' }))
    .action((name: string, options) => show(context, name, options.by));
  for (const enabled of [true, false]) {
    const word = enabled ? 'enable' : 'disable';
    addNaming(user.command(word))
      .description(
        enabled ? 'lets a user be asked again' : 'lets a user be asked and approve no more',
      )
      .addHelpText('after', examples({ [`ciba user ${word} u-alice`]: 'at once' }))
      .action((name: string, options) => setEnabled(context, name, options.by, enabled));
  }
  user
    .command('import <file>')
    .description('adds and changes users from a file, or from stdin (-); no user is removed')
    .addOption(
      new Option(
        '--format <format>',
        'of the file (default: by its name, of stdin by its content)',
      ).choices(userFileFormats),
    )
    .option(
      '--report <file>',
      'where rejected rows go (default: FILE.rejected.csv or .jsonl beside it)',
    )
    .option('--dry-run', 'say what would be done, and end')
    .addHelpText(
      'after',
      `
CSV (.csv: the first row names the members, an empty cell is absent), JSON (.json: a list, or {"users": [ … ]}), or a JSON
object on each line (.jsonl). What a row does not name stays as it is stored; a new address is not verified unless the row
says so. Running it again skips what is stored already.
${examples({
  'ciba user import users.csv': 'rejected rows go to users.rejected.csv',
  'ciba user import users.rejected.csv': 'once they are corrected',
  'ciba user import - --format csv': 'what another program writes',
})}`,
    )
    .action((file: string, options: ImportOptions) => importFile(context, file, options));
  return user
    .addCommand(removeUserCommand(context))
    .addCommand(clearUndeliverableCommand(context))
    .addCommand(clearLimitsCommand(context))
    .addCommand(revokeUserTokensCommand(context));
}

async function list(context: CommandContext, options: ListOptions): Promise<void> {
  const { output } = context;
  const store = await openDirectory(context);
  const { users, next } = await output.during('Reading users', () => listUsers(store, options));
  output.json({ items: users.map(userJson), next: next ?? null });
  if (users.length === 0) output.line('No user is there.');
  output.table(
    ['SUB', 'USERNAME', 'EMAIL', 'VERIFIED', 'ENABLED'],
    users.map(({ user }) =>
      [user.sub, user.username, user.email, user.email_verified, user.enabled].map(showValue),
    ),
    { clips: true },
  );
  if (next !== undefined) output.line(`More: --after ${next}`);
}

async function show(context: CommandContext, name: string, by: NamedBy | undefined): Promise<void> {
  const { output } = context;
  const deployment = await context.deployment();
  const store = directoryStore(deployment, context.clock);
  const shown = await findOrFail(store, name, by);
  // Whoever may read the directory alone is shown the user all the same.
  const limits = await readLimits(deployment, store, shown.user.sub).catch((error: unknown) => {
    output.note(`Limits are not shown: ${describeError(error).message}`);
    return undefined;
  });
  output.json({ ...userJson(shown), limits: limits?.map(limitsJson) ?? null });
  output.table(['MEMBER', 'VALUE'], memberRows(userJson(shown)));
  tellRevoked(output, shown.user.tokens_not_before);
  if (limits === undefined || limits.length === 0) return;
  output.line('');
  printLimits(output, limits);
}

function userJson({ user, version }: ShownUser) {
  const { tokens_not_before: notBefore, undeliverable, ...members } = user;
  return {
    ...members,
    ...(undeliverable && { undeliverable: { ...undeliverable, at: isoTime(undeliverable.at) } }),
    ...(notBefore !== undefined && { tokens_not_before: isoTime(notBefore) }),
    version,
  };
}

async function setEnabled(
  context: CommandContext,
  name: string,
  by: NamedBy | undefined,
  enabled: boolean,
): Promise<void> {
  const { output } = context;
  const store = await openDirectory(context);
  const { sub, enabled: before } = (await findOrFail(store, name, by)).user;
  if (before && !enabled) await askToDisable(context, sub);
  const written = await switchEntry(store, { kind: 'user', id: sub }, enabled);
  if (written === undefined) throw notFound(`No user ${name} any more.`);
  output.json({ sub, enabled, changed: written });
  const state = enabled ? 'enabled' : 'disabled';
  output.line(`User ${sub} ${written ? 'is now' : 'was already'} ${state}.`);
}

async function askToDisable(context: CommandContext, sub: string): Promise<void> {
  const { stackName } = await context.deployment();
  const question = `Disable user ${sub} of the stack ${stackName}? Nobody can ask for their approval then, and what they have approved gives no tokens, by refresh or otherwise.`;
  if (!(await context.confirm(question))) throw new OperatorError('Nobody was disabled.');
}

async function importFile(
  context: CommandContext,
  path: string,
  options: ImportOptions,
): Promise<void> {
  const { output } = context;
  const file = await readUserFile(path, { readStdin: context.readStdin, format: options.format });
  const report = reportPath(path, file, options.report);
  const judged = judgeRows(file.rows);
  const store = await openDirectory(context);
  const planned = await output.during(
    'Reading what is stored',
    ({ advance }) => planImport(store, judged, advance),
    countImportReads(judged),
  );
  if (options.dryRun)
    return tell(context, { ...planned, counts: countActions(planned.plan.entries) });
  await askToStop(context, planned);
  const imported = await output.during(
    'Writing users',
    ({ advance }) =>
      interruptible((signal) => carryOutImport(store, planned, { told: () => advance(), signal })),
    countWrites(planned),
  );
  const { rejected } = imported;
  if (rejected.length > 0) await writeFile(report, file.formatRejected(rejected), { mode: 0o600 });
  tell(context, imported, report);
}

/**
 * Whoever is disabled, or reached elsewhere from now on, can go on with nothing that they were
 * asked or have approved.
 */
async function askToStop(context: CommandContext, { plan }: UserImport): Promise<void> {
  const count = (isStopped: (change: MemberChange) => boolean) =>
    plan.entries.filter(({ action, changes }) => action === 'change' && changes.some(isStopped))
      .length;
  const disabled = count(({ member, after }) => member === 'enabled' && after === false);
  const moved = count(
    ({ member, before, after }) =>
      (member === 'email' && before !== undefined) ||
      (member === 'email_verified' && after === false),
  );
  if (disabled + moved === 0) return;
  const { stackName } = await context.deployment();
  const question = `Import into ${stackName}? It disables ${disabled} users who are there, and gives ${moved} another address or verification, which ends what they were asked and have approved.`;
  if (!(await context.confirm(question))) throw new OperatorError('Nothing was imported.');
}

function countWrites({ plan }: UserImport): number {
  return plan.entries.filter(({ action }) => action !== 'keep').length;
}

/**
 * Beside the file, and never the file itself, which is all there is of the rows that are not
 * written yet.
 */
function reportPath(
  path: string,
  { rejectedExtension }: UserFile,
  given: string | undefined,
): string {
  if (given === STDIN) throw usageError('--report: - is no file; allowed: the name of one');
  const name = fileName(path);
  const whole = name.slice(0, name.length - extname(name).length);
  const report = given ?? `${whole}.rejected${rejectedExtension}`;
  if (resolve(report) === resolve(path)) {
    throw usageError(`--report: ${report} is the file to import; allowed: another`);
  }
  return report;
}

/** Tells how it went. @throws what ended it, or OperatorError if rows were rejected */
function tell(
  { output }: CommandContext,
  { counts, rejected, fault }: ImportedUsers,
  report?: string,
): void {
  const { removed: _none, ...told } = countsJson({ ...counts, remove: 0 });
  output.json({
    ...told,
    rejected: rejected.length,
    rejected_rows: rejected.map(({ row, reason }) => ({ line: row.line, reason })),
    ...(report !== undefined && rejected.length > 0 && { report }),
  });
  output.table(
    ['LINE', 'SUB', 'REJECTED BECAUSE'],
    rejected
      .slice(0, SHOWN_REJECTED)
      .map(({ row, reason }) => [String(row.line), showValue(row.members['sub']), reason]),
  );
  const left = rejected.length - SHOWN_REJECTED;
  if (left > 0) output.line(`… and ${left} more`);
  output.line(
    `${report === undefined ? 'This would be: ' : ''}${counts.add} added, ${counts.change} changed, ${counts.keep} unchanged, ${rejected.length} rejected.`,
  );
  if (fault !== undefined) throw fault;
  if (rejected.length === 0) return;
  const where = report === undefined ? '' : `: corrected in ${report}, they can be imported again`;
  throw new OperatorError(`${rejected.length} rows were rejected${where}.`);
}
