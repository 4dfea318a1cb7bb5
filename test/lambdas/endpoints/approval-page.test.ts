/**
 * The pages themselves: what they say, in which words, and that nothing in them runs, loads, frames
 * or leaks (RFC 10027; threats T4, T5, T11, T12).
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AuthenticationRequest } from '../../../lambdas/ciba/request/authentication-request.ts';
import { REFRESH_TOKEN_SECONDS } from '../../../lambdas/ciba/request/refresh-token.ts';
import { lookUpTexts } from '../../../lambdas/ciba/words/catalogue.ts';
import { type Notice, notices } from '../../../lambdas/ciba/words/texts.ts';
import {
  type CodeFault,
  decisionPage,
  noticePage,
  pageResponse,
} from '../../../lambdas/endpoints/approval-page.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';
import { issuer } from '../../support/provider-in-memory.ts';

const request = exampleRequest();
const locales = ['de', 'en', 'es', 'fr', 'ja'];

function html(
  changes: Partial<AuthenticationRequest> = {},
  clientName = 'Fuel & Go, Pump 4',
  now = EXAMPLE_NOW + 20,
  {
    locale = 'en',
    domain = 'fuel.example',
    others = [],
    codeFault,
    logo,
  }: {
    locale?: string;
    domain?: string;
    others?: number[];
    codeFault?: CodeFault;
    logo?: string;
  } = {},
): string {
  return decisionPage(lookUpTexts([locale]), {
    request: { ...request, ...changes, status: 'pending' },
    clientName,
    others,
    domain: domain === '' ? undefined : domain,
    logo,
    formToken: 'f'.repeat(43),
    codeFault,
    now,
  }).html;
}

function noticeHtml(notice: Notice, locale = 'en'): string {
  return noticePage(lookUpTexts([locale]), notice).html;
}

/** The text a reader sees, tags and style taken out. */
function textOf(markup: string): string {
  return markup
    .replace(/<(style|script)>[^<]*<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

const titles: [Notice, string][] = [
  ['approved', 'Approved'],
  ['denied', 'Denied'],
  ['reported', 'Denied and reported'],
  ['denied_by_codes', 'Denied'],
  ['already_approved', 'Already approved'],
  ['already_denied', 'Already denied'],
  ['expired', 'Too late'],
  ['withdrawn', 'No longer valid'],
  ['unknown', 'Nothing here'],
  ['form', 'Please open the link again'],
  ['decision', 'Nothing was decided'],
  ['method', 'Nothing was decided'],
  ['unavailable', 'Please try again'],
];

it.each(titles)('the notice %s is headed and titled %j', (notice, title) => {
  const markup = noticeHtml(notice);
  expect(markup).toContain(`<h1>${title}</h1>`);
  expect(markup).toContain(`<title>${title}</title>`);
});

describe('the page that asks', () => {
  it('T4: says who asks, what the other device shows, since when, until when and which request it is', () => {
    const text = textOf(html());
    expect(text).toContain('Fuel &amp; Go, Pump 4 asks for your approval');
    expect(text).toContain('Registered domain: fuel.example');
    expect(text).toContain('Shown on the other device. It must say exactly this: PUMP-4 50.00 EUR');
    expect(text).toContain('Asked 22:13:20 UTC , 20 seconds ago');
    expect(text).toContain('Ends 22:15:20 UTC , in 1 minute 40 seconds');
    expect(text).toContain(`Request ID ${request.ref}`);
  });

  it.each([
    [0, 'just now', 'in 2 minutes'],
    [4.9, 'just now', 'in 1 minute 55 seconds'],
    [5, '5 seconds ago', 'in 1 minute 55 seconds'],
    [60, '1 minute ago', 'in 1 minute'],
    [61.9, '1 minute 1 second ago', 'in 58 seconds'],
    [119, '1 minute 59 seconds ago', 'in 1 second'],
    [119.9, '1 minute 59 seconds ago', 'in 0 seconds'],
  ])('%d s after it was asked says %j and %j', (age, ago, left) => {
    const text = textOf(html({}, 'Pump', EXAMPLE_NOW + age));
    expect(text).toContain(`, ${ago} `);
    expect(text).toContain(`, ${left} `);
  });

  it.each([
    ['openid', ['know that it is you']],
    ['openid profile', ['know that it is you', 'see your name, user name and language']],
    [
      'openid offline_access',
      ['know that it is you', 'keep this access for 30 days without asking you each time'],
    ],
    ['openid email', ['know that it is you', 'see your e-mail address']],
    ['payments:read openid', ['use: payments:read', 'know that it is you']],
    ['openid openid', ['know that it is you']],
    ['openid toString', ['know that it is you', 'use: toString']],
    ['openid __proto__', ['know that it is you', 'use: __proto__']],
  ])('puts the scope %j in words', (scope, sentences) => {
    const items = [...html({ scope }).matchAll(/<li>([^<]*)<\/li>/g)].map(([, item]) => item);
    expect(items).toEqual(sentences);
  });

  it.each(locales)('P38: says in %s for how many days access is kept', (locale) => {
    const text = textOf(html({ scope: 'openid offline_access' }, 'Pump', EXAMPLE_NOW, { locale }));
    expect(text).toMatch(new RegExp(`\\b${REFRESH_TOKEN_SECONDS / 86_400}\\s`));
  });

  it('names no domain where none is registered, and never links the one that is', () => {
    expect(html({}, 'Pump', EXAMPLE_NOW, { domain: '' })).not.toContain('domain</');
    expect(textOf(html({}, 'Pump', EXAMPLE_NOW, { domain: '' }))).not.toContain('Registered');
    expect(html()).toContain('<bdi>fuel.example</bdi></p>');
  });

  it.each([
    ['en', 1, '1 other request is waiting for you, asked at 22:13:20 UTC.'],
    ['en', 2, '2 other requests are waiting for you, asked at 22:13:20 UTC and 22:13:20 UTC.'],
    ['de', 1, '1 weitere Anfrage wartet auf Sie, gestellt um 22:13:20 UTC.'],
    ['de', 2, '2 weitere Anfragen warten auf Sie, gestellt um 22:13:20 UTC und 22:13:20 UTC.'],
    ['fr', 2, '2 autres demandes vous attendent, lancées à 22:13:20 UTC et 22:13:20 UTC.'],
    ['es', 1, 'Otra solicitud espera su decisión, iniciada a las 22:13:20 UTC.'],
    ['ja', 1, 'ほかに 1 件のリクエスト (22:13:20 UTC) がお客様の決定を待っています。'],
  ])('T4: in %s, says that there are %d others', (locale, count, expected) => {
    const others = Array.from({ length: count }, () => EXAMPLE_NOW);
    expect(html({}, 'Pump', EXAMPLE_NOW, { locale, others })).toContain(expected);
  });

  it('stands beside the first letter of the name, as its readers see it', () => {
    const markOf = (name: string) => /aria-hidden="true">(.*?)</.exec(html({}, name))?.[1];
    expect(['fuel', '“Été”', '給油', '4 & more', '(!)'].map(markOf)).toEqual([
      'F',
      'É',
      '給',
      '4',
      '',
    ]);
  });

  it('shows no box where there is no binding message', () => {
    expect(html({ bindingMessage: undefined })).not.toContain('Shown on the other device');
  });

  it('RFC 10027: offers Deny first and no less prominently, neither of them by default', () => {
    const markup = html();
    const buttons = [...markup.matchAll(/<button[^>]*>([^<]*)<\/button>/g)];
    expect(buttons.map(([button, label]) => [button, label])).toEqual([
      ['<button type="submit" name="decision" value="deny">Deny</button>', 'Deny'],
      ['<button type="submit" name="decision" value="approve">Approve</button>', 'Approve'],
      [
        '<button type="submit" name="decision" value="report">This was not me</button>',
        'This was not me',
      ],
    ]);
    expect(markup).not.toMatch(/autofocus|checked|selected/);
  });

  it('has one form, to its own address, with one hidden input and nothing to type in', () => {
    const markup = html();
    expect(markup.match(/<form[^>]*>/g)).toEqual(['<form method="post">']);
    expect(markup.match(/<input[^>]*>/g)).toEqual([
      `<input type="hidden" name="form_token" value="${'f'.repeat(43)}">`,
    ]);
    expect(markup).not.toMatch(/<(?:textarea|select)/);
  });
});

describe('the page that asks for a code', () => {
  const coded = { bindingMessage: 'PX-4711', wrongCodes: 0 };
  const asking = (codeFault?: CodeFault, locale = 'en') =>
    html(coded, 'Pump', EXAMPLE_NOW, { locale, ...(codeFault && { codeFault }) });

  it.each(locales)('T1: shows it nowhere, in %s', (locale) => {
    const markup = [
      asking(undefined, locale),
      asking({ reason: 'missing' }, locale),
      asking({ reason: 'wrong', left: 1 }, locale),
    ].join('');
    expect(markup).not.toContain('4711');
    expect(markup).not.toContain('class="message"');
  });

  it.each(locales)('weighs less than 20 KB at its longest, in %s', (locale) => {
    const longest = html(
      { ...coded, scope: 'openid profile email offline_access payments:read' },
      '給'.repeat(64),
      EXAMPLE_NOW,
      { locale, codeFault: { reason: 'wrong', left: 1 }, others: Array(10).fill(EXAMPLE_NOW) },
    );
    expect(Buffer.byteLength(longest)).toBeLessThan(20_000);
  });

  it('has one field with a label, that must be filled in to approve and need not be to say no', () => {
    const markup = asking();
    const [field = ''] = markup.match(/<input id="code"[^>]*>/) ?? [];
    expect(field).toMatch(/ name="code" type="text" required /);
    expect(field).toContain(' autocomplete="off"');
    expect(field).not.toMatch(/value=|placeholder=|pattern=|autofocus|aria-invalid/);
    expect(markup).toContain('<label for="code">Code on the other device</label>');
    expect(field).toContain(' aria-describedby="code-hint"');
    expect(textOf(markup)).toContain('If somebody told or sent you a code, do not type it');
    expect(markup.match(/<button[^>]*>/g)).toEqual([
      // The first is what the return key presses.
      '<button type="submit" name="decision" value="approve">',
      '<button type="submit" name="decision" value="deny" formnovalidate>',
      '<button type="submit" name="decision" value="report" formnovalidate>',
    ]);
  });

  it.each<[string, CodeFault, string]>([
    ['en', { reason: 'missing' }, 'To approve, type the code that the other device shows.'],
    ['en', { reason: 'wrong', left: 2 }, 'That is not the code. You can try 2 more times.'],
    [
      'en',
      { reason: 'wrong', left: 1 },
      'That is not the code. You can try once more; then the request is denied.',
    ],
    ['de', { reason: 'wrong', left: 2 }, 'Das ist nicht der Code. Sie haben noch 2 Versuche.'],
    ['fr', { reason: 'wrong', left: 2 }, 'Ce n’est pas le bon code. Il vous reste 2 essais.'],
    ['es', { reason: 'wrong', left: 1 }, 'Ese no es el código. Le queda un intento;'],
    ['ja', { reason: 'wrong', left: 1 }, 'コードが違います。あと 1 回入力できます。'],
  ])('says in %s what was wrong: %j', (locale, fault, expected) => {
    const markup = asking(fault, locale);
    expect(/<p id="fault" role="alert">([^<]*)</.exec(markup)?.[1]).toContain(expected);
    const [field = ''] = markup.match(/<input id="code"[^>]*>/) ?? [];
    expect(field).toContain(' aria-describedby="fault code-hint" aria-invalid="true" autofocus>');
  });
});

describe('T5: a hostile text', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</title><script>alert(1)</script>',
    '</style><script>alert(1)</script>',
    '</strong></div></form><form action=https://evil.test>',
    '<!-- ',
    ']]>',
    '<a href="https://evil.test">Approve</a>',
    '<meta http-equiv=refresh content=0;url=https://evil.test>',
    '&lt;script&gt;',
    '{{7*7}}',
    '${name}',
    '$&$1$`',
  ];

  /** The page with everything between tags taken out: its markup. */
  const markupOf = (text: string) => (text.match(/<[^>]*>/g) ?? []).join('');

  it.each(hostile)('%s changes no tag of the page, wherever it stands', (text) => {
    const harmless = markupOf(html({ bindingMessage: 'x' }, 'x'));
    const shown = html({ bindingMessage: text }, text, EXAMPLE_NOW + 20, { domain: text });
    expect(markupOf(shown)).toBe(harmless);
    expect(markupOf(html({ bindingMessage: 'x', scope: 'openid <b>' }))).toBe(
      markupOf(html({ bindingMessage: 'x', scope: 'openid b' })),
    );
  });
});

const pages = locales.flatMap((locale): [string, string, string, string][] => [
  ['the page that asks', locale, html({}, 'Pump', EXAMPLE_NOW + 20, { locale }), 'one script'],
  ...notices.map((notice): [string, string, string, string] => [
    `the notice ${notice}`,
    locale,
    noticeHtml(notice, locale),
    'no script',
  ]),
]);

describe.each(pages)('%s in %s', (_which, locale, markup, scripts) => {
  it('T11, T12: loads nothing, leads nowhere and runs nothing but the countdown of the page that asks', () => {
    expect(markup.match(/<script>/g) ?? []).toHaveLength(scripts === 'one script' ? 1 : 0);
    expect(markup.replace('<script>', '')).not.toMatch(
      /<(?:script|img|link|iframe|object|embed|video|audio|svg|base|a)\b|javascript:|\son\w+=|\ssrc=|\shref=|\saction=|\sformaction=|url\(|@import|http-equiv/i,
    );
  });

  it('says in which language it is, fits a phone, and has one heading', () => {
    expect(markup).toContain(
      `<!doctype html>\n<html lang="${locale}" dir="ltr">\n<head>\n<meta charset="utf-8">`,
    );
    expect(markup).toContain(
      '<meta name="viewport" content="width=device-width, initial-scale=1">',
    );
    expect(markup.match(/<h1>/g)).toHaveLength(1);
    expect(markup).toMatch(/<title>[^<]+<\/title>/);
  });

  it('has the one style and at most the one script that the policy allows, byte for byte', () => {
    const policy = pageResponse(issuer, 204, undefined).headers.get('content-security-policy');
    for (const kind of ['style', 'script']) {
      for (const [, source = ''] of markup.matchAll(
        new RegExp(`<${kind}>([^<]*)</${kind}>`, 'g'),
      )) {
        const hash = createHash('sha256').update(source).digest('base64');
        expect(policy).toContain(`${kind}-src 'sha256-${hash}';`);
      }
    }
  });

  it('is smaller than 20 KB', () => {
    expect(Buffer.byteLength(markup)).toBeLessThan(20_000);
  });
});

it('is smaller than 20 KB at the longest that may be shown', () => {
  const longest = html(
    { bindingMessage: '給'.repeat(64), scope: `openid ${'x '.repeat(76)}x` },
    '給'.repeat(64),
    EXAMPLE_NOW,
    {
      locale: 'ja',
      others: Array(10).fill(EXAMPLE_NOW),
      domain: `${'x'.repeat(60)}.${'y'.repeat(39)}`,
    },
  );
  expect(Buffer.byteLength(longest)).toBeLessThan(20_000);
});

describe('T31: the logo', () => {
  const logo = '/logo/pump-4/hash';
  const shown = html({}, 'Fuel & Go, Pump 4', EXAMPLE_NOW + 20, { logo });

  it('is the one image of the page, in the place of the initial, and only decorates', () => {
    expect(shown.match(/<img[^>]*>/g)).toEqual([
      `<img class="mark" src="${logo}" alt="" width="48" height="48">`,
    ]);
    expect(shown.replace(/<img[^>]*>/, '')).not.toMatch(/ src=|url\(|class="mark"/);
    expect(textOf(shown)).toContain('Fuel &amp; Go, Pump 4 asks for your approval');
    expect(textOf(shown)).toContain('fuel.example');
  });

  it('changes nothing else of the page', () => {
    const without = html();
    expect(without).not.toContain('<img');
    expect(shown.replace(/<img[^>]*>/, '')).toBe(
      without.replace(/<div class="mark" aria-hidden="true">F<\/div>/, ''),
    );
  });

  it('cannot leave its attribute', () => {
    const hostile = html({}, 'Pump', EXAMPLE_NOW, { logo: '"><script>x()</script>' });
    expect(hostile).toContain('src="&quot;&gt;&lt;script&gt;x()&lt;/script&gt;"');
  });

  it('is the only reason to let the page load images, and only ours', () => {
    const policyOf = (hasLogo: boolean) =>
      pageResponse(issuer, 200, { html: shown, locale: 'en', hasLogo }).headers.get(
        'content-security-policy',
      );
    expect(policyOf(true)).toMatch(/; img-src 'self'; form-action 'self';/);
    expect(policyOf(true)?.replace(" img-src 'self';", '')).toBe(policyOf(false));
    expect(policyOf(false)).not.toContain('img-src');
  });
});

describe('T11, T12: the headers', () => {
  it.each([
    ['a page', 'de', pageResponse(issuer, 200, noticePage(lookUpTexts(['de']), 'approved'))],
    [
      'a notice of an error',
      'en',
      pageResponse(issuer, 404, noticePage(lookUpTexts([]), 'unknown')),
    ],
    ['an answer without a page', undefined, pageResponse(issuer, 204, undefined)],
  ])(
    'of %s keep it from being framed, cached, indexed, referred to or submitted elsewhere',
    (_what, language, response) => {
      expect(Object.fromEntries(response.headers)).toEqual({
        ...(language !== undefined && { 'content-language': language }),
        vary: 'Accept-Language',
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; style-src 'sha256-[\w+/]+='; script-src 'sha256-[\w+/]+='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
        ),
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'same-origin',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-robots-tag': 'noindex, nofollow',
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        ...(response.status === 204 && { allow: 'GET, HEAD, OPTIONS, POST' }),
        'permissions-policy': 'publickey-credentials-get=()',
      });
    },
  );

  it('may be joined by others, such as Retry-After', async () => {
    const response = pageResponse(issuer, 503, undefined, { 'Retry-After': '2' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.text()).toBe('');
  });
});

describe('WCAG 2.2, 1.4.3 and 1.4.11: in both color schemes', () => {
  const [, style = ''] = /<style>([^<]*)<\/style>/.exec(html()) ?? [];
  const schemes = [...style.matchAll(/:root\{([^}]*)\}/g)].map(
    ([, block = '']) =>
      new Map(
        [...block.matchAll(/--([\w-]+):(#\w+)/g)].map(([, name = '', color = '']) => [name, color]),
      ),
  );

  it.each([
    ['ink', 'card', 4.5],
    ['soft', 'card', 4.5],
    ['soft', 'box', 4.5],
    ['ink', 'box', 4.5],
    ['accent-ink', 'accent', 4.5],
    ['card', 'ink', 4.5],
    ['bad', 'card', 4.5],
    ['accent', 'box', 4.5],
    ['good', 'box', 4.5],
    ['accent', 'card', 3],
  ])('%s on %s has a contrast of %d or more', (front, back, least) => {
    expect(schemes).toHaveLength(2);
    for (const colors of schemes) {
      const [one, other] = [front, back].map((name) => luminance(colors.get(name) ?? ''));
      expect(contrast(one ?? 0, other ?? 0)).toBeGreaterThanOrEqual(least);
    }
  });
});

/** WCAG's relative luminance of `#rgb` or `#rrggbb`. */
function luminance(color: string): number {
  const digits = color.slice(1).replace(/^(.)(.)(.)$/, '$1$1$2$2$3$3');
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}
