/** `ciba client`: the registered clients, and their secrets. */
import { Command } from 'commander';
import { openAudit } from '../audit/connect-audit.ts';
import { findLastRefusal, LOOKED_THROUGH, type Refusal } from '../audit/last-refusal.ts';
import { isoTime } from '../audit/show-audit.ts';
import type { CommandContext } from '../command-context.ts';
import type { Deployment } from '../deployment/deployment.ts';
import {
  findClient,
  KEEP_SECONDS,
  listClients,
  REMEMBERED_SECONDS,
  refusedFrom,
  rotateSecret,
  type ShownClient,
} from '../directory/clients.ts';
import { memberRows, showInstant } from '../directory/describe-entry.ts';
import { switchEntry } from '../directory/enable-entry.ts';
import { unlessDenied } from '../directory/find-user.ts';
import { showValue } from '../directory/print-plan.ts';
import { wholeNumber } from '../option-values.ts';
import { notFound, OperatorError } from '../terminal/operator-error.ts';
import { showTime } from '../terminal/show-time.ts';
import { openDirectory } from './connect-directory.ts';
import { examples } from './examples.ts';
import { removeClientCommand } from './remove.ts';
import { revokeClientTokensCommand, tellRevoked } from './revoke-tokens.ts';

interface RotateOptions {
  keep: number;
  secretStdin?: true;
  force?: true;
}

export function clientCommand(context: CommandContext): Command {
  const client = new Command('client').description('the registered clients').addHelpText(
    'after',
    examples({
      'ciba client list': 'all of them',
      'ciba client rotate-secret pump-4': 'another secret, beside the present one for a day',
    }),
  );
  client
    .command('list')
    .description('lists the clients')
    .addHelpText('after', examples({ 'ciba client list --json': 'for a program' }))
    .action(() => list(context));
  client
    .command('show <client_id>')
    .description(
      'shows what is registered of a client, and its last refusal; secrets are never shown',
    )
    .addHelpText('after', examples({ 'ciba client show pump-4': 'all members, and its secrets' }))
    .action((clientId: string) => show(context, clientId));
  client
    .command('rotate-secret <client_id>')
    .description('makes another secret, and keeps the present one valid for a while')
    .option(
      '--keep <seconds>',
      `how long the present secret stays valid, 0 to ${KEEP_SECONDS.max}; less than ${REMEMBERED_SECONDS} is up to ${REMEMBERED_SECONDS}`,
      wholeNumber(KEEP_SECONDS),
      KEEP_SECONDS.default,
    )
    .option('--secret-stdin', 'take the new secret from the input instead of making one')
    .option('--force', 'end the secret before the present one, which is still valid, at once')
    .addHelpText(
      'after',
      examples({
        'ciba client rotate-secret pump-4': 'both are valid for a day; the new one is shown once',
        'ciba client rotate-secret pump-4 --keep 0': 'the present one is known to others',
      }),
    )
    .action((clientId: string, options: RotateOptions) => rotate(context, clientId, options));
  for (const enabled of [true, false]) {
    const word = enabled ? 'enable' : 'disable';
    client
      .command(`${word} <client_id>`)
      .description(enabled ? 'lets a client in again' : 'refuses a client everywhere')
      .addHelpText('after', examples({ [`ciba client ${word} pump-4`]: 'within ten seconds' }))
      .action((clientId: string) => setEnabled(context, clientId, enabled));
  }
  return client
    .addCommand(removeClientCommand(context))
    .addCommand(revokeClientTokensCommand(context));
}

async function list(context: CommandContext): Promise<void> {
  const { output } = context;
  const clients = await listClients(await openDirectory(context));
  const deployment = await context.deployment();
  output.json({ items: clients.map((client) => clientJson(client, deployment)), next: null });
  if (clients.length === 0) output.line('No client is registered.');
  output.table(
    ['CLIENT', 'NAME', 'AUTHENTICATION', 'ENABLED', 'SECRET'],
    clients.map((client) => [
      ...['client_id', 'client_name', 'token_endpoint_auth_method', 'enabled'].map((member) =>
        showValue(client.members[member]),
      ),
      isRetiring(client, context.clock()) ? `${client.secret}, and a former one` : client.secret,
    ]),
    { clips: true },
  );
}

async function show(context: CommandContext, clientId: string): Promise<void> {
  const { output } = context;
  const client = await findClient(await openDirectory(context), clientId);
  if (!client) throw noClient(clientId);
  const now = context.clock();
  const deployment = await context.deployment();
  const audit = openAudit(deployment);
  const looked = await unlessDenied(
    findLastRefusal(audit, clientId, now).then((refusal) => ({ refusal })),
  );
  output.json({ ...clientJson(client, deployment), last_refusal: refusalJson(looked?.refusal) });
  output.table(
    ['MEMBER', 'VALUE'],
    [
      ...memberRows(client.members),
      ['secret', describeSecret(client, context.clock())],
      ...memberRows({ version: client.version }),
      ['last refusal', looked ? tellRefusal(looked.refusal) : 'the audit may not be read'],
    ],
  );
  const logo = logoAddress(client, deployment);
  if (logo !== undefined) output.line(`Logo: ${logo}`);
  tellRevoked(output, client.tokensNotBefore);
}

function refusalJson(refusal: Refusal | undefined): Record<string, string | null> | null {
  if (!refusal) return null;
  const { createdAt, code, cause, ref } = refusal;
  return { at: isoTime(createdAt), code, cause: cause ?? null, ref };
}

function tellRefusal(refusal: Refusal | undefined): string {
  const { days, requests } = LOOKED_THROUGH;
  if (!refusal) return `none among its last ${requests} requests of ${days} days`;
  const { createdAt, code, cause, ref } = refusal;
  const lines = [showInstant(createdAt), code, cause, `ciba audit show ${ref}`];
  return lines.filter((line) => line !== undefined).join('\n');
}

function clientJson(client: ShownClient, deployment: Deployment) {
  const { members, secret, retiringUntil, tokensNotBefore, version } = client;
  const logo = logoAddress(client, deployment);
  return {
    ...members,
    ...(logo !== undefined && { logo_uri: logo }),
    secret,
    ...(retiringUntil !== undefined && { retiring_until: showTime(retiringUntil) }),
    ...(tokensNotBefore !== undefined && { tokens_not_before: isoTime(tokensNotBefore) }),
    version,
  };
}

/** Where the logo is served; none without one. */
function logoAddress({ members }: ShownClient, { output }: Deployment): string | undefined {
  const path = members['logo_uri'];
  return typeof path === 'string' ? `${output('Issuer')}${path}` : undefined;
}

function isRetiring({ retiringUntil = 0 }: ShownClient, now: number): boolean {
  return retiringUntil > now;
}

function describeSecret(client: ShownClient, now: number): string {
  const { secret, retiringUntil = 0 } = client;
  if (!isRetiring(client, now)) return secret;
  return `${secret}\nthe former one until ${showInstant(retiringUntil)}`;
}

function noClient(clientId: string): OperatorError {
  return notFound(`No client ${clientId}: ciba client list lists them`);
}

async function rotate(
  context: CommandContext,
  clientId: string,
  { keep, secretStdin, force }: RotateOptions,
): Promise<void> {
  const { output } = context;
  const secret = secretStdin
    ? (await context.readInput('--secret-stdin')).replace(/\r?\n$/, '')
    : undefined;
  const store = await openDirectory(context);
  if (!(await findClient(store, clientId))) throw noClient(clientId);
  await askToRotate(context, clientId, { keep, isForced: force === true });
  const now = context.clock();
  const rotated = await rotateSecret(store, clientId, {
    keepSeconds: keep,
    secret,
    force: force === true,
  });
  if (!rotated) throw noClient(clientId);
  const { generated, retiringUntil, fault } = rotated;
  output.json({
    client_id: clientId,
    ...(generated !== undefined && { client_secret: generated }),
    retiring_until: showTime(refusedFrom(retiringUntil, now)),
    ...(fault !== undefined && { uncertain: true }),
  });
  output.line(
    keep < REMEMBERED_SECONDS
      ? `The secret before is refused within ${REMEMBERED_SECONDS} seconds.`
      : `The secret before is valid until ${showTime(retiringUntil)}.`,
  );
  if (generated !== undefined) output.line(`Secret of ${clientId}, shown this once: ${generated}`);
  if (fault === undefined) return;
  output.note(
    `Whether this is stored is not known: ciba client show ${clientId} tells until when the one before is valid.`,
  );
  throw fault;
}

async function askToRotate(
  context: CommandContext,
  clientId: string,
  { keep, isForced }: { keep: number; isForced: boolean },
): Promise<void> {
  const { stackName } = await context.deployment();
  const end =
    keep < REMEMBERED_SECONDS
      ? `within ${REMEMBERED_SECONDS} seconds`
      : `from ${showTime(Math.floor(context.clock()) + keep)} on`;
  const former = isForced ? ' The one before it is refused at once.' : '';
  const question = `Make another secret of client ${clientId} of the stack ${stackName}? Whoever has the present one is refused ${end}.${former}`;
  if (!(await context.confirm(question))) throw new OperatorError('No secret was made.');
}

async function askToDisable(context: CommandContext, clientId: string): Promise<void> {
  const { stackName } = await context.deployment();
  const question = `Disable client ${clientId} of the stack ${stackName}? It is refused everywhere then, and what was approved for it gives no tokens, by refresh or otherwise.`;
  if (!(await context.confirm(question))) throw new OperatorError('Nothing was disabled.');
}

async function setEnabled(
  context: CommandContext,
  clientId: string,
  enabled: boolean,
): Promise<void> {
  const { output } = context;
  const store = await openDirectory(context);
  const before = (await findClient(store, clientId))?.members['enabled'];
  if (before === true && !enabled) await askToDisable(context, clientId);
  const written = await switchEntry(store, { kind: 'client', id: clientId }, enabled);
  if (written === undefined) throw noClient(clientId);
  output.json({ client_id: clientId, enabled, changed: written });
  const state = enabled ? 'enabled' : 'disabled';
  output.line(`Client ${clientId} ${written ? 'is now' : 'was already'} ${state}.`);
}
