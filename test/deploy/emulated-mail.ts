/**
 * What mail needs on the emulator and the deployed template leaves out there: the sender whom SES
 * has to know, and the templates, as a synth without the emulator's setting has them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AlreadyExistsException,
  CreateEmailIdentityCommand,
  CreateEmailTemplateCommand,
  type SESv2Client,
} from '@aws-sdk/client-sesv2';
import * as z from 'zod';
import { run } from './ended-processes.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** The sender of cdk.json, which stands for the address an operator has verified. */
const senderAddress = 'approvals@example.com';

const cloudFormationTemplate = z.object({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string() })),
});

const mailTemplate = z.object({
  Properties: z.object({
    Template: z.object({
      TemplateName: z.string(),
      SubjectPart: z.string(),
      HtmlPart: z.string(),
      TextPart: z.string(),
    }),
  }),
});

/** Where mail is to be sent from. */
interface MailingDeployment {
  ses: SESv2Client;
  issuer: string;
  /** Takes what is made on the way. */
  folder: string;
}

/** Makes sender and templates, unless they are there already. */
export async function prepareMail({ ses, issuer, folder }: MailingDeployment): Promise<void> {
  await unlessThere(ses.send(new CreateEmailIdentityCommand({ EmailIdentity: senderAddress })));
  for (const resource of Object.values(await synthesize(issuer, join(folder, 'aws')))) {
    if (resource.Type !== 'AWS::SES::Template') continue;
    const { Template } = mailTemplate.parse(resource).Properties;
    const { TemplateName, SubjectPart: Subject, HtmlPart: Html, TextPart: Text } = Template;
    const TemplateContent = { Subject, Html, Text };
    await unlessThere(ses.send(new CreateEmailTemplateCommand({ TemplateName, TemplateContent })));
  }
}

async function unlessThere(created: Promise<unknown>): Promise<void> {
  try {
    await created;
  } catch (error) {
    if (!(error instanceof AlreadyExistsException)) throw error;
  }
}

/** The resources of the stack as AWS would get them. */
async function synthesize(issuer: string, assembly: string) {
  const context = JSON.stringify({ issuer, 'aws:cdk:bundling-stacks': [] });
  const synthesis = { CDK_OUTDIR: assembly, CDK_CONTEXT_JSON: context, CDK_VALIDATION: 'false' };
  await run(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: projectFolder,
    env: { ...process.env, ...synthesis },
  });
  const text = await readFile(join(assembly, 'CibaProvider.template.json'), 'utf8');
  return cloudFormationTemplate.parse(JSON.parse(text)).Resources;
}
