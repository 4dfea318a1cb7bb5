/**
 * What a mail is told: every variable of the operator's templates and its twin for HTML (DESIGN decision 13, threats T5, T10).
 */
import { describe, expect, it } from 'vitest';
import { formatHandle, formatSecret } from '../../../lambdas/ciba/handles.ts';
import { notificationVariables, templateData } from '../../../lambdas/ciba/notification.ts';

const ref = 'k3f7qz2m4xw6hbn5vty2a3c4d7';
const link = `https://ciba.example/approve/${formatHandle({ ref, secret: formatSecret(new Uint8Array(32)) })}`;

describe('templateData', () => {
  it('has every variable twice, and nothing else', () => {
    const names = notificationVariables.flatMap((name) => [name, `${name}_html`]);
    const data = templateData({ ref, bindingMessage: 'Pump 4' }, 'Fuel & Go', link);
    expect(Object.keys(data).toSorted()).toEqual(names.toSorted());
  });

  it('shows the ref where the reference shows the auth_req_id (T10)', () => {
    const { authReqId, requestId } = templateData({ ref }, 'Fuel & Go', link);
    expect([authReqId, requestId]).toEqual([ref, ref]);
  });

  it('fills the binding message with nothing where there is none, since SES drops a mail that lacks a variable', () => {
    const data = templateData({ ref }, 'Fuel & Go', link);
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
    const data = templateData({ ref, bindingMessage: text }, text, link);
    expect([data.bindingMessage, data.bindingMessage_html]).toEqual([text, html]);
    expect([data.appName, data.appName_html]).toEqual([text, html]);
  });

  it('has a link that escaping does not change', () => {
    const data = templateData({ ref }, 'Fuel & Go', link);
    expect([data.magicLink, data.magicLink_html]).toEqual([link, link]);
  });
});
