/**
 * Brings the mail templates of a deployment to the text of their files past CloudFormation, which
 * sees no change in them.
 */
import {
  CreateEmailTemplateCommand,
  type EmailTemplateContent,
  type SESv2Client,
  UpdateEmailTemplateCommand,
} from '@aws-sdk/client-sesv2';
import type { NotificationTemplate } from '../../notification-templates/compile.ts';
import type { ComparedTemplate } from './compare-templates.ts';

/** Those that SES should have and has otherwise, or has not: what a push writes. */
export function templatesToPush(compared: readonly ComparedTemplate[]): ComparedTemplate[] {
  return compared.filter(({ state }) => state === 'differs' || state === 'missing in SES');
}

interface Push {
  ses: SESv2Client;
  /** What the names in SES begin with. */
  prefix: string;
  files: readonly NotificationTemplate[];
  onDone(): void;
}

/**
 * Writes each, one after the other, since SES takes one change a second. @throws whatever SES
 * answers
 */
export async function pushTemplates(
  templates: readonly ComparedTemplate[],
  { ses, prefix, files, onDone }: Push,
): Promise<void> {
  for (const { name, locale, state } of templates) {
    const file = files.find((one) => one.name === name && one.locale === locale);
    if (file === undefined) continue;
    const input = { TemplateName: `${prefix}${name}-${locale}`, TemplateContent: contentOf(file) };
    await ses.send(
      state === 'differs'
        ? new UpdateEmailTemplateCommand(input)
        : new CreateEmailTemplateCommand(input),
    );
    onDone();
  }
}

function contentOf({ subject, html, text }: NotificationTemplate): EmailTemplateContent {
  return { Subject: subject, Html: html, Text: text };
}
