/**
 * `ciba template`: the mails that users are sent, as files of this checkout and as the deployment
 * has them.
 */
import { relative } from 'node:path';
import { Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { localesOf } from '../deployment/load-json-output.ts';
import {
  type ComparedTemplate,
  compareTemplates,
  type TemplateState,
} from '../mails/compare-templates.ts';
import { pushTemplates, templatesToPush } from '../mails/push-templates.ts';
import { sendTestMail } from '../mails/send-test-mail.ts';
import { showInBrowser } from '../mails/show-in-browser.ts';
import {
  chooseLocale,
  chooseLocaleOfFiles,
  readTemplateFiles,
  renderMail,
  sampleData,
} from '../mails/template-files.ts';
import { emailAddress, languageTag } from '../option-values.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import type { Tone } from '../terminal/output.ts';
import { examples } from './examples.ts';

/** Where the link of a preview leads, which knows no deployment. */
const EXAMPLE_ISSUER = 'https://id.example.com';

export function templateCommand(context: CommandContext): Command {
  const template = new Command('template')
    .description('the mails that users are sent, by name and locale')
    .addHelpText(
      'after',
      examples({
        'ciba template list': 'which there are, and whether SES has them as they are here',
      }),
    );
  template
    .command('list')
    .description(
      'lists the templates, and where SES has another text than the files; ends with 1 then',
    )
    .addHelpText(
      'after',
      examples({
        'ciba template list': 'as a table',
        'ciba template list --json': 'for a program',
      }),
    )
    .action(() => list(context));
  template
    .command('push')
    .description('writes what SES has otherwise than the files, past CloudFormation')
    .addHelpText(
      'after',
      `
CloudFormation may make question marks of what is not ASCII, and sees no difference then: npx cdk deploy mends nothing. What
it has never deployed, or no file has any more, is left to it.
${examples({ 'ciba template push': 'shows which, and asks' })}`,
    )
    .action(() => push(context));
  template
    .command('preview')
    .description('renders the files of a template with sample values; needs no deployment')
    .argument('<name>', 'the template, as its folder is called')
    .addOption(localeOption())
    .addOption(new Option('--html', 'print the HTML part alone').conflicts('text'))
    .option('--text', 'print the text part alone')
    .option('--open', 'write the HTML part into build/ and open it in the browser')
    .addHelpText(
      'after',
      examples({
        'ciba template preview ciba-with-binding-message --locale fr': 'subject and text',
        'ciba template preview ciba-with-binding-message --open': 'in the browser',
      }),
    )
    .action((name: string, options: PreviewOptions) => preview(context, name, options));
  template
    .command('test')
    .description('sends one mail through SES, with sample values and a link that leads nowhere')
    .argument('<name>', 'the template, as its folder is called')
    .option('--to <address>', 'who is sent it; required', emailAddress)
    .addOption(localeOption())
    .addHelpText(
      'after',
      examples({
        'ciba template test ciba-with-binding-message --to me@example.com --locale de':
          'one mail in German',
      }),
    )
    .action((name: string, options: TestOptions) => test(context, name, options));
  return template;
}

function localeOption(): Option {
  return new Option('--locale <tag>', 'of a user; the nearest that there is').argParser(
    languageTag,
  );
}

function compare(
  { output }: CommandContext,
  deployment: Deployment,
  files: ReturnType<typeof readTemplateFiles>,
): Promise<ComparedTemplate[]> {
  const deployed = {
    ses: deployment.clients.ses,
    prefix: deployment.output('TemplatePrefix'),
    locales: localesOf(deployment),
  };
  return output.during(
    'Reading the templates of SES',
    ({ advance }) => compareTemplates(deployed, files, advance),
    files.length,
  );
}

async function list(context: CommandContext): Promise<void> {
  const files = readTemplateFiles();
  const deployment = await context.deployment();
  const { output } = context;
  const compared = await compare(context, deployment, files);
  output.json({ items: compared, next: null });
  output.table(
    ['NAME', 'LOCALE', 'SES AND FILES'],
    compared.map(({ name, locale, state }) => [name, locale, output.tone(tones[state], state)]),
  );
  const others = compared.filter(({ state }) => state !== 'same');
  if (others.length > 0) throw differ(others);
}

/**
 * What CloudFormation has to do is not what a push does: it makes and removes templates that it
 * knows by their names.
 */
function differ(others: readonly ComparedTemplate[]): OperatorError {
  const pushed = templatesToPush(others).length;
  const mends = [
    ...(pushed > 0 ? [`ciba template push writes ${pushed} of them into SES`] : []),
    ...(pushed < others.length ? ['npx cdk deploy makes and removes templates'] : []),
  ];
  const count = others.length === 1 ? '1 template is' : `${others.length} templates are`;
  const message = `${count} not as the files say: ${mends.join('; ')}`;
  return new OperatorError(message, { code: 'templates_differ' });
}

async function push(context: CommandContext): Promise<void> {
  const { output } = context;
  const files = readTemplateFiles();
  const deployment = await context.deployment();
  const wanted = templatesToPush(await compare(context, deployment, files));
  const names = wanted.map(({ name, locale }) => `${name} in ${locale}`);
  const question = `Write ${names.join(', ')} into SES for the stack ${deployment.stackName}? Users get these mails from then on.`;
  if (wanted.length > 0 && !(await context.confirm(question))) {
    throw new OperatorError('No template was written.');
  }
  const { ses } = deployment.clients;
  const prefix = deployment.output('TemplatePrefix');
  await output.during(
    'Writing templates',
    ({ advance }) => pushTemplates(wanted, { ses, prefix, files, onDone: advance }),
    wanted.length,
  );
  output.json({ items: wanted.map(({ name, locale }) => ({ name, locale })), next: null });
  for (const name of names) output.line(`Written: ${name}.`);
  if (names.length === 0) output.line('SES has every template as the files say.');
}

const tones: Record<TemplateState, Tone> = {
  same: 'good',
  differs: 'warning',
  'missing in SES': 'bad',
  'not deployed': 'warning',
  'not in the files': 'warning',
};

interface PreviewOptions {
  locale?: string;
  html?: true;
  text?: true;
  open?: true;
}

async function preview(
  { output }: CommandContext,
  name: string,
  { locale: wanted, html: htmlAlone, text: textAlone, open }: PreviewOptions,
): Promise<void> {
  const templates = readTemplateFiles();
  const locale = chooseLocaleOfFiles(templates, name, wanted);
  noteOtherLocale(output, wanted, locale);
  const found = templates.filter((one) => one.name === name && one.locale === locale);
  for (const template of found) {
    const mail = renderMail(template, sampleData(EXAMPLE_ISSUER, locale));
    const file = open && relative('', await showInBrowser(name, locale, mail.html));
    output.json({ name, locale, ...mail, ...(file !== undefined && { file }) });
    if (htmlAlone) output.line(mail.html);
    else if (textAlone) output.line(mail.text);
    else output.line(`${output.tone('strong', mail.subject)}\n\n${mail.text}`);
    if (file !== undefined) output.note(`Opened ${file}`);
  }
}

interface TestOptions {
  to?: string;
  locale?: string;
}

async function test(
  context: CommandContext,
  name: string,
  { to, locale: wanted }: TestOptions,
): Promise<void> {
  const { output } = context;
  if (to === undefined) throw usageError('--to <address> is missing: who is sent the mail');
  const deployment = await context.deployment();
  const locale = chooseLocale(localesOf(deployment), name, wanted);
  noteOtherLocale(output, wanted, locale);
  await output.during('Sending', () => sendTestMail(deployment, { name, locale, to }));
  output.json({ name, locale, to });
  output.line(
    `SES has taken ${name} in ${locale} for ${to}. Its link is a sample and opens nothing.`,
  );
}

/** A user's locale that no template has is no fault; whoever mistypes one is to see it. */
function noteOtherLocale(
  { note }: CommandContext['output'],
  wanted: string | undefined,
  chosen: string,
): void {
  if (wanted === undefined || wanted.toLowerCase() === chosen.toLowerCase()) return;
  note(`There is no ${wanted}: users of that locale get ${chosen}.`);
}
