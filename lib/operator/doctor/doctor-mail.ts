/**
 * Whether mail goes out: the sender is verified, the account may send to everybody, and the
 * templates are there and render.
 */
import {
  GetAccountCommand,
  type GetAccountCommandOutput,
  GetEmailIdentityCommand,
  type GetEmailIdentityCommandOutput,
  type SESv2Client,
  TestRenderEmailTemplateCommand,
} from '@aws-sdk/client-sesv2';
import { DEFAULT_LOCALE } from '../../../lambdas/ciba/words/locale.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { localesOf } from '../deployment/load-json-output.ts';
import { compareTemplates, type TemplateState } from '../mails/compare-templates.ts';
import { readTemplateFiles, sampleData } from '../mails/template-files.ts';
import type { Check, Finding } from './check.ts';

const redeploy = 'npx cdk deploy';

export const checkSender: Check = async ({ deployment }) => {
  const address = addressOf(deployment.output('Sender'));
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const { ses } = deployment.clients;
  const identities = await Promise.all([readIdentity(ses, address), readIdentity(ses, domain)]);
  return judgeIdentities(address, domain, ...identities);
};

/** Of a From header: `"Bank" <approvals@bank.example>`. */
function addressOf(sender: string): string {
  return /<([^<>]+)>$/.exec(sender)?.[1] ?? sender;
}

type Identity = Pick<GetEmailIdentityCommandOutput, 'VerifiedForSendingStatus' | 'DkimAttributes'>;

async function readIdentity(ses: SESv2Client, name: string): Promise<Identity | undefined> {
  try {
    return await ses.send(new GetEmailIdentityCommand({ EmailIdentity: name }));
  } catch (error) {
    if (error instanceof Error && error.name === 'NotFoundException') return undefined;
    throw error;
  }
}

/** SES sends if the address itself is verified, or its domain. */
export function judgeIdentities(
  address: string,
  domain: string,
  ofAddress: Identity | undefined,
  ofDomain: Identity | undefined,
): Finding[] {
  if (ofDomain?.VerifiedForSendingStatus) {
    return [{ verdict: 'ok', message: `${domain} is verified` }, ...judgeDkim(domain, ofDomain)];
  }
  if (ofAddress?.VerifiedForSendingStatus) {
    return [{ verdict: 'ok', message: `${address} is verified` }, ...judgeDkim(address, ofAddress)];
  }
  if (ofAddress === undefined && ofDomain === undefined) {
    return [
      {
        verdict: 'fault',
        message: `SES knows neither ${address} nor ${domain}: no mail goes out`,
        mend: `aws sesv2 create-email-identity --email-identity ${domain}, or for the address alone npx cdk deploy -c senderIdentity=create`,
      },
    ];
  }
  const mend =
    ofDomain === undefined
      ? `open the link that SES mailed to ${address}`
      : `publish the DKIM records of ${domain}: aws sesv2 get-email-identity --email-identity ${domain}`;
  const unverified = ofDomain === undefined ? address : domain;
  return [
    { verdict: 'fault', message: `${unverified} is not verified yet: no mail goes out`, mend },
  ];
}

function judgeDkim(name: string, { DkimAttributes: dkim }: Identity): Finding[] {
  if (dkim === undefined || (dkim.SigningEnabled && dkim.Status === 'SUCCESS')) return [];
  return [
    {
      verdict: 'warning',
      message: `mail of ${name} is not signed with DKIM: it may land among spam`,
      mend: `verify the domain with DKIM: aws sesv2 create-email-identity --email-identity ${name.slice(name.lastIndexOf('@') + 1)}`,
    },
  ];
}

export const checkAccount: Check = async ({ deployment }) =>
  judgeAccount(await deployment.clients.ses.send(new GetAccountCommand()));

/** What is left of a day's quota, as a part of it, before one hears of it. */
const QUOTA_WARNING = 0.1;

type Account = Pick<
  GetAccountCommandOutput,
  'EnforcementStatus' | 'ProductionAccessEnabled' | 'SendingEnabled' | 'SendQuota'
>;

export function judgeAccount(account: Account): Finding[] {
  const { EnforcementStatus: enforcement, SendingEnabled: mayEverSend } = account;
  if (mayEverSend === false || enforcement === 'SHUTDOWN') {
    const message = 'SES has stopped all mail of this account';
    const mend =
      'answer the case in the AWS Support Center; then aws sesv2 put-account-sending-attributes --sending-enabled';
    return [{ verdict: 'fault', message, mend }];
  }
  const findings = [
    ...judgeReputation(enforcement),
    ...judgeSandbox(account),
    ...judgeQuota(account),
  ];
  return findings.length > 0
    ? findings
    : [{ verdict: 'ok', message: `out of the sandbox, ${describeQuota(account)}` }];
}

function judgeReputation(enforcement: string | undefined): Finding[] {
  if (enforcement !== 'PROBATION') return [];
  return [
    {
      verdict: 'warning',
      message: 'SES reviews this account for bounces or complaints, and may stop its mail',
      mend: 'answer the case in the AWS Support Center',
    },
  ];
}

function judgeSandbox({ ProductionAccessEnabled: isOut }: Account): Finding[] {
  if (isOut) return [];
  return [
    {
      verdict: 'warning',
      message: 'in the sandbox: mail goes to verified addresses only, 200 a day',
      mend: 'ask for production access in the SES console, or by aws sesv2 put-account-details',
    },
  ];
}

/** A quota of -1 is none. */
function judgeQuota(account: Account): Finding[] {
  const { Max24HourSend: most = -1, SentLast24Hours: sent = 0 } = account.SendQuota ?? {};
  if (most < 0 || most - sent > most * QUOTA_WARNING) return [];
  return [
    {
      verdict: sent >= most ? 'fault' : 'warning',
      message: describeQuota(account),
      mend: 'ask for a higher quota: Service Quotas, Amazon SES, sending quota',
    },
  ];
}

function describeQuota({ SendQuota: quota }: Account): string {
  const { Max24HourSend: most = -1, SentLast24Hours: sent = 0 } = quota ?? {};
  return most < 0 ? 'no quota' : `${Math.max(0, most - sent)} of ${most} mails left for 24 hours`;
}

/** The names of the templates in SES. @throws OperatorError for outputs that cannot be read */
export function templateNames(deployment: Pick<Deployment, 'output'>): string[] {
  const prefix = deployment.output('TemplatePrefix');
  return Object.entries(localesOf(deployment)).flatMap(([name, locales]) =>
    locales.map((locale) => `${prefix}${name}-${locale}`),
  );
}

export const checkTemplates: Check = async ({ deployment }) => {
  const names = templateNames(deployment);
  const sample = JSON.stringify(sampleData(deployment.output('Issuer'), DEFAULT_LOCALE));
  const faults = await compareWithFiles(deployment);
  const isTold = (name: string) => faults.some(({ message }) => message.startsWith(`${name} `));
  // One after the other: SES looks at one template a second.
  for (const name of names.filter((one) => !isTold(one)))
    faults.push(...(await tryTemplate(deployment.clients.ses, name, sample)));
  if (faults.length > 0) return faults;
  return [
    { verdict: 'ok', message: `${names.length} templates are as their files say, and render` },
  ];
};

const push = 'npm run -s ciba -- template push';

/** What is wrong with each state of a template, and what mends it. */
const templateFaults: Record<
  Exclude<TemplateState, 'same'>,
  Omit<Finding, 'message'> & { is: string }
> = {
  differs: { verdict: 'fault', is: 'is not as its files say', mend: push },
  'missing in SES': { verdict: 'fault', is: 'is not in SES: its mails fail', mend: push },
  'not deployed': { verdict: 'warning', is: 'is in the files alone', mend: redeploy },
  'not in the files': { verdict: 'fault', is: 'is deployed and has no files here', mend: redeploy },
};

async function compareWithFiles(deployment: Deployment): Promise<Finding[]> {
  const prefix = deployment.output('TemplatePrefix');
  const deployed = { ses: deployment.clients.ses, prefix, locales: localesOf(deployment) };
  const compared = await compareTemplates(deployed, readTemplateFiles(), () => {});
  return compared.flatMap(({ name, locale, state }) => {
    if (state === 'same') return [];
    const { is, ...finding } = templateFaults[state];
    return [{ ...finding, message: `${prefix}${name}-${locale} ${is}` }];
  });
}

async function tryTemplate(ses: SESv2Client, name: string, sample: string): Promise<Finding[]> {
  try {
    await ses.send(
      new TestRenderEmailTemplateCommand({ TemplateName: name, TemplateData: sample }),
    );
    return [];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const mend = redeploy;
    if (error.name === 'BadRequestException') {
      const message = `${name} does not render, and its mails fail: ${error.message}`;
      return [{ verdict: 'fault', message, mend }];
    }
    throw error;
  }
}
