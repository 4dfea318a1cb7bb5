/** The demo's server: what it asks for, what it escapes, and whom it does not answer. */
import { createServer, request as httpRequest, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Demo, serveDemo } from '../../../lib/demo/serve-demo.ts';
import { closeServer, listenOnLoopback } from '../../../lib/local/loopback.ts';
import {
  acknowledged,
  oauthError,
  type ScriptedProvider,
  startScriptedProvider,
} from './scripted-provider.ts';

const emails: object[] = [];
let provider: ScriptedProvider;
let inbox: Server;
let demo: Demo;

beforeAll(async () => {
  provider = await startScriptedProvider();
  Object.assign(provider, {
    asked: [acknowledged],
    polled: [oauthError(400, 'authorization_pending')],
  });
  inbox = createServer((_request, response) => response.end(JSON.stringify({ emails })));
  demo = await serveDemo({
    port: 0,
    inbox: `http://localhost:${await listenOnLoopback(inbox, { port: 0 })}`,
    users: ['alice', '<b>'],
    subjects: new Map([['alice', 'u-alice']]),
    pump: {
      issuer: provider.issuer,
      clientId: 'pump-4',
      clientSecret: 'canary-secret',
      clientAuthentication: 'client_secret_post',
    },
  });
});
afterAll(async () => {
  await demo?.stop();
  await closeServer(inbox);
  await provider.stop();
});

interface Form {
  amount?: string;
  user?: string;
  view?: string;
  sale?: string;
  code?: string;
}

function order(form: Form = {}, headers: Record<string, string> = {}): Promise<Response> {
  const sale = crypto.randomUUID();
  const body = new URLSearchParams({
    amount: '52.30',
    user: 'alice',
    view: 'story',
    sale,
    ...form,
  });
  return fetch(demo.url, { method: 'POST', body, headers, redirect: 'manual' });
}

/**
 * Orders, and the text of the page that this leads to once the provider has acknowledged the
 * request.
 */
async function pageOf(form: Form = {}): Promise<string> {
  const address = (await order(form)).headers.get('location') ?? '';
  const read = async () => (await fetch(demo.url + address)).text();
  await expect.poll(read).toContain('Done: </span>Asked the provider');
  return read();
}

describe('the demo', () => {
  it('asks the user once however often the form is sent', async () => {
    const sale = crypto.randomUUID();
    const before = provider.requests.length;
    const answers = [await order({ sale }), await order({ sale })];
    expect(answers.map(({ status, headers }) => [status, headers.get('location')])).toEqual([
      [303, `/story?sale=${sale}`],
      [303, `/story?sale=${sale}`],
    ]);
    await expect.poll(() => provider.requests.length).toBe(before + 1);
  });

  it.each<[Form, string]>([
    [{ amount: '1000000.00' }, 'Choose an amount: 20.00, 35.00, 52.30, 80.00.'],
    [{ user: '  ' }, 'Say who pays'],
    [{ user: 'x'.repeat(101) }, 'Say who pays'],
    [{ sale: 'x' }, 'Please send the form once more.'],
  ])('refuses %j, says what is wrong, and shows the form again', async (form, mistake) => {
    const answer = await order(form);
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(html).toContain(`role="alert">${mistake}`);
    expect(html).toContain('<form method="post"');
  });

  it('P36: unlocks the pump for nobody but the user who was asked', async () => {
    const { polled } = provider;
    const id_token = await provider.idToken({ sub: 'u-bob' });
    const body = { access_token: 'a', token_type: 'Bearer', id_token };
    provider.polled = [{ status: 200, body }];
    const address = (await order()).headers.get('location') ?? '';
    const read = async () => (await fetch(demo.url + address)).text();
    await expect.poll(read).toContain('The approval is not the one that was asked for.');
    provider.polled = polled;
  });

  it('escapes names, and has neither script in its pages nor a secret', async () => {
    const html = await pageOf({ user: '<script>alert(1)</script>' });
    expect(html).toContain('Waiting for &lt;script&gt;alert(1)&lt;/script&gt;');
    const form = await (await fetch(demo.url)).text();
    expect(form).toContain('value="&lt;b&gt;"');
    for (const page of [html, form]) {
      expect(page).not.toMatch(/<script(?! src="\/demo\.js")|\son\w+=|canary/);
    }
  });

  it('shows the mail of the sale in a frame that runs nothing, and links to the provider alone', async () => {
    const text = `Request ID: ref ${provider.issuer}/approve/x.y`;
    const html = '<head></head><script>alert(1)</script>';
    const mail = { from: 'f', subject: '<i>', destination: { to: ['t'] }, body: { text, html } };
    emails.push({ ...mail, messageId: 'm', at: Math.floor(Date.now() / 1000) });
    const page = await pageOf();
    expect(page).toContain(`data-phone href="${provider.issuer}/approve/x.y"`);
    expect(page).toContain('<b>&lt;i&gt;</b>');
    const framed = await fetch(`${demo.url}/mail?id=m`);
    const policy = framed.headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'; .* sandbox allow-popups allow-popups-to-escape/);
    expect(policy).not.toContain('script');

    emails[0] = {
      ...emails[0],
      body: { text: text.replace(provider.issuer, 'http://evil.test'), html },
    };
    expect(await pageOf()).not.toContain('data-phone');
    expect((await fetch(`${demo.url}/mail?id=other`)).status).toBe(404);
  });

  it('shows a new code for each sale that asks for one, and sends it as the message', async () => {
    const codes: string[] = [];
    for (let sale = 0; sale < 20; sale += 1) {
      const html = await pageOf({ code: 'yes' });
      const [, code = ''] =
        /Code to type on the phone<\/span><strong class="message typed">([^<]*)</.exec(html) ?? [];
      expect(code).toMatch(/^[A-HJ-NP-Z2-9]{3}-[A-HJ-NP-Z2-9]{3}$/);
      codes.push(code);
    }
    expect(new Set(codes).size).toBe(codes.length);
    const sent = () => provider.requests.map((form) => form.get('binding_message'));
    await expect.poll(sent).toEqual(expect.arrayContaining(codes));
  });

  it('tells an open page each change, once', async () => {
    const sale = crypto.randomUUID();
    await order({ sale });
    const events = await fetch(`${demo.url}/events?view=pump&sale=${sale}`);
    const reader = events.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    const parts = JSON.parse(new TextDecoder().decode(value).replace(/^data: /, ''));
    expect(Object.keys(parts)).toEqual(['headline', 'steps']);
    expect(parts.headline).toContain('Waiting for alice');
    await reader?.cancel();
  });

  it('does not load the mail that is read again for a mail to somebody else', async () => {
    const sale = crypto.randomUUID();
    await order({ sale });
    const events = await fetch(`${demo.url}/events?view=story&sale=${sale}`);
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    const told = async () =>
      Object.keys(JSON.parse(((await reader?.read())?.value ?? '').slice(6)));
    expect(await told()).toEqual(expect.arrayContaining(['phone', 'inbox']));
    const mail = { from: 'f', subject: 's', destination: { to: ['t'] } };
    emails.push({ ...mail, messageId: 'another', at: 0, body: { text: '', html: '' } });
    // What the sale itself has yet to tell may come before.
    let changed = await told();
    while (!changed.includes('inbox')) changed = await told();
    expect(changed).not.toContain('phone');
    await reader?.cancel();
  });

  it('does not answer other sites, nor names that were pointed at this machine', async () => {
    expect((await order({}, { origin: 'http://evil.test' })).status).toBe(403);
    const { port } = new URL(demo.url);
    const status = await new Promise((resolve) => {
      const asked = httpRequest({ host: '127.0.0.1', port, headers: { host: 'evil.test' } });
      asked.once('response', (response) => resolve(response.resume().statusCode));
      asked.end();
    });
    expect(status).toBe(403);
  });

  it('P49: answers by its name and on each loopback address of the machine', async () => {
    const { port } = new URL(demo.url);
    const loopback = Object.values(networkInterfaces())
      .flatMap((addresses = []) => addresses)
      .filter(({ address }) => address === '127.0.0.1' || address === '::1');
    for (const { address } of loopback) {
      const host = address.includes(':') ? `[${address}]` : address;
      expect((await fetch(`http://${host}:${port}/`)).status).toBe(200);
    }
    expect((await fetch(`http://localhost:${port}/`)).status).toBe(200);
  });

  it('has nothing at other addresses, and takes no long forms', async () => {
    expect((await fetch(`${demo.url}/elsewhere`)).status).toBe(404);
    await expect(order({ user: 'x'.repeat(5000) })).rejects.toThrow();
  });
});
