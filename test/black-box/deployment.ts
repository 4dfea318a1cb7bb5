/**
 * The deployment under test, as the black-box cases see it: a base URL, a way to read mail and a
 * way to change the directory. Whoever starts the suite provides it, so the same cases run against
 * the local host, an emulator or an account.
 */
import { inject } from 'vitest';
import * as z from 'zod';
import { putDirectory } from './put-directory.ts';

/** What the suite is told about the deployment; it crosses process borders, so it is plain data. */
export interface DeploymentAddress {
  issuer: string;
  /** Lists the mails sent so far, as `{"emails":[…]}`, the oldest first. */
  mailStore: string;
  /**
   * Takes a directory file by PUT and applies it; without it the cases that change the directory
   * are skipped.
   */
  directoryControl: string | undefined;
  /**
   * Makes new keys by POST that are used at once; without it the cases that rotate keys are
   * skipped.
   */
  rotationControl: string | undefined;
  /**
   * Whether its SES has a mailbox simulator and tells what becomes of mails; without it those cases
   * are skipped.
   */
  tellsOfMails: boolean;
  /**
   * Where its AWS answers, for the operator's command line; without it the cases of the audit are
   * skipped.
   */
  awsEndpoint: string | undefined;
}

declare module 'vitest' {
  interface ProvidedContext {
    deployment: DeploymentAddress;
  }
}

/** One mail as it arrived. */
export interface ReceivedMail {
  from: string;
  subject: string;
  text: string;
  html: string;
  /** The one URL of the text part. */
  link: string;
  /** All that the mail store tells of the mail, headers and attachments included. */
  raw: string;
}

/** How long a mail may take, in milliseconds: the flow starts after the acknowledgement. */
const MAIL_TIMEOUT = 120_000;

export const { issuer, mailStore, directoryControl, rotationControl, tellsOfMails, awsEndpoint } =
  inject('deployment');

const storedMails = z.looseObject({
  emails: z.array(
    z.looseObject({
      from: z.string(),
      subject: z.string(),
      destination: z.object({ to: z.array(z.string()) }),
      body: z.object({ text: z.string(), html: z.string() }),
    }),
  ),
});

/** Every mail to this address, the oldest first. */
export function mailsTo(address: string): Promise<ReceivedMail[]> {
  return listMails(address, mailStore);
}

async function listMails(address: string, store: string): Promise<ReceivedMail[]> {
  const response = await fetch(store);
  const { emails } = storedMails.parse(await response.json());
  return emails
    .filter(({ destination }) => destination.to.includes(address))
    .map((mail) => ({
      from: mail.from,
      subject: mail.subject,
      text: mail.body.text,
      html: mail.body.html,
      link: onlyUrl(mail.body.text),
      raw: JSON.stringify(mail),
    }));
}

/**
 * In epoch seconds, with some for a clock that is behind: the requests of this file are made later.
 */
const fileBegan = Math.floor(Date.now() / 1000) - 5;

/** The mail whose text names this request, in whatever language. */
export async function mailOf(address: string, ref: string): Promise<ReceivedMail> {
  // Looked for again and again: the local host's inbox leaves out the hundreds from before, and
  // other stores list them too.
  const store = new URL(mailStore);
  store.searchParams.set('since', String(fileBegan));
  const end = Date.now() + MAIL_TIMEOUT;
  while (Date.now() < end) {
    const found = (await listMails(address, store.href)).find(({ text }) =>
      text.includes(`: ${ref}`),
    );
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no mail of ${ref} came to ${address} within ${MAIL_TIMEOUT} ms`);
}

/** Replaces the directory of the deployment. @throws if there is no control or it refuses */
export async function applyDirectory(directory: object): Promise<void> {
  if (directoryControl === undefined) throw new Error('the deployment has no directory control');
  await putDirectory(directoryControl, directory);
}

function onlyUrl(text: string): string {
  const urls = text.match(/https?:\/\/\S+/g) ?? [];
  const [url] = urls;
  if (url === undefined || urls.length !== 1)
    throw new Error(`the text part has ${urls.length} URLs`);
  return url;
}
