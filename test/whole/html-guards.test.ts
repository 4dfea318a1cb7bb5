/**
 * What every HTML of ours has and lacks, mail or page: one list of guards, for one that stands on
 * some of them only is none (threats T5, T11, T12).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lookUpTexts } from '../../lambdas/ciba/words/catalogue.ts';
import { notices } from '../../lambdas/ciba/words/texts.ts';
import { decisionPage, noticePage } from '../../lambdas/endpoints/approval-page.ts';
import { developerPage } from '../../lambdas/endpoints/developer-page.ts';
import { page as demoPage } from '../../lib/demo/pages.ts';
import { compileNotificationTemplates } from '../../lib/notification-templates/compile.ts';
import { EXAMPLE_NOW, exampleRequest } from '../support/example-request.ts';

/** Each a rule, and what is searched for, which is to be there or not. */
const guards: [string, RegExp, boolean][] = [
  ['is HTML of today', /^<!doctype html>\n<html lang="[a-z]{2}"/, true],
  ['says its encoding', /<meta charset="utf-8">/, true],
  ['fits a phone', /<meta name="viewport" content="width=device-width, initial-scale=1">/, true],
  ...['telephone', 'date', 'address', 'email', 'url'].map<[string, RegExp, boolean]>((kind) => [
    `P37: has no ${kind} made into something to tap`,
    new RegExp(`<meta name="format-detection" content="[^"]*\\b${kind}=no\\b[^"]*">`),
    true,
  ]),
  ['P37: dials and writes to nobody', /href="(?!https?:|\/|\{\{magicLink_html\}\}|data:,)/, false],
  [
    'loads nothing from elsewhere',
    /(?:src|srcset|poster|background|data)="(?:[a-z]+:)?\/\/|url\(/,
    false,
  ],
  [
    'frames nothing and leads nowhere by itself',
    /<(?:iframe|frame|object|embed|base)\b|http-equiv/i,
    false,
  ],
  ['runs nothing from an attribute', /\son[a-z]+=|javascript:/i, false],
];

const locales = ['de', 'en', 'es', 'fr', 'ja'];
const hostile = { bindingMessage: 'PX-4711 <b> 5550101', scope: 'openid offline_access x:"y"' };

function decisionPages(locale: string): [string, string][] {
  const shown = {
    request: exampleRequest(hostile),
    clientName: 'Fuel & Go "<i>"',
    others: [],
    domain: undefined,
    logo: undefined,
    formToken: 'f'.repeat(43),
    now: EXAMPLE_NOW + 20,
  };
  const coded = { ...shown, request: exampleRequest({ ...hostile, wrongCodes: 1 }) };
  const full = { ...shown, others: [EXAMPLE_NOW], domain: 'fuel.example', logo: '/logo/a/b' };
  const pages = {
    'that asks': shown,
    'with all it can have': full,
    'that asks for a code': coded,
    'after no code': { ...coded, codeFault: { reason: 'missing' } as const },
    'after a wrong code': { ...coded, codeFault: { reason: 'wrong', left: 2 } as const },
  };
  return Object.entries(pages).map(([what, page]) => [
    `the page ${what} (${locale})`,
    decisionPage(lookUpTexts([locale]), page).html,
  ]);
}

/** Every source file that has HTML of its own in it, and its text. */
const writing = ['bin', 'lambdas', 'lib'].flatMap((room) =>
  readdirSync(room, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs|html)$/.test(name))
    .map<[string, string]>((name) => [`${room}/${name}`, readFileSync(`${room}/${name}`, 'utf8')])
    .filter(([, text]) => /<!doctype html/i.test(text)),
);
const mails = compileNotificationTemplates().map<[string, string]>(({ name, locale, html }) => [
  `the mail ${name} (${locale})`,
  html,
]);

const scene = {
  issuer: 'http://localhost:4010',
  inbox: 'http://localhost:4011',
  users: ['alice'],
  sale: undefined,
  mails: [],
};

const outlets: [string, string][] = [
  ...mails,
  ...locales.flatMap((locale) => [
    ...decisionPages(locale),
    ...notices.map<[string, string]>((notice) => [
      `the notice ${notice} (${locale})`,
      noticePage(lookUpTexts([locale]), notice).html,
    ]),
  ]),
  ['the page for developers', developerPage('https://ciba.example')],
  ...(['pump', 'story'] as const).map<[string, string]>((view) => [
    `the demo (${view})`,
    demoPage({ ...scene, view }, { newSale: 'x' }),
  ]),
];

describe('T5: every mail and every page', () => {
  it.each(guards)('%s', (_guard, pattern, isThere) => {
    for (const [what, html] of outlets) expect(pattern.test(html), what).toBe(isThere);
  });
});

it('nothing else writes HTML', () => {
  expect(writing.map(([file]) => file).toSorted()).toEqual([
    'lambdas/endpoints/approval-page.ts',
    'lambdas/endpoints/developer-page.ts',
    'lib/demo/pages.ts',
    'lib/notification-templates/layout.html',
  ]);
  expect(mails).toHaveLength(2 * locales.length);
});
