/**
 * The approval page (CIBA Core 8): which status means what, what a decision demands, what a hostile name can do.
 */
import { describe, expect, it } from 'vitest';
import { OAuthError } from '../../../lambdas/ciba/oauth-error.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

type Provider = ReturnType<typeof providerInMemory>;

async function mailed(provider: Provider, parameters: Record<string, string> = {}) {
  const authReqId = await provider.ask(parameters);
  return { authReqId, ref: refOf(authReqId), link: await provider.mailedLink(authReqId) };
}

const get = (provider: Provider, link: string) => provider.approve(new Request(link));

describe('the statuses', () => {
  it('200 for the page and for each decision', async () => {
    const provider = providerInMemory();
    const [one, other] = [await mailed(provider), await mailed(provider)];
    expect((await get(provider, one.link)).status).toBe(200);
    expect((await provider.decide(one.link, 'approve')).status).toBe(200);
    expect((await provider.decide(other.link, 'deny')).status).toBe(200);
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
    const [, form_token = ''] = /name="form_token" value="([^"]+)"/.exec(page) ?? [];
    const body = new URLSearchParams({ form_token, decision: 'approve' });
    expect((await provider.approve(new Request(link, { method: 'POST', body }))).status).toBe(410);
    expect((await provider.requests.find(ref))?.status).toBe('pending');
  });

  it('403 for a form that was open for more than ten minutes', async () => {
    const provider = providerInMemory();
    const { link } = await mailed(provider, { requested_expiry: '600' });
    const page = await (await get(provider, link)).text();
    const [, form_token = ''] = /name="form_token" value="([^"]+)"/.exec(page) ?? [];
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
    [503, new OAuthError('temporarily_unavailable', 'Try again.')],
    [500, new TypeError('canary')],
  ])('%i as a page that tells nothing when the store fails', async (status, error) => {
    const provider = providerInMemory({ requests: { find: () => Promise.reject(error) } });
    const response = await get(provider, `${issuer}/approve/${'a'.repeat(26)}.${'b'.repeat(43)}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain('<h1>Please try again</h1>');
    expect(JSON.stringify(provider.log)).not.toContain('canary');
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
    expect(html).not.toContain('<script');
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;amp;');
  });
});
