/**
 * Attacks on the approval endpoint, each against a request that must still be pending afterwards:
 * scanners (T1), confused handles (T10), forged forms (T11), late and double decisions (T9).
 */
import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { linkToken } from '../../../lambdas/ciba/request/link-token.ts';
import { type DecideOutcome, Unavailable } from '../../../lambdas/ports.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

type Provider = ReturnType<typeof providerInMemory>;

async function mailed(provider: Provider, parameters: Record<string, string> = {}) {
  const authReqId = await provider.ask(parameters);
  return { authReqId, ref: refOf(authReqId), link: await provider.mailedLink(authReqId) };
}

async function formTokenOf(provider: Provider, link: string): Promise<string> {
  const page = await (await provider.approve(new Request(link))).text();
  const [, formToken] = /name="form_token" value="([^"]+)"/.exec(page) ?? [];
  if (formToken === undefined) throw new Error('the page has no form');
  return formToken;
}

function submit(
  provider: Provider,
  link: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams(fields);
  return provider.approve(new Request(link, { method: 'POST', body, headers }));
}

async function expectPending(provider: Provider, ref: string): Promise<void> {
  expect((await provider.requests.find(ref))?.status).toBe('pending');
}

describe('T1: scanners and prefetchers', () => {
  const agents = [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Microsoft Outlook 16.0',
    'Mozilla/5.0 (compatible; SafeLinks)',
    'GoogleImageProxy',
    'curl/8.5.0',
    'Barracuda Sentinel (EE)',
  ];

  it('a storm of GET, HEAD and OPTIONS writes nothing, and the human’s page still decides', async () => {
    const provider = providerInMemory();
    const { link, ref, authReqId } = await mailed(provider);
    const before = await provider.requests.find(ref);
    const visits = Array.from({ length: 50 }, (_, index) => agents[index % agents.length] ?? '');
    const statuses = await Promise.all(
      visits.flatMap((agent) =>
        ['GET', 'HEAD', 'OPTIONS'].map(async (method) => {
          const headers = { 'User-Agent': agent, 'Sec-Purpose': 'prefetch', Purpose: 'prefetch' };
          return (await provider.approve(new Request(link, { method, headers }))).status;
        }),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 204]));
    expect(await provider.requests.find(ref)).toEqual(before);
    expect((await provider.decide(link, 'approve')).status).toBe(200);
    expect((await provider.poll(authReqId)).status).toBe(200);
  });

  it.each(['GET', 'HEAD', 'OPTIONS'])('%s decides nothing by its query', async (method) => {
    const provider = providerInMemory();
    const { link, ref } = await mailed(provider);
    const form_token = await formTokenOf(provider, link);
    const query = new URLSearchParams({ decision: 'approve', form_token });
    await provider.approve(new Request(`${link}?${query}`, { method }));
    await expectPending(provider, ref);
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
    '%s with the whole form is 405 with Allow',
    async (method) => {
      const provider = providerInMemory();
      const { link, ref } = await mailed(provider);
      const form_token = await formTokenOf(provider, link);
      const body = new URLSearchParams({ decision: 'approve', form_token });
      const response = await provider.approve(new Request(link, { method, body }));
      expect([response.status, response.headers.get('allow')]).toEqual([
        405,
        'GET, HEAD, OPTIONS, POST',
      ]);
      await expectPending(provider, ref);
    },
  );
});

describe('T10: confused handles', () => {
  it('are one neutral 404 by every method, tell a waiting request from none by nothing, and decide nothing', async () => {
    const provider = providerInMemory();
    const [one, other] = [await mailed(provider), await mailed(provider)];
    const [, secret = ''] = one.authReqId.split('.');
    const [, mac = ''] = (one.link.split('/').at(-1) ?? '').split('.');
    const stored = await provider.requests.find(one.ref);
    const form_token = await formTokenOf(provider, one.link);
    const foreignKey = createSecretKey(Buffer.alloc(32, 1));
    const tokens = [
      one.authReqId,
      one.ref,
      `${one.ref}.`,
      `.${mac}`,
      mac,
      `${one.ref}.${mac.slice(0, -1)}`,
      `${one.ref}.${mac}A`,
      `${one.ref}.${mac}.${mac}`,
      `${one.ref}.${mac}/${mac}`,
      `${one.ref}.${mac.split('').toReversed().join('')}`,
      `${other.ref}.${mac}`,
      `${one.ref}.${secret}`,
      `${one.ref}.${stored?.secretHash}`,
      `${one.ref}.${stored?.linkNonce}`,
      `${one.ref}.${form_token}`,
      `${one.ref.toUpperCase()}.${mac}`,
      linkToken(foreignKey, one.ref, stored?.linkNonce ?? ''),
      `${'a'.repeat(26)}.${mac}`,
      '',
      'x',
      '..%2f..%2ftoken',
      'x'.repeat(5000),
      '%00',
    ];
    const pages = new Set<string>();
    for (const token of tokens) {
      const url = `${issuer}/approve/${token}`;
      for (const response of [
        await provider.approve(new Request(url)),
        await submit(provider, url, { form_token, decision: 'approve' }),
        await submit(provider, url, { form_token, decision: 'deny' }),
      ]) {
        expect([token, response.status]).toEqual([token, 404]);
        pages.add(await response.text());
      }
    }
    expect(pages.size).toBe(1);
    await expectPending(provider, one.ref);
    await expectPending(provider, other.ref);
    expect(provider.log.filter(({ outcome }) => outcome === 'unknown')).toHaveLength(
      tokens.length * 3,
    );
  });

  it('the client cannot approve itself: its own handles open nothing before or after the mail', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    const url = `${issuer}/approve/${authReqId}`;
    expect((await provider.approve(new Request(url))).status).toBe(404);
    await provider.send(authReqId);
    expect((await provider.approve(new Request(url))).status).toBe(404);
    expect((await provider.poll(authReqId)).body['error']).toBe('authorization_pending');
  });

  it('the link is in no answer and in no log line', async () => {
    const provider = providerInMemory();
    const { link, authReqId } = await mailed(provider);
    const token = link.split('/').at(-1) ?? '';
    const [, mac = ''] = token.split('.');
    const answers = [
      await (await provider.approve(new Request(link))).text(),
      await (await provider.decide(link, 'approve')).text(),
      JSON.stringify((await provider.poll(authReqId)).body),
      JSON.stringify(provider.log),
    ];
    for (const answer of answers) expect(answer).not.toContain(mac);
  });
});

describe('T11: forged forms', () => {
  it.each<[string, Record<string, string>]>([
    ['Sec-Fetch-Site: cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['Sec-Fetch-Site: same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ['Sec-Fetch-Site: none', { 'Sec-Fetch-Site': 'none' }],
    [
      'Sec-Fetch-Site: cross-site with our Origin',
      { 'Sec-Fetch-Site': 'cross-site', Origin: issuer },
    ],
    ['another Origin', { Origin: 'https://evil.test' }],
    [
      'another Origin, said to be the same',
      { Origin: 'https://evil.test', 'Sec-Fetch-Site': 'same-origin' },
    ],
    ['our Origin over http', { Origin: issuer.replace('https', 'http') }],
    ['our Origin with a port', { Origin: `${issuer}:8443` }],
    ['our Origin with a slash', { Origin: `${issuer}/` }],
    ['our Origin as a prefix', { Origin: `${issuer}.evil.test` }],
    ['an empty Origin', { Origin: '' }],
  ])('with %s are 403', async (_what, headers) => {
    const provider = providerInMemory();
    const { link, ref } = await mailed(provider);
    expect((await provider.decide(link, 'approve', headers)).status).toBe(403);
    await expectPending(provider, ref);
  });

  it.each<[string, Record<string, string>]>([
    ['a browser', { Origin: issuer, 'Sec-Fetch-Site': 'same-origin' }],
    ['an older browser', { Origin: issuer }],
    ['a webview that hides the Origin', { Origin: 'null' }],
    [
      'a webview that hides the Origin of the same site',
      { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' },
    ],
    ['a caller that is no browser', {}],
  ])('are told from the form of %s, which decides', async (_what, headers) => {
    const provider = providerInMemory();
    const { link } = await mailed(provider);
    expect((await provider.decide(link, 'approve', headers)).status).toBe(200);
  });

  it.each<[string, (own: string, other: string, link: string) => Record<string, string>]>([
    ['without form token', () => ({})],
    ['with an empty form token', () => ({ form_token: '' })],
    ['with another request’s form token', (_own, other) => ({ form_token: other })],
    ['with a cut form token', (own) => ({ form_token: own.slice(1) })],
    ['with a longer form token', (own) => ({ form_token: `${own}A` })],
    [
      'with the link’s own token',
      (_own, _other, link) => ({ form_token: link.split('.').at(-1) ?? '' }),
    ],
    ['with the form token under another name', (own) => ({ formToken: own })],
  ])('%s are 403', async (_what, fields) => {
    const provider = providerInMemory();
    const [one, other] = [await mailed(provider), await mailed(provider)];
    const [own, foreign] = [
      await formTokenOf(provider, one.link),
      await formTokenOf(provider, other.link),
    ];
    for (const decision of ['approve', 'deny', 'report']) {
      const response = await submit(provider, one.link, {
        ...fields(own, foreign, one.link),
        decision,
      });
      expect(response.status).toBe(403);
    }
    await expectPending(provider, one.ref);
  });

  it.each(['', 'Approve', 'APPROVE', 'approve ', 'yes', 'true', 'Report', 'approved'])(
    'with the decision %j are 400',
    async (decision) => {
      const provider = providerInMemory();
      const { link, ref } = await mailed(provider);
      const form_token = await formTokenOf(provider, link);
      expect((await submit(provider, link, { form_token, decision })).status).toBe(400);
      await expectPending(provider, ref);
    },
  );

  it.each(['decision=deny&decision=approve', 'decision=approve&decision=approve', 'decision=%zz'])(
    'with %s are 400',
    async (fields) => {
      const provider = providerInMemory();
      const { link, ref } = await mailed(provider);
      const form_token = await formTokenOf(provider, link);
      const response = await provider.approve(
        new Request(link, {
          method: 'POST',
          body: `form_token=${form_token}&${fields}`,
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        }),
      );
      expect(response.status).toBe(400);
      await expectPending(provider, ref);
    },
  );
});

describe('T9: late and double decisions', () => {
  it.each([
    ['approve', 'approve', 'approved', 'Already approved'],
    ['approve', 'deny', 'approved', 'Already approved'],
    ['deny', 'approve', 'denied', 'Already denied'],
    ['deny', 'deny', 'denied', 'Already denied'],
    ['report', 'approve', 'denied', 'Already denied'],
    ['deny', 'report', 'denied', 'Already denied'],
    ['approve', 'report', 'approved', 'Already approved'],
  ])(
    '%s, then %s from a second tab: 409 with what counts',
    async (first, second, status, heading) => {
      const provider = providerInMemory();
      const { link, ref } = await mailed(provider);
      const form_token = await formTokenOf(provider, link);
      expect((await submit(provider, link, { form_token, decision: first })).status).toBe(200);
      const late = await submit(provider, link, { form_token, decision: second });
      expect(late.status).toBe(409);
      expect(await late.text()).toContain(`<h1>${heading}</h1>`);
      expect((await provider.requests.find(ref))?.status).toBe(status);
    },
  );

  it.each([
    ['approve', 'Already approved'],
    ['deny', 'Already denied'],
    ['report', 'Already denied'],
  ])('the link opened again after %s is 409 with what counts', async (decision, heading) => {
    const provider = providerInMemory();
    const { link } = await mailed(provider);
    await provider.decide(link, decision);
    const again = await provider.approve(new Request(link));
    expect(again.status).toBe(409);
    expect(await again.text()).toContain(`<h1>${heading}</h1>`);
  });

  it('a decision on a request that failed meanwhile is 410', async () => {
    const provider = providerInMemory();
    const { link, ref } = await mailed(provider);
    const form_token = await formTokenOf(provider, link);
    await provider.requests.fail(ref, 'flow_error', provider.now.at);
    for (const decision of ['approve', 'deny']) {
      const response = await submit(provider, link, { form_token, decision });
      expect(response.status).toBe(410);
      expect(await response.text()).toContain('<h1>No longer valid</h1>');
    }
  });

  it.each<[DecideOutcome, number, string]>([
    [{ outcome: 'decided' }, 200, 'Approved'],
    [{ outcome: 'already_decided', status: 'approved' }, 409, 'Already approved'],
    [{ outcome: 'already_decided', status: 'redeemed' }, 409, 'Already approved'],
    [{ outcome: 'already_decided', status: 'denied' }, 409, 'Already denied'],
    [{ outcome: 'expired' }, 410, 'Too late'],
    [{ outcome: 'failed' }, 410, 'No longer valid'],
    [{ outcome: 'contact_changed' }, 410, 'No longer valid'],
    [{ outcome: 'not_found' }, 404, 'Nothing here'],
  ])('an approval that the store answers with %j is %i', async (outcome, status, heading) => {
    const store = inMemoryRequests();
    const provider = providerInMemory({ requests: { ...store, decide: async () => outcome } });
    const { link } = await mailed(provider);
    const response = await provider.decide(link, 'approve');
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(`<h1>${heading}</h1>`);
  });

  it('of 20 approvals and 20 denials at once one counts, and the poll agrees with it (I4, I6)', async () => {
    for (let round = 0; round < 10; round += 1) {
      const provider = providerInMemory();
      const { link, authReqId } = await mailed(provider);
      const form_token = await formTokenOf(provider, link);
      const decisions = Array.from({ length: 40 }, (_, index) =>
        (index + round) % 2 === 0 ? 'approve' : 'deny',
      );
      const answers = await Promise.all(
        decisions.map(async (decision) => {
          const { status } = await submit(provider, link, { form_token, decision });
          return { decision, status };
        }),
      );
      const counted = answers.filter(({ status }) => status === 200);
      expect(counted).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(39);
      const { status } = await provider.poll(authReqId);
      expect(status).toBe(counted[0]?.decision === 'approve' ? 200 : 400);
    }
  });

  it.each(['approve', 'deny', 'report'])(
    '%s at the end is 410 and decides nothing (I5)',
    async (decision) => {
      const provider = providerInMemory();
      const { link, ref, authReqId } = await mailed(provider);
      const form_token = await formTokenOf(provider, link);
      provider.now.at += 120;
      expect((await submit(provider, link, { form_token, decision })).status).toBe(410);
      await expectPending(provider, ref);
      expect((await provider.poll(authReqId)).body['error']).toBe('expired_token');
    },
  );

  it('a denial counts even where an approval would not: user or client disabled, address changed', async () => {
    const provider = providerInMemory();
    const { link, authReqId } = await mailed(provider);
    const form_token = await formTokenOf(provider, link);
    provider.directory.users.set('u-alice', { ...exampleUser, enabled: false, contact_version: 2 });
    provider.directory.clients.set('pump-4', { ...exampleClient, enabled: false });
    expect((await submit(provider, link, { form_token, decision: 'deny' })).status).toBe(200);
    provider.directory.clients.set('pump-4', exampleClient);
    expect((await provider.poll(authReqId)).body['error']).toBe('access_denied');
  });

  it('T4: deciding one request leaves the user’s other one pending', async () => {
    const provider = providerInMemory();
    const [one, other] = [await mailed(provider), await mailed(provider)];
    await provider.decide(one.link, 'approve');
    await expectPending(provider, other.ref);
  });
});

it('T26: a visit leaves the request’s ref in the log once the link is proved, and nothing else of it', async () => {
  const provider = providerInMemory();
  const { link, ref } = await mailed(provider, { binding_message: 'canary message' });
  provider.log.length = 0;
  await provider.approve(new Request(link, { headers: { 'User-Agent': 'canary agent' } }));
  await provider.decide(link, 'approve');
  await provider.approve(new Request(`${issuer}/approve/${ref}.canary`));
  expect(provider.log).toEqual([
    { event: 'approve', status: 200, outcome: 'shown', ref, ms: 0 },
    { event: 'approve', status: 200, outcome: 'shown', ref, ms: 0 },
    { event: 'approve', status: 200, outcome: 'approved', ref, ms: 0 },
    { event: 'approve', status: 404, outcome: 'unknown', ms: 0 },
  ]);
});

it.each<[string, unknown, number, string]>([
  ['what does not answer', new Unavailable('throttled'), 503, 'throttled'],
  ['a defect', new TypeError('canary'), 500, 'TypeError'],
])(
  'of %s the log says the name of the cause, and the page nothing',
  async (_what, error, status, cause) => {
    const provider = providerInMemory({ requests: { find: () => Promise.reject(error) } });
    const url = `${issuer}/approve/${'a'.repeat(26)}.${'b'.repeat(43)}`;
    const response = await provider.approve(new Request(url));
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(status === 503 ? '2' : null);
    expect(await response.text()).toContain('<h1>Please try again</h1>');
    expect(provider.log).toEqual([
      { event: 'approve', status, outcome: 'unavailable', cause, ms: 0 },
    ]);
  },
);

it('the client is read from memory where it only has to be named', async () => {
  const provider = providerInMemory();
  const { link } = await mailed(provider);
  provider.directory.lookUps.length = 0;
  await provider.approve(new Request(link, { headers: { 'Accept-Language': 'en' } }));
  expect(provider.directory.lookUps).toEqual(['client pump-4 cached']);
});
