/**
 * The pages of the approval endpoint: static HTML without third party (threats T11, T12). One
 * script, allowed by its hash, counts down; every page says and does the same without it.
 */
import type { AuthenticationRequest, Decision } from '../ciba/request/authentication-request.ts';
import { confirmationLevel, shownMessage, TYPED_LENGTH } from '../ciba/request/confirmation.ts';
import { escapeHtml, noDetection } from '../ciba/words/html.ts';
import {
  describeOthers,
  describeScope,
  describeSpan,
  describeTime,
  type Notice,
  type Texts,
} from '../ciba/words/texts.ts';
import { responseHeaders } from '../http/response-headers.ts';
import { contentSecurityPolicy } from './content-security-policy.ts';

const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#565f6d;--line:#d3d8df;--ground:#eef0f3;--card:#fff;--accent:#1f5fbf;--accent-ink:#fff;--box:#f2f6fd;--good:#17703b;--bad:#a3262e}
@media (prefers-color-scheme:dark){:root{--ink:#f1f3f6;--soft:#b3bcc9;--line:#3a4350;--ground:#14171c;--card:#1f242c;--accent:#7fb0ff;--accent-ink:#0d1726;--box:#18263d;--good:#7fd6a0;--bad:#ff9d9d}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;padding:1rem .75rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:28rem;margin:0 auto;padding:1.5rem 1.25rem;background:var(--card);border:1px solid var(--line);border-radius:1rem}
header{display:flex;gap:.9rem;align-items:center}
.mark{flex:none;width:3rem;height:3rem;border-radius:.8rem;background:var(--box);border:1px solid var(--accent);color:var(--accent);font-size:1.4rem;font-weight:700;line-height:2.9rem;text-align:center;overflow:hidden}
img.mark{padding:1px;background:#fff;border-color:var(--line);object-fit:contain}
h1{margin:0;font-size:1.3rem;line-height:1.3;overflow-wrap:anywhere}
h2{margin:1.25rem 0 .25rem;font-size:1rem;line-height:1.4;overflow-wrap:anywhere}
p{margin:.75rem 0;overflow-wrap:anywhere}
@media (min-width:34rem){main{margin-top:4vh}}
.domain{margin:.15rem 0 0;color:var(--soft);font-size:.9rem;line-height:1.35}
.domain bdi{display:inline-block;max-width:100%;overflow-wrap:anywhere}
.others{padding:.6rem .9rem;border:1px solid var(--line);border-inline-start:4px solid var(--bad);border-radius:.4rem}
.message{margin:1rem 0;padding:.9rem 1rem;background:var(--box);border:2px solid var(--accent);border-radius:.75rem;text-align:center}
.message span{display:block;color:var(--soft);font-size:.9rem;line-height:1.4}
.message strong{display:block;white-space:pre-wrap;margin:.4rem 0;font-size:1.4rem;line-height:1.35;overflow-wrap:anywhere}
ul{margin:.25rem 0 1rem;padding-inline-start:1.25rem}
li{overflow-wrap:anywhere}
dl{margin:1rem 0;display:grid;grid-template-columns:fit-content(40%) 1fr;gap:.25rem 1rem;font-size:.9rem;line-height:1.4}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
form{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,8.5rem),1fr));gap:.75rem;margin-top:1.25rem}
button{min-height:3.25rem;padding:.5rem 1rem;font:inherit;font-weight:600;border-radius:.75rem;border:2px solid var(--ink);cursor:pointer;background:var(--ink);color:var(--card)}
button[value=approve]{background:var(--accent);border-color:var(--accent);color:var(--accent-ink)}
button[value=report]{grid-column:1/-1;min-height:2.75rem;background:transparent;border-color:var(--bad);color:var(--bad)}
:is(button,.code input):focus-visible{outline:3px solid var(--ink);outline-offset:3px}
.code{grid-column:1/-1;order:-2}
.code~[value=deny]{order:-1}
.code label{font-weight:600}
.code input{width:100%;min-height:3.25rem;margin:.4rem 0;padding:.5rem 1rem;font:inherit;font-size:1.4rem;text-align:center;color:var(--ink);background:var(--box);border:2px solid var(--accent);border-radius:.75rem}
.code p{margin:.25rem 0;font-size:.9rem;line-height:1.4}
#fault{color:var(--bad);font-weight:600}
.soft{color:var(--soft);font-size:.9rem}
.good{border-color:var(--good);color:var(--good)}
.bad{border-color:var(--bad);color:var(--bad)}
`;

/**
 * Counts the time that is left in the reader's language; it submits nothing, and at the end only
 * says so.
 */
const script = `
const left=document.querySelector('[data-left]')
const end=performance.now()+left.dataset.left*1e3
const unit=(n,unit)=>new Intl.NumberFormat(document.documentElement.lang,{style:'unit',unit,unitDisplay:'long'}).format(n)
const tick=()=>{
const s=Math.max(0,Math.ceil((end-performance.now())/1e3)),m=Math.floor(s/60)
const span=[m&&unit(m,'minute'),s%60&&unit(s%60,'second')].filter(Boolean).join(' ')
left.textContent=s?left.dataset.in.replace('%',()=>span):left.dataset.over
if(s)setTimeout(tick,500)
}
tick()
`;

const policy = contentSecurityPolicy(style, { script });
const policyWithLogo = contentSecurityPolicy(style, { script, hasImages: true });

/** A page and the language it is in. */
export interface Page {
  html: string;
  locale: string;
  hasLogo?: boolean;
}

/** A page as an answer; without one (OPTIONS) an answer without body. */
export function pageResponse(
  issuer: string,
  status: number,
  page: Page | undefined,
  more: Record<string, string> = {},
): Response {
  const language = page && { 'Content-Language': page.locale };
  return new Response(page?.html ?? null, {
    status,
    headers: {
      ...responseHeaders('approval', status, issuer),
      ...(page?.hasLogo ? policyWithLogo : policy),
      ...language,
      ...more,
    },
  });
}

/** What was wrong with a code, and how many tries there still are. */
export type CodeFault = { reason: 'missing' } | { reason: 'wrong'; left: number };

/** Everything the page shows is stored data of this one request and its client's registration. */
interface DecisionPage {
  request: AuthenticationRequest;
  clientName: string;
  /** When other requests were made that wait for the same user. */
  others: readonly number[];
  /** The domain of the client's home page, if it registered one; shown, never linked. */
  domain: string | undefined;
  /** The path of the client's logo, if it registered one. */
  logo: string | undefined;
  formToken: string;
  /** Why the approval that was sent before did not count, if its code was none. */
  codeFault?: CodeFault | undefined;
  /** Epoch seconds. */
  now: number;
}

/**
 * The page that asks. Deny comes first and is as prominent as Approve (RFC 10027); neither is a
 * default, unless a code was typed.
 */
export function decisionPage(
  texts: Texts,
  { request, others, clientName, domain, logo, formToken, codeFault, now }: DecisionPage,
): Page {
  const name = escapeHtml(clientName);
  const withName = (text: (name: string) => string) => escapeAround(text, `<bdi>${name}</bdi>`);
  const scopes = describeScope(texts, request.scope);
  const page = document(
    texts,
    escapeAround(texts.asksForApproval, name),
    `<header>
${clientMark(clientName, logo)}
<div><h1>${withName(texts.asksForApproval)}</h1>${domainLine(texts, domain)}</div>
</header>
<p>${withName(texts.onlyIfYou)}</p>
${othersLine(texts, others)}${bindingMessageBox(texts, shownMessage(request))}
<h2>${withName(texts.ifYouApprove)}</h2>
<ul>
${scopes.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join('\n')}
</ul>
<dl>
<dt>${escapeHtml(texts.asked)}</dt><dd>${time(request.createdAt)}, ${escapeHtml(ago(texts, now - request.createdAt))}</dd>
<dt>${escapeHtml(texts.ends)}</dt><dd>${time(request.expiresAt)}, ${countdown(texts, request.expiresAt - now)}</dd>
<dt>${escapeHtml(texts.requestId)}</dt><dd>${escapeHtml(request.ref)}</dd>
</dl>
<form method="post">
<input type="hidden" name="form_token" value="${escapeHtml(formToken)}">
${decisionControls(texts, request, codeFault)}
</form>
<p class="soft">${escapeHtml(texts.notYou)}</p>`,
    `<script>${script}</script>\n`,
  );
  return { ...page, hasLogo: logo !== undefined };
}

/**
 * Deny, Approve and the report; before them the field, where a code is asked for. The return key in
 * a field presses the first button there is, so that Approve comes first then, and Deny is put
 * before it where it is seen.
 */
function decisionControls(
  texts: Texts,
  request: AuthenticationRequest,
  codeFault: CodeFault | undefined,
): string {
  const button = (decision: Decision, label: string, more = '') =>
    `<button type="submit" name="decision" value="${decision}"${more}>${escapeHtml(label)}</button>`;
  const approve = button('approve', texts.approve);
  if (confirmationLevel(request) === 'link') {
    return [button('deny', texts.deny), approve, button('report', texts.report)].join('\n');
  }
  // Whoever says no needs no code.
  const codeless = ' formnovalidate';
  return [
    codeField(texts, codeFault),
    approve,
    button('deny', texts.deny, codeless),
    button('report', texts.report, codeless),
  ].join('\n');
}

/** What stands for the name while a text around it is escaped: no text and no name holds it. */
const NAME_HERE = '\u0000';

/** A text with a name in it as HTML: the text escaped, and the name as the HTML it is. */
function escapeAround(text: (name: string) => string, nameHtml: string): string {
  return escapeHtml(text(NAME_HERE)).split(NAME_HERE).join(nameHtml);
}

/**
 * The client's logo, or else its initial. Either only decorates: who asks is said by the name and
 * the domain.
 */
function clientMark(clientName: string, logo: string | undefined): string {
  return logo === undefined
    ? `<div class="mark" aria-hidden="true">${escapeHtml(initialOf(clientName))}</div>`
    : `<img class="mark" src="${escapeHtml(logo)}" alt="" width="48" height="48">`;
}

/**
 * The first character of the name that is a letter or a digit, as readers see one; it only
 * decorates.
 */
function initialOf(clientName: string): string {
  const characters = Array.from(new Intl.Segmenter().segment(clientName), ({ segment }) => segment);
  return characters.find((one) => /[\p{L}\p{Nd}]/u.test(one))?.toUpperCase() ?? '';
}

function domainLine(texts: Texts, domain: string | undefined): string {
  if (domain === undefined) return '';
  return `<p class="domain">${escapeHtml(texts.domain)} <bdi>${escapeHtml(domain)}</bdi></p>`;
}

/**
 * How many others and from when, never what they say: another client's text has no place here
 * (threats T4).
 */
function othersLine(texts: Texts, others: readonly number[]): string {
  if (others.length === 0) return '';
  return `<p class="others">${escapeHtml(describeOthers(texts, others))}</p>\n`;
}

function bindingMessageBox(texts: Texts, bindingMessage: string | undefined): string {
  if (bindingMessage === undefined) return '';
  return `<div class="message"><span>${escapeHtml(texts.shownElsewhere)}</span><strong dir="auto">${escapeHtml(bindingMessage)}</strong><span>${escapeHtml(texts.elseDeny)}</span></div>`;
}

/**
 * Where the code is typed that is nowhere else on the page. What was wrong with one is said where
 * the cursor then stands, and read aloud.
 */
function codeField(texts: Texts, fault: CodeFault | undefined): string {
  const described = fault ? 'fault code-hint' : 'code-hint';
  const state = fault ? ' aria-invalid="true" autofocus' : '';
  return `<div class="code">
<label for="code">${escapeHtml(texts.code)}</label>
${fault ? `<p id="fault" role="alert">${escapeHtml(describeCodeFault(texts, fault))}</p>\n` : ''}<input id="code" name="code" type="text" required maxlength="${TYPED_LENGTH}" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" enterkeyhint="done" dir="auto" aria-describedby="${described}"${state}>
<p id="code-hint">${escapeHtml(texts.codeHint)}</p>
</div>`;
}

function describeCodeFault(texts: Texts, fault: CodeFault): string {
  return fault.reason === 'missing' ? texts.codeMissing : texts.codeWrong(fault.left);
}

/** An instant in a form that needs no knowledge of the reader's time zone. */
function time(epochSeconds: number): string {
  const iso = new Date(epochSeconds * 1000).toISOString();
  return `<time datetime="${iso}">${describeTime(epochSeconds)}</time>`;
}

function ago(texts: Texts, seconds: number): string {
  return seconds < 5 ? texts.justNow : texts.ago(describeSpan(texts, seconds));
}

/**
 * What is left, in words; the script keeps them true. A timer is read on demand, not aloud every
 * second.
 */
function countdown(texts: Texts, seconds: number): string {
  const data = `data-left="${Math.max(0, Math.floor(seconds))}" data-in="${escapeHtml(texts.inTime('%'))}" data-over="${escapeHtml(texts.over)}"`;
  return `<span role="timer" ${data}>${escapeHtml(texts.inTime(describeSpan(texts, seconds)))}</span>`;
}

/** What a notice looks like at a glance; its words say the same. */
const marks: Partial<Record<Notice, { mark: string; tone: string }>> = {
  approved: { mark: '✓', tone: 'good' },
  already_approved: { mark: '✓', tone: 'good' },
  denied: { mark: '✕', tone: 'bad' },
  reported: { mark: '✕', tone: 'bad' },
  denied_by_codes: { mark: '✕', tone: 'bad' },
  already_denied: { mark: '✕', tone: 'bad' },
};

/** A page that only tells. */
export function noticePage(texts: Texts, notice: Notice): Page {
  const { title, text } = texts.notices[notice];
  const { mark, tone } = marks[notice] ?? { mark: '!', tone: '' };
  return document(
    texts,
    escapeHtml(title),
    `<header>
<div class="mark ${tone}" aria-hidden="true">${mark}</div>
<h1>${escapeHtml(title)}</h1>
</header>
<p>${escapeHtml(text)}</p>`,
  );
}

function document({ locale, direction }: Texts, title: string, main: string, end = ''): Page {
  const html = `<!doctype html>
<html lang="${locale}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${noDetection}
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
${end}</body>
</html>
`;
  return { html, locale };
}
