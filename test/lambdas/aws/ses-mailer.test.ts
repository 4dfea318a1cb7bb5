/**
 * What SES answers and what it means for the mail: accepted, refused for good, refused for now, or
 * unknown.
 */
import {
  BadRequestException,
  MessageRejected,
  NotFoundException,
  SESv2Client,
  SESv2ServiceException,
  type SendEmailCommandInput,
  TooManyRequestsException,
} from '@aws-sdk/client-sesv2';
import { describe, expect, it } from 'vitest';
import { sesMailer } from '../../../lambdas/aws/ses-mailer.ts';
import { lookUpTexts } from '../../../lambdas/ciba/words/catalogue.ts';
import { templateData } from '../../../lambdas/ciba/words/notification.ts';
import type { Mail } from '../../../lambdas/ports.ts';
import { exampleRequest } from '../../support/example-request.ts';

const mail: Mail = {
  ref: exampleRequest().ref,
  clientId: 'pump.4~x',
  to: 'alice@example.com',
  templateName: 'ciba-with-binding-message',
  data: templateData(lookUpTexts([]), {
    request: exampleRequest(),
    clientName: 'Fuel & Go',
    domain: undefined,
    magicLink: 'https://ciba.example/approve/x',
  }),
};

/** An SES client whose every call ends as given, and the inputs it got. */
function sesThat(answer: () => object): { client: SESv2Client; inputs: unknown[] } {
  const client = new SESv2Client({ region: 'eu-central-1', maxAttempts: 1 });
  const inputs: unknown[] = [];
  client.middlewareStack.add(
    () => async (args) => {
      inputs.push(args.input);
      return { output: { $metadata: {}, ...answer() }, response: {} };
    },
    { step: 'initialize', priority: 'low' },
  );
  return { client, inputs };
}

function refusal(status: number, name: string): SESv2ServiceException {
  return new SESv2ServiceException({
    name,
    $fault: 'client',
    $metadata: { httpStatusCode: status },
  });
}

const metadata = (httpStatusCode: number) => ({ $metadata: { httpStatusCode }, message: 'no' });

describe('sesMailer', () => {
  it('sends by template name, from the sender, through the configuration set, to one recipient, tagged with ref, template and client', async () => {
    const { client, inputs } = sesThat(() => ({}));
    const sent = await sesMailer(client, 'Approvals <a@b.example>', 'ciba').send(mail);
    expect(sent).toEqual({ outcome: 'accepted' });
    expect(inputs).toEqual([
      {
        FromEmailAddress: 'Approvals <a@b.example>',
        Destination: { ToAddresses: ['alice@example.com'] },
        Content: {
          Template: {
            TemplateName: 'ciba-with-binding-message',
            TemplateData: JSON.stringify(mail.data),
            Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
          },
        },
        ConfigurationSetName: 'ciba',
        EmailTags: [
          { Name: 'ref', Value: mail.ref },
          { Name: 'ses:feedback-id-a', Value: 'ciba-with-binding-message' },
          { Name: 'ses:feedback-id-b', Value: 'pump_4_x' },
        ],
      } satisfies SendEmailCommandInput,
    ]);
  });

  it.each([
    ['rejected', new MessageRejected(metadata(400))],
    ['rejected', new BadRequestException(metadata(400))],
    ['rejected', new NotFoundException(metadata(404))],
    ['deferred', new TooManyRequestsException(metadata(429))],
    ['deferred', refusal(403, 'AccessDeniedException')],
  ])('calls it %s when SES answers %s', async (outcome, error) => {
    const { client } = sesThat(() => {
      throw error;
    });
    expect(await sesMailer(client, 'a@b.example', 'ciba').send(mail)).toEqual({
      outcome,
      reason: error.name,
    });
  });

  it.each([
    ['a fault of SES', refusal(500, 'InternalFailure')],
    ['a lost connection', new Error('socket hang up')],
  ])('throws what leaves it unknown whether the mail went out: %s', async (_what, error) => {
    const { client } = sesThat(() => {
      throw error;
    });
    await expect(sesMailer(client, 'a@b.example', 'ciba').send(mail)).rejects.toBe(error);
  });
});
