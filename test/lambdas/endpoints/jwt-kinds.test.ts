/**
 * Every kind of JWT in every place that takes a text (RFC 8725 3.11, 3.12): its own takes it, once,
 * and no other does, although client and provider share one key here (threats T17).
 */
import { describe, expect, it } from 'vitest';
import {
  CIBA_GRANT_TYPE,
  type Client,
  REFRESH_GRANT_TYPE,
} from '../../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../../lambdas/ciba/client/client-assertion.ts';
import { jwtKinds } from '../../../lambdas/ciba/jwt/jwt-kinds.ts';
import { publicHalf } from '../../../lambdas/ciba/keys/signing-keys.ts';
import {
  accessTokenClaims,
  type Grant,
  idTokenClaims,
} from '../../../lambdas/ciba/request/tokens.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { generateClientKey, signJwt } from '../../support/example-jwts.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';
import { issuer, providerInMemory } from '../../support/provider-in-memory.ts';

type KindName = keyof typeof jwtKinds;

/** Of client and provider alike, so that no key stands in the way of a confusion. */
const pair = generateClientKey('ES256', { kid: 'k1' });
const { client_secret_hash: _none, ...bare } = exampleClient;
const client: Client = {
  ...bare,
  client_id: 'key-client',
  grant_types: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [pair.jwk] },
};
const { client_id: clientId } = client;
/** A user whose subject is the client's id. */
const namesake = { ...exampleUser, sub: clientId, username: 'robot', email: 'robot@example.com' };

function provider() {
  const made = providerInMemory({ publicKeys: [publicHalf('k1', 'ES256', pair.jwk)] });
  made.directory.clients.set(clientId, client);
  made.directory.users.set(namesake.sub, namesake);
  return made;
}

type Provider = ReturnType<typeof provider>;

let serial = 0;

function sign(typ: string | undefined, claims: object): string {
  return signJwt({ alg: 'ES256', kid: 'k1', ...(typ && { typ }) }, claims, pair.privateKey);
}

function clientClaims(changes: object): object {
  serial += 1;
  const times = { iat: EXAMPLE_NOW, exp: EXAMPLE_NOW + 60 };
  return { iss: clientId, aud: issuer, ...times, jti: `one-${serial}`, ...changes };
}

function grantOf(user: typeof exampleUser): Grant {
  const request = { ...exampleRequest({ clientId }), decidedAt: EXAMPLE_NOW };
  return { issuer, request, scope: 'openid profile email', user, now: EXAMPLE_NOW };
}

const plainTypes = [undefined, 'JWT', 'jwt', 'application/jwt'];
const hintTokenTypes = ['login-hint-token+jwt', 'application/Login-Hint-Token+JWT'];

/**
 * Each kind in every form that its own place takes. A kind without an entry here does not compile.
 */
const samples: Record<KindName, () => string[]> = {
  clientAssertion: () =>
    [...plainTypes, 'client-authentication+jwt', 'application/client-authentication+JWT'].map(
      (typ) => sign(typ, clientClaims({ sub: clientId })),
    ),
  loginHintToken: () => [
    ...[...plainTypes, ...hintTokenTypes].flatMap((typ) =>
      [{ sub: 'u-alice' }, { username: 'alice' }, { email: 'alice@example.com' }].map((named) =>
        sign(typ, clientClaims(named)),
      ),
    ),
    ...hintTokenTypes.map((typ) => sign(typ, clientClaims({ sub: clientId }))),
  ],
  idToken: () => [exampleUser, namesake].map((user) => sign('JWT', idTokenClaims(grantOf(user)))),
  accessToken: () =>
    [exampleUser, namesake].flatMap((user) =>
      [issuer, clientId].map((audience) =>
        sign('at+jwt', accessTokenClaims(grantOf(user), audience, 'one')),
      ),
    ),
};

type Endpoint = 'authorize' | 'token';

/** What the endpoint does with a form that proves its client, unless it says itself how. */
async function post(
  made: Provider,
  endpoint: Endpoint,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<number> {
  const path = endpoint === 'authorize' ? '/cibaAuthorization' : '/token';
  const body = new URLSearchParams(parameters);
  const request = new Request(issuer + path, { method: 'POST', body, headers });
  return (await made[endpoint](request)).status;
}

function proof(text = sign(undefined, clientClaims({ sub: clientId }))) {
  return { client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion: text };
}

const asked = { scope: 'openid', login_hint: 'alice' };
const polled = { grant_type: CIBA_GRANT_TYPE, auth_req_id: `${'a'.repeat(26)}.${'b'.repeat(43)}` };

interface Place {
  where: string;
  /** The kind that belongs there, if any does. */
  parameter?: string;
  takes(made: Provider, text: string): Promise<boolean>;
}

/** Every place at which a text is taken for something. */
const places: Place[] = [
  {
    where: 'client_assertion at the backchannel authentication endpoint',
    parameter: 'client_assertion',
    takes: async (made, text) =>
      (await post(made, 'authorize', { ...asked, ...proof(text) })) !== 401,
  },
  {
    where: 'client_assertion at the token endpoint',
    parameter: 'client_assertion',
    takes: async (made, text) => (await post(made, 'token', { ...polled, ...proof(text) })) !== 401,
  },
  ...['login_hint_token', 'id_token_hint', 'login_hint'].map((parameter) => ({
    where: parameter,
    parameter,
    takes: async (made: Provider, text: string) =>
      (await post(made, 'authorize', { scope: 'openid', [parameter]: text, ...proof() })) === 200,
  })),
  ...(['authorize', 'token'] as const).flatMap((endpoint): Place[] => {
    const form = endpoint === 'authorize' ? asked : polled;
    const basic = (text: string) =>
      `Basic ${Buffer.from(`${clientId}:${text}`).toString('base64')}`;
    return [
      {
        where: `the password of Basic at ${endpoint}`,
        takes: async (made, text) =>
          (await post(made, endpoint, form, { Authorization: basic(text) })) !== 401,
      },
      {
        where: `a Bearer token at ${endpoint}`,
        takes: async (made, text) =>
          (await post(made, endpoint, form, { Authorization: `Bearer ${text}` })) !== 401,
      },
      {
        where: `client_secret at ${endpoint}`,
        takes: async (made, text) =>
          (await post(made, endpoint, { ...form, client_id: clientId, client_secret: text })) !==
          401,
      },
    ];
  }),
  {
    where: 'auth_req_id',
    takes: async (made, text) =>
      (await post(made, 'token', { ...polled, auth_req_id: text, ...proof() })) === 200,
  },
  {
    where: 'refresh_token',
    takes: async (made, text) => {
      const form = { grant_type: REFRESH_GRANT_TYPE, refresh_token: text };
      return (await post(made, 'token', { ...form, ...proof() })) === 200;
    },
  },
  {
    where: 'the link',
    takes: async (made, text) =>
      (await made.approve(new Request(`${issuer}/approve/${text}`))).status === 200,
  },
];

it('P3: every kind of the table is tried', () => {
  expect(Object.keys(samples)).toEqual(Object.keys(jwtKinds));
});

describe.each(Object.entries(samples))('P3, T17: %s', (name, texts) => {
  const kind: { parameter?: string } = Object(new Map(Object.entries(jwtKinds)).get(name));

  it.each(places)('in $where', async ({ parameter, takes }) => {
    const belongs = parameter !== undefined && parameter === kind.parameter;
    for (const text of texts())
      expect([text, await takes(provider(), text)]).toEqual([text, belongs]);
  });

  it('is worth nothing elsewhere once it was used, and is not used up by trying', async () => {
    const [own, foreign] = [true, false].map((isOwn) =>
      places.filter(
        ({ parameter }) => (parameter === kind.parameter && parameter !== undefined) === isOwn,
      ),
    );
    for (const text of texts()) {
      const made = provider();
      for (const { takes } of foreign ?? []) expect(await takes(made, text)).toBe(false);
      for (const { takes } of own?.slice(0, 1) ?? []) expect(await takes(made, text)).toBe(true);
      for (const { takes } of foreign ?? []) expect(await takes(made, text)).toBe(false);
    }
  });
});

describe('P3: a hint token that could be an assertion is neither', () => {
  const text = (typ?: string) => sign(typ, clientClaims({ sub: clientId }));

  it.each(plainTypes)('of type %s, naming the user whose sub is the client', async (typ) => {
    const hint = { scope: 'openid', login_hint_token: text(typ), ...proof() };
    expect(await post(provider(), 'authorize', hint)).toBe(400);
  });

  it.each([{ username: 'alice' }, { email: 'alice@example.com' }, { username: null }])(
    'as an assertion that names a user by %o',
    async (named) => {
      const assertion = sign(undefined, clientClaims({ sub: clientId, ...named }));
      expect(await post(provider(), 'authorize', { ...asked, ...proof(assertion) })).toBe(401);
    },
  );

  it('expired, it is not told that it was one', async () => {
    const ended = clientClaims({ sub: clientId, iat: EXAMPLE_NOW - 200, exp: EXAMPLE_NOW - 100 });
    const made = provider();
    const hint = { scope: 'openid', login_hint_token: sign('JWT', ended), ...proof() };
    expect(await post(made, 'authorize', hint)).toBe(400);
    expect(made.refused[0]).toMatchObject({ code: 'invalid_request' });
  });
});

/** Registered for kinds that are not read here, or not at all. */
const foreignTypes = [
  'oauth-authz-req+jwt',
  'dpop+jwt',
  'secevent+jwt',
  'logout+jwt',
  'token-introspection+jwt',
  'entity-statement+jwt',
  'application/dpop+jwt',
  'kb+jwt',
  'vc+sd-jwt',
  'JOSE',
  'JWE',
  'JWT+JWT',
  'JWT ',
  ' JWT',
  'text/jwt',
  'application/application/jwt',
  'jwt; charset=utf-8',
  'login-hint-to\u212aen+jwt',
  'login_hint_token',
  'client_assertion',
];

describe('P3: a typ that belongs to no kind is refused everywhere', () => {
  it.each(foreignTypes)('%j', async (typ) => {
    const claims = [
      clientClaims({ sub: clientId }),
      clientClaims({ sub: 'u-alice' }),
      clientClaims({ username: 'alice' }),
      idTokenClaims(grantOf(exampleUser)),
      accessTokenClaims(grantOf(exampleUser), issuer, 'one'),
    ];
    for (const members of claims) {
      const text = sign(typ, members);
      const made = provider();
      for (const { where, takes } of places.filter(({ parameter }) => parameter))
        expect([where, await takes(made, text)]).toEqual([where, false]);
    }
  });
});
