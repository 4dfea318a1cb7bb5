/**
 * The browser that a file of cases drives, the screens that people have, and what every page is
 * held against.
 */
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, inject } from 'vitest';
import * as z from 'zod';
import { findBrowser } from './find-browser.ts';

export const demo = inject('demo');

/** A phone and a desk. */
export const screens = [
  { name: 'phone', viewport: { width: 390, height: 844 } },
  { name: 'desktop', viewport: { width: 1280, height: 1100 } },
];

/** Starts a browser with a profile of its own, that talks to nobody by itself. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: findBrowser() ?? 'chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--no-first-run'],
    ],
  });
}

const violations = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

/**
 * Holds the page as it is, by day and by night, against every rule of axe (what is framed in it is
 * a page of its own), lets nothing stick out at the side or be cut off (WCAG 1.4.10), and keeps how
 * it looks, for people to look at.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page);
    await page.screenshot({ path: `build/screenshots/${name}-${colorScheme}.png`, fullPage: true });
  }
  await expectNoSidewaysScroll(page);
}

async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    'axe.run(document, { iframes: false }).then(({ violations }) => violations)',
  );
  const faults = violations.parse(found);
  expect(faults.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
}

/** Nobody has to scroll in two directions, and no box cuts off what is in it. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const excess = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(excess, page.url()).toBe(0);
  const cut = await page.evaluate(`[...document.querySelectorAll('main *:not(.spoken, pre)')]
    .filter(({ clientWidth, scrollWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
    .map((element) => element.outerHTML.slice(0, 100))`);
  expect(cut, page.url()).toEqual([]);
}
