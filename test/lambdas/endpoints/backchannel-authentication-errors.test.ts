/**
 * Every error of CIBA Core 13 that can occur, at the endpoint itself: status, shape, nothing
 * echoed, and one answer where two would tell too much (threats T6, T14, T30).
 */
import { describe, expect, it } from 'vitest';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import { backchannelAuthenticationEndpoint } from '../../../lambdas/endpoints/backchannel-authentication.ts';
import {
  exampleClient,
  exampleClientSecret,
  exampleUser,
  inMemoryDirectory,
} from '../../support/example-directory.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import { inMemoryQuotas, plainPolicies } from '../../support/in-memory-quotas.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { inMemoryUsedTokenIds } from '../../support/in-memory-used-token-ids.ts';
import { formRequest, issuer, providerInMemory } from '../../support/provider-in-memory.ts';
import { slowRequests } from '../../support/slow-requests.ts';
import { inMemoryWrappingKeys } from '../../support/stored-secrets.ts';

type Provider = ReturnType<typeof providerInMemory>;

const least = { scope: 'openid', login_hint: 'alice' };

const ask = (changes: Record<string, string>) =>
  formRequest('/cibaAuthorization', { ...least, ...changes });

const send = (body: string | URLSearchParams, headers: Record<string, string> = {}) =>
  new Request(`${issuer}/cibaAuthorization`, { method: 'POST', body, headers });

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

/** An answer without its random correlation id. */
async function withoutId(response: Response) {
  const body = await response.text();
  return [
    response.status,
    [...response.headers],
    body.replace(/\(Correlation ID: [\w.-]+\)/, '(Correlation ID: …)'),
  ];
}

describe('each error', () => {
  const issSub = (members: object) => JSON.stringify({ format: 'iss_sub', ...members });

  it.each<[number, string, string, Request]>([
    [405, 'invalid_request', 'GET', new Request(`${issuer}/cibaAuthorization`)],
    [405, 'invalid_request', 'PUT', new Request(`${issuer}/cibaAuthorization`, { method: 'PUT' })],
    [400, 'invalid_request', 'another media type', send('{}')],
    [413, 'invalid_request', 'more than 16 KB', ask({ x: 'x'.repeat(17_000) })],
    [400, 'invalid_request', 'two client authentication methods', ask({ client_secret: 'x' })],
    [401, 'invalid_client', 'no client authentication', send(new URLSearchParams(least))],
    [
      401,
      'invalid_client',
      'a client assertion, which no client is registered for',
      send(new URLSearchParams({ ...least, client_assertion: 'x', client_assertion_type: 'y' })),
    ],
    [401, 'invalid_client', 'another client_id in the form', ask({ client_id: 'desk-1' })],
    [400, 'invalid_request', 'no scope', ask({ scope: '' })],
    [400, 'invalid_scope', 'no openid', ask({ scope: 'profile' })],
    [400, 'invalid_scope', 'a scope that is not registered', ask({ scope: 'openid payments' })],
    [400, 'invalid_request', 'no hint', ask({ login_hint: '' })],
    [400, 'invalid_request', 'two hints', ask({ id_token_hint: 'x' })],
    [400, 'invalid_request', 'three hints', ask({ id_token_hint: 'x', login_hint_token: 'y' })],
    [400, 'invalid_request', 'a hint of another kind', ask({ login_hint: '', id_token_hint: 'x' })],
    [400, 'invalid_request', 'T22: a signed request', ask({ request: 'x' })],
    [
      400,
      'invalid_authorization_details',
      'authorization_details',
      ask({ authorization_details: '[]' }),
    ],
    [400, 'invalid_binding_message', 'a link', ask({ binding_message: 'see evil.com' })],
    [400, 'invalid_binding_message', '65 characters', ask({ binding_message: 'x'.repeat(65) })],
    [400, 'invalid_request', 'no positive requested_expiry', ask({ requested_expiry: '0' })],
    [400, 'unknown_user_id', 'nobody’s user name', ask({ login_hint: 'nobody' })],
    [400, 'unknown_user_id', 'nobody’s address', ask({ login_hint: 'nobody@example.com' })],
    [400, 'unknown_user_id', 'a user’s subject as user name', ask({ login_hint: 'u-alice' })],
    [400, 'unknown_user_id', 'two addresses', ask({ login_hint: 'alice@example.com,b@c.de' })],
    [
      400,
      'unknown_user_id',
      'another issuer’s subject',
      ask({ login_hint: issSub({ iss: 'https://other.example', sub: 'u-alice' }) }),
    ],
    [
      400,
      'unknown_user_id',
      'nobody’s subject',
      ask({ login_hint: issSub({ iss: issuer, sub: 'u-nobody' }) }),
    ],
    [400, 'unknown_user_id', 'broken JSON', ask({ login_hint: '{"format":"iss_sub"' })],
  ])(
    '%i %s for %s, in the form of CIBA 13, kept for the audit, and no flow is started',
    async (status, error, _what, request) => {
      const provider = providerInMemory();
      const response = await provider.authorize(request);
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(response.headers.get('cache-control')).toBe('no-store');
      const body: Record<string, unknown> = Object(await response.json());
      expect(body).toEqual({
        error,
        error_description: expect.stringMatching(
          /^[\x20\x21\x23-\x5b\x5d-\x7e]+\. \(Correlation ID: (?:[a-z2-7]{26}\.)?[\w-]{12}\)$/,
        ),
      });
      expect(provider.started).toEqual([]);
      // Of an authenticated client, whose error then leads to the entry.
      const kept = provider.log[0]?.client_id === undefined ? [] : [error];
      expect(provider.refused.map(({ code }) => code)).toEqual(kept);
      const ref = /\(Correlation ID: ([a-z2-7]{26})\./.exec(String(body['error_description']))?.[1];
      expect(provider.refused.map((one) => one.ref)).toEqual(ref === undefined ? [] : [ref]);
    },
  );

  it('405 names the method that is allowed, 401 a scheme (RFC 9110 15.5)', async () => {
    const provider = providerInMemory();
    const other = await provider.authorize(new Request(`${issuer}/cibaAuthorization`));
    expect(other.headers.get('allow')).toBe('POST');
    const nobody = await provider.authorize(send(new URLSearchParams(least)));
    expect(nobody.headers.get('www-authenticate')).toBe('Basic realm="client"');
  });
});

describe('T30: parameters', () => {
  const Authorization = basic(
    `${exampleClient.client_id}:${encodeURIComponent(exampleClientSecret)}`,
  );
  const form = (body: string) =>
    send(body, { Authorization, 'Content-Type': 'application/x-www-form-urlencoded' });

  it.each([
    'scope=openid&login_hint=alice&login_hint=alice',
    'scope=openid&scope=openid&login_hint=alice',
    'scope=openid&login_hint=alice&%73cope=openid',
    'scope=openid&login_hint=alice&client_id=pump-4&client_id=pump-4',
  ])('sent twice are invalid_request (CIBA 13): %s', async (body) => {
    const response = await providerInMemory().authorize(form(body));
    expect([response.status, Object(await response.json()).error]).toEqual([
      400,
      'invalid_request',
    ]);
  });

  it.each([
    ['unrecognised', { foo: 'bar', resource: 'https://api.example' }],
    ['of ping mode', { client_notification_token: 'x' }],
    ['of the user code', { user_code: '1234' }],
    ['of the authentication context', { acr_values: 'urn:mace:incommon:iap:silver mfa' }],
    ['of other flows', { state: 'x', nonce: 'y', redirect_uri: 'https://evil.test' }],
    ['empty, which counts as absent', { request: '', id_token_hint: '', binding_message: '' }],
  ])('that are %s are ignored (CIBA 7.2)', async (_which, parameters) => {
    expect((await providerInMemory().authorize(ask(parameters))).status).toBe(200);
  });

  it('in the query are ignored', async () => {
    const request = new Request(`${issuer}/cibaAuthorization?login_hint=bob&scope=x`, {
      method: 'POST',
      headers: { Authorization },
      body: new URLSearchParams(least),
    });
    const provider = providerInMemory();
    expect((await provider.authorize(request)).status).toBe(200);
    expect(provider.directory.lookUps).toContain('login alice');
  });

  it('are never echoed', async () => {
    const canary = 'c4n4ry';
    const names = [
      'scope',
      'login_hint',
      'id_token_hint',
      'login_hint_token',
      'binding_message',
      'requested_expiry',
      'request',
      'client_id',
      'client_secret',
      canary,
    ];
    for (const name of names) {
      const value = `${canary}<{"\\`;
      const provider = providerInMemory();
      const response = await provider.authorize(ask({ [name]: value }));
      const text = (await response.text()) + JSON.stringify([...response.headers]);
      expect([name, text]).toEqual([name, expect.not.stringContaining(canary)]);
      expect([name, JSON.stringify(provider.log)]).toEqual([
        name,
        expect.not.stringContaining(canary),
      ]);
    }
  });
});

describe('one answer', () => {
  it('T14: for every reason why a client is not authenticated', async () => {
    const secret = encodeURIComponent(exampleClientSecret);
    const form = new URLSearchParams(least);
    const requests: [(provider: Provider) => void, Request][] = [
      [() => {}, send(form, { Authorization: basic(`nobody:${secret}`) })],
      [() => {}, send(form, { Authorization: basic('pump-4:wrong') })],
      [() => {}, send(form, { Authorization: basic('pump-4:') })],
      [() => {}, send(form, { Authorization: basic('pump-4') })],
      [() => {}, send(form, { Authorization: 'Bearer x' })],
      [
        ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, enabled: false }),
        send(form, { Authorization: basic(`pump-4:${secret}`) }),
      ],
      [() => {}, send(form)],
      [
        () => {},
        send(
          new URLSearchParams({
            ...least,
            client_id: 'pump-4',
            client_secret: exampleClientSecret,
          }),
        ),
      ],
      [
        () => {},
        send(
          new URLSearchParams({
            ...least,
            client_id: 'pump-4',
            client_secret: hashSecret(exampleClientSecret),
          }),
        ),
      ],
    ];
    const answers = await Promise.all(
      requests.map(async ([change, request]) => {
        const provider = providerInMemory();
        change(provider);
        return withoutId(await provider.authorize(request));
      }),
    );
    expect(answers[0]?.[0]).toBe(401);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('T6: for a user who is unknown, disabled, unverified or without address, and for a hint that names nobody', async () => {
    const { email: _email, ...withoutAddress } = exampleUser;
    const changes: [(provider: Provider) => void, string][] = [
      [({ directory }) => directory.users.delete('u-alice'), 'alice'],
      [
        ({ directory }) => directory.users.set('u-alice', { ...exampleUser, enabled: false }),
        'alice',
      ],
      [
        ({ directory }) =>
          directory.users.set('u-alice', { ...exampleUser, email_verified: false }),
        'alice',
      ],
      [({ directory }) => directory.users.set('u-alice', withoutAddress), 'alice'],
      [() => {}, 'nobody'],
      [() => {}, 'nobody@example.com'],
      [() => {}, 'a b'],
      [() => {}, 'a@b@c'],
      [() => {}, '{}'],
    ];
    const answers = await Promise.all(
      changes.map(async ([change, login_hint]) => {
        const provider = providerInMemory();
        change(provider);
        return withoutId(await provider.authorize(ask({ login_hint })));
      }),
    );
    expect(answers[0]).toMatchObject([
      400,
      expect.anything(),
      expect.stringContaining('unknown_user_id'),
    ]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });
});

describe('the hint', () => {
  it.each([
    ['a user name', 'alice'],
    ['a user name in another case', 'ALICE'],
    ['a user name in another width', 'ａｌｉｃｅ'],
    ['an address', 'alice@example.com'],
    ['an address in another case', 'Alice@EXAMPLE.com'],
    ['Auth0’s form', JSON.stringify({ format: 'iss_sub', iss: issuer, sub: 'u-alice' })],
    [
      'Auth0’s form with its slash',
      JSON.stringify({ format: 'iss_sub', iss: `${issuer}/`, sub: 'u-alice' }),
    ],
  ])('may be %s', async (_what, login_hint) => {
    const provider = providerInMemory();
    expect((await provider.authorize(ask({ login_hint }))).status).toBe(200);
    expect(provider.started).toHaveLength(1);
  });
});

describe('the acknowledgement (CIBA 7.3)', () => {
  it('has these members, in these types, and takes as many random bytes as it says', async () => {
    const directory = inMemoryDirectory();
    const taken: number[] = [];
    const requests = inMemoryRequests();
    const endpoint = backchannelAuthenticationEndpoint({
      issuer,
      settings: {
        defaultExpiresIn: 120,
        minExpiresIn: 10,
        maxExpiresIn: 600,
        defaultInterval: 2,
        auditRetention: 86_400,
        ...plainPolicies,
      },
      requests,
      quotas: inMemoryQuotas(requests),
      ...directory.ports,
      keys: { publicKeys: async () => [] },
      wrappingKeys: inMemoryWrappingKeys,
      usedTokenIds: inMemoryUsedTokenIds(),
      flow: { start: async () => {} },
      startPadding: () => async () => {},
      clock: () => EXAMPLE_NOW + 0.4,
      entropy: (bytes) => {
        taken.push(bytes);
        return new Uint8Array(bytes).fill(taken.length);
      },
      log: () => {},
    });
    const response = await endpoint(ask({ requested_expiry: '30' }));
    expect(await response.text()).toBe(
      JSON.stringify({
        auth_req_id: `${'d'.repeat(26)}.${Buffer.alloc(32, 2).toString('base64url')}`,
        expires_in: 30,
        interval: 2,
      }),
    );
    // Correlation id; secret of 256 bits; ref of 26 times five bits; the choice of the flow.
    expect(taken).toEqual([9, 32, 26, 6]);
    expect(await requests.find('d'.repeat(26))).toMatchObject({
      createdAt: EXAMPLE_NOW + 0.4,
      expiresAt: EXAMPLE_NOW + 30.4,
      forgetAt: EXAMPLE_NOW + 31 + 86_400,
    });
  });

  it('is stored with a hash; the auth_req_id itself is nowhere', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    const [ref = '', secret = ''] = authReqId.split('.');
    const stored = await provider.requests.find(ref);
    expect(stored?.secretHash).toBe(hashSecret(secret));
    expect(JSON.stringify(stored)).not.toContain(secret);
  });

  it('says only what the client asked for to the store: no link, and nobody has claimed the mail', async () => {
    const provider = providerInMemory();
    const stored = await provider.requests.find((await provider.ask()).slice(0, 26));
    expect(stored).not.toHaveProperty('linkNonce');
    expect(stored).not.toHaveProperty('mailClaimId');
  });
});

it('F8: a request whose flow did not start is marked failed before the answer goes out', async () => {
  const store = inMemoryRequests();
  const provider = providerInMemory({
    requests: slowRequests(store),
    startFlow: () => Promise.reject(new Error('throttled')),
  });
  expect((await provider.authorize(ask({}))).status).toBe(503);
  expect(await store.find(provider.started[0] ?? '')).toMatchObject({
    status: 'failed',
    cause: 'start_failed',
  });
});

it('T13: host and forwarding headers of the request change neither the mailed link nor the issuer', async () => {
  const provider = providerInMemory();
  const honest = ask({});
  const headers = {
    Authorization: honest.headers.get('authorization') ?? '',
    'Content-Type': 'application/x-www-form-urlencoded',
    Host: 'evil.test',
    'X-Forwarded-Host': 'evil.test',
    'X-Forwarded-Proto': 'http',
    Forwarded: 'host=evil.test',
    'X-Original-URL': 'https://evil.test/',
  };
  const request = new Request('https://evil.test/cibaAuthorization', {
    method: 'POST',
    headers,
    body: await honest.text(),
  });
  const { auth_req_id: authReqId } = Object(await (await provider.authorize(request)).json());
  const link = await provider.mailedLink(authReqId);
  expect(new URL(link).origin).toBe(issuer);
  expect(JSON.stringify(provider.mails)).not.toContain('evil');
});
