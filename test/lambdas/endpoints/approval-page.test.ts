/**
 * The pages themselves: what they say, in which words, and that nothing in them runs, loads, frames or leaks
 * (RFC 10027; threats T4, T5, T11, T12).
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AuthenticationRequest } from '../../../lambdas/ciba/authentication-request.ts';
import {
  decisionPage,
  type Notice,
  noticePage,
  page,
} from '../../../lambdas/endpoints/approval-page.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';

const request = exampleRequest();

function html(
  changes: Partial<AuthenticationRequest> = {},
  clientName = 'Fuel & Go, Pump 4',
  now = EXAMPLE_NOW + 20,
): string {
  return decisionPage({
    request: { ...request, ...changes, status: 'pending' },
    clientName,
    formToken: 'f'.repeat(43),
    now,
  });
}

/** The text a reader sees, tags and style taken out. */
function textOf(markup: string): string {
  return markup
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

const notices: [Notice, string][] = [
  ['approved', 'Approved'],
  ['denied', 'Denied'],
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

it.each(notices)('the notice %s is headed and titled %j', (notice, title) => {
  const markup = noticePage(notice);
  expect(markup).toContain(`<h1>${title}</h1>`);
  expect(markup).toContain(`<title>${title}</title>`);
});

describe('the page that asks', () => {
  it('T4: says who asks, what the other device shows, since when, until when and which request it is', () => {
    const text = textOf(html());
    expect(text).toContain('Fuel &amp; Go, Pump 4 asks for your approval');
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
    ['openid email', ['know that it is you', 'see your e-mail address']],
    ['payments:read openid', ['use: payments:read', 'know that it is you']],
    ['openid openid', ['know that it is you']],
    ['openid toString', ['know that it is you', 'use: toString']],
    ['openid __proto__', ['know that it is you', 'use: __proto__']],
  ])('puts the scope %j in words', (scope, sentences) => {
    const items = [...html({ scope }).matchAll(/<li>([^<]*)<\/li>/g)].map(([, item]) => item);
    expect(items).toEqual(sentences);
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
  const markupOf = (text: string) =>
    (text.match(/<[^>]*>/g) ?? []).filter((tag) => !tag.startsWith('<style')).join('');

  it.each(hostile)('%s changes no tag of the page, wherever it stands', (text) => {
    const harmless = markupOf(html({ bindingMessage: 'x' }, 'x'));
    expect(markupOf(html({ bindingMessage: text }, text))).toBe(harmless);
    expect(markupOf(html({ bindingMessage: 'x', scope: 'openid <b>' }))).toBe(
      markupOf(html({ bindingMessage: 'x', scope: 'openid b' })),
    );
  });
});

describe.each<[string, string]>([
  ['the page that asks', html()],
  ...notices.map(([notice]): [string, string] => [`the notice ${notice}`, noticePage(notice)]),
])('%s', (_which, markup) => {
  it('T11, T12: runs nothing, loads nothing and leads nowhere', () => {
    expect(markup).not.toMatch(
      /<(?:script|img|link|iframe|object|embed|video|audio|svg|base|a)\b|javascript:|\son\w+=|\ssrc=|\shref=|\saction=|\sformaction=|url\(|@import|http-equiv/i,
    );
  });

  it('says in which language it is, fits a phone, and has one heading', () => {
    expect(markup).toMatch(/^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">/);
    expect(markup).toContain(
      '<meta name="viewport" content="width=device-width, initial-scale=1">',
    );
    expect(markup.match(/<h1>/g)).toHaveLength(1);
    expect(markup).toMatch(/<title>[^<]+<\/title>/);
  });

  it('has the one style that the policy allows, byte for byte', () => {
    const [, style = ''] = /<style>([^<]*)<\/style>/.exec(markup) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page(200, markup).headers.get('content-security-policy')).toContain(
      `style-src 'sha256-${hash}';`,
    );
  });

  it('is smaller than 20 KB', () => {
    expect(Buffer.byteLength(markup)).toBeLessThan(20_000);
  });
});

it('is smaller than 20 KB at the longest that may be shown', () => {
  const longest = html(
    { bindingMessage: '給'.repeat(64), scope: `openid ${'x '.repeat(76)}x` },
    '給'.repeat(64),
  );
  expect(Buffer.byteLength(longest)).toBeLessThan(20_000);
});

describe('T11, T12: the headers', () => {
  it.each([
    ['a page', page(200, noticePage('approved'))],
    ['a notice of an error', page(404, noticePage('unknown'))],
    ['an answer without a page', page(204, '')],
  ])(
    'of %s keep it from being framed, cached, indexed, referred to or submitted elsewhere',
    (_what, response) => {
      expect(Object.fromEntries(response.headers)).toEqual({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; style-src 'sha256-[\w+/]+='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
        ),
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'same-origin',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-robots-tag': 'noindex, nofollow',
        'strict-transport-security': 'max-age=31536000',
        'permissions-policy': 'publickey-credentials-get=()',
      });
    },
  );

  it('may be joined by others, such as Allow', async () => {
    const response = page(204, '', { Allow: 'GET' });
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'GET']);
    expect(await response.text()).toBe('');
  });
});
