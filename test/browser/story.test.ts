/**
 * The whole story as a person clicks through it: at the pump, in the mail, on the approval page,
 * and at the pump again.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { demo, expectNoSidewaysScroll, inspect, launch, screens } from './browser.ts';

/** A poll may be eight seconds away, and its answer takes a moment. */
const NEXT_POLL = { timeout: 120_000 };

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

async function within(
  options: Parameters<Browser['newContext']>[0],
  play: (context: BrowserContext) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    await play(context);
  } finally {
    await context.close();
  }
}

async function ask(page: Page, user: string, amount = '52.30'): Promise<void> {
  await page.getByRole('radio', { name: amount }).check();
  await page.getByRole('textbox', { name: 'Who pays?' }).or(page.getByRole('combobox')).fill(user);
  await page.getByRole('button', { name: 'Ask for approval' }).click();
}

/** Follows the mail's own button, which opens the approval page beside the story. */
async function openMail(context: BrowserContext, page: Page, user: string): Promise<Page> {
  const frame = page.getByTitle(`The mail to ${user}`);
  // The frame of an earlier mail may give way to this one's in between.
  await eventually(() => frame.scrollIntoViewIfNeeded());
  const [approval] = await Promise.all([
    context.waitForEvent('page'),
    // No click: a frame that was out of sight paints, and so holds still for one, when it likes.
    frame.contentFrame().getByRole('link').first().press('Enter'),
  ]);
  await approval.waitForLoadState();
  return approval;
}

const decisionButton = (page: Page, decision: 'approve' | 'deny') =>
  page.locator(`button[name=decision][value=${decision}]`);

describe.each(screens)('on a $name', ({ name, ...options }) => {
  it('the pump asks, the mail comes, the page shows the same message, and the pump gets the claims', () =>
    within(options, async (context) => {
      const page = await context.newPage();
      await page.goto(`${demo.url}/story`);
      await inspect(page, `${name}-1-story`);

      await ask(page, 'alice');
      await page.getByTitle('The mail to alice').waitFor();
      expect(await page.getByRole('status').textContent()).toContain('Waiting for alice');
      expect(await page.locator('.message').textContent()).toBe('52.30 EUR at pump 4');
      await inspect(page, `${name}-2-waiting`);

      const approval = await openMail(context, page, 'alice');
      expect(await approval.locator('main').textContent()).toContain('52.30 EUR at pump 4');
      // The logo of the example's pump, which the policy of the page lets in.
      const logoWidth = await approval.evaluate('document.querySelector("img.mark").naturalWidth');
      expect(logoWidth).toBe(144);
      await inspect(approval, `${name}-3-approval-page`);

      await decisionButton(approval, 'approve').click();
      await approval.getByRole('heading', { level: 1 }).waitFor();
      await inspect(approval, `${name}-4-approved`);

      await page.locator('.headline.approved').waitFor(NEXT_POLL);
      expect(await page.getByRole('status').textContent()).toContain('Alice Example');
      expect(await page.locator('dl').textContent()).toContain('alice@example.com');
      await inspect(page, `${name}-5-fill-up`);
    }));
});

it('a code that the pump shows is typed on the phone, once wrong and then right', () =>
  within({ viewport: { width: 390, height: 844 } }, async (context) => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/story`);
    await page.getByRole('checkbox', { name: 'Have a code typed' }).check();
    await ask(page, 'alice');
    const approval = await openMail(context, page, 'alice');
    const code = (await page.locator('.message').textContent()) ?? '';
    await inspect(page, 'code-1-pump');
    await inspect(approval, 'code-2-approval-page');
    for (const part of ['main', 'html']) {
      expect(await approval.locator(part).textContent()).not.toContain(code);
    }

    await approval.getByLabel('Code on the other device').fill('wrong');
    await approval.keyboard.press('Enter');
    expect(await approval.getByRole('alert').textContent()).toContain('You can try 2 more times.');
    // The cursor is back in the field.
    await approval.keyboard.type(code.toLowerCase().replace('-', '- '));
    await approval.keyboard.press('Enter');
    await approval.getByRole('heading', { name: 'Approved' }).waitFor();
    await page.locator('.headline.approved').waitFor(NEXT_POLL);
    expect(await page.locator('dl').textContent()).toContain('email, code');
  }));

it('a denial is told at the pump, which starts again', () =>
  within({}, async (context) => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/story`);
    await ask(page, 'bob', '20.00');
    const approval = await openMail(context, page, 'bob');
    await decisionButton(approval, 'deny').click();
    await page.locator('.headline.denied').waitFor(NEXT_POLL);
    await inspect(page, 'denied');
    await page.getByRole('link', { name: 'Start again' }).click();
    expect(await page.getByRole('button', { name: 'Ask for approval' }).isVisible()).toBe(true);
  }));

it.each(['nobody', 'carol', 'dave'])('who cannot be asked (%s) is told in plain words', (user) =>
  within({}, async (context) => {
    const page = await context.newPage();
    await page.goto(demo.url);
    await ask(page, user);
    await page.locator('.headline.failed').waitFor();
    const told = await page.getByRole('status').textContent();
    expect(told).toContain(`Nobody called ${user} can be asked`);
    expect(told).toMatch(/correlation ID [\w.-]{12,}/);
    if (user === 'nobody') await inspect(page, 'not-possible');
  }),
);

it('the keyboard alone is enough, and shows where it is', () =>
  within({ viewport: { width: 1280, height: 900 } }, async (context) => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/story`);
    await page.keyboard.press('Tab');
    expect(await focused(page)).toMatchObject({ name: 'amount', value: '52.30' });
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toMatchObject({ name: 'amount', value: '80.00' });
    await page.keyboard.press('Tab');
    expect(await focused(page)).toMatchObject({ name: 'user', outline: true });
    await page.keyboard.press('Enter');

    const link = page.locator('a[data-phone]');
    await link.waitFor();
    const approval = await context.newPage();
    await approval.goto((await link.getAttribute('href')) ?? '');
    for (let presses = 0; (await focused(approval)).value !== 'approve'; presses += 1) {
      expect(presses).toBeLessThan(10);
      await approval.keyboard.press('Tab');
    }
    expect(await focused(approval)).toMatchObject({ name: 'decision', outline: true });
    await approval.keyboard.press('Enter');
    await page.locator('.headline.approved').waitFor(NEXT_POLL);
    expect(await page.locator('.digits').textContent()).toBe('80.00');
  }));

/** Name and value of what has the focus, and whether it can be seen that it has. */
async function focused(page: Page): Promise<{ name: string; value: string; outline: boolean }> {
  const [name, value, style] = Object(
    await page.evaluate(
      `[document.activeElement.name, document.activeElement.value, getComputedStyle(document.activeElement).outlineStyle]`,
    ),
  );
  return { name, value, outline: style !== 'none' };
}

it('without script the same story is told, by looking again', () =>
  within({ javaScriptEnabled: false }, async (context) => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/story`);
    await ask(page, 'alice', '35.00');
    await expect
      .poll(async () => {
        await page.getByRole('link', { name: 'Look again' }).click();
        return page.locator('iframe').count();
      }, NEXT_POLL)
      .toBe(1);
    const approval = await openMail(context, page, 'alice');
    await decisionButton(approval, 'approve').click();
    await approval.getByRole('heading', { level: 1 }).waitFor();
    await expect
      .poll(async () => {
        await page.getByRole('link', { name: 'Look again' }).click();
        return page.locator('.headline.approved').count();
      }, NEXT_POLL)
      .toBe(1);
  }));

it('at 200 % zoom, of the page or of its text alone, nothing is lost and nothing scrolls sideways', () =>
  within({ viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 }, async (context) => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/story`);
    await ask(page, 'bob', '80.00');
    await page.getByText('Mail sent to bob').waitFor();
    const approval = await openMail(context, page, 'bob');
    const root = await context.newPage();
    await root.goto(new URL('/', approval.url()).href);
    for (const [name, zoomed] of Object.entries({ story: page, approval, root })) {
      await expectNoSidewaysScroll(zoomed);
      await zoomed.setViewportSize({ width: 390, height: 844 });
      await zoomed.evaluate(`document.documentElement.style.fontSize = '200%'`);
      await expectNoSidewaysScroll(zoomed);
      await zoomed.screenshot({ path: `build/screenshots/zoomed-${name}.png`, fullPage: true });
    }
    expect(await decisionButton(approval, 'approve').isVisible()).toBe(true);
  }));
