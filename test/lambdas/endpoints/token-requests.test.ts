/**
 * Requests at the token endpoint that get no tokens: which check comes first, what each is
 * answered, and that nothing tells another client's auth_req_id from one that never was (CIBA Core
 * 10.1, 11; threats T7, T10).
 */
import { describe, expect, it } from 'vitest';
import {
  exampleClient,
  exampleClientSecret,
  exampleUser,
} from '../../support/example-directory.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { formRequest, issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

type Provider = ReturnType<typeof providerInMemory>;

const grantType = 'urn:openid:params:grant-type:ciba';

/** A provider and the transitions that were asked of its store at the token endpoint. */
function watchedProvider() {
  const store = inMemoryRequests();
  const asked: string[] = [];
  const provider = providerInMemory({
    requests: {
      ...store,
      stampPoll: (owner, now) => {
        asked.push('stampPoll');
        return store.stampPoll(owner, now);
      },
      slowDown: (ref, judgedBy) => {
        asked.push('slowDown');
        return store.slowDown(ref, judgedBy);
      },
      redeem: (redemption) => {
        asked.push('redeem');
        return store.redeem(redemption);
      },
    },
  });
  return { provider, store, asked };
}

async function approvedBy(provider: Provider): Promise<string> {
  const authReqId = await provider.ask();
  await provider.decide(await provider.mailedLink(authReqId), 'approve');
  return authReqId;
}

describe('a request that is no poll', () => {
  const post = (body: string | URLSearchParams) =>
    new Request(`${issuer}/token`, { method: 'POST', body });

  it.each<[string, number, string, () => Request]>([
    ['another method', 405, 'invalid_request', () => new Request(`${issuer}/token`)],
    ['another media type', 400, 'invalid_request', () => post('{}')],
    ['no client authentication', 401, 'invalid_client', () => post(new URLSearchParams({}))],
    [
      'two ways of client authentication',
      400,
      'invalid_request',
      () => formRequest('/token', { client_secret: exampleClientSecret }),
    ],
    [
      'a wrong secret and a wrong grant',
      401,
      'invalid_client',
      () => formRequest('/token', { grant_type: 'password' }, 'pump-4', 'wrong'),
    ],
    ['no grant_type', 400, 'invalid_request', () => formRequest('/token', { auth_req_id: 'x' })],
    ...[
      'authorization_code',
      'client_credentials',
      'password',
      'urn:ietf:params:oauth:grant-type:device_code',
      `${grantType}/`,
      grantType.toUpperCase(),
    ].map((grant_type): [string, number, string, () => Request] => [
      `the grant ${grant_type}`,
      400,
      'unsupported_grant_type',
      () => formRequest('/token', { grant_type, auth_req_id: 'x' }),
    ]),
    [
      'the refresh grant, of a client that is not registered for it',
      400,
      'unauthorized_client',
      () => formRequest('/token', { grant_type: 'refresh_token', refresh_token: 'x' }),
    ],
    [
      'no auth_req_id',
      400,
      'invalid_request',
      () => formRequest('/token', { grant_type: grantType }),
    ],
    [
      'an empty auth_req_id',
      400,
      'invalid_request',
      () => formRequest('/token', { grant_type: grantType, auth_req_id: '' }),
    ],
  ])('for %s is %i %s and touches no request', async (_what, status, error, request) => {
    const { provider, asked } = watchedProvider();
    const response = await provider.token(request());
    expect([response.status, Object(await response.json()).error]).toEqual([status, error]);
    expect(asked).toEqual([]);
  });

  it('names the method that is allowed (RFC 9110 15.5.6) and the scheme (RFC 6749 5.2)', async () => {
    const { provider } = watchedProvider();
    const other = await provider.token(new Request(`${issuer}/token`, { method: 'PUT' }));
    expect(other.headers.get('allow')).toBe('POST');
    const nobody = await provider.token(post(new URLSearchParams({})));
    expect(nobody.headers.get('www-authenticate')).toMatch(/^Basic /);
  });

  it('of a client without the grant is unauthorized_client, whatever its auth_req_id', async () => {
    const { provider, asked } = watchedProvider();
    const authReqId = await approvedBy(provider);
    provider.directory.clients.set('pump-4', { ...exampleClient, grant_types: ['refresh_token'] });
    expect(await provider.poll(authReqId)).toMatchObject({
      status: 400,
      body: { error: 'unauthorized_client' },
    });
    expect(asked).toEqual([]);
  });

  it('of a client_secret_post client is authenticated by the form alone (CIBA 7.1)', async () => {
    const { provider } = watchedProvider();
    const authReqId = await approvedBy(provider);
    provider.directory.clients.set('pump-4', {
      ...exampleClient,
      token_endpoint_auth_method: 'client_secret_post',
    });
    expect((await provider.poll(authReqId)).body['error']).toBe('invalid_client');
    const form = {
      grant_type: grantType,
      auth_req_id: authReqId,
      client_id: 'pump-4',
      client_secret: exampleClientSecret,
    };
    expect((await provider.token(post(new URLSearchParams(form)))).status).toBe(200);
  });
});

describe('T7: an auth_req_id that is not this client’s', () => {
  /** Everything of an answer but the random correlation id. */
  async function withoutId(response: Response) {
    const body = await response.text();
    const [, id] = /\(Correlation ID: ([^)]*)\)/.exec(body) ?? [];
    expect(id).toMatch(/^[\w-]{12}$/);
    return [response.status, [...response.headers], body.replace(id ?? '', '')];
  }

  const pollOf = (authReqId: string, clientId = 'pump-4') =>
    formRequest('/token', { grant_type: grantType, auth_req_id: authReqId }, clientId);

  it('gets byte for byte the same answer, be it foreign, unknown, malformed, another handle or used up', async () => {
    const { provider, store } = watchedProvider();
    const pending = await provider.ask();
    const link = await provider.mailedLink(pending);
    const denied = await provider.ask();
    await provider.decide(await provider.mailedLink(denied), 'deny');
    const approved = await approvedBy(provider);
    const redeemed = await approvedBy(provider);
    await provider.poll(redeemed);
    const [ref, secret] = pending.split('.');
    const stored = await store.find(refOf(pending));

    const requests = [
      pollOf(pending, 'desk-1'),
      pollOf(denied, 'desk-1'),
      pollOf(approved, 'desk-1'),
      pollOf(redeemed, 'desk-1'),
      pollOf(redeemed),
      pollOf(`${'a'.repeat(26)}.${'x'.repeat(43)}`),
      pollOf(`${ref}.${'x'.repeat(43)}`),
      pollOf(`${refOf(denied)}.${secret}`),
      pollOf(`${ref}.${stored?.secretHash}`),
      pollOf(link.split('/').at(-1) ?? ''),
      pollOf(ref ?? ''),
      pollOf(secret ?? ''),
      pollOf(`${pending} `),
      pollOf(`${pending}=`),
      pollOf(pending.toUpperCase()),
      pollOf('003d2608-adeb-49af-8e8d-ec22f2a6198d'),
      pollOf('x'.repeat(10_000)),
    ];
    const [first, ...others] = await Promise.all(
      requests.map(async (request) => withoutId(await provider.token(request))),
    );
    expect(first).toMatchObject([400, expect.anything(), expect.stringContaining('invalid_grant')]);
    for (const other of others) expect(other).toEqual(first);
  });

  it('twenty polls of it by another client cost its owner nothing', async () => {
    const { provider, store } = watchedProvider();
    const authReqId = await provider.ask();
    await provider.poll(authReqId);
    const before = await store.find(refOf(authReqId));
    provider.now.at += 2;
    for (let round = 0; round < 20; round += 1) await provider.poll(authReqId, 'desk-1');
    expect(await store.find(refOf(authReqId))).toEqual(before);
    expect((await provider.poll(authReqId)).body['error']).toBe('authorization_pending');
  });

  it('T26: is not logged with a ref, for it is not proved to be the caller’s', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask();
    await provider.poll(authReqId, 'desk-1');
    expect(provider.log.at(-1)).toEqual({
      event: 'token',
      status: 400,
      outcome: 'invalid_grant',
      client_id: 'desk-1',
      cause: 'not found, foreign or redeemed',
      ms: 0,
      correlation_id: expect.stringMatching(/^[\w-]{12}$/),
    });
  });
});

describe('signing', () => {
  /** A provider that notes what happens at redemption, in order. */
  function notingProvider() {
    const store = inMemoryRequests();
    const noted: string[] = [];
    const provider = providerInMemory({
      requests: {
        ...store,
        redeem: (redemption) => {
          noted.push('redeem');
          return store.redeem(redemption);
        },
      },
      signer: {
        sign: async (alg, typ) => {
          noted.push(`sign ${typ} ${alg}`);
          return 'a.b.c';
        },
      },
    });
    return { provider, noted };
  }

  it('comes first and consuming second', async () => {
    const { provider, noted } = notingProvider();
    await provider.poll(await approvedBy(provider));
    expect(noted).toEqual(['sign JWT RS256', 'sign at+jwt ES256', 'redeem']);
  });

  it('uses the algorithm that the client registered for its ID Token', async () => {
    const { provider, noted } = notingProvider();
    provider.directory.clients.set('pump-4', {
      ...exampleClient,
      id_token_signed_response_alg: 'ES256',
    });
    await provider.poll(await approvedBy(provider));
    expect(noted[0]).toBe('sign JWT ES256');
  });

  it.each<[string, (provider: Provider) => void]>([
    [
      'a user who is disabled',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, enabled: false }),
    ],
    [
      'a user whose address changed',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, contact_version: 2 }),
    ],
    [
      'a client that has less scope',
      ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, scope: 'openid' }),
    ],
  ])('I7: does not happen for %s, and nothing is consumed', async (_whom, change) => {
    const { provider, noted } = notingProvider();
    const authReqId = await approvedBy(provider);
    change(provider);
    await provider.poll(authReqId);
    expect(noted).toEqual([]);
  });

  it('that throws something unexpected burns nothing: 500, and a later poll gets the tokens', async () => {
    let broken = true;
    const provider = providerInMemory({
      signer: {
        sign: async () => {
          if (broken) throw new TypeError('canary');
          return 'a.b.c';
        },
      },
    });
    const authReqId = await approvedBy(provider);
    const { status, body } = await provider.poll(authReqId);
    expect([status, body['error']]).toEqual([500, 'server_error']);
    expect(JSON.stringify([body, provider.log])).not.toContain('canary');
    broken = false;
    expect((await provider.poll(authReqId)).status).toBe(200);
  });

  it('F4: a redemption whose answer is lost is 5xx, and the tokens are not given twice', async () => {
    const store = inMemoryRequests();
    const provider = providerInMemory({
      requests: {
        ...store,
        redeem: async (redemption) => {
          await store.redeem(redemption);
          throw new Error('socket hang up');
        },
      },
    });
    const authReqId = await approvedBy(provider);
    expect((await provider.poll(authReqId)).status).toBe(500);
    expect((await provider.poll(authReqId)).body['error']).toBe('invalid_grant');
  });
});

describe('I7: a client that was authenticated from memory', () => {
  it.each<[string, (provider: Provider) => void, string]>([
    [
      'disabled',
      ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, enabled: false }),
      'unauthorized_client',
    ],
    ['removed', ({ directory }) => directory.clients.delete('pump-4'), 'unauthorized_client'],
    [
      'refused the grant',
      ({ directory }) =>
        directory.clients.set('pump-4', { ...exampleClient, grant_types: ['refresh_token'] }),
      'unauthorized_client',
    ],
    [
      'left with less scope',
      ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, scope: 'openid' }),
      'access_denied',
    ],
  ])('gets nothing if it was %s since, and nothing is consumed', async (_what, change, error) => {
    const { provider, store } = watchedProvider();
    const authReqId = await approvedBy(provider);
    const { clients } = provider.directory.ports;
    const { findClient } = clients;
    clients.findClient = async (clientId, freshness) =>
      freshness === 'cached' ? exampleClient : findClient(clientId, freshness);
    change(provider);
    expect(await provider.poll(authReqId)).toMatchObject({ status: 400, body: { error } });
    expect((await store.find(refOf(authReqId)))?.status).toBe('approved');
  });
});

describe('the tokens', () => {
  /** What the signer of the provider in memory signed. */
  const claimsOf = (token: unknown): Record<string, unknown> =>
    JSON.parse(String(token).replace(/^[^{]*/, ''));

  it('say who approved, for whom, when and how, and are bound to this deployment (OpenID Connect Core 2, RFC 9068)', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask({ scope: 'openid email' });
    provider.now.at += 10.5;
    await provider.decide(await provider.mailedLink(authReqId), 'approve');
    provider.now.at += 3;
    const { body } = await provider.poll(authReqId);
    const askedAt = Math.floor(provider.now.at - 13.5);
    const both = {
      iss: issuer,
      sub: 'u-alice',
      iat: askedAt + 13,
      exp: askedAt + 13 + 3600,
      auth_time: askedAt + 10,
      acr: `${issuer}/acr/link`,
      amr: ['email'],
    };
    expect(claimsOf(body['id_token'])).toEqual({
      ...both,
      aud: 'pump-4',
      email: 'alice@example.com',
      email_verified: true,
    });
    expect(claimsOf(body['access_token'])).toEqual({
      ...both,
      aud: issuer,
      client_id: 'pump-4',
      scope: 'openid email',
      jti: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'openid email' });
    expect(Object.keys(body)).not.toContain('refresh_token');
  });

  it('T2: never say mfa, whatever acr_values asked for', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask({ acr_values: 'mfa urn:example:gold phr' });
    await provider.decide(await provider.mailedLink(authReqId), 'approve');
    const { body } = await provider.poll(authReqId);
    for (const token of [body['id_token'], body['access_token']]) {
      expect(claimsOf(token)).toMatchObject({ acr: `${issuer}/acr/link`, amr: ['email'] });
      expect(String(token)).not.toMatch(/mfa|gold|phr/);
    }
  });

  it('have a jti of their own each time', async () => {
    const { provider } = watchedProvider();
    const jtis = new Set<unknown>();
    for (let round = 0; round < 20; round += 1) {
      const { body } = await provider.poll(await approvedBy(provider));
      jtis.add(claimsOf(body['access_token'])['jti']);
    }
    expect(jtis.size).toBe(20);
  });
});

describe('a decided request', () => {
  it('that was denied is access_denied at every poll, however early or late (CIBA 11)', async () => {
    const { provider, asked } = watchedProvider();
    const authReqId = await provider.ask();
    await provider.decide(await provider.mailedLink(authReqId), 'deny');
    for (const wait of [0, 0, 0.1, 2, 200]) {
      provider.now.at += wait;
      expect(await provider.poll(authReqId)).toMatchObject({
        status: 400,
        body: { error: 'access_denied' },
      });
    }
    expect(new Set(asked)).toEqual(new Set(['stampPoll']));
  });

  it('that was approved is answered at once, even when polled too early (state before speed)', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask();
    await provider.poll(authReqId);
    await provider.decide(await provider.mailedLink(authReqId), 'approve');
    expect((await provider.poll(authReqId)).status).toBe(200);
  });

  it('that expired is expired_token at every poll until it is forgotten', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask();
    provider.now.at += 120;
    for (const wait of [0, 0, 86_400, 29 * 86_400]) {
      provider.now.at += wait;
      expect((await provider.poll(authReqId)).body['error']).toBe('expired_token');
    }
  });
});

describe('a pending request', () => {
  it('P16: grows its interval by five seconds for good, at most twice, and says so', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask();
    const answers: unknown[] = [];
    for (const wait of [0, 1, 3, 7, 11.4, 11.5, 12, 2, 20]) {
      provider.now.at += wait;
      const { body, headers } = await provider.poll(authReqId);
      answers.push([wait, body['error'], headers.get('retry-after')]);
    }
    expect(answers).toEqual([
      [0, 'authorization_pending', '2'],
      [1, 'slow_down', '7'],
      [3, 'slow_down', '12'],
      [7, 'slow_down', '12'],
      [11.4, 'slow_down', '12'],
      [11.5, 'authorization_pending', '12'],
      [12, 'authorization_pending', '12'],
      [2, 'slow_down', '12'],
      [20, 'authorization_pending', '12'],
    ]);
  });

  it('P16: of a client that waits Retry-After once and then its first interval is seen decided within 12 s', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask();
    const link = await provider.mailedLink(authReqId);
    const askedAt = provider.now.at;
    let wait = 2;
    for (let polls = 0; ; polls += 1) {
      const next = provider.now.at + wait;
      if (provider.now.at < askedAt + 67 && next >= askedAt + 67) {
        provider.now.at = askedAt + 67;
        await provider.decide(link, 'approve');
      }
      provider.now.at = next;
      const { status, body, headers } = await provider.poll(authReqId);
      if (status === 200) break;
      wait = body['error'] === 'slow_down' ? Number(headers.get('retry-after')) : 2;
      expect(polls).toBeLessThan(60);
    }
    expect(provider.now.at - askedAt).toBeLessThanOrEqual(67 + 12);
  });

  it('P16: twenty rapid polls, at any age of the request, are never asked to wait beyond the end less a second', async () => {
    for (const age of [0, 1, 60, 100, 107, 108, 112.5, 117, 117.9, 118, 118.5, 119, 119.9]) {
      const { provider, asked } = watchedProvider();
      const authReqId = await provider.ask();
      provider.now.at += age;
      const waits: (string | null)[] = [];
      for (let poll = 0; poll < 20; poll += 1) {
        waits.push((await provider.poll(authReqId)).headers.get('retry-after'));
      }
      const left = 120 - age - 1;
      for (const wait of waits) {
        if (left < 1) expect(wait).toBeNull();
        else expect(Number(wait)).toBeLessThanOrEqual(Math.min(12, left));
        if (left >= 1) expect(Number(wait)).toBeGreaterThanOrEqual(1);
      }
      expect(asked.filter((transition) => transition === 'slowDown').length).toBe(2);
    }
  });

  it('costs one write per poll, and a second one only when it is too early', async () => {
    const { provider, asked } = watchedProvider();
    const authReqId = await provider.ask();
    for (const wait of [0, 2, 2, 1]) {
      provider.now.at += wait;
      await provider.poll(authReqId);
    }
    expect(asked).toEqual(['stampPoll', 'stampPoll', 'stampPoll', 'stampPoll', 'slowDown']);
  });

  it.each([
    [20, 5],
    [60, 10],
    [110, 16],
  ])(
    'L2: approved after %i s has cost a client that honours Retry-After %i polls, none of them too early',
    async (approvedAfter, polls) => {
      const { provider } = watchedProvider();
      const authReqId = await provider.ask();
      const link = await provider.mailedLink(authReqId);
      const askedAt = provider.now.at;
      let wait = 2;
      let count = 0;
      for (;;) {
        const next = provider.now.at + wait;
        if (provider.now.at - askedAt < approvedAfter && next - askedAt >= approvedAfter) {
          provider.now.at = askedAt + approvedAfter;
          await provider.decide(link, 'approve');
        }
        provider.now.at = next;
        count += 1;
        const { status, body, headers } = await provider.poll(authReqId);
        if (status === 200) break;
        expect(body['error']).toBe('authorization_pending');
        wait = Number(headers.get('retry-after'));
      }
      expect(count).toBe(polls);
    },
  );

  it('is never too slow for a client that polls at the interval and knows no Retry-After', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask();
    for (let elapsed = 2; elapsed < 120; elapsed += 2) {
      provider.now.at += 2;
      expect((await provider.poll(authReqId)).body['error']).toBe('authorization_pending');
    }
  });

  it('never asks for more than whole seconds, nor for fewer than its interval as long as that lasts (RFC 9110 10.2.3)', async () => {
    const { provider } = watchedProvider();
    const authReqId = await provider.ask();
    for (let elapsed = 0; elapsed < 119; elapsed += 2.3) {
      const { headers } = await provider.poll(authReqId);
      expect(headers.get('retry-after')).toMatch(elapsed < 117 ? /^[2-8]$/ : /^1$/);
      provider.now.at += 2.3;
    }
  });
});

it('T26: no poll, whatever its end, leaves a secret, a name or an address in the log', async () => {
  const { provider } = watchedProvider();
  const answers = [await approvedBy(provider), await provider.ask(), 'canary', ''];
  for (const authReqId of answers) {
    await provider.poll(authReqId);
    await provider.poll(authReqId);
    await provider.poll(authReqId, 'desk-1');
  }
  const lines = JSON.stringify(provider.log);
  for (const canary of [
    ...answers.slice(0, 2).map((authReqId) => authReqId.split('.')[1] ?? ''),
    'canary',
    exampleClientSecret,
    exampleUser.username,
    exampleUser.email ?? '',
    exampleUser.name ?? '',
    exampleUser.sub,
  ]) {
    expect(lines).not.toContain(canary);
  }
  const members = new Set(provider.log.flatMap((event) => Object.keys(event)));
  for (const member of members) {
    expect([
      'event',
      'status',
      'outcome',
      'correlation_id',
      'ref',
      'client_id',
      'cause',
      'ms',
    ]).toContain(member);
  }
});
