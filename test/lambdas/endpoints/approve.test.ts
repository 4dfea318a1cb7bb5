/**
 * The approval page (CIBA Core 8): which status means what, what a decision demands, what a hostile
 * name can do.
 */
import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../lambdas/ports.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { formTokenOf, issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

type Provider = ReturnType<typeof providerInMemory>;

async function mailed(provider: Provider, parameters: Record<string, string> = {}) {
  const authReqId = await provider.ask(parameters);
  return { authReqId, ref: refOf(authReqId), link: await provider.mailedLink(authReqId) };
}

const get = (provider: Provider, link: string) => provider.approve(new Request(link));

describe('T31: the logo of the client', () => {
  it('is shown where the client has one, from its own address of ours', async () => {
    const provider = providerInMemory();
    const { link } = await mailed(provider);
    const hash = 'h'.repeat(43);
    provider.directory.clients.set('pump-4', { ...exampleClient, logo_hash: hash });
    const page = await get(provider, link);
    expect(await page.text()).toContain(`<img class="mark" src="/logo/pump-4/${hash}" alt=""`);
    expect(page.headers.get('content-security-policy')).toContain("img-src 'self'");
    const notice = await provider.decide(link, 'approve');
    expect(await notice.text()).not.toContain('<img');
    expect(notice.headers.get('content-security-policy')).not.toContain('img-src');
  });

  it('is no image where it has none', async () => {
    const provider = providerInMemory();
    const page = await get(provider, (await mailed(provider)).link);
    expect(await page.text()).not.toContain('<img');
    expect(page.headers.get('content-security-policy')).not.toContain('img-src');
  });
});

describe('the statuses', () => {
  it('200 for the page and for each decision', async () => {
    const provider = providerInMemory();
    const [one, other] = [await mailed(provider), await mailed(provider)];
    expect((await get(provider, one.link)).status).toBe(200);
    expect((await provider.decide(one.link, 'approve')).status).toBe(200);
    expect((await provider.decide(other.link, 'deny')).status).toBe(200);
    const third = await mailed(provider);
    const reported = await provider.decide(third.link, 'report');
    expect(reported.status).toBe(200);
    expect(await reported.text()).toContain('<h1>Denied and reported</h1>');
    expect(await provider.requests.find(third.ref)).toMatchObject({ reported: true });
    expect((await provider.requests.find(one.ref))?.status).toBe('approved');
    expect((await provider.requests.find(other.ref))?.status).toBe('denied');
  });

  it('409 for what is decided, also by GET, also after redemption', async () => {
    const provider = providerInMemory();
    const { authReqId, link } = await mailed(provider);
    await provider.decide(link, 'approve');
    expect((await get(provider, link)).status).toBe(409);
    await provider.poll(authReqId);
    expect((await get(provider, link)).status).toBe(409);
  });

  it('410 for what has expired or failed', async () => {
    const provider = providerInMemory();
    const [expired, failed] = [await mailed(provider), await mailed(provider)];
    await provider.requests.fail(failed.ref, 'flow_error', provider.now.at);
    expect((await get(provider, failed.link)).status).toBe(410);
    provider.now.at += 120;
    expect((await get(provider, expired.link)).status).toBe(410);
  });

  it.each<[string, (provider: Provider) => void]>([
    [
      'the client is disabled',
      ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, enabled: false }),
    ],
    [
      'the user is disabled',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, enabled: false }),
    ],
    [
      'the address changed',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, contact_version: 2 }),
    ],
  ])('410 for an approval after %s (T29)', async (_what, change) => {
    const provider = providerInMemory();
    const { link, ref } = await mailed(provider);
    const page = await (await get(provider, link)).text();
    change(provider);
    const form_token = formTokenOf(page);
    const body = new URLSearchParams({ form_token, decision: 'approve' });
    expect((await provider.approve(new Request(link, { method: 'POST', body }))).status).toBe(410);
    expect((await provider.requests.find(ref))?.status).toBe('pending');
  });

  it('403 for a form that was open for more than ten minutes', async () => {
    const provider = providerInMemory();
    const { link } = await mailed(provider, { requested_expiry: '600' });
    const page = await (await get(provider, link)).text();
    const form_token = formTokenOf(page);
    provider.now.at += 599;
    const body = new URLSearchParams({ form_token, decision: 'approve' });
    expect((await provider.approve(new Request(link, { method: 'POST', body }))).status).toBe(403);
  });

  it.each([
    [
      'another media type',
      400,
      { headers: { 'Content-Type': 'text/plain' }, body: 'decision=approve' },
    ],
    ['a body over 16 KB', 413, { body: new URLSearchParams({ x: 'x'.repeat(17_000) }) }],
  ])('%s is %i', async (_what, status, init) => {
    const provider = providerInMemory();
    const { link } = await mailed(provider);
    expect((await provider.approve(new Request(link, { method: 'POST', ...init }))).status).toBe(
      status,
    );
  });

  it.each([
    [503, new Unavailable('throttled')],
    [500, new TypeError('canary')],
  ])('%i as a page that tells nothing when the store fails', async (status, error) => {
    const provider = providerInMemory({ requests: { find: () => Promise.reject(error) } });
    const response = await get(provider, `${issuer}/approve/${'a'.repeat(26)}.${'b'.repeat(43)}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain('<h1>Please try again</h1>');
    expect(JSON.stringify(provider.log)).not.toContain('canary');
  });

  it('whatever fails once the link is opened, the log line has the request', async () => {
    const fail = () => Promise.reject(new Unavailable('down'));
    const provider = providerInMemory({ requests: { decide: fail } });
    const { link, ref } = await mailed(provider);
    expect((await provider.decide(link, 'approve')).status).toBe(503);
    expect(provider.log.at(-1)).toMatchObject({ event: 'approve', outcome: 'unavailable', ref });
  });
});

describe('a request that is confirmed by a code', () => {
  const message = 'Px-47 11';

  async function coded(parameters: Record<string, string> = {}) {
    const provider = providerInMemory();
    provider.directory.clients.set('pump-4', { ...exampleClient, confirmation_level: 'code' });
    return { provider, ...(await mailed(provider, { binding_message: message, ...parameters })) };
  }

  const approve = (provider: Provider, link: string, code?: string) =>
    provider.decide(link, 'approve', {}, code === undefined ? {} : { code });

  it.each([
    message,
    'PX-4711',
    ' p x - 4 7 1 1 ',
    'ｐｘ-４７１１',
    'px-47\u00a011',
    'px4711',
    'PX·٤٧–11.',
  ])('P17: is approved by the code as people type it: %j', async (code) => {
    const { provider, link, authReqId } = await coded();
    const response = await approve(provider, link, code);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('<h1>Approved</h1>');
    const { body } = await provider.poll(authReqId);
    expect(body['id_token']).toContain(`"acr":"${issuer}/acr/code","amr":["email","code"]`);
  });

  it.each([undefined, '', '   ', '\u3000', '-', '\u200b--', '????'])(
    'T1, P17: is not approved by who presses the button with %j, and no try is used up',
    async (code) => {
      const { provider, link, ref } = await coded();
      for (let press = 0; press < 5; press += 1) {
        const response = await approve(provider, link, code);
        expect(response.status).toBe(400);
        expect(await response.text()).toContain('To approve, type the code');
      }
      expect(await provider.requests.find(ref)).toMatchObject({ status: 'pending', wrongCodes: 0 });
      expect((await approve(provider, link, message)).status).toBe(200);
    },
  );

  it('is asked for again after a wrong code, with a form that works, and denied by the third', async () => {
    const { provider, link, ref, authReqId } = await coded();
    const first = await approve(provider, link, 'PX-4712');
    expect(first.status).toBe(400);
    const page = await first.text();
    expect(page).toContain('You can try 2 more times.');
    const form_token = formTokenOf(page);
    const body = new URLSearchParams({ form_token, decision: 'approve', code: 'wrong' });
    const second = await provider.approve(new Request(link, { method: 'POST', body }));
    expect(await second.text()).toContain('You can try once more; then the request is denied.');

    const third = await approve(provider, link, 'wrong');
    expect(third.status).toBe(400);
    expect(await third.text()).toContain('The code was wrong three times');
    expect(await provider.requests.find(ref)).toMatchObject({ status: 'denied', wrongCodes: 3 });
    expect((await approve(provider, link, message)).status).toBe(403);
    expect((await get(provider, link)).status).toBe(409);
    expect((await provider.poll(authReqId)).body).toMatchObject({ error: 'access_denied' });
  });

  it('T1: of many codes at once no more than three are judged, the right one among them or not', async () => {
    const { provider, link, ref } = await coded();
    const page = await (await get(provider, link)).text();
    const form_token = formTokenOf(page);
    const post = (code: string) =>
      provider.approve(
        new Request(link, {
          method: 'POST',
          body: new URLSearchParams({ form_token, decision: 'approve', code }),
        }),
      );
    const guesses = Array.from({ length: 50 }, (_, index) => `px-${4672 + index}`);
    await Promise.all(guesses.map(post));
    expect(guesses).toContain('px-4711');
    expect(await provider.requests.find(ref)).toMatchObject({ status: 'denied', wrongCodes: 3 });
  });

  it.each([
    ['deny', 'denied'],
    ['report', 'denied'],
  ])('%s needs no code', async (decision, status) => {
    const { provider, link, ref } = await coded();
    expect((await provider.decide(link, decision)).status).toBe(200);
    expect((await provider.requests.find(ref))?.status).toBe(status);
  });

  it('is over when it is over: no code is judged any more', async () => {
    const { provider, link, ref } = await coded();
    const page = await (await get(provider, link)).text();
    const form_token = formTokenOf(page);
    provider.now.at += 120;
    const body = new URLSearchParams({ form_token, decision: 'approve', code: 'wrong' });
    expect((await provider.approve(new Request(link, { method: 'POST', body }))).status).toBe(410);
    expect(await provider.requests.find(ref)).toMatchObject({ wrongCodes: 0 });
  });

  it('says nothing of the code, nor of what was typed, in page, mail and log', async () => {
    const { provider, link } = await coded();
    const pages = [await get(provider, link), await approve(provider, link, 'canary-1234')];
    const told = [
      ...(await Promise.all(pages.map((page) => page.text()))),
      JSON.stringify(provider.mails),
      JSON.stringify(provider.log),
    ].join('');
    expect(told).not.toMatch(/47 ?11|canary/i);
    expect(provider.log).toContainEqual(
      expect.objectContaining({ event: 'approve', status: 400, cause: 'code wrong' }),
    );
  });

  it('takes the branch of those without a message, whose mail shows none', async () => {
    const { provider, ref } = await coded();
    expect(await provider.locateUser({ ref })).toEqual({
      outcome: 'located',
      bindingMessage: false,
    });
  });

  it('stays one when its client is registered otherwise meanwhile', async () => {
    const { provider, link } = await coded();
    provider.directory.clients.set('pump-4', exampleClient);
    expect((await approve(provider, link)).status).toBe(400);
  });

  it('may be asked for by acr_values, by a client that needs none', async () => {
    const provider = providerInMemory();
    const acr_values = `urn:x ${issuer}/acr/code ${issuer}/acr/link`;
    const { link, ref } = await mailed(provider, { binding_message: message, acr_values });
    expect(await provider.requests.find(ref)).toMatchObject({ wrongCodes: 0 });
    expect((await approve(provider, link)).status).toBe(400);
    expect((await approve(provider, link, message)).status).toBe(200);
  });
});

describe('P15: the acr of the tokens', () => {
  const [code, link] = [`${issuer}/acr/code`, `${issuer}/acr/link`];
  const values = [code, link, 'phr'];
  const lists = values.flatMap((one) => [
    [one],
    ...values.flatMap((two) => [[one, two], ...values.map((three) => [one, two, three])]),
  ]);

  it.each([undefined, 'Px-4', 'Px-47'])(
    'is the first of any list that a request with the message %j can meet',
    async (binding_message) => {
      for (const list of lists) {
        const provider = providerInMemory();
        const ours = list.filter((value) => value !== 'phr');
        const isMet = (value: string) => value === link || binding_message === 'Px-47';
        const expected = ours.length === 0 ? link : ours.find(isMet);
        const form = { acr_values: list.join(' '), ...(binding_message && { binding_message }) };
        if (expected === undefined) {
          await expect(provider.ask(form)).rejects.toThrow('not acknowledged: 400');
          continue;
        }
        const { authReqId, link: page } = await mailed(provider, form);
        await provider.decide(page, 'approve', {}, { code: binding_message ?? '' });
        const { body } = await provider.poll(authReqId);
        expect(body['id_token'], list.join(' ')).toContain(`"acr":"${expected}"`);
      }
    },
  );
});

describe('the language', () => {
  async function shown(provider: Provider, link: string, languages?: string) {
    const headers = languages === undefined ? {} : { 'Accept-Language': languages };
    const response = await provider.approve(new Request(link, { headers }));
    const [, lang] = /<html lang="([^"]+)"/.exec(await response.text()) ?? [];
    expect(response.headers.get('content-language')).toBe(lang);
    expect(response.headers.get('vary')).toBe('Accept-Language');
    return lang;
  }

  it.each([
    ['the best that the browser asks for', 'it, es;q=0.3, fr-CA;q=0.9', 'fr'],
    ['the user’s own where the browser asks for none that there is', 'it', 'de'],
    ['the user’s own where the browser asks for none', undefined, 'de'],
  ])('is %s', async (_what, languages, expected) => {
    const provider = providerInMemory();
    provider.directory.users.set('u-alice', { ...exampleUser, locale: 'de-AT' });
    const { link } = await mailed(provider);
    expect(await shown(provider, link, languages)).toBe(expected);
    await provider.decide(link, 'deny');
    expect(await shown(provider, link, languages)).toBe(expected);
  });

  it('is English for everybody else, and for whoever holds no link', async () => {
    const provider = providerInMemory();
    provider.directory.users.set('u-alice', { ...exampleUser, locale: 'it' });
    const { link } = await mailed(provider);
    expect(await shown(provider, link)).toBe('en');
    expect(await shown(provider, `${link}x`)).toBe('en');
    expect(await shown(provider, `${link}x`, 'ja')).toBe('ja');
  });

  it('is looked up after the decision, and a user who cannot be read does not undo it', async () => {
    const provider = providerInMemory();
    const { link, ref } = await mailed(provider);
    const page = await (await get(provider, link)).text();
    provider.directory.ports.users.findUser = () => Promise.reject(new Error('canary'));
    const form_token = formTokenOf(page);
    const body = new URLSearchParams({ form_token, decision: 'deny' });
    const response = await provider.approve(new Request(link, { method: 'POST', body }));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('<h1>Denied</h1>');
    expect((await provider.requests.find(ref))?.status).toBe('denied');
  });
});

it('the page is shown in English where neither the browser nor the directory says a language', async () => {
  const provider = providerInMemory();
  const { link } = await mailed(provider);
  provider.directory.ports.users.findUser = () => Promise.reject(new Error('canary'));
  const response = await get(provider, link);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-language')).toBe('en');
});

describe('who asks', () => {
  it('is shown with the domain of the registered home page, and no link to it', async () => {
    const provider = providerInMemory();
    const client_uri = 'https://pay.fuel.example/about?x=1';
    provider.directory.clients.set('pump-4', { ...exampleClient, client_uri });
    const { link } = await mailed(provider);
    const html = await (await get(provider, link)).text();
    expect(html).toContain('Registered domain: <bdi>pay.fuel.example</bdi>');
    expect(html).not.toContain('about');
  });
});

describe('T4: two requests of one user', () => {
  const policies = {
    notificationPolicies: { byDefault: 'some', policies: { some: { pendingPerUser: 3 } } },
  };

  it('each page says that there is another and from when, and nothing else of it', async () => {
    const provider = providerInMemory({ policies });
    const one = await mailed(provider, { binding_message: 'canary one' });
    provider.now.at += 7;
    const other = await mailed(provider, { binding_message: 'canary two' });
    const first = await (await get(provider, one.link)).text();
    const second = await (await get(provider, other.link)).text();
    expect(first).toContain('1 other request is waiting for you, asked at 22:13:27 UTC.');
    expect(second).toContain('1 other request is waiting for you, asked at 22:13:20 UTC.');
    expect(first).not.toContain('canary two');
    expect(second).not.toContain('canary one');
    await provider.decide(one.link, 'deny');
    expect(await (await get(provider, other.link)).text()).not.toContain('class="others"');
    expect((await provider.requests.find(other.ref))?.status).toBe('pending');
  });
});

describe('T10: before the mail is claimed', () => {
  it('no link of a request exists', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    expect((await get(provider, `${issuer}/approve/${authReqId}`)).status).toBe(404);
  });
});

describe('T1: looking', () => {
  it('changes nothing, however often and by whatever method', async () => {
    const provider = providerInMemory();
    const { link, ref } = await mailed(provider);
    const before = await provider.requests.find(ref);
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
      await provider.approve(new Request(link, { method }));
    }
    expect(await provider.requests.find(ref)).toEqual(before);
  });
});

describe('T5: texts on the page', () => {
  it('are inert, even if a stored name or message were hostile', async () => {
    const provider = providerInMemory();
    const hostile = `"><script>alert(1)</script>'&amp;`;
    provider.directory.clients.set('pump-4', { ...exampleClient, client_name: hostile });
    const { link } = await mailed(provider);
    const html = await (await get(provider, link)).text();
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;amp;');
  });
});
