/**
 * The deployment under test, as the black-box cases see it: a base URL and a way to read mail. Whoever starts the
 * suite provides it, so the same cases run against the local host, an emulator or an account.
 */
import { inject } from 'vitest';

/** What the suite is told about the deployment; it crosses process borders, so it is plain data. */
export interface DeploymentAddress {
  issuer: string;
  /** Lists the mails sent so far, as `{"emails":[…]}`. */
  mailStore: string;
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
}

/** How long a mail may take, in milliseconds: the flow starts after the acknowledgement. */
const MAIL_TIMEOUT = 10_000;

export const { issuer, mailStore } = inject('deployment');

/** Every mail to this address, the oldest first. */
export async function mailsTo(address: string): Promise<ReceivedMail[]> {
  const response = await fetch(mailStore);
  const { emails } = storeOf(await response.json());
  return emails
    .filter(({ destination }) => destination.to.includes(address))
    .map(({ from, subject, body }) => ({
      from,
      subject,
      text: body.text,
      html: body.html,
      link: onlyUrl(body.text),
    }));
}

/** The mail whose text names this request. */
export async function mailOf(address: string, ref: string): Promise<ReceivedMail> {
  const end = Date.now() + MAIL_TIMEOUT;
  while (Date.now() < end) {
    const found = (await mailsTo(address)).find(({ text }) => text.includes(`Request ID: ${ref}`));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no mail of ${ref} came to ${address} within ${MAIL_TIMEOUT} ms`);
}

function onlyUrl(text: string): string {
  const urls = text.match(/https?:\/\/\S+/g) ?? [];
  const [url] = urls;
  if (url === undefined || urls.length !== 1)
    throw new Error(`the text part has ${urls.length} URLs`);
  return url;
}

interface MailStore {
  emails: {
    from: string;
    subject: string;
    destination: { to: string[] };
    body: { text: string; html: string };
  }[];
}

function storeOf(value: unknown): MailStore {
  if (typeof value === 'object' && value !== null && 'emails' in value) return value as MailStore;
  throw new Error('the mail store answered in another form');
}
