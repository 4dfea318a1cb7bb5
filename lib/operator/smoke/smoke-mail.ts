/**
 * The authentication device of the smoke flow: finds the mail of a request and submits the form of
 * its page.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { describe, readJson, request, Unexpected } from './smoke-http.ts';

const store = z.object({
  emails: z.array(z.object({ body: z.object({ text: z.string() }) })),
});

/** How long a mail may take to come, in milliseconds. */
const MAIL_MILLISECONDS = 30_000;

const PAUSE_MILLISECONDS = 250;

/**
 * The link in the mail of this request.
 * @throws Unexpected if no mail comes in time, or one without exactly one URL
 */
export async function awaitLink(mailStore: string, ref: string): Promise<string> {
  const end = Date.now() + MAIL_MILLISECONDS;
  while (Date.now() < end) {
    const answer = await request(mailStore);
    const { emails } = readJson(answer, store, { status: 200, what: 'a list of emails' });
    const mail = emails.find(({ body }) => body.text.includes(ref));
    if (mail) return onlyUrl(mail.body.text);
    await sleep(PAUSE_MILLISECONDS);
  }
  throw new Unexpected(
    `a mail with Request ID ${ref} within ${MAIL_MILLISECONDS / 1000} s`,
    `none in ${mailStore}`,
  );
}

function onlyUrl(text: string): string {
  const urls = text.match(/https?:\/\/\S+/g) ?? [];
  const [url] = urls;
  if (url !== undefined && urls.length === 1) return url;
  throw new Unexpected('one URL in the text part of the mail', `${urls.length}`);
}

/**
 * Opens the link and submits every input of the page's form, with Approve pressed, as a browser
 * would. What it asks to be typed is the message that the consumption device shows.
 */
export async function approve(link: string, bindingMessage: string): Promise<void> {
  const page = await request(link);
  if (page.status !== 200 || !page.text.includes('<form method="post"')) {
    throw new Unexpected('200 and a page with a form', describe(page));
  }
  const body = new URLSearchParams([...hiddenInputs(page.text), ['decision', 'approve']]);
  if (page.text.includes(' name="code"')) body.set('code', bindingMessage);
  const decided = await request(link, { method: 'POST', body });
  if (decided.status !== 200) throw new Unexpected('200 for the decision', describe(decided));
}

function hiddenInputs(html: string): [string, string][] {
  const inputs = html.match(/<input type="hidden"[^>]*>/g) ?? [];
  return inputs.map((input) => [attribute(input, 'name'), attribute(input, 'value')]);
}

function attribute(tag: string, name: string): string {
  return new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
}
