/** `ciba audit`: what was asked of whom, what became of it, and how it adds up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import {
  askedOutcomes,
  readCauses,
  readEvent,
  readOutcomes,
  readSelection,
  type Selection,
  type SelectionOptions,
  zoneOf,
} from '../audit/audit-selection.ts';
import { auditCounts } from '../audit/audit-stats.ts';
import { findRequest, openAudit, revokeRefreshToken, usersOf } from '../audit/connect-audit.ts';
import { followAudit } from '../audit/follow-audit.ts';
import { type AuditPage, passes, readAll, readPage, readRef } from '../audit/load-audit.ts';
import {
  type AuditPrinting,
  printList,
  printPage,
  printStats,
  printStory,
} from '../audit/print-audit.ts';
import { entryMembers, isoTime, type NameUser } from '../audit/show-audit.ts';
import { auditCauses } from '../audit/tell-outcome.ts';
import type { CommandContext } from '../command-context.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { userNames } from '../directory/find-user.ts';
import { wholeNumber } from '../option-values.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import { dayIn, showTime } from '../terminal/show-time.ts';
import { LINE_WIDTH, wrap } from '../terminal/text-layout.ts';
import { examples } from './examples.ts';

interface ListOptions extends SelectionOptions {
  limit?: number;
  follow?: true;
  csv?: true;
}

const PAGE = 50;
const PAGE_BEFORE_FOLLOWING = 10;
const LONGEST_PAGE = 1000;

/** How far back is looked if nothing is said. */
const LIST_FROM = '24h';
const STATS_FROM = '7d';

const FOLLOW_MILLISECONDS = 2000;

const TIMES =
  'a span back from now (30m, 2h, 7d), today, yesterday, a day, or a time with or without a zone';

export function auditCommand(context: CommandContext): Command {
  const audit = new Command('audit')
    .description('what was asked of whom, and what became of it; without a command it lists')
    .addHelpText(
      'after',
      examples({
        'ciba audit': 'the newest of the last day, as ciba audit list',
        'ciba audit --from 2h --client pump-4': 'with the options of ciba audit list',
        'ciba audit show mzq3k5xw2c7vhd4ubt6ejnyaof': 'the whole story of a Request ID',
      }),
    );
  addList(audit, context);
  addShow(audit, context);
  addStats(audit, context);
  addRevoke(audit, context);
  return audit;
}

function addList(audit: Command, context: CommandContext): void {
  audit
    .command('list', { isDefault: true })
    .description('lists requests, the newest first; a time is when it was asked')
    .option('--from <time>', `asked from then on: ${TIMES} (default: ${LIST_FROM})`)
    .option('--to <time>', 'asked before then; a day counts to its end (default: now)')
    .option(
      '--event <name>',
      'CIBA Authentication Succeeded or Failed, or succeeded, failed',
      readEvent,
    )
    .option('--outcome <names>', `${askedOutcomes.join(', ')}; several with commas`, readOutcomes)
    .option('--cause <names>', 'of these causes, as below; several with commas', readCauses)
    .option('--client <client_id>', 'of this client')
    .option('--user <user>', 'of this user: a subject, a user name or an e-mail address')
    .option('--ref <request-id>', 'the one with this Request ID, whenever it was asked')
    .option('--correlation-id <id>', "the one of an error's correlation id")
    .option(
      '--limit <count>',
      `at most so many (default: ${PAGE})`,
      wholeNumber({ min: 1, max: LONGEST_PAGE }),
    )
    .option('--after <cursor>', 'goes on where a page ended, which says so')
    .option('--follow', 'goes on with what is asked and decided from now on, until interrupted')
    .option('--csv', 'as comma-separated values, with a head')
    .option('--utc', 'times in UTC, and read as UTC; without it in the zone of this machine')
    .addHelpText(
      'after',
      `
Causes, in the list without what says mail where the columns are too few:
${indented(auditCauses.join(', '))}
A limit in the list is all clients' together, or the client's own share of it. A request that is pending or expired for a
cause of a user is a decoy: nobody is asked, and its client is not told.
${examples({
  'ciba audit list --from 2h --client pump-4': 'what a client asked lately',
  'ciba audit list --user alice --cause mail_bounced': 'why alice gets no mail',
  'ciba audit list --outcome reported': 'who said: this was not me',
  'ciba audit list --from yesterday --to yesterday --csv': 'for a spreadsheet',
  'ciba audit list --follow --json | jq': 'for a program, an object a line',
})}`,
    )
    .action((options: ListOptions) => list(context, options));
}

function indented(text: string): string {
  return wrap(text, LINE_WIDTH - 2)
    .map((line) => `  ${line}`)
    .join('\n');
}

function addShow(audit: Command, context: CommandContext): void {
  audit
    .command('show')
    .description('tells everything that is recorded of one request, as a time line')
    .argument('<request-id>', 'a Request ID, or the correlation id of an error')
    .option('--utc', 'times in UTC')
    .addHelpText(
      'after',
      examples({
        'ciba audit show mzq3k5xw2c7vhd4ubt6ejnyaof': 'as the mail and the audit have it',
        'ciba audit show mzq3k5xw2c7vhd4ubt6ejnyaof.Tq0c8sPzV1aX':
          'as an error of the provider has it',
      }),
    )
    .action((id: string, options: { utc?: true }) => show(context, id, options));
}

function addStats(audit: Command, context: CommandContext): void {
  audit
    .command('stats')
    .description('counts requests by day and client: outcomes, approvals, time to decide, mails')
    .option('--from <time>', `asked from then on: ${TIMES}`, STATS_FROM)
    .option('--to <time>', 'asked before then; a day counts to its end (default: now)')
    .option('--client <client_id>', 'of this client')
    .option('--utc', 'days and times in UTC')
    .addHelpText(
      'after',
      examples({
        'ciba audit stats': 'the last seven days',
        'ciba audit stats --from 30d --client pump-4': 'a month of one client',
      }),
    )
    .action((options: SelectionOptions) => stats(context, options));
}

function addRevoke(audit: Command, context: CommandContext): void {
  audit
    .command('revoke')
    .description('ends the refresh token that came of a request, for good')
    .argument('<request-id>', 'a Request ID, or the correlation id of an error')
    .addHelpText(
      'after',
      examples({ 'ciba audit revoke mzq3k5xw2c7vhd4ubt6ejnyaof': 'after a device was lost' }),
    )
    .action((id: string) => revoke(context, id));
}

async function list(context: CommandContext, options: ListOptions): Promise<void> {
  refuseContradictions(context, options);
  const deployment = await context.deployment();
  const selection = await select(context, deployment, options, LIST_FROM);
  const printing = printingOf(context, options);
  if (options.follow) return follow(context, deployment, { printing, selection, options });
  const limit = options.limit ?? PAGE;
  const page = await readSelected(context, deployment, selection, limit);
  printPage(printing, page, await namesIn(deployment, printing, page.entries));
}

/** Only a list that a person reads has names, so that others cost no look-ups. */
async function namesIn(
  deployment: Deployment,
  { output, csv }: AuditPrinting,
  entries: AuditPage['entries'],
): Promise<NameUser> {
  const names = userNames(usersOf(deployment));
  if (!csv && !output.isJson) await names.learn(entries);
  return names.nameOf;
}

/** @throws OperatorError for options that cannot be meant together */
function refuseContradictions({ output }: CommandContext, options: ListOptions): void {
  if (options.csv && output.isJson) throw usageError('--csv and --json: give one of them');
  if (!options.follow) return;
  for (const [name, value] of Object.entries({
    '--to': options.to,
    '--after': options.after,
    '--ref': options.ref,
    '--correlation-id': options.correlationId,
  })) {
    if (value !== undefined) throw usageError(`--follow and ${name}: give one of them`);
  }
}

function select(
  { clock, output }: CommandContext,
  deployment: Deployment,
  options: SelectionOptions,
  from: string,
): Promise<Selection> {
  const wanted = {
    users: usersOf(deployment),
    audit: openAudit(deployment),
    now: clock(),
    from,
  };
  return output.during('Looking for whom is named', () => readSelection(options, wanted));
}

function printingOf({ output }: CommandContext, options: ListOptions): AuditPrinting {
  return { output, zone: zoneOf(options), csv: options.csv === true };
}

function readSelected(
  { output, clock }: CommandContext,
  deployment: Deployment,
  { query, filter, ref }: Selection,
  limit: number,
): Promise<AuditPage> {
  return output.during('Reading the audit', async () => {
    const now = clock();
    if (ref === undefined) {
      return readPage(openAudit(deployment), { query, filter, limit, now });
    }
    const { entry } = await findRequest(deployment, ref, now);
    const isAsked =
      passes(entry, filter) &&
      [entry.clientId, undefined].includes(query.clientId) &&
      [entry.sub, undefined].includes(query.sub);
    return { entries: isAsked ? [entry] : [], looked: 1 };
  });
}

interface Following {
  printing: AuditPrinting;
  selection: Selection;
  options: ListOptions;
}

async function follow(
  context: CommandContext,
  deployment: Deployment,
  { printing, selection, options }: Following,
): Promise<void> {
  const interrupted = context.interruption();
  const limit = options.limit ?? PAGE_BEFORE_FOLLOWING;
  const { entries } = await readSelected(context, deployment, selection, limit);
  const names = userNames(usersOf(deployment));
  const list = printing.output.isJson ? undefined : printList(printing, names.nameOf);
  const print = async (entry: AuditPage['entries'][number]) => {
    printing.output.json(entryMembers(entry));
    if (list && !printing.csv) await names.learn([entry]);
    list?.entry(entry);
  };
  for (const entry of entries.toReversed()) await print(entry);
  const { query: whose, filter } = selection;
  const pause = () => sleep(FOLLOW_MILLISECONDS, true, { signal: interrupted }).catch(() => false);
  const table = openAudit(deployment);
  // The newest comes first; of what is looked for, nothing was there before the page but what is on
  // it.
  const shownUntil = entries[0]?.askedAt ?? whose.from;
  const following = { table, whose, filter, shownUntil, clock: context.clock, pause };
  for await (const entry of followAudit(following)) await print(entry);
}

async function show(context: CommandContext, id: string, options: { utc?: true }): Promise<void> {
  const ref = readRef('request-id', id);
  const deployment = await context.deployment();
  const now = context.clock();
  const found = await context.output.during('Reading the request', () =>
    findRequest(deployment, ref, now),
  );
  printStory(printingOf(context, options), found, now);
}

async function stats(context: CommandContext, options: SelectionOptions): Promise<void> {
  const deployment = await context.deployment();
  const { query } = await select(context, deployment, options, STATS_FROM);
  const printing = printingOf(context, options);
  const counts = auditCounts(dayIn(printing.zone));
  await context.output.during('Adding up the audit', async ({ advance }) => {
    const entries = readAll(openAudit(deployment), query, context.clock(), advance);
    for await (const entry of entries) counts.add(entry);
  });
  printStats(printing, counts.stats(), { isUtf8: context.isUtf8, range: query });
}

async function revoke(context: CommandContext, id: string): Promise<void> {
  const ref = readRef('request-id', id);
  const deployment = await context.deployment();
  const { entry, user } = await findRequest(deployment, ref, context.clock());
  const who = user?.username ?? entry.sub ?? 'nobody';
  const question = `End the refresh token that ${entry.clientId} has for ${who} of the stack ${deployment.stackName}?`;
  if (!(await context.confirm(question))) throw new OperatorError('Nothing was revoked.');
  const revoked = await revokeRefreshToken(deployment, ref);
  if (!('revokedAt' in revoked)) {
    throw new OperatorError(`${ref} has no refresh token: nothing was revoked.`);
  }
  const { revokedAt } = revoked;
  context.output.json({ ref, revoked_at: isoTime(revokedAt) });
  context.output.line(
    `The refresh token ended ${showTime(revokedAt)}. An access token that is out lasts its hour.`,
  );
}
