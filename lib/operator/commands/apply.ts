/** `ciba apply`: writes directory files into the deployment, after showing what would change. */
import { Command } from 'commander';
import { type AppliedPlan, applyPlan } from '../apply-plan.ts';
import type { CommandContext } from '../command-context.ts';
import { planHead, planJson, planRows, planSummary } from '../describe-plan.ts';
import { readDirectoryFiles } from '../directory-file.ts';
import { type DirectoryStore, directoryStore } from '../directory-items.ts';
import { type DirectoryPlan, isEmpty } from '../directory-plan.ts';
import { interruptible } from '../interruptible.ts';
import { OperatorError, usageError } from '../operator-error.ts';
import { countReads, planDirectory } from '../plan-directory.ts';
import { assertPolicies } from '../policies.ts';
import { examples } from './examples.ts';

interface ApplyOptions {
  file?: string[];
  prune?: true;
  dryRun?: true;
}

export function applyCommand(context: CommandContext): Command {
  return new Command('apply')
    .description('shows what directory files would change, asks, and writes it')
    .option('-f, --file <file...>', 'clients and users, in JSON or YAML (.yaml, .yml)')
    .option('--prune', 'remove clients and users that no file names')
    .option('--dry-run', 'show what would change, and end')
    .addHelpText(
      'after',
      examples({
        'ciba apply -f directory.yaml': 'shows what changes, and asks',
        'ciba apply -f clients.yaml users.json --yes': 'several files, without asking',
        'ciba apply -f directory.yaml --prune --dry-run': 'what is not in the file any more',
      }),
    )
    .action((options: ApplyOptions) => apply(context, options));
}

async function apply(context: CommandContext, options: ApplyOptions): Promise<void> {
  const { output, confirm } = context;
  if (options.file === undefined)
    throw usageError('-f, --file: is missing; allowed: files in JSON or YAML');
  const notices: string[] = [];
  const directory = await readDirectoryFiles(options.file, (notice) => notices.push(notice));
  for (const notice of notices) output.note(notice);
  const deployment = await context.deployment();
  assertPolicies(directory.clients, deployment.outputs);
  const store = directoryStore(deployment, context.clock);
  const plan = await output.during(
    'Reading what is stored',
    ({ advance }) =>
      planDirectory(store, directory, { prune: options.prune === true, told: advance }),
    countReads(directory),
  );
  show(context, plan);
  if (options.dryRun || isEmpty(plan)) {
    output.json({ ...planJson(plan), ...noticesJson(notices), applied: false });
    return;
  }
  const summary = planSummary(plan);
  if (!(await confirm(`Apply to ${deployment.stackName}: ${summary}?`))) {
    throw new OperatorError('Nothing was written.');
  }
  await carryOut(context, store, plan, notices);
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
  );
}
