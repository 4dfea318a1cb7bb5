/**
 * Every page that somebody may see, held against axe, on the screen of a small phone, by day and by
 * night.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lookUpTexts } from '../../lambdas/ciba/words/catalogue.ts';
import { notices } from '../../lambdas/ciba/words/texts.ts';
import { noticePage } from '../../lambdas/endpoints/approval-page.ts';
import { type Acknowledgement, start } from '../black-box/consumption-device.ts';
import { issuer, mailOf } from '../black-box/deployment.ts';
import { clients, users } from '../black-box/directory.ts';
import { demo, inspect, launch } from './browser.ts';

const user = users.pages;

let browser: Browser;
let short: Acknowledgement;
beforeAll(async () => {
  // It ends while the other cases run.
  short = await start(clients.basic, user.username, { requested_expiry: '10' });
  browser = await launch();
});
afterAll(() => browser?.close());

async function linkOf({ ref }: Acknowledgement): Promise<string> {
  return (await mailOf(user.email, ref)).link;
}

async function newLink(parameters: Record<string, string> = {}): Promise<string> {
  return linkOf(await start(clients.basic, user.username, parameters));
}

async function newCodedLink(): Promise<string> {
  return linkOf(await start(clients.coded, user.username, { binding_message: 'PX-4711' }));
}

async function typeCodes(page: Page, codes: string[]): Promise<void> {
  await visit(page, await newCodedLink());
  for (const code of codes) {
    await page.getByRole('textbox').fill(code);
    await decide(page, 'approve');
  }
}

async function decide(page: Page, decision: string): Promise<void> {
  await page.locator(`button[value=${decision}]`).click();
  await page.waitForLoadState();
}

/** Makes the form one that is not ours any more. */
async function spoil(page: Page, selector: string): Promise<void> {
  await page.evaluate(`document.querySelector('${selector}').value = 'spoiled'`);
}

/** How each page comes about, and its status. */
const pages: [name: string, status: number, open: (page: Page) => Promise<void>][] = [
  ['the pump', 200, (page) => visit(page, demo.url)],
  ['the issuer', 200, (page) => visit(page, issuer)],
  ['a request without a message', 200, async (page) => visit(page, await newLink())],
  [
    'a request that says a lot',
    200,
    async (page) => {
      const scope = 'openid profile email offline_access payments:read';
      const binding_message = 'M'.repeat(64);
      await visit(page, await newLink({ scope, binding_message }));
    },
  ],
  ['an approval', 200, async (page) => visit(page, await newLink(), 'approve')],
  ['a denial', 200, async (page) => visit(page, await newLink(), 'deny')],
  [
    'what is approved already',
    409,
    async (page) => {
      const link = await newLink();
      await visit(page, link, 'approve');
      await visit(page, link);
    },
  ],
  [
    'what is denied already',
    409,
    async (page) => {
      const link = await newLink();
      await visit(page, link, 'deny');
      await visit(page, link);
    },
  ],
  ['a request with a code', 200, async (page) => visit(page, await newCodedLink())],
  [
    'a code that is missing',
    400,
    async (page) => {
      await visit(page, await newCodedLink());
      // A browser does not send the form without it.
      await page.evaluate(`document.querySelector('form').noValidate = true`);
      await decide(page, 'approve');
    },
  ],
  ['a code that is wrong', 400, async (page) => typeCodes(page, ['PX-4712'])],
  ['a code that is wrong again', 400, async (page) => typeCodes(page, ['PX-4712', '4711'])],
  ['three wrong codes', 400, async (page) => typeCodes(page, ['1', '2', '3'])],
  ['a code that is right', 200, async (page) => typeCodes(page, ['px-4711'])],
  ['a report', 200, async (page) => visit(page, await newLink(), 'report')],
  ['a link that is none', 404, (page) => visit(page, `${issuer}/approve/x`)],
  [
    'a form that is not ours',
    403,
    async (page) => {
      await visit(page, await newLink());
      await spoil(page, 'input[type=hidden]');
      await decide(page, 'approve');
    },
  ],
  [
    'an answer that is none',
    400,
    async (page) => {
      await visit(page, await newLink());
      await spoil(page, 'button[value=deny]');
      await decide(page, 'spoiled');
    },
  ],
  [
    'a request that has ended',
    410,
    async (page) => {
      const link = await linkOf(short);
      await expect.poll(async () => (await fetch(link)).status, { timeout: 120_000 }).toBe(410);
      await visit(page, link);
    },
  ],
];

async function visit(page: Page, address: string, decision?: string): Promise<void> {
  await page.goto(address);
  if (decision !== undefined) await decide(page, decision);
}

it.each(pages)('%s is a page (%i) that everybody can use', async (name, status, open) => {
  const context = await browser.newContext({ viewport: { width: 360, height: 640 } });
  try {
    const page = await context.newPage();
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.request().isNavigationRequest()) statuses.push(response.status());
    });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
    });
    await open(page);
    expect(statuses.at(-1)).toBe(status);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    await inspect(page, `page-${name.replaceAll(' ', '-')}`);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
});

it.each(['de', 'es', 'fr', 'ja'])('a code that is wrong is a page in %s', async (locale) => {
  const context = await browser.newContext({ locale, viewport: { width: 360, height: 640 } });
  try {
    const page = await context.newPage();
    await typeCodes(page, ['PX-4712']);
    expect(await page.locator('html').getAttribute('lang')).toBe(locale);
    await inspect(page, `page-a-code-that-is-wrong-${locale}`);
  } finally {
    await context.close();
  }
});

it('every notice is a page that everybody can use, also of what hardly ever happens', async () => {
  const context = await browser.newContext({ viewport: { width: 360, height: 640 } });
  try {
    const page = await context.newPage();
    for (const notice of notices) {
      await page.setContent(noticePage(lookUpTexts(['en']), notice).html);
      await inspect(page, `notice-${notice}`);
    }
  } finally {
    await context.close();
  }
});

it('T11: no page may show the approval page inside itself', async () => {
  const link = await newLink();
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    // A page of the same machine: what comes from elsewhere may not frame localhost anyway.
    await page.goto(`${demo.inbox}/store`);
    const loaded = page.waitForEvent('framenavigated');
    await page.evaluate(`document.body.innerHTML = '<iframe src="${link}"></iframe>'`);
    await loaded;
    const [, framed] = page.frames();
    expect(await framed?.locator('button').count()).toBe(0);
    expect(framed?.url()).toMatch(/^chrome-error:/);
  } finally {
    await context.close();
  }
});
