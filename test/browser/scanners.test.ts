/**
 * T1: what mail scanners and link previews are known to do, done to a mail and its page, and what
 * became of the request. Leaves the table of the README in build/scanners.md.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide, open, submit } from '../black-box/authentication-device.ts';
import { poll, start } from '../black-box/consumption-device.ts';
import { mailOf, type ReceivedMail } from '../black-box/deployment.ts';
import { clients, type TestClient, users } from '../black-box/directory.ts';
import { launch } from './browser.ts';

const user = users.polls;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const agents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Microsoft Office/16.0 (Microsoft Outlook 16.0)',
  'Mozilla/5.0 (compatible; SafeLinks)',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Proofpoint URL Defense',
  'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  'facebookexternalhit/1.1',
  'curl/8.5.0',
];

async function storm(link: string, method: string): Promise<void> {
  const visits = Array.from({ length: 50 }, (_, index) => agents[index % agents.length] ?? '');
  await Promise.all(
    visits.map((agent) => open(link, { method, headers: { 'User-Agent': agent } })),
  );
}

async function prefetch(link: string): Promise<void> {
  for (const headers of [
    { 'Sec-Purpose': 'prefetch', Purpose: 'prefetch' },
    { 'Sec-Purpose': 'prefetch;prerender' },
    { 'X-Moz': 'prefetch' },
    { 'X-Purpose': 'preview' },
  ]) {
    await open(link, { headers: new Headers(Object.entries(headers)) });
  }
}

/** A submission by a robot that has not read the page, or makes its form up. */
async function postBlindly(link: string): Promise<void> {
  for (const body of ['', 'decision=approve', `form_token=${'A'.repeat(43)}&decision=approve`]) {
    await open(link, { method: 'POST', body: new URLSearchParams(body) });
  }
}

/** Runs a sandbox that loads everything and lets scripts and timers have their time. */
async function inSandbox(visit: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ userAgent: agents[1] ?? '' });
  try {
    await visit(await context.newPage());
  } finally {
    await context.close();
  }
}

async function loadAndWait(page: Page, link: string): Promise<void> {
  await page.goto(link, { waitUntil: 'networkidle' });
  await page.mouse.move(100, 100);
  await page.mouse.wheel(0, 2000);
  // Scanners wait for what a page does by itself.
  await page.waitForTimeout(2000);
}

/** Opens the mail as it is, then each of its links in turn. */
async function followEveryLink(page: Page, { html }: ReceivedMail): Promise<void> {
  await page.setContent(html, { waitUntil: 'networkidle' });
  const links = await page.getByRole('link').all();
  const targets = await Promise.all(links.map((link) => link.getAttribute('href')));
  for (const target of targets) {
    await page.goto(target ?? '', { waitUntil: 'networkidle' });
    for (const onward of await page.getByRole('link').all()) await onward.click();
  }
}

async function pressFirstButton(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole('button').first().click();
  await page.waitForLoadState();
}

/**
 * As often as somebody who is not sure that it was pressed; where the page has a field, the browser
 * does not let it go.
 */
async function pressApprove(page: Page, link: string): Promise<void> {
  await page.goto(link);
  const approve = page.locator('button[value=approve]');
  for (let press = 0; press < 5 && (await approve.count()) > 0; press += 1) {
    await approve.click();
    await page.waitForTimeout(200);
  }
}

/** What sandboxes put into fields that they know nothing of. */
async function fillAndPress(page: Page, link: string, times: number): Promise<void> {
  await page.goto(link);
  for (let press = 0; press < times; press += 1) {
    for (const field of await page.getByRole('textbox').all()) await field.fill('test1234');
    await page.locator('button[value=approve]').click();
    await page.waitForLoadState();
  }
}

async function pressEnter(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.keyboard.press('Enter');
  await page.waitForTimeout(500);
}

type Outcome = 'pending' | 'approved' | 'denied';

/** What is done, and what it leaves of a request at level link and at level code. */
type Behaviour = [
  what: string,
  outcomes: [link: Outcome, code: Outcome],
  scan: (mail: ReceivedMail) => Promise<void>,
];

const behaviours: Behaviour[] = [
  [
    'opens the link 50 times at once, with the agents of seven scanners',
    ['pending', 'pending'],
    ({ link }) => storm(link, 'GET'),
  ],
  [
    'asks 50 times with HEAD, as Outlook does first',
    ['pending', 'pending'],
    ({ link }) => storm(link, 'HEAD'),
  ],
  ['asks with OPTIONS', ['pending', 'pending'], ({ link }) => storm(link, 'OPTIONS')],
  ['prefetches or prerenders the link', ['pending', 'pending'], ({ link }) => prefetch(link)],
  [
    'adds a decision to the link',
    ['pending', 'pending'],
    async ({ link }) => void (await open(`${link}?decision=approve`)),
  ],
  [
    'posts to the link without having read the page, or with a form that it made up',
    ['pending', 'pending'],
    ({ link }) => postBlindly(link),
  ],
  [
    'loads the page in a browser, runs everything, scrolls and waits',
    ['pending', 'pending'],
    ({ link }) => inSandbox((page) => loadAndWait(page, link)),
  ],
  [
    'follows every link of the mail, and every link of the page behind it',
    ['pending', 'pending'],
    (mail) => inSandbox((page) => followEveryLink(page, mail)),
  ],
  [
    'presses Enter on the page',
    ['pending', 'pending'],
    ({ link }) => inSandbox((page) => pressEnter(page, link)),
  ],
  [
    'presses the first button of the page',
    ['denied', 'pending'],
    ({ link }) => inSandbox((page) => pressFirstButton(page, link)),
  ],
  [
    'presses “Approve”, again and again',
    ['approved', 'pending'],
    ({ link }) => inSandbox((page) => pressApprove(page, link)),
  ],
  [
    'reads the page and submits its form with “approve”, as a person does',
    ['approved', 'pending'],
    async ({ link }) => void (await decide(link, 'approve')),
  ],
  [
    'fills in whatever there is to fill in, and presses “Approve”',
    ['approved', 'pending'],
    ({ link }) => inSandbox((page) => fillAndPress(page, link, 1)),
  ],
];

const levels = [
  { level: 'link', client: clients.basic, at: 0 },
  { level: 'code', client: clients.coded, at: 1 },
] as const;

const CODE = 'PX-4711';
const found = new Map<string, string[]>();

describe.each(levels)('at level $level', ({ client, at }) => {
  it.each(behaviours)('a scanner that %s leaves the request %s', async (what, outcomes, scan) => {
    const { authReqId, ref } = await start(client, user.username, { binding_message: CODE });
    const mail = await mailOf(user.email, ref);
    await scan(mail);
    const left = await outcomeOf(client, authReqId);
    const told = left === 'pending' ? 'pending; the link still works' : `**${left}**`;
    found.set(what, [...(found.get(what) ?? []), told]);
    expect(left).toBe(outcomes[at]);
    if (left !== 'pending') return;
    const approved = await submit(mail.link, await open(mail.link), 'approve', {}, { code: CODE });
    expect(approved.status).toBe(200);
    expect(await outcomeOf(client, authReqId)).toBe('approved');
  });
});

it('a scanner that guesses codes denies the request with the third, and approves nothing', async () => {
  const { authReqId, ref } = await start(clients.coded, user.username, { binding_message: CODE });
  const { link } = await mailOf(user.email, ref);
  await inSandbox((page) => fillAndPress(page, link, 3));
  expect(await outcomeOf(clients.coded, authReqId)).toBe('denied');
});

/** What the client learns. */
async function outcomeOf(client: TestClient, authReqId: string): Promise<Outcome> {
  const { status, body } = await poll(client, authReqId);
  if (status === 200) return 'approved';
  return body['error'] === 'access_denied' ? 'denied' : 'pending';
}

it('a mail loads nothing from anywhere when it is shown', async () => {
  const { ref } = await start(clients.basic, user.username);
  const { html } = await mailOf(user.email, ref);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.setContent(html, { waitUntil: 'networkidle' });
    expect(requested).toEqual([]);
  } finally {
    await context.close();
  }
});

afterAll(async () => {
  await mkdir('build', { recursive: true });
  const head = [
    '| a scanner that … | at level *link* leaves it | at level *code* |',
    '|---|---|---|',
  ];
  const rows = [...found].map(([what, outcomes]) => `| ${what} | ${outcomes.join(' | ')} |`);
  const table = [...head, ...rows].join('\n');
  await writeFile('build/scanners.md', `${table}\n`);
});
