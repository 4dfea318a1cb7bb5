/**
 * What arrives in the mailbox: the right template, one link to the issuer, the text exactly as the client sent it.
 */
import { describe, expect, it } from 'vitest';
import { ask, basicAuthorization, send, start } from './consumption-device.ts';
import { issuer, mailOf, mailsTo } from './deployment.ts';
import { clients, users } from './directory.ts';

const { basic } = clients;
const user = users.mails;

async function mailFor(parameters: Record<string, string> = {}) {
  const request = await start(basic, user.username, parameters);
  return { request, mail: await mailOf(user.email, request.ref) };
}

describe('the mail', () => {
  it('carries the binding message where there is one (BindingMessageCheck)', async () => {
    const { mail } = await mailFor({ binding_message: 'PUMP-4 50.00 EUR' });
    expect(mail.text).toContain('PUMP-4 50.00 EUR');
    expect(mail.html).toContain('PUMP-4 50.00 EUR');
    expect(mail.subject).toBe(`${basic.client_name} asks for your approval`);
  });

  it('is the generic one where there is none', async () => {
    const { mail } = await mailFor();
    const { mail: other } = await mailFor({ binding_message: 'PUMP-4 50.00 EUR' });
    expect(mail.text).not.toContain('exactly this message');
    expect(other.text).toContain('exactly this message');
    expect(mail.subject).toBe(other.subject);
  });

  it('has one link, to the page of this request at the issuer, in text and HTML', async () => {
    const { request, mail } = await mailFor({ binding_message: 'Pump 4' });
    expect(mail.link).toMatch(new RegExp(`^${issuer}/approve/${request.ref}\\.[\\w-]{43}$`));
    const urls = new Set(mail.html.match(/https?:\/\/[^\s"<]+/g));
    expect([...urls]).toEqual([mail.link]);
  });

  it('T10, T12: shows the Request ID and never the auth_req_id', async () => {
    const { request, mail } = await mailFor({ binding_message: 'Pump 4' });
    const [, secret = ''] = request.authReqId.split('.');
    for (const part of [mail.subject, mail.text, mail.html]) expect(part).not.toContain(secret);
    expect(mail.html).toContain(`Request ID: ${request.ref}`);
  });

  it.each([
    ['Füllung & Öl: 50,00 € (Säule 4)'],
    ["it's 100% “yours” = 1 + 1"],
    ['給油 5,000円（4番）'],
    ['दो लीटर - 4'],
    ['{{7*7}}'.replace(/[{}]/g, '(')],
  ])(
    'T5: shows %s as it was sent, escaped where HTML gives it a meaning',
    async (bindingMessage) => {
      const { mail } = await mailFor({ binding_message: bindingMessage });
      expect(mail.text).toContain(bindingMessage);
      expect(decodeHtml(mail.html)).toContain(bindingMessage);
      expect(mail.html).not.toMatch(/& |[^=]"yours"/);
    },
  );

  it('T13: links to the issuer whatever host the request claims to be for', async () => {
    const headers = {
      Authorization: basicAuthorization(basic),
      'X-Forwarded-Host': 'evil.test',
      Forwarded: 'host=evil.test;proto=http',
      'X-Original-URL': 'http://evil.test/',
      Origin: 'http://evil.test',
    };
    const form = new URLSearchParams({ scope: 'openid', login_hint: user.username });
    const { body } = await send('/cibaAuthorization', form, headers);
    const [ref = ''] = String(body['auth_req_id']).split('.');
    const { link } = await mailOf(user.email, ref);
    expect(new URL(link).origin).toBe(issuer);
  });

  it('goes out once, to the one user, and for no request that was refused', async () => {
    const before = (await mailsTo(user.email)).length;
    await ask(basic, user.username, { binding_message: '<b>' });
    await ask(basic, user.username, { scope: 'profile' });
    await ask({ ...basic, client_secret: 'wrong'.repeat(9) }, user.username);
    const { request } = await mailFor();
    const mails = await mailsTo(user.email);
    expect(mails).toHaveLength(before + 1);
    expect(mails.at(-1)?.text).toContain(request.ref);
  });
});

function decodeHtml(html: string): string {
  const entities: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
  };
  return html.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? entity);
}
