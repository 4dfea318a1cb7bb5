/**
 * The pages of the approval endpoint: static HTML without script, image or third party, and the headers that keep them
 * from being framed, cached, referred to or submitted elsewhere (threats T11, T12).
 */
import type { AuthenticationRequest } from '../ciba/authentication-request.ts';
import { escapeHtml } from '../ciba/html.ts';
import { scopeValues } from '../ciba/scope.ts';
import { pageHeaders } from './page-headers.ts';

const style = `
:root{color-scheme:light dark;--ink:#17212b;--soft:#51606f;--line:#d5dce3;--ground:#eef1f4;--card:#fff;--accent:#0b5fff;--accent-ink:#fff;--box:#f3f6fa}
@media (prefers-color-scheme:dark){:root{--ink:#eef2f6;--soft:#a9b6c3;--line:#33404d;--ground:#0f151b;--card:#18212a;--accent:#6ea2ff;--accent-ink:#08131f;--box:#101820}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;padding:1.25rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;display:flex;align-items:flex-start;justify-content:center}
main{width:100%;max-width:27rem;margin-top:4vh;padding:1.75rem 1.5rem;background:var(--card);border:1px solid var(--line);border-radius:1rem}
h1{margin:0 0 .75rem;font-size:1.35rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:.75rem 0}
.message{margin:1.25rem 0;padding:.9rem 1rem;background:var(--box);border:2px solid var(--line);border-radius:.75rem}
.message span{display:block;color:var(--soft);font-size:.875rem}
.message strong{display:block;white-space:pre-wrap;margin-top:.2rem;font-size:1.3rem;line-height:1.35;overflow-wrap:anywhere}
ul{margin:.5rem 0 1.25rem;padding-left:1.25rem}
dl{margin:1.25rem 0;display:grid;grid-template-columns:auto 1fr;gap:.35rem 1rem;font-size:.9rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
form{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,8.5rem),1fr));gap:.75rem;margin-top:1.25rem}
button{min-height:3.25rem;padding:.5rem 1rem;font:inherit;font-weight:600;border-radius:.75rem;border:2px solid var(--accent);cursor:pointer}
button[value=deny]{background:var(--ink);border-color:var(--ink);color:var(--card)}
button[value=approve]{background:var(--accent);color:var(--accent-ink)}
button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
.soft{color:var(--soft);font-size:.9rem}
`;

const headers = pageHeaders(style);

/** A page as an answer; without HTML (OPTIONS) an answer without body. */
export function page(status: number, html: string, more: Record<string, string> = {}): Response {
  return new Response(html === '' ? null : html, { status, headers: { ...headers, ...more } });
}

/** Everything the page shows is stored data of this one request and its client's registered name. */
interface DecisionPage {
  request: AuthenticationRequest;
  clientName: string;
  formToken: string;
  /** Epoch seconds. */
  now: number;
}

/**
 * The page that asks. Deny comes first and is as prominent as Approve (RFC 10027); neither is a default, since no field
 * takes a return key.
 */
export function decisionPage({ request, clientName, formToken, now }: DecisionPage): string {
  const name = escapeHtml(clientName);
  return document(
    `${name} asks for your approval`,
    `<h1>${name} asks for your approval</h1>
<p>Approve only if you are the one using ${name} right now.</p>
${bindingMessageBox(request.bindingMessage)}
<p>If you approve, ${name} will be able to:</p>
<ul>
${scopeSentences(request.scope)
  .map((sentence) => `<li>${escapeHtml(sentence)}</li>`)
  .join('\n')}
</ul>
<dl>
<dt>Asked</dt><dd>${moment(request.createdAt)}, ${ago(now - request.createdAt)}</dd>
<dt>Ends</dt><dd>${moment(request.expiresAt)}, in ${span(request.expiresAt - now)}</dd>
<dt>Request ID</dt><dd>${escapeHtml(request.ref)}</dd>
</dl>
<form method="post">
<input type="hidden" name="form_token" value="${escapeHtml(formToken)}">
<button type="submit" name="decision" value="deny">Deny</button>
<button type="submit" name="decision" value="approve">Approve</button>
</form>
<p class="soft">If you did not start this, choose Deny. Nobody who calls or writes to you needs you to press Approve.</p>`,
  );
}

function bindingMessageBox(bindingMessage: string | undefined): string {
  if (bindingMessage === undefined) return '';
  return `<div class="message"><span>Shown on the other device. It must say exactly this:</span><strong dir="auto">${escapeHtml(bindingMessage)}</strong></div>`;
}

/** The scopes in words (OpenID Connect Core 5.4); others by their name, as the client's operator registered them. */
const scopeWords = new Map([
  ['openid', 'know that it is you'],
  ['profile', 'see your name, user name and language'],
  ['email', 'see your e-mail address'],
]);

function scopeSentences(scope: string): string[] {
  return scopeValues(scope).map((value) => scopeWords.get(value) ?? `use: ${value}`);
}

/** What there is to say when there is nothing to decide. */
export type Notice =
  | 'approved'
  | 'denied'
  | 'already_approved'
  | 'already_denied'
  | 'expired'
  | 'withdrawn'
  | 'unknown'
  | 'form'
  | 'decision'
  | 'method'
  | 'unavailable';

const notices: Record<Notice, { title: string; text: string }> = {
  approved: {
    title: 'Approved',
    text: 'The other device goes on by itself in a few seconds. You can close this page.',
  },
  denied: {
    title: 'Denied',
    text: 'Nothing was released. The other device is told that you said no. You can close this page.',
  },
  already_approved: {
    title: 'Already approved',
    text: 'This request was approved before. A link decides only once.',
  },
  already_denied: {
    title: 'Already denied',
    text: 'This request was denied before. A link decides only once.',
  },
  expired: {
    title: 'Too late',
    text: 'This request has ended and nothing was released. If you still want it, start again on the other device.',
  },
  withdrawn: {
    title: 'No longer valid',
    text: 'This request can no longer be approved, and nothing was released. If you still want it, start again on the other device.',
  },
  unknown: {
    title: 'Nothing here',
    text: 'This link belongs to no request. Open the link exactly as it stands in the mail.',
  },
  form: {
    title: 'Please open the link again',
    text: 'The page was open for too long or was not sent by us, so nothing was decided. Open the link in the mail again.',
  },
  decision: {
    title: 'Nothing was decided',
    text: 'The answer could not be read. Open the link in the mail again and choose Approve or Deny.',
  },
  method: {
    title: 'Nothing was decided',
    text: 'This address can only be opened in a browser.',
  },
  unavailable: {
    title: 'Please try again',
    text: 'Something on our side did not answer. Open the link again in a moment to see whether your decision counted.',
  },
};

/** A page that only tells. */
export function noticePage(notice: Notice): string {
  const { title, text } = notices[notice];
  return document(title, `<h1>${title}</h1>\n<p>${text}</p>`);
}

function document(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

/** An instant in a form that needs no knowledge of the reader's time zone. */
function moment(epochSeconds: number): string {
  const iso = new Date(epochSeconds * 1000).toISOString();
  return `<time datetime="${iso}">${iso.slice(11, 19)} UTC</time>`;
}

function ago(seconds: number): string {
  return seconds < 5 ? 'just now' : `${span(seconds)} ago`;
}

/** A span in the two units that matter. */
function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes === 0) return count(rest, 'second');
  return rest === 0
    ? count(minutes, 'minute')
    : `${count(minutes, 'minute')} ${count(rest, 'second')}`;
}

function count(amount: number, unit: string): string {
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}
