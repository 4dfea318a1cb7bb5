/**
 * What a mail is told: every variable of the operator's templates and its twin for HTML (threats
 * T5, T10).
 */
import { describe, expect, it } from 'vitest';
import { formatHandle, formatSecret } from '../../../../lambdas/ciba/handles.ts';
import { findUnreadable } from '../../../../lambdas/ciba/readable-text.ts';
import { REFRESH_TOKEN_SECONDS } from '../../../../lambdas/ciba/request/refresh-token.ts';
import { lookUpTexts } from '../../../../lambdas/ciba/words/catalogue.ts';
import { templateData } from '../../../../lambdas/ciba/words/notification.ts';
import { notificationVariables } from '../../../../lambdas/ciba/words/notification-variables.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';

const ref = 'k3f7qz2m4xw6hbn5vty2a3c4d7';
const link = `https://ciba.example/approve/${formatHandle({ ref, secret: formatSecret(new Uint8Array(32)) })}`;

const request = { ref, scope: 'openid', createdAt: EXAMPLE_NOW, expiresAt: EXAMPLE_NOW + 120 };
const about = { request, clientName: 'Fuel & Go', domain: 'pay.fuel.example', magicLink: link };
const en = lookUpTexts(['en']);

describe('templateData', () => {
  it('has every variable twice, and nothing else', () => {
    const names = notificationVariables.flatMap((name) => [name, `${name}_html`]);
    const data = templateData(en, { ...about, request: { ...request, bindingMessage: 'Pump 4' } });
    expect(Object.keys(data).toSorted()).toEqual(names.toSorted());
  });

  it('shows the ref where the reference shows the auth_req_id (T10)', () => {
    const { authReqId, requestId } = templateData(en, about);
    expect([authReqId, requestId]).toEqual([ref, ref]);
  });

  it('fills the binding message with nothing where there is none, since SES drops a mail that lacks a variable', () => {
    const data = templateData(en, about);
    expect([data.bindingMessage, data.bindingMessage_html]).toEqual(['', '']);
  });

  it.each([
    ['{{7*7}}', '{{7*7}}'],
    ['{{{magicLink}}}', '{{{magicLink}}}'],
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    [`"'&`, '&quot;&#39;&amp;'],
    ['&lt;', '&amp;lt;'],
    ['$& $1 $$', '$&amp; $1 $$'],
  ])('T5: hands %s on as it is to text, and inert to HTML', (text, html) => {
    const data = templateData(en, {
      ...about,
      request: { ...request, bindingMessage: text, scope: `openid ${text}` },
      clientName: text,
    });
    expect([data.bindingMessage, data.bindingMessage_html]).toEqual([text, html]);
    expect([data.appName, data.appName_html]).toEqual([text, html]);
    const words = html.split(' ');
    for (const word of words) expect(data.requestedScopes_html).toContain(`<li>use: ${word}</li>`);
  });

  it('has a link that escaping does not change', () => {
    const data = templateData(en, about);
    expect([data.magicLink, data.magicLink_html]).toEqual([link, link]);
  });

  it.each(['de', 'en', 'es', 'fr', 'ja'])(
    'P38: says in %s for how many days access is kept',
    (locale) => {
      const scope = 'openid offline_access';
      const data = templateData(lookUpTexts([locale]), {
        ...about,
        request: { ...request, scope },
      });
      const days = new RegExp(`[^\\d]${REFRESH_TOKEN_SECONDS / 86_400}\\s`);
      expect(data.requestedScopes).toMatch(days);
      expect(data.requestedScopes_html).toMatch(days);
    },
  );

  it('says what is asked in words, a line or a list item each', () => {
    const scope = 'openid email payments:read';
    const data = templateData(en, { ...about, request: { ...request, scope } });
    expect(data.requestedScopes).toBe(
      '- know that it is you\n- see your e-mail address\n- use: payments:read',
    );
    expect(data.requestedScopes_html).toBe(
      '<li>know that it is you</li><li>see your e-mail address</li><li>use: payments:read</li>',
    );
  });

  it('says when, with the day and in UTC, and for how long, in the language of the texts', () => {
    const data = templateData(lookUpTexts(['de']), about);
    expect([data.askedAt, data.expiresAt, data.validFor]).toEqual([
      '14. November 2023, 22:13:20 UTC',
      '14. November 2023, 22:15:20 UTC',
      '2 Minuten',
    ]);
    expect([data.askedAt_html, data.expiresAt_html, data.validFor_html]).toEqual([
      data.askedAt,
      data.expiresAt,
      data.validFor,
    ]);
  });

  it('T5: shows the domain in full, and not as anything that a mail program would link', () => {
    const data = templateData(en, about);
    expect(data.appDomain).toBe('pay . fuel . example');
    expect(data.appDomain_html).toBe('pay<span>.</span>fuel<span>.</span>example');
    expect(findUnreadable(data.appDomain)).toBeUndefined();
  });

  it('says so where there is no domain', () => {
    const { appDomain, appDomain_html } = templateData(en, { ...about, domain: undefined });
    expect([appDomain, appDomain_html]).toEqual(['none registered', 'none registered']);
  });
});
