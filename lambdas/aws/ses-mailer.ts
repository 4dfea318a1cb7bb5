/**
 * Mail through SES templates and the deployment's configuration set.
 */
import { type SESv2Client, SESv2ServiceException, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { Mailer } from '../ports.ts';

/** What SES refuses for good: the mail, its recipient, its template or the deployment's right to send. */
const lasting = new Set([
  'AccountSuspendedException',
  'BadRequestException',
  'MailFromDomainNotVerifiedException',
  'MessageRejected',
  'NotFoundException',
  'SendingPausedException',
]);

/**
 * Sends each mail with one call that is not repeated here: a repeated send is a second mail, so whether to try again is
 * the flow's decision.
 * @param sender the From address, with or without a display name
 */
export function sesMailer(client: SESv2Client, sender: string, configurationSet: string): Mailer {
  return {
    async send({ ref, to, templateName, data }) {
      try {
        await client.send(
          new SendEmailCommand({
            FromEmailAddress: sender,
            Destination: { ToAddresses: [to] },
            Content: {
              Template: { TemplateName: templateName, TemplateData: JSON.stringify(data) },
            },
            ConfigurationSetName: configurationSet,
            // Every event of this mail carries it.
            EmailTags: [{ Name: 'ref', Value: ref }],
          }),
        );
        return { outcome: 'accepted' };
      } catch (error) {
        return judgeRefusal(error);
      }
    },
  };
}

/** A 4xx is a refusal, for good or for now; with anything else the mail may be on its way. */
function judgeRefusal(error: unknown): { outcome: 'rejected' | 'deferred'; reason: string } {
  if (!(error instanceof SESv2ServiceException)) throw error;
  const status = error.$metadata.httpStatusCode ?? 500;
  if (status >= 500) throw error;
  const isLasting = lasting.has(error.name);
  return { outcome: isLasting ? 'rejected' : 'deferred', reason: error.name };
}
