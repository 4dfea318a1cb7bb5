/**
 * Authentication requests and their errors (CIBA Core 7.1 to 7.3, 13), each with its status and in
 * its form.
 */
import { describe, expect, it } from 'vitest';
import {
  ask,
  basicAuthorization,
  errorOf,
  type JsonAnswer,
  poll,
  post,
  send,
  start,
} from './consumption-device.ts';
import { issuer } from './deployment.ts';
import { clients, refusedClients, refusedUsers, users } from './directory.ts';

const { basic, post: byPost } = clients;
const user = users.requests;
const least = { scope: 'openid', login_hint: user.username };

function expectErrorForm({ headers, body }: JsonAnswer): void {
  expect(headers.get('content-type')).toBe('application/json');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(Object.keys(body).toSorted()).toEqual(['error', 'error_description']);
  expect(body['error_description']).toMatch(
    /^[\x20\x21\x23-\x5b\x5d-\x7e]+ \(Correlation ID: [\w.-]+\)$/,
  );
}

describe('the acknowledgement (CIBA 7.3)', () => {
  it('has auth_req_id, expires_in and interval, as numbers, and is not stored', async () => {
    const { status, headers, body } = await ask(basic, user.username);
    expect(status).toBe(200);
    expect(body).toEqual({
      auth_req_id: expect.stringMatching(/^[a-z2-7]{26}\.[A-Za-z0-9_-]{43}$/),
      expires_in: 120,
      interval: 2,
    });
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('comes at /bc-authorize too', async () => {
    expect((await post('/bc-authorize', basic, least)).status).toBe(200);
  });

  it.each([
    ['600', 600],
    ['30', 30],
    ['1', 10],
    ['86400', 600],
    ['99999999999', 600],
    ['0000000030', 30],
  ])('honours requested_expiry %s within the bounds', async (requested_expiry, expiresIn) => {
    expect((await start(basic, user.username, { requested_expiry })).expiresIn).toBe(expiresIn);
  });

  it.each([
    ['a user name', user.username],
    ['a user name in another case', user.username.toUpperCase()],
    ['an e-mail address', user.email],
    ['a subject of this issuer', JSON.stringify({ format: 'iss_sub', iss: issuer, sub: user.sub })],
  ])('comes for a login_hint that is %s', async (_kind, loginHint) => {
    expect((await ask(basic, loginHint)).status).toBe(200);
  });

  it('comes whatever unknown parameters are there (CIBA 7.2)', async () => {
    const unknown = {
      acr_values: 'x',
      user_code: '1234',
      client_notification_token: 'x',
      resource: 'x',
    };
    expect((await ask(basic, user.username, unknown)).status).toBe(200);
  });

  it('comes for an empty parameter as for none (RFC 6749 3.2)', async () => {
    expect(
      (await ask(basic, user.username, { binding_message: '', id_token_hint: '' })).status,
    ).toBe(200);
  });
});

describe('the errors of CIBA 13', () => {
  it.each<[string, Record<string, string>, number, string]>([
    ['no scope', { scope: '' }, 400, 'invalid_request'],
    ['no hint', { login_hint: '' }, 400, 'invalid_request'],
    ['two hints', { id_token_hint: 'x' }, 400, 'invalid_request'],
    ['three hints', { id_token_hint: 'x', login_hint_token: 'x' }, 400, 'invalid_request'],
    ['an id_token_hint', { login_hint: '', id_token_hint: 'x' }, 400, 'invalid_request'],
    ['a login_hint_token', { login_hint: '', login_hint_token: 'x' }, 400, 'invalid_request'],
    ['a signed request', { request: 'x' }, 400, 'invalid_request'],
    [
      'authorization_details',
      { authorization_details: '[]' },
      400,
      'invalid_authorization_details',
    ],
    ['requested_expiry 0', { requested_expiry: '0' }, 400, 'invalid_request'],
    ['requested_expiry -1', { requested_expiry: '-1' }, 400, 'invalid_request'],
    ['requested_expiry 1.5', { requested_expiry: '1.5' }, 400, 'invalid_request'],
    ['requested_expiry 1e2', { requested_expiry: '1e2' }, 400, 'invalid_request'],
    ['a login_hint of 600 characters', { login_hint: 'x'.repeat(600) }, 400, 'invalid_request'],
    ['a scope without openid', { scope: 'profile' }, 400, 'invalid_scope'],
    ['a scope it is not registered for', { scope: 'openid payments:write' }, 400, 'invalid_scope'],
    ['a malformed scope', { scope: 'openid  profile' }, 400, 'invalid_scope'],
    ['an unknown user', { login_hint: 'nobody' }, 400, 'unknown_user_id'],
    ['an unknown address', { login_hint: 'nobody@example.com' }, 400, 'unknown_user_id'],
    ['a disabled user', { login_hint: refusedUsers.disabled.username }, 400, 'unknown_user_id'],
    ['an unverified user', { login_hint: refusedUsers.unverified.email }, 400, 'unknown_user_id'],
    [
      'a subject of another issuer',
      { login_hint: '{"format":"iss_sub","iss":"https://other.example","sub":"u-requests"}' },
      400,
      'unknown_user_id',
    ],
    ['a link in the message', { binding_message: 'see evil.com' }, 400, 'invalid_binding_message'],
    [
      'P37: a host with another dot',
      { binding_message: 'evil。com/pay' },
      400,
      'invalid_binding_message',
    ],
    [
      'P37: a number to dial',
      { binding_message: 'Fraud desk: call 1-202-555-0101' },
      400,
      'invalid_binding_message',
    ],
    ['markup in the message', { binding_message: '<b>50</b>' }, 400, 'invalid_binding_message'],
    [
      '65 characters of message',
      { binding_message: 'x'.repeat(65) },
      400,
      'invalid_binding_message',
    ],
  ])('%s', async (_what, parameters, status, error) => {
    const answer = await post('/cibaAuthorization', basic, { ...least, ...parameters });
    expect(errorOf(answer)).toMatchObject({ status, error });
    expectErrorForm(answer);
  });

  it('invalid_binding_message says which position failed', async () => {
    const { body } = await ask(basic, user.username, { binding_message: 'Pump 4 <50' });
    expect(body['error_description']).toMatch(/position 8:/);
  });

  it('P30: invalid_binding_message says where a link begins and what to write instead', async () => {
    const ticker = await ask(basic, user.username, { binding_message: 'Buy 10 AAPL.US?' });
    expect(ticker.body['error_description']).toMatch(
      /position 11: a link .* put a space after its dot/,
    );
    expect(JSON.stringify(ticker.body)).not.toContain('AAPL');
    const { status } = await ask(basic, user.username, { binding_message: 'Buy 10 AAPL dot US?' });
    expect(status).toBe(200);
  });

  it('unknown, disabled and unverified users have one answer (T6)', async () => {
    const { disabled, unverified } = refusedUsers;
    const hints = ['nobody', disabled.username, unverified.username];
    const answers = await Promise.all(hints.map((hint) => ask(basic, hint)));
    expect(new Set(answers.map((answer) => JSON.stringify(errorOf(answer)))).size).toBe(1);
  });

  it('a parameter that occurs twice is invalid_request', async () => {
    const twice = 'scope=openid&login_hint=alice&scope=openid';
    const answer = await send('/cibaAuthorization', twice, {
      Authorization: basicAuthorization(basic),
    });
    expect(errorOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  it('a client without the CIBA grant is unauthorized_client, at both endpoints', async () => {
    const { refreshOnly } = refusedClients;
    for (const answer of [await ask(refreshOnly, user.username), await poll(refreshOnly, 'x')]) {
      expect(errorOf(answer)).toMatchObject({ status: 400, error: 'unauthorized_client' });
      expectErrorForm(answer);
    }
  });
});

describe.each(['/cibaAuthorization', '/token'])(
  'client authentication at %s (CIBA 7.1, 10.1)',
  (path) => {
    const { client_id, client_secret } = basic;
    const wrong = { ...basic, client_secret: `${client_secret}!` };

    it.each<[string, () => Promise<JsonAnswer>]>([
      ['none', () => send(path, new URLSearchParams(least))],
      ['client_id alone', () => send(path, new URLSearchParams({ ...least, client_id }))],
      ['a wrong secret', () => post(path, wrong, least)],
      ['an unknown client', () => post(path, { ...basic, client_id: 'nobody' }, least)],
      ['a disabled client', () => post(path, refusedClients.disabled, least)],
      [
        'post where basic is registered',
        () => post(path, { ...basic, token_endpoint_auth_method: 'client_secret_post' }, least),
      ],
      [
        'basic where post is registered',
        () => post(path, { ...byPost, token_endpoint_auth_method: 'client_secret_basic' }, least),
      ],
      [
        'a client_id that differs from the Basic one',
        () => post(path, basic, { ...least, client_id: byPost.client_id }),
      ],
      [
        'another scheme',
        () => send(path, new URLSearchParams(least), { Authorization: 'Bearer x' }),
      ],
      [
        'Basic that is no base64',
        () => send(path, new URLSearchParams(least), { Authorization: 'Basic ???' }),
      ],
      [
        'a client assertion',
        () => {
          const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
          return send(
            path,
            new URLSearchParams({ ...least, client_assertion_type, client_assertion: 'x' }),
          );
        },
      ],
    ])('by %s is invalid_client, always in the same words (T14)', async (_method, attempt) => {
      const answer = await attempt();
      expect(errorOf(answer)).toEqual(errorOf(await post(path, wrong, least)));
      expect(errorOf(answer)).toMatchObject({ status: 401, error: 'invalid_client' });
      // API Gateway may rename it; a deployment shows which came (P52).
      const challenge =
        answer.headers.get('www-authenticate') ??
        answer.headers.get('x-amzn-remapped-www-authenticate');
      expect(challenge).toMatch(/^Basic realm="/);
      expectErrorForm(answer);
    });

    it('by two methods at once is invalid_request (RFC 6749 5.2)', async () => {
      const answer = await post(path, basic, { ...least, client_id, client_secret });
      expect(errorOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' });
    });
  },
);

describe.each(['/cibaAuthorization', '/bc-authorize', '/token'])('the form at %s', (path) => {
  const Authorization = basicAuthorization(basic);

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'is not taken by %s: 405 with Allow',
    async (method) => {
      const response = await fetch(issuer + path, { method, headers: { Authorization } });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    },
  );

  it.each([
    ['application/json', '{"scope":"openid"}'],
    ['text/plain', 'scope=openid'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/x-www-form-urlencoded; charset=latin1', 'scope=openid'],
  ])('of the media type %s is invalid_request', async (mediaType, body) => {
    const answer = await send(path, body, { Authorization, 'Content-Type': mediaType });
    expect(errorOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' });
    expectErrorForm(answer);
  });

  it('over 16 KB is refused with 413', async () => {
    const answer = await send(path, `padding=${'x'.repeat(16 * 1024)}`, { Authorization });
    expect(errorOf(answer)).toMatchObject({ status: 413, error: 'invalid_request' });
    expectErrorForm(answer);
  });
});
