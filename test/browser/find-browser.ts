/**
 * The browser of the browser tests: Chromium, or one of its kind, that this machine already has.
 */
import { existsSync } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * The browser that CHROMIUM names, or the first that is where browsers are; undefined if there is
 * none.
 */
export function findBrowser(): string | undefined {
  const named = process.env['CHROMIUM'];
  return named ? [named].find(existsSync) : places.find(existsSync);
}

/** What to do about it. */
export const howToGetOne =
  'No browser was found. Install Chromium (Debian: apt-get install chromium), or name one: CHROMIUM=/path/to/it';
