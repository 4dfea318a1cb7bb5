/** `ciba keys`: the keys that the deployment signs, makes links and wraps secrets with. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { judgeKeys, type KeyState } from '../keys/key-states.ts';
import { type KeyTables, readKeys } from '../keys/load-keys.ts';
import { findRemovableKey, removeKey } from '../keys/remove-key.ts';
import { LONGEST_LEAD_SECONDS, REMEMBERED_SECONDS, rotateKeys } from '../keys/rotate-keys.ts';
import { wholeNumber } from '../option-values.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import type { Tone } from '../terminal/output.ts';
import { showSpan, showTime, showUtcTime } from '../terminal/show-time.ts';
import { examples } from './examples.ts';

export function keysCommand(context: CommandContext): Command {
  const keys = new Command('keys')
    .description('the keys that sign, make links and wrap client secrets')
    .addHelpText('after', examples({ 'ciba keys list': 'what each key is good for now' }));
  keys
    .command('list')
    .description('lists the keys and what each is good for now; never a secret')
    .addHelpText(
      'after',
      examples({ 'ciba keys list': 'as a table', 'ciba keys list --json': 'for a program' }),
    )
    .action(() => list(context));
  keys
    .command('rotate')
    .description('makes a new key of each kind, which is used after the lead')
    .option(
      '--lead <seconds>',
      `how long a new key is published before it signs; below ${REMEMBERED_SECONDS} a token may not verify where /jwks is remembered, and a link may not open, for five minutes`,
      wholeNumber({ min: 0, max: LONGEST_LEAD_SECONDS }),
      LONGEST_LEAD_SECONDS,
    )
    .addHelpText(
      'after',
      examples({
        'ciba keys rotate': 'new keys, used from tomorrow on',
        'ciba keys rotate --lead 0 --yes': 'at once and without a question: a key has leaked',
      }),
    )
    .action((options: { lead: number }) => rotate(context, options.lead));
  keys
    .command('remove')
    .description('takes a signing key that has leaked out of /jwks; it must not sign any more')
    .argument('<kid>', 'the id of the key, as ciba keys list shows it')
    .addHelpText(
      'after',
      examples({ 'ciba keys remove KIwf5LnQxK3v5lcQ': 'after ciba keys rotate --lead 0' }),
    )
    .action((kid: string) => remove(context, kid));
  return keys;
}

async function list(context: CommandContext): Promise<void> {
  const states = await readStates(context, await context.deployment());
  show(context, states);
  if (states.some(({ status }) => status === 'published')) {
    context.output.note('Which key signs is in the table of keys, which you may not read.');
  }
}

async function rotate(context: CommandContext, leadSeconds: number): Promise<void> {
  const deployment = await context.deployment();
  const functionName = deployment.output('RotateKeysFunction');
  const before = await readStates(context, deployment);
  const when = leadSeconds === 0 ? 'used at once' : `used in ${showSpan(leadSeconds)}`;
  const warning =
    leadSeconds < REMEMBERED_SECONDS
      ? ' For five minutes a token may not verify where /jwks is remembered, and a link may not open.'
      : '';
  const question = `Make new keys of the stack ${deployment.stackName}, ${when}?${warning}`;
  if (!(await context.confirm(question))) throw new OperatorError('No key was made.');
  const made = await context.output.during('Making keys', () =>
    rotateKeys(deployment.clients.lambda, functionName, leadSeconds),
  );
  if (made.length === 0) {
    context.output.note('No key was made: somebody else made new ones at the same moment.');
  }
  const after = await readStates(context, deployment);
  show(
    context,
    after.filter(({ kid }) => before.every((known) => known.kid !== kid)),
  );
}

async function remove(context: CommandContext, kid: string): Promise<void> {
  const deployment = await context.deployment();
  const key = findRemovableKey(await readStates(context, deployment), kid);
  const question = `Remove ${kid} of the stack ${deployment.stackName}? What it signed verifies nowhere then, ID Tokens as hints included.`;
  if (!(await context.confirm(question))) throw new OperatorError('No key was removed.');
  await removeKey(tablesOf(deployment), key);
  context.output.json({ removed: kid });
  context.output.line(`Removed ${kid}. Who remembers /jwks knows it for five minutes more.`);
}

async function readStates({ output, clock }: CommandContext, deployment: Deployment) {
  const keys = await output.during('Reading the keys', () => readKeys(tablesOf(deployment)));
  return judgeKeys(keys, clock());
}

function tablesOf({ clients, output }: Deployment): KeyTables {
  return {
    dynamodb: clients.dynamodb,
    directoryTable: output('DirectoryTable'),
    keysTable: output('KeysTable'),
  };
}

const tones: Partial<Record<KeyState['status'], Tone>> = {
  'in use': 'good',
  'not published': 'bad',
};

function show({ output, clock }: CommandContext, states: KeyState[]): void {
  output.json({
    items: states.map(({ kind, kid, status, createdAt, usedFrom, keptUntil }) => ({
      kind,
      kid,
      status,
      ...(createdAt !== undefined && { created_at: showTime(createdAt) }),
      ...(usedFrom !== undefined && { used_from: showTime(usedFrom) }),
      ...(keptUntil !== undefined && { kept_until: showTime(keptUntil) }),
    })),
    next: null,
  });
  if (states.length === 0) output.line('No key.');
  output.table(
    ['KIND', 'KID', 'STATUS', 'AGE', 'USED, OR IN /JWKS (UTC)'],
    states.map(({ kind, kid, status, createdAt, usedFrom, keptUntil }) => [
      kind,
      kid,
      output.tone(tones[status] ?? 'quiet', status),
      createdAt === undefined ? '' : showSpan(clock() - createdAt),
      showUse(usedFrom, keptUntil),
    ]),
    { whole: ['KID'] },
  );
}

/** A key that is in /jwks alone was used before; whatever else is used from some time on. */
function showUse(usedFrom: number | undefined, keptUntil: number | undefined): string {
  if (keptUntil !== undefined) return `until ${showUtcTime(keptUntil)}`;
  return usedFrom === undefined ? '' : `from ${showUtcTime(usedFrom)}`;
}
