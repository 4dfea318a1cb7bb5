/**
 * Sends one mail as the deployment's flows do, with sample values and a link that leads nowhere.
 */
import { SendEmailCommand } from '@aws-sdk/client-sesv2';
import { sesMail } from '../../../lambdas/aws/ses-mailer.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { sampleData } from './template-files.ts';

/** A template in a language, and who is sent it. */
export interface TestMail {
  name: string;
  locale: string;
  to: string;
}

/**
 * Hands one mail to SES: the deployment's template, sender and configuration set. Its link leads to
 * the issuer, where it is unknown.
 * @throws whatever SES answers, in whose words the operator reads it
 */
export async function sendTestMail(
  { clients, output }: Pick<Deployment, 'clients' | 'output'>,
  { name, locale, to }: TestMail,
): Promise<void> {
  await clients.ses.send(
    new SendEmailCommand(
      sesMail(
        {
          to,
          templateName: `${output('TemplatePrefix')}${name}-${locale}`,
          data: sampleData(output('Issuer'), locale),
        },
        output('Sender'),
        output('ConfigurationSet'),
      ),
    ),
  );
}
