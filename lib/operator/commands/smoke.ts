/** `ciba smoke`: tries a deployment from outside, as a client and its user do. */
import { Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type SmokeStep, smoke } from '../smoke/smoke.ts';
import { readClientSecret } from '../smoke/smoke-secret.ts';
import {
  nonEmpty,
  parseIssuer,
  parseMailStore,
  type SmokeTarget,
  smokeMethods,
} from '../smoke/smoke-target.ts';
import { usageError } from '../terminal/operator-error.ts';
import { examples } from './examples.ts';

interface SmokeOptions extends Pick<SmokeTarget, 'method' | 'mailStore'> {
  issuer?: string;
  clientId?: string;
  loginHint?: string;
  clientSecretFile?: string;
}

export function smokeCommand(context: CommandContext): Command {
  return new Command('smoke')
    .description('tries a deployment from outside: a request, a decision and tokens, step by step')
    .option(
      '--issuer <url>',
      'of the deployment; https, or http on this machine; required',
      parseIssuer,
    )
    .option('--client-id <id>', 'of a registered client; required', nonEmpty)
    .option(
      '--login-hint <hint>',
      'user name or e-mail address of a user whose mail can be read; required',
      nonEmpty,
    )
    .option('--client-secret-file <file>', "has the client's secret; - is stdin")
    .addOption(
      new Option('--method <method>', 'how the client is registered to authenticate')
        .choices(smokeMethods)
        .default('basic'),
    )
    .option(
      '--mail-store <url>',
      'where mails are listed, as GET {inbox}/store of the local host; then nobody need click',
      parseMailStore,
    )
    .addHelpText(
      'after',
      `
Without --client-secret-file the secret is that of the environment variable CIBA_CLIENT_SECRET, which a build server sets, or else asked
for, unseen. No option takes it: every list of processes would show it.
${examples({
  'ciba smoke --issuer https://id.example --client-id pump-4 --login-hint alice':
    'asks for the secret, and for the decision in the mail',
})}`,
    )
    .action((options: SmokeOptions) => trySteps(context, options));
}

const NAME_WIDTH = 19;

/** @throws OperatorError that names the first step that did not go as it should */
async function trySteps(context: CommandContext, options: SmokeOptions): Promise<void> {
  const { output } = context;
  const target = {
    ...options,
    issuer: required('--issuer', options.issuer),
    clientId: required('--client-id', options.clientId),
    loginHint: required('--login-hint', options.loginHint),
    clientSecret: await readClientSecret(options.clientSecretFile, context),
  };
  const items: SmokeStep[] = [];
  const passed = (step: SmokeStep) => {
    items.push(step);
    output.line(`ok      ${step.step.padEnd(NAME_WIDTH)}${step.seen}`);
  };
  // With --json the person who has to do something reads stderr.
  const asked = (text: string) =>
    output.isJson ? output.note(text) : output.line(`        ${text}`);
  try {
    await smoke(target, { passed, asked });
  } finally {
    output.json({ items, next: null });
  }
}

function required(option: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw usageError(`${option} is missing; ciba smoke --help tells more`);
}
