/**
 * The inbox of the local host, which plays the user's phone. A real pump sees no mail; the demo
 * shows it beside the pump so that one screen tells the whole story.
 */

/** A mail as it came. */
export interface Mail {
  /** Unique among the mails of the inbox. */
  id: string;
  from: string;
  to: string;
  subject: string;
  html: string;
  text: string;
  /** Epoch milliseconds. */
  at: number;
  /** The link of the approval page, which is the one URL of the text. */
  link: string | undefined;
}

/** Every mail, the newest first; none if the inbox does not answer. */
export async function readInbox(inbox: string, issuer: string): Promise<Mail[]> {
  const stored = await fetch(`${inbox}/store`)
    .then((response) => response.json())
    .catch(() => undefined);
  const { emails } = Object(stored);
  if (!Array.isArray(emails)) return [];
  return emails.map((email) => toMail(Object(email), issuer)).toReversed();
}

function toMail(email: Record<string, unknown>, issuer: string): Mail {
  const { text, html } = Object(email['body']);
  const [to] = Object(email['destination'])['to'] ?? [];
  const urls = String(text).match(/https?:\/\/\S+/g) ?? [];
  return {
    id: String(email['messageId']),
    from: String(email['from']),
    to: String(to),
    subject: String(email['subject']),
    html: String(html),
    text: String(text),
    // The inbox counts seconds.
    at: Number(email['at']) * 1000,
    link: urls.find((url) => url.startsWith(`${issuer}/`)),
  };
}
