/**
 * A text is a URL or none, however often it was asked before: Node 20's own answer changes once its
 * code is compiled.
 */
import { expect, it } from 'vitest';
import { parseUrl } from '../../../lambdas/ciba/parse-url.ts';

const hosts: [string, string | undefined][] = [
  ['https://pay.example/', 'pay.example'],
  ['https://bücher.example', 'xn--bcher-kva.example'],
  ['https://straße.example/ü', 'xn--strae-oqa.example'],
  ['https://例え.jp/', 'xn--r8jz45g.jp'],
  ['https://[::1]/', '[::1]'],
  ['https://', undefined],
  ['bücher', undefined],
  ['https://ü ü/', undefined],
  ['https://例え jp/', undefined],
  ['', undefined],
];

it.each(hosts)('reads %j as of the host %j, in hot code too', (text, host) => {
  const answers = new Set(Array.from({ length: 50_000 }, () => parseUrl(text)?.hostname));
  expect([...answers]).toEqual([host]);
});
