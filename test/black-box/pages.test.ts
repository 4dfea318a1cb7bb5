/**
 * The approval page (CIBA Core 8) and the attacks on it: scanners, forged forms, foreign sites,
 * confused handles.
 */
import { describe, expect, it } from 'vitest';
import { decide, headingOf, hiddenInputs, open, submit } from './authentication-device.ts';
import { errorOf, poll, start } from './consumption-device.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const { basic } = clients;
const user = users.pages;

async function mailed(parameters: Record<string, string> = {}) {
  const request = await start(basic, user.username, parameters);
  const { link } = await mailOf(user.email, request.ref);
  return { ...request, link };
}

async function expectPending(authReqId: string): Promise<void> {
  const { error } = Object(errorOf(await poll(basic, authReqId)));
  expect(['authorization_pending', 'slow_down']).toContain(error);
}

describe('the page', () => {
  it('says who asks, for what, since when and until when, and which request it is', async () => {
    const { link, ref } = await mailed({
      scope: 'openid profile email payments:read',
      binding_message: 'PUMP-4 50.00 EUR',
    });
    const page = await open(link);
    expect(page.status).toBe(200);
    for (const shown of [
      'Fuel &amp; Go, basic-rs256',
      'PUMP-4 50.00 EUR',
      'see your e-mail address',
      'see your name',
      'payments:read',
      'Asked',
      'Ends',
      ref,
    ]) {
      expect(page.html).toContain(shown);
    }
  });

  it('has one form, decided by its three buttons alone, and no script but the countdown', async () => {
    const { link } = await mailed();
    const { html } = await open(link);
    expect(html.match(/<form/g)).toHaveLength(1);
    expect(html).toContain('<form method="post">');
    const buttons = html.match(/<button[^>]*name="decision" value="(?:approve|deny|report)"/g);
    expect(buttons).toHaveLength(3);
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<script [^>]|javascript:|\son\w+=|autofocus/i);
    expect(html.length).toBeLessThan(20_000);
  });

  it('cannot be framed, cached, indexed or referred to (T11, T12)', async () => {
    const { link } = await mailed();
    const { headers } = await open(link);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]+='; script-src 'sha256-[\w+/]+='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-robots-tag': 'noindex, nofollow',
    });
  });

  it('T4: a request that was not the user’s is denied by saying so', async () => {
    const { authReqId, link } = await mailed();
    expect(headingOf(await decide(link, 'report'))).toBe('Denied and reported');
    expect(errorOf(await poll(basic, authReqId))).toMatchObject({ error: 'access_denied' });
    expect((await open(link)).status).toBe(409);
  });

  it.each([
    ['de', 'bittet um Ihre Zustimmung'],
    ['pt, fr-CA;q=0.8, de;q=0.5', 'sollicite votre approbation'],
    ['ja;q=0, *', 'asks for your approval'],
  ])('is in the language that the browser asks for: %s', async (languages, title) => {
    const { link } = await mailed();
    const { html, headers } = await open(link, { headers: { 'Accept-Language': languages } });
    const [, locale] = /^<!doctype html>\n<html lang="(\w+)"/.exec(html) ?? [];
    expect(html).toContain(title);
    expect(headers.get('content-language')).toBe(locale);
    expect(headers.get('vary')).toContain('Accept-Language');
  });

  it('T4: two requests of one user are decided one by one', async () => {
    const [one, other] = [
      await mailed({ binding_message: 'one' }),
      await mailed({ binding_message: 'other' }),
    ];
    await decide(one.link, 'approve');
    await expectPending(other.authReqId);
    await decide(other.link, 'deny');
    expect((await poll(basic, one.authReqId)).status).toBe(200);
    expect(errorOf(await poll(basic, other.authReqId))).toMatchObject({ error: 'access_denied' });
  });
});

describe('T1: scanners and prefetchers', () => {
  const agents = [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Microsoft Office/16.0 (Microsoft Outlook 16.0)',
    'Mozilla/5.0 (compatible; SafeLinks)',
    'GoogleImageProxy',
    'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
    'curl/8.5.0',
  ];

  const atOnce = { tags: ['at-once'] };

  it(
    'decide nothing by 50 GET and 50 HEAD, and the link still works for its human',
    atOnce,
    async () => {
      const { authReqId, link } = await mailed();
      const visits = Array.from({ length: 50 }, (_, index) => agents[index % agents.length] ?? '');
      const answers = await Promise.all(
        visits.flatMap((agent) => {
          const headers = { 'User-Agent': agent, 'Sec-Purpose': 'prefetch', Purpose: 'prefetch' };
          return [open(link, { headers }), open(link, { method: 'HEAD', headers })];
        }),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      await expectPending(authReqId);
      expect(headingOf(await decide(link, 'approve'))).toBe('Approved');
      expect((await poll(basic, authReqId)).status).toBe(200);
    },
  );

  it('decide nothing by a decision in the query', async () => {
    const { authReqId, link } = await mailed();
    expect((await open(`${link}?decision=approve`)).status).toBe(200);
    await expectPending(authReqId);
  });

  it('decide nothing by OPTIONS, PUT, PATCH or DELETE', async () => {
    const { authReqId, link } = await mailed();
    const body = new URLSearchParams({ ...hiddenInputs(await open(link)), decision: 'approve' });
    for (const [method, status] of [
      ['OPTIONS', 204],
      ['PUT', 405],
      ['PATCH', 405],
      ['DELETE', 405],
    ] as const) {
      const answer = await open(link, { method, body });
      expect([answer.status, answer.headers.get('allow')]).toEqual([
        status,
        'GET, HEAD, OPTIONS, POST',
      ]);
    }
    await expectPending(authReqId);
  });
});

describe('T11: forged forms', () => {
  it.each<[string, Record<string, string>]>([
    ['another site, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a sibling site, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'same-site' }],
    ['an address typed in, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'none' }],
    ['another site, by Origin', { Origin: 'https://evil.test' }],
    ['a look-alike, by Origin', { Origin: `${issuer}.evil.test` }],
  ])('of %s are refused with 403', async (_site, headers) => {
    const { authReqId, link } = await mailed();
    const answer = await submit(link, await open(link), 'approve', headers);
    expect(answer.status).toBe(403);
    await expectPending(authReqId);
  });

  it.each<[string, Record<string, string>]>([
    ['our page in a browser', { Origin: issuer, 'Sec-Fetch-Site': 'same-origin' }],
    ['a webview that sends Origin: null', { Origin: 'null' }],
    ['a browser that sends neither', {}],
  ])('but the form of %s decides', async (_browser, headers) => {
    const { link } = await mailed();
    expect((await submit(link, await open(link), 'approve', headers)).status).toBe(200);
  });

  it.each(['', 'x', 'A'.repeat(43)])(
    'with the form token %j are refused with 403',
    async (form_token) => {
      const { authReqId, link } = await mailed();
      const body = new URLSearchParams({ form_token, decision: 'approve' });
      expect((await open(link, { method: 'POST', body })).status).toBe(403);
      await expectPending(authReqId);
    },
  );

  it("with another request's form token are refused with 403", async () => {
    const [one, other] = [await mailed(), await mailed()];
    const answer = await submit(one.link, await open(other.link), 'approve');
    expect(answer.status).toBe(403);
    await expectPending(one.authReqId);
  });

  it.each(['', 'Approve', 'yes', 'Report'])(
    'with the decision %j are refused with 400',
    async (decision) => {
      const { authReqId, link } = await mailed();
      expect((await submit(link, await open(link), decision)).status).toBe(400);
      await expectPending(authReqId);
    },
  );

  it('with two decisions are refused with 400', async () => {
    const { authReqId, link } = await mailed();
    const { form_token = '' } = hiddenInputs(await open(link));
    const body = new URLSearchParams({ form_token, decision: 'deny' });
    body.append('decision', 'approve');
    expect((await open(link, { method: 'POST', body })).status).toBe(400);
    await expectPending(authReqId);
  });
});

describe('T10: confused handles', () => {
  it('open nothing: auth_req_id, ref, truncated and recombined forms are one 404', async () => {
    const [one, other] = [await mailed(), await mailed()];
    const [, secret = ''] = one.authReqId.split('.');
    const [, mac = ''] = (one.link.split('/').at(-1) ?? '').split('.');
    const tokens = [
      one.authReqId,
      one.ref,
      `${one.ref}.`,
      `${one.ref}.${mac.slice(0, -1)}`,
      `${one.ref}.${mac}A`,
      `${other.ref}.${mac}`,
      `${one.ref}.${secret}`,
      `${one.ref.toUpperCase()}.${mac}`,
      'x',
    ];
    const pages = await Promise.all(tokens.map((token) => open(`${issuer}/approve/${token}`)));
    expect(pages.map(({ status }) => status)).toEqual(tokens.map(() => 404));
    expect(new Set(pages.map(({ html }) => html)).size).toBe(1);
    const form = await open(one.link);
    for (const token of tokens) {
      expect((await submit(`${issuer}/approve/${token}`, form, 'approve')).status).toBe(404);
    }
    await expectPending(one.authReqId);
  });

  it('no page of an unmailed request exists yet, whatever is guessed', async () => {
    const { ref } = await start(basic, user.username);
    expect((await open(`${issuer}/approve/${ref}.${'A'.repeat(43)}`)).status).toBe(404);
  });
});
