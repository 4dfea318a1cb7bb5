/**
 * Client assertions at both endpoints (RFC 7523, OpenID Connect Core 9): proved, burned once, and
 * nothing else done before (threats T15 to T17; invariant I14).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE, type Client } from '../../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../../lambdas/ciba/client/client-assertion.ts';
import { JWT_LENGTH } from '../../../lambdas/ciba/jwt/signed-jwt.ts';
import { protocolRoutes } from '../../../lambdas/routes.ts';
import { exampleClient } from '../../support/example-directory.ts';
import { generateClientKey, longestJti, signJwt } from '../../support/example-jwts.ts';
import { issuer, providerInMemory } from '../../support/provider-in-memory.ts';

const pair = generateClientKey('ES256', { kid: 'k1' });
const secret = 'a secret that is wrapped in nothing, for this test';
const { client_secret_mac: _none, ...bare } = exampleClient;

const keyClient: Client = {
  ...bare,
  client_id: 'key-client',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [pair.jwk] },
};
const secretClient: Client = {
  ...bare,
  client_id: 'secret-client',
  token_endpoint_auth_method: 'client_secret_jwt',
  client_secret_wrapped: secret,
};

function provider() {
  const made = providerInMemory();
  for (const client of [keyClient, secretClient]) {
    made.directory.clients.set(client.client_id, client);
  }
  return made;
}

type Provider = ReturnType<typeof provider>;

let serial = 0;

function assertion({ now }: Provider, clientId: string, changes: object = {}): string {
  serial += 1;
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: issuer,
    iat: now.at,
    exp: now.at + 60,
    jti: `jti-${serial}`,
    ...changes,
  };
  return clientId === secretClient.client_id
    ? signJwt({ alg: 'HS256' }, claims, secret)
    : signJwt({ alg: 'ES256', kid: 'k1' }, claims, pair.privateKey);
}

function post(
  path: string,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
) {
  return new Request(issuer + path, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    headers,
  });
}

function asserted(text: string, parameters: Record<string, string> = {}) {
  return {
    client_assertion_type: CLIENT_ASSERTION_TYPE,
    client_assertion: text,
    ...parameters,
  };
}

function ask(text: string, parameters: Record<string, string> = {}) {
  const request = { scope: 'openid', login_hint: 'alice', ...parameters };
  return post('/cibaAuthorization', asserted(text, request));
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  return Object(await response.json());
}

describe.each([keyClient.client_id, secretClient.client_id])('%s', (clientId) => {
  it('is acknowledged, and polls with another assertion', async () => {
    const made = provider();
    const { auth_req_id } = await bodyOf(await made.authorize(ask(assertion(made, clientId))));
    const poll = { grant_type: CIBA_GRANT_TYPE, auth_req_id: String(auth_req_id) };
    const answer = await made.token(post('/token', asserted(assertion(made, clientId), poll)));
    expect(await bodyOf(answer)).toMatchObject({ error: 'authorization_pending' });
  });

  it('may send its client_id beside the assertion (RFC 7521 4.2)', async () => {
    const made = provider();
    const text = assertion(made, clientId);
    expect((await made.authorize(ask(text, { client_id: clientId }))).status).toBe(200);
  });

  it('T15: is refused when an assertion comes again, at either endpoint, and again', async () => {
    const made = provider();
    const text = assertion(made, clientId);
    expect((await made.authorize(ask(text))).status).toBe(200);
    const poll = { grant_type: CIBA_GRANT_TYPE, auth_req_id: 'x' };
    for (const again of [
      await made.authorize(ask(text)),
      await made.token(post('/token', asserted(text, poll))),
      await made.authorize(ask(text)),
    ]) {
      expect(again.status).toBe(401);
      expect(await bodyOf(again)).toMatchObject({ error: 'invalid_client' });
    }
    expect(made.started).toHaveLength(1);
  });

  it('T15: wins once with the same assertion 20 times at once', async () => {
    const made = provider();
    const text = assertion(made, clientId);
    const answers = await Promise.all(Array.from({ length: 20 }, () => made.authorize(ask(text))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
    expect(made.started).toHaveLength(1);
  });

  it('has used its assertion up even where the request then fails', async () => {
    const made = provider();
    const text = assertion(made, clientId);
    expect((await made.authorize(ask(text, { scope: '' }))).status).toBe(400);
    expect((await made.authorize(ask(text))).status).toBe(401);
  });

  it('has not used it up where it proved nothing', async () => {
    const made = provider();
    const text = assertion(made, clientId, { aud: `${issuer}/token` });
    const again = assertion(made, clientId, { jti: `jti-${serial}` });
    expect((await made.authorize(ask(text))).status).toBe(401);
    expect((await made.authorize(ask(again))).status).toBe(200);
  });
});

describe('P23, T15: a jti of any length that fits into its JWT', () => {
  it.each([1, 128, 129, 1000, 5000])('of %i characters is taken, and once', async (length) => {
    const made = provider();
    const text = assertion(made, keyClient.client_id, { jti: 'j'.repeat(length) });
    const again = assertion(made, keyClient.client_id, {
      jti: 'j'.repeat(length),
      exp: made.now.at + 90,
    });
    expect((await made.authorize(ask(text))).status).toBe(200);
    expect((await made.authorize(ask(text))).status).toBe(401);
    expect((await made.authorize(ask(again))).status).toBe(401);
  });

  it('up to the bound of the JWT, and no further', async () => {
    const made = provider();
    const { jti, text } = longestJti((one) => assertion(made, keyClient.client_id, { jti: one }));
    expect((await made.authorize(ask(text))).status).toBe(200);
    const longer = assertion(made, keyClient.client_id, { jti: `${jti}jjj` });
    expect(longer.length).toBeGreaterThan(JWT_LENGTH);
    expect((await made.authorize(ask(longer))).status).toBe(401);
  });

  it('two of one beginning are two', async () => {
    const made = provider();
    for (const end of ['a', 'b', '']) {
      const text = assertion(made, keyClient.client_id, { jti: 'j'.repeat(5000) + end });
      expect((await made.authorize(ask(text))).status).toBe(200);
    }
  });
});

it('T15: the same jti of another client is another', async () => {
  const made = provider();
  const jti = 'shared';
  for (const client of [keyClient, secretClient]) {
    const text = assertion(made, client.client_id, { jti });
    expect((await made.authorize(ask(text))).status).toBe(200);
  }
});

describe('P13, P14: the aud of a client registered for ciba-core', () => {
  const core: Client = { ...keyClient, client_assertion_audience: 'ciba-core' };
  const ours = [
    issuer,
    `${issuer}/`,
    ...Object.values(protocolRoutes)
      .flat()
      .map((path) => issuer + path),
  ];

  async function statusFor(client: Client, aud: unknown): Promise<number> {
    const made = provider();
    made.directory.clients.set(client.client_id, client);
    return (await made.authorize(ask(assertion(made, client.client_id, { aud })))).status;
  }

  it('may be each address at which the endpoints answer', async () => {
    expect(ours).toEqual([
      issuer,
      `${issuer}/`,
      `${issuer}/cibaAuthorization`,
      `${issuer}/bc-authorize`,
      `${issuer}/token`,
    ]);
    for (const aud of ours) expect([aud, await statusFor(core, aud)]).toEqual([aud, 200]);
  });

  it('may be any list of ours alone, in any order; a foreign one among them refuses it', async () => {
    const some = fc.shuffledSubarray(ours, { minLength: 1 });
    const foreign = fc.constantFrom<unknown>(
      ...['https://evil.example', '', `${issuer}//`, `${issuer}/Token`, `${issuer}/jwks`, null, 1],
      ...[`${issuer}/token/`, ours, { 0: issuer }, issuer.toUpperCase(), `${issuer}/token?`],
    );
    await fc.assert(
      fc.asyncProperty(some, foreign, fc.nat(5), async (aud, stranger, position) => {
        expect(await statusFor(core, aud)).toBe(200);
        expect(await statusFor(keyClient, aud)).toBe(401);
        expect(await statusFor(core, aud.toSpliced(position, 0, stranger as string))).toBe(401);
        expect(await statusFor(core, stranger === ours ? [ours] : stranger)).toBe(401);
      }),
    );
  });

  it('may not be an empty list', async () => {
    expect(await statusFor(core, [])).toBe(401);
  });

  it.each([issuer, `${issuer}/`])('of any other client may be %s alone', async (aud) => {
    expect(await statusFor(keyClient, aud)).toBe(200);
    expect(await statusFor(keyClient, [aud])).toBe(401);
  });
});

it('both live secrets of a client sign, and the retiring one until its time', async () => {
  const made = provider();
  const retiring_secret = { client_secret_wrapped: secret, until: made.now.at + 10 };
  const current = { ...secretClient, client_secret_wrapped: 'x'.repeat(43), retiring_secret };
  made.directory.clients.set(secretClient.client_id, current);
  expect((await made.authorize(ask(assertion(made, 'secret-client')))).status).toBe(200);
  made.now.at += 10;
  expect((await made.authorize(ask(assertion(made, 'secret-client')))).status).toBe(401);
});

describe('invalid_client, in the same words as for any other failure', () => {
  const failure =
    'Client authentication failed. Use the method and the credentials the client is registered with.';

  it.each<[string, (made: Provider) => Record<string, string>]>([
    ['an unknown client', (made) => asserted(assertion(made, 'nobody'))],
    [
      'another client’s signature',
      (made) => {
        const claims = {
          iss: 'secret-client',
          sub: 'secret-client',
          aud: issuer,
          exp: made.now.at + 60,
          jti: 'x',
        };
        return asserted(signJwt({ alg: 'ES256' }, claims, pair.privateKey));
      },
    ],
    ['no JWT', () => asserted('x')],
    ['nothing', () => asserted('')],
    [
      'another type of assertion',
      (made) => ({
        ...asserted(assertion(made, 'key-client')),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
      }),
    ],
    ['no type', (made) => ({ client_assertion: assertion(made, 'key-client') })],
    [
      'another client_id',
      (made) => asserted(assertion(made, 'key-client'), { client_id: 'pump-4' }),
    ],
    ['an assertion of a client with a secret', (made) => asserted(assertion(made, 'pump-4'))],
    ['a client_id that can be none', (made) => asserted(assertion(made, 'a b'))],
  ])('for %s', async (_what, parameters) => {
    const made = provider();
    const form = { scope: 'openid', login_hint: 'alice', ...parameters(made) };
    const answer = await made.authorize(post('/cibaAuthorization', form));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    const { error, error_description } = await bodyOf(answer);
    expect(error).toBe('invalid_client');
    expect(String(error_description)).toMatch(
      new RegExp(`^${failure} \\(Correlation ID: [\\w-]+\\)$`),
    );
    expect(made.started).toHaveLength(0);
  });

  it('for a disabled client, whose assertion is not even burned', async () => {
    const made = provider();
    const text = assertion(made, 'key-client');
    made.directory.clients.set('key-client', { ...keyClient, enabled: false });
    expect((await made.authorize(ask(text))).status).toBe(401);
    made.directory.clients.set('key-client', keyClient);
    expect((await made.authorize(ask(text))).status).toBe(200);
  });

  it.each([
    ['a secret of a client with keys', { client_id: 'key-client', client_secret: secret }],
    [
      'the secret of a client that signs with it',
      { client_id: 'secret-client', client_secret: secret },
    ],
    ['client_id alone', { client_id: 'key-client' }],
  ])('for %s', async (_what, parameters) => {
    const made = provider();
    const form = { scope: 'openid', login_hint: 'alice', ...parameters };
    expect((await made.authorize(post('/cibaAuthorization', form))).status).toBe(401);
  });
});

it.each<[string, Record<string, string>, Record<string, string>]>([
  ['Basic', {}, { Authorization: `Basic ${Buffer.from('key-client:x').toString('base64')}` }],
  ['client_secret', { client_secret: secret }, {}],
])('an assertion beside %s is invalid_request', async (_what, parameters, headers) => {
  const made = provider();
  const form = asserted(assertion(made, 'key-client'), { scope: 'openid', ...parameters });
  const answer = await made.authorize(post('/cibaAuthorization', form, headers));
  expect([answer.status, (await bodyOf(answer))['error']]).toEqual([400, 'invalid_request']);
});
