/** `ciba apply`: writes directory files into the deployment, after showing what would change. */
import { Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type AppliedPlan, applyPlan } from '../directory/carry-out-plan.ts';
import { dataFormats, STDIN } from '../directory/data-file.ts';
import { readDirectoryFiles } from '../directory/directory-file.ts';
import { type DirectoryStore, directoryStore } from '../directory/directory-items.ts';
import { countReads, planDirectory } from '../directory/make-plan.ts';
import { type DirectoryPlan, isEmpty } from '../directory/plan.ts';
import { planHead, planJson, planRows, planSummary } from '../directory/print-plan.ts';
import {
  assertWithinLimit,
  countRemovals,
  describeRemovals,
  isLargeRemoval,
  LARGEST_LIMIT,
  UNSAID_REMOVALS,
} from '../directory/prune-limit.ts';
import { assertPolicies } from '../directory/show-policies.ts';
import { wholeNumber } from '../option-values.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import { examples } from './examples.ts';

interface ApplyOptions {
  file?: string[];
  format?: (typeof dataFormats)[number];
  prune?: true;
  pruneLimit?: number;
  dryRun?: true;
}

export function applyCommand(context: CommandContext): Command {
  return new Command('apply')
    .description('shows what directory files would change, asks, and writes it')
    .option('-f, --file <file...>', 'clients and users, in JSON or YAML (.yaml, .yml); - is stdin')
    .addOption(
      new Option(
        '--format <format>',
        'of the files (default: by the name, of stdin by its content)',
      ).choices(dataFormats),
    )
    .option('--prune', 'remove clients, where files have clients, and users, where they have users')
    .option(
      '--prune-limit <count>',
      'remove so many at most; with it --yes suffices for any number',
      wholeNumber({ min: 0, max: LARGEST_LIMIT }),
    )
    .option('--dry-run', 'show what would change, and end')
    .addHelpText(
      'after',
      `
--prune removes what the files do not name, and only of the kinds that they speak of: without a list of users in them no user
is removed. Where more than ${UNSAID_REMOVALS.entries} entries or more than a tenth of a kind would go, their number has to be typed, or said before
by --prune-limit; --yes alone is refused then. Logos are looked for beside their file, those of stdin in the current folder.
${examples({
  'ciba apply -f directory.yaml': 'shows what changes, and asks',
  'ciba apply -f clients.yaml users.json --yes': 'several files, without asking',
  'ciba apply -f directory.yaml --prune --dry-run': 'what is not in the file any more',
  'ciba apply -f - --format yaml --yes': 'what another program writes',
})}`,
    )
    .action((options: ApplyOptions) => apply(context, options));
}

async function apply(context: CommandContext, options: ApplyOptions): Promise<void> {
  const { output } = context;
  if (options.file === undefined)
    throw usageError('-f, --file: is missing; allowed: files in JSON or YAML');
  const notices: string[] = [];
  assertReadOnce(options.file);
  assertPruned(options);
  const directory = await readDirectoryFiles(options.file, (notice) => notices.push(notice), {
    readStdin: context.readStdin,
    format: options.format,
  });
  for (const notice of notices) output.note(notice);
  const deployment = await context.deployment();
  assertPolicies(directory.clients, deployment.outputs);
  const store = directoryStore(deployment, context.clock);
  const plan = await output.during(
    'Reading what is stored',
    ({ advance }) =>
      planDirectory(store, directory, {
        prune: options.prune ? directory.kinds : [],
        told: advance,
      }),
    countReads(directory),
  );
  show(context, plan);
  if (options.dryRun || isEmpty(plan)) {
    output.json({ ...planJson(plan), ...noticesJson(notices), applied: false });
    return;
  }
  if (!(await mayApply(context, plan, options.pruneLimit))) {
    throw new OperatorError('Nothing was written.');
  }
  await carryOut(context, store, plan, notices);
}

/** What is piped can be read once. */
function assertReadOnce(files: readonly string[]): void {
  if (files.filter((file) => file === STDIN).length < 2) return;
  throw usageError('-f, --file: - is named twice; allowed: once, since what is piped is read once');
}

function assertPruned({ prune, pruneLimit }: ApplyOptions): void {
  if (pruneLimit === undefined || prune) return;
  throw usageError('--prune-limit: without --prune nothing is removed; give both or none');
}

async function mayApply(
  { deployment, confirm, confirmCount }: CommandContext,
  plan: DirectoryPlan,
  limit: number | undefined,
): Promise<boolean> {
  assertWithinLimit(plan, limit);
  const removals = describeRemovals(plan);
  const removing = removals === '' ? '' : ` Remove ${removals}?`;
  const { stackName } = await deployment();
  const question = `Apply to ${stackName}: ${planSummary(plan)}?${removing}`;
  return limit === undefined && isLargeRemoval(plan)
    ? confirmCount(question, countRemovals(plan), '--prune-limit')
    : confirm(question);
}

function show({ output }: CommandContext, plan: DirectoryPlan): void {
  const { rows, left } = planRows(plan);
  output.table(planHead, rows);
  if (left > 0) output.line(`… and ${left} rows more; --json shows all`);
  output.line(`${isEmpty(plan) ? 'Nothing changes' : 'Plan'}: ${planSummary(plan)}.`);
}

async function carryOut(
  { output }: CommandContext,
  store: DirectoryStore,
  plan: DirectoryPlan,
  notices: readonly string[],
): Promise<void> {
  const total = plan.entries.filter(({ action }) => action !== 'keep').length;
  const applied = await output.during(
    'Writing',
    ({ advance }) =>
      interruptible((signal) => applyPlan(store, plan, { told: () => advance(), signal })),
    total,
  );
  output.json({
    ...planJson(plan),
    ...noticesJson(notices),
    applied: applied.fault === undefined,
    written: applied.written.length,
    generated_secrets: applied.generatedSecrets,
  });
  output.line(`Written: ${applied.written.length} of ${total}.`);
  showSecrets({ output }, applied);
  if (applied.fault !== undefined) throw applied.fault;
}

function noticesJson(notices: readonly string[]) {
  return notices.length > 0 ? { notices } : {};
}

/** Whatever ended the run: a secret that is stored and was never shown is lost. */
function showSecrets(
  { output }: Pick<CommandContext, 'output'>,
  { generatedSecrets }: AppliedPlan,
): void {
  if (generatedSecrets.length === 0) return;
  output.line('Generated secrets, shown this once:');
  output.table(
    ['CLIENT', 'SECRET', ''],
    generatedSecrets.map(({ client_id, client_secret, uncertain }) => [
      client_id,
      client_secret,
      uncertain ? 'the connection broke: valid only if ciba apply does not make another' : '',
    ]),
    { whole: ['SECRET'] },
  );
}
