/**
 * The pages of the demo: the pump by itself, and the story, which has the user's phone beside it.
 */
import type { Approval } from './pump.ts';
import type { Mail } from './read-inbox.ts';

/** What somebody has asked the pump for. */
export interface Sale {
  id: string;
  amount: string;
  user: string;
  /** Shown on the pump, for the user to compare or, if it is a code, to type. */
  bindingMessage: string;
  isCode: boolean;
  approval: Approval;
  isMailed: boolean;
  /** Known once the provider has acknowledged the request. */
  requestId?: string;
}

export type View = 'pump' | 'story';

/** What the pages are made of. */
export interface Scene {
  view: View;
  issuer: string;
  inbox: string;
  /** Who may be named, for suggestions. */
  users: string[];
  sale: Sale | undefined;
  /** The newest first. */
  mails: Mail[];
}

export const amounts = ['20.00', '35.00', '52.30', '80.00'];

/** The address of a view, with the sale that it shows. */
export function addressOf(view: View, sale: string | undefined): string {
  const path = view === 'story' ? '/story' : '/';
  return sale === undefined ? path : `${path}?sale=${sale}`;
}

/** The parts of a page that change while somebody looks on, by the id of their element. */
export function liveParts(scene: Scene): Record<string, string> {
  const { view, sale } = scene;
  return {
    ...(sale && { headline: headline(sale), steps: steps(sale) }),
    // Apart, so that a mail to somebody else does not load the one that is being read again.
    ...(view === 'story' && { phone: phone(scene), inbox: inboxLink(scene) }),
  };
}

/**
 * A whole page. `mistake` is what was wrong with the form; `newSale` is the id that the next sale
 * gets.
 */
export function page(scene: Scene, { mistake, newSale }: Blank): string {
  const { view, sale } = scene;
  const pump = pumpPanel(scene, { mistake, newSale });
  const events = `/events?view=${view}${sale ? `&sale=${sale.id}` : ''}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${sale ? `${titleOf(sale)} – ` : ''}Fuel &amp; Go, Pump 4</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/demo.css">
<script src="/demo.js" defer></script>
</head>
<body data-events="${events}">
${view === 'story' ? storyOf(pump, scene) : `<main class="alone">\n${pump}\n${aboutPump}\n</main>`}
</body>
</html>
`;
}

interface Blank {
  mistake?: string | undefined;
  newSale: string;
}

const aboutPump = `<p class="about">This is a demo: an ordinary client of the OpenID Provider, which never sees a password.
<a href="/story">See the phone beside it</a></p>`;

function storyOf(pump: string, scene: Scene): string {
  const { issuer, inbox } = scene;
  return `<main class="story">
<header>
<h1>Pay at the pump, say yes on your phone</h1>
<p>The pump has no keyboard to trust with a password. So it only <em>names</em> who pays, and that person decides, on a device of their own.</p>
</header>
<section class="side" aria-labelledby="at-pump">
<h2 id="at-pump"><span class="number">1</span> At the pump</h2>
<p class="caption">Choose an amount and say who pays. Then watch the pump wait.</p>
${pump}
</section>
<section class="side" aria-labelledby="on-phone">
<h2 id="on-phone"><span class="number">2</span> On the phone</h2>
<p class="caption">Read the mail, open its link, compare the message or type the code, decide. The pump goes on by itself.</p>
<div class="phone"><div class="screen">
<div id="phone">
${phone(scene)}
</div>
<p class="hint" id="inbox">${inboxLink(scene)}</p>
</div></div>
</section>
<footer>
<p>The mail is the real one, from the <a href="${escapeHtml(inbox)}">inbox</a> of this machine. The page behind its link opens in a window of
its own, because no other page may show it inside itself: that would let an impostor trick people into pressing its buttons.</p>
<p>The standard for this is CIBA, Client-Initiated Backchannel Authentication. <a href="${escapeHtml(issuer)}/">For client developers</a></p>
</footer>
</main>`;
}

function pumpPanel(scene: Scene, blank: Blank): string {
  const { view, sale } = scene;
  const level = view === 'story' ? 'h3' : 'h1';
  return `<div class="pump">
<${level} class="brand"><span>Fuel &amp; Go</span> <span class="badge">Pump 4</span></${level}>
${sale ? saleOf(view, sale) : form(scene, blank)}
</div>`;
}

function form({ view, users }: Scene, { mistake, newSale }: Blank): string {
  const choices = amounts.map(
    (amount, index) =>
      `<label class="amount"><input type="radio" name="amount" value="${amount}"${index === 2 ? ' checked' : ''}><span>${amount} €</span></label>`,
  );
  const [first = ''] = users;
  return `<form method="post" action="/">
${mistake === undefined ? '' : `<p class="mistake" role="alert">${escapeHtml(mistake)}</p>\n`}<fieldset>
<legend>How much?</legend>
<div class="amounts">
${choices.join('\n')}
</div>
</fieldset>
<label class="user" for="user">Who pays?</label>
<input id="user" name="user" value="${escapeHtml(first)}" list="users" required maxlength="100" autocapitalize="none" autocomplete="off" spellcheck="false" aria-describedby="who">
<datalist id="users">${users.map((user) => `<option value="${escapeHtml(user)}">`).join('')}</datalist>
<p class="hint" id="who">${whoCan(users)}</p>
<label class="code"><input type="checkbox" name="code" value="yes" aria-describedby="code-hint"> Have a code typed on the phone</label>
<p class="hint" id="code-hint">Then the mail alone is not enough: whoever approves has to see this pump.</p>
<input type="hidden" name="view" value="${view}">
<input type="hidden" name="sale" value="${newSale}">
<button type="submit">Ask for approval</button>
</form>`;
}

function whoCan(users: string[]): string {
  if (users.length === 0) return 'A user name of the directory.';
  const some = users.slice(0, 3);
  return `For instance ${some.map((user) => `<b>${escapeHtml(user)}</b>`).join(' or ')}. Try a stranger, too.`;
}

function saleOf(view: View, sale: Sale): string {
  return `<p class="display"><span class="digits">${sale.amount}</span> EUR<span class="label">${sale.isCode ? 'Code to type on the phone' : 'Message to compare'}</span><strong class="message${sale.isCode ? ' typed' : ''}">${escapeHtml(sale.bindingMessage)}</strong></p>
<div id="headline" role="status">${headline(sale)}</div>
<div id="steps">${steps(sale)}</div>
<noscript><p><a class="button" href="${addressOf(view, sale.id)}">Look again</a></p></noscript>
<p><a class="button quiet" href="${addressOf(view, undefined)}">Start again</a></p>`;
}

function titleOf({ approval, user }: Sale): string {
  switch (approval.step) {
    case 'asking':
    case 'waiting':
      return `Waiting for ${escapeHtml(user)}`;
    case 'approved':
      return 'Approved';
    case 'denied':
      return 'Denied';
    case 'expired':
      return 'Too late';
    case 'failed':
      return 'Not possible';
  }
}

/** One line, which screen readers say when it changes. */
function headline(sale: Sale): string {
  const { approval } = sale;
  const what = `<p class="headline ${approval.step}">${titleOf(sale)}</p>`;
  switch (approval.step) {
    case 'asking':
    case 'waiting':
      return `${what}<p>${sale.isCode ? 'Type the code of this pump on the phone.' : 'The phone must show the same message as this pump.'}</p>`;
    case 'approved':
      return `${what}<p>Thank you, ${escapeHtml(nameOf(approval.claims))}. Please fill up.</p>`;
    case 'denied':
      return `${what}<p>${escapeHtml(sale.user)} said no${sale.isCode ? ', or the code was wrong three times' : ''}. The pump stays locked.</p>`;
    case 'expired':
      return `${what}<p>Nobody decided in time. The pump stays locked.</p>`;
    case 'failed':
      return `${what}<p>${escapeHtml(approval.reason)}</p>${correlation(approval.correlationId)}`;
  }
}

function nameOf(claims: Record<string, unknown>): string {
  return String(claims['name'] ?? claims['preferred_username'] ?? claims['sub']);
}

function correlation(id: string | undefined): string {
  return id === undefined
    ? ''
    : `<p class="hint">If you ask the operator, say: correlation ID <code>${escapeHtml(id)}</code></p>`;
}

/** What has happened, what is happening, and what is to come. */
function steps(sale: Sale): string {
  const { approval, isMailed } = sale;
  if (approval.step === 'failed') return '';
  const asked = approval.step !== 'asking';
  const decided = asked && approval.step !== 'waiting';
  const interval = approval.step === 'waiting' ? `, every ${approval.interval} s or slower` : '';
  const user = escapeHtml(sale.user);
  return `<ol class="steps">
${step(asked ? 'done' : 'now', 'Asked the provider')}
${step(isMailed || decided ? 'done' : asked ? 'now' : 'later', `Mail sent to ${user}`)}
${step(decided ? 'done' : isMailed ? 'now' : 'later', `Polling until ${user} decides${interval}`)}
${step(decided ? 'done' : 'later', decided ? titleOf(sale) : 'A decision')}
</ol>
${timeLeft(approval)}${received(approval)}`;
}

function step(state: 'done' | 'now' | 'later', text: string): string {
  const spoken = { done: 'Done: ', now: 'Now: ', later: 'To come: ' }[state];
  return `<li class="${state}"><span class="spoken">${spoken}</span>${text}</li>`;
}

/** The script makes it run; without script there is nothing to see. */
function timeLeft(approval: Approval): string {
  if (approval.step !== 'waiting') return '';
  return `<progress hidden aria-label="Time left" max="${approval.expiresIn}" data-ends="${approval.expiresAt}"></progress>`;
}

const claimLabels: [claim: string, label: string][] = [
  ['name', 'Name'],
  ['preferred_username', 'User name'],
  ['email', 'E-mail'],
  ['sub', 'Subject'],
  ['auth_time', 'Approved at'],
  ['amr', 'By means of'],
];

/** The claims of the ID Token: the most telling in words, all of them as they came. */
function received(approval: Approval): string {
  if (approval.step !== 'approved') return '';
  const { claims } = approval;
  const told = claimLabels
    .filter(([claim]) => claims[claim] !== undefined)
    .map(([claim, label]) => `<dt>${label}</dt><dd>${escapeHtml(show(claim, claims[claim]))}</dd>`);
  return `<p class="received">What the pump was told:</p>
<dl>
${told.join('\n')}
</dl>
<details><summary>The ID Token, verified</summary><pre tabindex="0"><code>${escapeHtml(JSON.stringify(claims, null, 2))}</code></pre></details>`;
}

function show(claim: string, value: unknown): string {
  if (claim === 'auth_time') return clock(Number(value) * 1000);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** The mail of the sale; while there is none to show, what to do. */
function phone({ mails, sale }: Scene): string {
  const mail = sale && mails.find((one) => isMailOf(one, sale));
  if (!sale) return '<p class="empty">No mail yet. Ask at the pump first.</p>';
  if (!mail) return `<p class="empty">${emptyInbox(sale)}</p>`;
  const open = mail.link
    ? `<a class="button quiet" data-phone href="${escapeHtml(mail.link)}" target="_blank" rel="noopener">Open the link in a phone-sized window</a>`
    : '';
  return `<p class="envelope"><b>${escapeHtml(mail.subject)}</b><span>to ${escapeHtml(mail.to)}, ${clock(mail.at)}</span></p>
<iframe src="/mail?id=${encodeURIComponent(mail.id)}" title="The mail to ${escapeHtml(mail.to)}"></iframe>
${open}`;
}

function inboxLink({ inbox, mails }: Scene): string {
  return `<a href="${escapeHtml(inbox)}">All mails of the inbox: ${mails.length}</a>`;
}

function emptyInbox({ approval }: Sale): string {
  return approval.step === 'failed' ? 'Nobody was asked.' : 'The mail is on its way …';
}

/** Whether a mail asks for this sale: it names its request. */
export function isMailOf({ text }: Mail, { requestId }: Sale): boolean {
  return requestId !== undefined && text.includes(requestId);
}

/** The demo runs on the reader's machine, so its clock is the reader's. */
function clock(milliseconds: number): string {
  return new Date(milliseconds).toTimeString().slice(0, 8);
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text of others as HTML shows it. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
