/**
 * Client assertions over HTTP (RFC 7523, OpenID Connect Core 9, RFC 10070): every advertised
 * algorithm is taken, and what is not advertised or not registered is refused, at both endpoints
 * (threats T15 to T17).
 */
import { describe, expect, it } from 'vitest';
import { ask, assert, assertionParameters, errorOf, post, send } from './consumption-device.ts';
import { issuer } from './deployment.ts';
import { clients, users } from './directory.ts';

const user = users.assertions;
const jwtClients = [
  clients.hs256,
  clients.hs384,
  clients.hs512,
  clients.es256,
  clients.ps256,
  clients.rs256,
  clients.eddsa,
];

const request = { scope: 'openid', login_hint: user.username };
const unknownRequest = {
  grant_type: 'urn:openid:params:grant-type:ciba',
  auth_req_id: `${'a'.repeat(26)}.${'b'.repeat(43)}`,
};

function sendAssertion(path: string, assertion: string, parameters: Record<string, string>) {
  return send(path, new URLSearchParams({ ...parameters, ...assertionParameters(assertion) }));
}

const refused = {
  status: 401,
  error: 'invalid_client',
  description:
    'Client authentication failed. Use the method and the credentials the client is registered with.',
};

describe.concurrent.each(jwtClients)('$token_endpoint_auth_signing_alg', (client) => {
  it('authenticates at both endpoints', async () => {
    expect((await ask(client, user.username)).status).toBe(200);
    const poll = await post('/token', client, unknownRequest);
    expect(errorOf(poll)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  it('T15: is burned, here and there', async () => {
    const assertion = await assert(client);
    const first = await sendAssertion('/token', assertion, unknownRequest);
    expect(errorOf(first)).toMatchObject({ error: 'invalid_grant' });
    expect(errorOf(await sendAssertion('/token', assertion, unknownRequest))).toEqual(refused);
    expect(errorOf(await sendAssertion('/cibaAuthorization', assertion, request))).toEqual(refused);
  });
});

it('Ed25519 is EdDSA by its new name (RFC 9864)', async () => {
  const assertion = await assert(clients.eddsa, {}, 'Ed25519');
  expect((await sendAssertion('/cibaAuthorization', assertion, request)).status).toBe(200);
});

it('T15: of 10 at once with one assertion one is acknowledged', async () => {
  const assertion = await assert(clients.es256);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => sendAssertion('/cibaAuthorization', assertion, request)),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(9).fill(401)]);
});

describe('T16: the audience', () => {
  const endpoints = [`${issuer}/token`, `${issuer}/cibaAuthorization`, `${issuer}/bc-authorize`];
  const all = [issuer, `${issuer}/`, ...endpoints];

  it('of the issuer may end in a slash, as some of them write it', async () => {
    const assertion = await assert(clients.es256, { aud: `${issuer}/` });
    expect((await sendAssertion('/cibaAuthorization', assertion, request)).status).toBe(200);
  });

  it.each([`${issuer}//`, ...endpoints, [issuer], [issuer, endpoints[0]], '', null, 1, undefined])(
    '%j is refused by default',
    async (aud) => {
      const assertion = await assert(clients.es256, { aud });
      const answer = await sendAssertion('/cibaAuthorization', assertion, request);
      expect(errorOf(answer)).toEqual(refused);
    },
  );

  it.each([...all, [issuer], [endpoints[0]], all.slice(0, 3), all.toReversed()])(
    'P13, P14: %j is taken from a client registered for ciba-core',
    async (aud) => {
      const assertion = await assert(clients.cibaCore, { aud });
      expect((await sendAssertion('/cibaAuthorization', assertion, request)).status).toBe(200);
    },
  );

  it.each([
    { aud: ['https://other.example'] },
    { aud: [...all, 'https://other.example'] },
    { aud: [`${issuer}/jwks`] },
    { aud: [] },
  ])('P13: $aud is refused even so', async ({ aud }) => {
    const assertion = await assert(clients.cibaCore, { aud });
    const answer = await sendAssertion('/cibaAuthorization', assertion, request);
    expect(errorOf(answer)).toEqual(refused);
  });
});

describe('T17: what is not registered is refused', () => {
  it.each([
    ['PS256 of a client with RS256', clients.rs256, 'PS256'],
    ['RS256 of a client with PS256', clients.ps256, 'RS256'],
    ['RS384 of a client with RS256', clients.rs256, 'RS384'],
    ['HS512 of a client with HS256', clients.hs256, 'HS512'],
    ['HS256 of a client with HS512', clients.hs512, 'HS256'],
  ] as const)('%s', async (_what, client, alg) => {
    const assertion = await assert(client, {}, alg);
    const answer = await sendAssertion('/cibaAuthorization', assertion, request);
    expect(errorOf(answer)).toEqual(refused);
  });

  it('none', async () => {
    const [, claims] = (await assert(clients.es256)).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    const answer = await sendAssertion('/cibaAuthorization', `${header}.${claims}.`, request);
    expect(errorOf(answer)).toEqual(refused);
  });

  it('an assertion of another client', async () => {
    const { client_id } = clients.rs256;
    const assertion = await assert(clients.es256, { iss: client_id, sub: client_id });
    const answer = await sendAssertion('/cibaAuthorization', assertion, request);
    expect(errorOf(answer)).toEqual(refused);
  });

  it('its secret, of a client that signs with it', async () => {
    const { client_id, client_secret } = clients.hs256;
    const form = new URLSearchParams({ ...request, client_id, client_secret });
    expect(errorOf(await send('/cibaAuthorization', form))).toEqual(refused);
  });
});

it('two methods at once are invalid_request (RFC 6749 5.2)', async () => {
  const { client_secret } = clients.hs256;
  const assertion = await assert(clients.hs256);
  const answer = await sendAssertion('/cibaAuthorization', assertion, {
    ...request,
    client_secret,
  });
  expect(errorOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' });
});
