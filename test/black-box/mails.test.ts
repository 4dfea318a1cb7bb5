/**
 * What arrives in the mailbox: the right template, one link to the issuer, the text exactly as the
 * client sent it.
 */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { open } from './authentication-device.ts';
import { ask, basicAuthorization, send, start } from './consumption-device.ts';
import { issuer, mailOf, mailsTo } from './deployment.ts';
import { clients, type TestClient, users } from './directory.ts';

const { basic } = clients;
const user = users.mails;

async function mailFor(parameters: Record<string, string> = {}, client: TestClient = basic) {
  const request = await start(client, user.username, parameters);
  return { request, mail: await mailOf(user.email, request.ref) };
}

describe('the mail', () => {
  it('carries the binding message where there is one (BindingMessageCheck)', async () => {
    const { mail } = await mailFor({ binding_message: 'PUMP-4 50.00 EUR' });
    expect(mail.text).toContain('PUMP-4 50.00 EUR');
    expect(mail.html).toContain('PUMP-4 50.00 EUR');
    expect(mail.subject).toBe(`${basic.client_name} asks for your approval`);
  });

  it('says what is asked for, in words, and until when it can be decided', async () => {
    const { mail } = await mailFor({ scope: 'openid email payments:read' });
    expect(mail.text).toContain(
      '- know that it is you\n- see your e-mail address\n- use: payments:read\n',
    );
    expect(mail.html).toContain('<li>see your e-mail address</li><li>use: payments:read</li>');
    for (const part of [mail.text, mail.html]) {
      expect(part).toMatch(/Ends.*\d\d:\d\d:\d\d UTC/s);
      expect(part).toContain('2 minutes after it was asked');
    }
  });

  it('is the generic one where there is none', async () => {
    const { mail } = await mailFor();
    const { mail: other } = await mailFor({ binding_message: 'PUMP-4 50.00 EUR' });
    expect(mail.text).not.toContain('exactly this message');
    expect(other.text).toContain('exactly this message');
    expect(mail.subject).toBe(other.subject);
  });

  it.each([
    ['german', 'de', 'bittet um Ihre Zustimmung'],
    ['spanish', 'es', 'solicita su aprobación'],
    ['french', 'fr', 'sollicite votre approbation'],
    ['japanese', 'ja', 'からの承認リクエスト'],
    ['canadian', 'fr', 'sollicite votre approbation'],
    ['italian', 'en', 'asks for your approval'],
  ] as const)(
    'is in the language of the %s user, or the nearest there is, with a binding message and without',
    async (name, locale, subject) => {
      const reader = users[name];
      const bindingMessage = 'Pump 4: 50.00 EUR';
      for (const parameters of [{}, { binding_message: bindingMessage }]) {
        const request = await start(basic, reader.username, parameters);
        const mail = await mailOf(reader.email, request.ref);
        expect(mail.subject).toBe(`${basic.client_name} ${subject}`);
        expect(mail.html).toContain(`<html lang="${locale}">`);
        expect(mail.text.includes(bindingMessage)).toBe('binding_message' in parameters);
        expect(mail.link).toMatch(new RegExp(`^${issuer}/approve/${request.ref}\\.`));
      }
    },
  );

  it('has one link, to the page of this request at the issuer, in text and HTML', async () => {
    const { request, mail } = await mailFor({ binding_message: 'Pump 4' });
    expect(mail.link).toMatch(new RegExp(`^${issuer}/approve/${request.ref}\\.[\\w-]{43}$`));
    const urls = new Set(mail.html.match(/https?:\/\/[^\s"<]+/g));
    expect([...urls]).toEqual([mail.link]);
  });

  it('T10, T12: shows the Request ID and never the auth_req_id', async () => {
    const { request, mail } = await mailFor({ binding_message: 'Pump 4' });
    const [, secret = ''] = request.authReqId.split('.');
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(mail.raw).not.toContain(secret);
    expect(mail.html).toContain(`Request ID: ${request.ref}`);
  });

  it.each([
    ['Füllung & Öl: 50,00 € (Säule 4)'],
    ["it's 100% “yours” = 1 + 1"],
    ['給油 5,000円（4番）'],
    ['दो लीटर - 4'],
    ['((7*7)) #if'],
  ])(
    'T5: shows %s as it was sent, escaped where HTML gives it a meaning',
    async (bindingMessage) => {
      const { mail } = await mailFor({ binding_message: bindingMessage });
      expect(mail.text).toContain(bindingMessage);
      expect(decodeHtml(mail.html)).toContain(bindingMessage);
      expect(mail.html).not.toMatch(/& |[^=]"yours"/);
    },
  );

  it('names the client in any script, in subject, text, HTML and on the page', async () => {
    const { unicode } = clients;
    const { mail } = await mailFor({}, unicode);
    expect(mail.subject).toBe(`${unicode.client_name} asks for your approval`);
    expect(mail.text).toContain(unicode.client_name);
    expect(decodeHtml(mail.html)).toContain(unicode.client_name);
    expect(mail.html).toContain('Söhne” L&#39;Été');
    expect(decodeHtml((await open(mail.link)).html)).toContain(unicode.client_name);
  });

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

  it('T13: links to the issuer even if the Host header names another site, or the gateway refuses it', async () => {
    const body = new URLSearchParams({ scope: 'openid', login_hint: user.username });
    const before = await mailsTo(user.email);
    const { status, text } = await postToHost('evil.test', '/cibaAuthorization', `${body}`);
    expect(status).toBeLessThan(500);
    expect(text).not.toContain('evil.test');
    if (status !== 200) return;
    const [ref = ''] = String(JSON.parse(text).auth_req_id).split('.');
    const mail = await mailOf(user.email, ref);
    expect(before.map(({ link }) => link)).not.toContain(mail.link);
    expect(new URL(mail.link).origin).toBe(issuer);
    expect(mail.raw).not.toContain('evil.test');
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

/**
 * A form to the deployment's own address, with the Host header of another site, which `fetch` would
 * not send.
 */
async function postToHost(Host: string, path: string, form: string) {
  const { request } = issuer.startsWith('https:') ? https : http;
  const headers = {
    Host,
    Authorization: basicAuthorization(basic),
    'Content-Type': 'application/x-www-form-urlencoded',
  };
  // Whom the certificate has to name is the deployment, not the Host header, from which Node would
  // take it.
  const options = { method: 'POST', headers, servername: new URL(issuer).hostname };
  const sent = request(new URL(issuer + path), options).end(form);
  const [response]: http.IncomingMessage[] = await once(sent, 'response');
  if (!response) throw new Error('there was no answer');
  return { status: response.statusCode ?? 0, text: await textOf(response) };
}

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
