/**
 * Mail through SES templates and the deployment's configuration set.
 */
import {
  type MessageTag,
  type SESv2Client,
  SESv2ServiceException,
  SendEmailCommand,
  type SendEmailCommandInput,
} from '@aws-sdk/client-sesv2';
import type { Mail, Mailer } from '../ports.ts';

/**
 * What SES refuses for good: the mail, its recipient, its template or the deployment's right to
 * send.
 */
const lasting = new Set([
  'AccountSuspendedException',
  'BadRequestException',
  'MailFromDomainNotVerifiedException',
  'MessageRejected',
  'NotFoundException',
  'SendingPausedException',
]);

/**
 * Headers of every mail. `Auto-Submitted` keeps vacation notes from answering (RFC 3834). There is
 * no `List-Unsubscribe`: these mails are of no list, each answers one request, and who is asked too
 * often says so on the page.
 */
const headers = [{ Name: 'Auto-Submitted', Value: 'auto-generated' }];

/** One mail as SES takes it: from a template, to one address. */
export function sesMail(
  { to, templateName, data }: Omit<Mail, 'ref' | 'clientId'>,
  sender: string,
  configurationSet: string,
): SendEmailCommandInput {
  return {
    FromEmailAddress: sender,
    Destination: { ToAddresses: [to] },
    Content: {
      Template: {
        TemplateName: templateName,
        TemplateData: JSON.stringify(data),
        Headers: headers,
      },
    },
    ConfigurationSetName: configurationSet,
  };
}

/**
 * Sends each mail with one call that is not repeated here: a repeated send is a second mail, so
 * whether to try again is the flow's decision.
 * @param sender the From address, with or without a display name
 */
export function sesMailer(client: SESv2Client, sender: string, configurationSet: string): Mailer {
  return {
    async send(mail) {
      try {
        await client.send(
          new SendEmailCommand({
            ...sesMail(mail, sender, configurationSet),
            EmailTags: tagsOf(mail),
          }),
        );
        return { outcome: 'accepted' };
      } catch (error) {
        return judgeRefusal(error);
      }
    },
  };
}

/**
 * The ref, which every event of this mail carries; and what SES puts into `Feedback-ID`, under
 * which mailbox providers tell the sender how many of its mails were called spam: the template, and
 * the client whose request it was.
 */
function tagsOf({ ref, templateName, clientId }: Mail): MessageTag[] {
  return [
    { Name: 'ref', Value: ref },
    { Name: 'ses:feedback-id-a', Value: templateName },
    // Of the characters that a client id may have, SES takes these.
    { Name: 'ses:feedback-id-b', Value: clientId.replace(/[^\w-]/g, '_') },
  ];
}

/** A 4xx is a refusal, for good or for now; with anything else the mail may be on its way. */
function judgeRefusal(error: unknown): { outcome: 'rejected' | 'deferred'; reason: string } {
  if (!(error instanceof SESv2ServiceException)) throw error;
  const status = error.$metadata.httpStatusCode ?? 500;
  if (status >= 500) throw error;
  const isLasting = lasting.has(error.name);
  return { outcome: isLasting ? 'rejected' : 'deferred', reason: error.name };
}
