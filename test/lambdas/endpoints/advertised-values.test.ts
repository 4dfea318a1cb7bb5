/**
 * The discovery document against the provider (OpenID Connect Discovery 3, RFC 8414 2, CIBA Core
 * 4): every value of every list that it advertises can be registered or asked for, and works to the
 * end.
 */
import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE, type Client, storedClient } from '../../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../../lambdas/ciba/client/client-assertion.ts';
import { providerMetadata } from '../../../lambdas/ciba/provider-metadata.ts';
import { routes } from '../../../lambdas/routes.ts';
import { clientRegistration } from '../../../lib/operator/directory/registration/client-registration.ts';
import { generateClientKey, signJwt } from '../../support/example-jwts.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import { formRequest, issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';
import { storedSecretOf } from '../../support/stored-secrets.ts';

const metadata = providerMetadata(issuer, routes);
const secret = 's'.repeat(64);
const key = {
  ES256: generateClientKey('ES256'),
  PS256: generateClientKey('PS256'),
  RS256: generateClientKey('RS256'),
  EdDSA: generateClientKey('EdDSA'),
  Ed25519: generateClientKey('EdDSA', { alg: 'Ed25519' }),
};

type Provider = ReturnType<typeof providerInMemory>;

/**
 * A provider whose one client is registered with these members, as the operator's tool stores it.
 */
function providerWith(members: object): { provider: Provider; client: Client } {
  const registration = clientRegistration.parse({
    client_id: 'pump-4',
    client_name: 'Pump 4',
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret: secretFor(members),
    ...members,
  });
  const isWrapped = registration.token_endpoint_auth_method === 'client_secret_jwt';
  const client = storedClient.parse({
    ...registration,
    ...(isWrapped ? { client_secret_wrapped: secret } : storedSecretOf('pump-4', secret)),
  });
  const provider = providerInMemory();
  provider.directory.clients.set('pump-4', client);
  return { provider, client };
}

function secretFor(members: object): string | undefined {
  return Object.values(members).includes('private_key_jwt') ? undefined : secret;
}

/** A form in the client's own way, with the algorithm that its header names. */
function authenticated(
  path: string,
  form: Record<string, string>,
  method: string,
  alg = '',
): Request {
  if (method === 'client_secret_basic') return formRequest(path, form, 'pump-4', secret);
  const asPost = { client_id: 'pump-4', client_secret: secret };
  const credentials = method === 'client_secret_post' ? asPost : assertion(alg);
  const body = new URLSearchParams({ ...form, ...credentials });
  return new Request(issuer + path, { method: 'POST', body });
}

let serial = 0;
function assertion(alg: string): Record<string, string> {
  serial += 1;
  const claims = {
    iss: 'pump-4',
    sub: 'pump-4',
    aud: issuer,
    exp: EXAMPLE_NOW + 100,
    jti: `j-${serial}`,
  };
  const mine = Object.entries(key).find(([name]) => name === alg)?.[1].privateKey;
  return {
    client_assertion_type: CLIENT_ASSERTION_TYPE,
    client_assertion: signJwt({ alg }, claims, mine ?? createSecretKey(Buffer.from(secret))),
  };
}

/**
 * From the request to the tokens; the claims of the ID Token and the algorithm it is signed with.
 */
async function run(
  members: object,
  parameters: Record<string, string> = {},
  method = 'client_secret_basic',
  alg = '',
) {
  const { provider } = providerWith(members);
  const send = (path: string, form: Record<string, string>) => {
    const request = authenticated(path, form, method, alg);
    return path === '/token' ? provider.token(request) : provider.authorize(request);
  };
  const form = { scope: 'openid', login_hint: 'alice', ...parameters };
  const asked = await send('/cibaAuthorization', form);
  expect([asked.status, await asked.clone().text()]).toEqual([200, expect.any(String)]);
  const { auth_req_id } = Object(await asked.json());
  const link = await provider.mailedLink(auth_req_id);
  const decided = await provider.decide(link, 'approve', {}, { code: 'K7P-X4T' });
  expect(decided.status).toBe(200);
  provider.now.at += 10;
  const granted = await send('/token', { grant_type: CIBA_GRANT_TYPE, auth_req_id });
  const answer: Record<string, unknown> = Object(await granted.json());
  expect([granted.status, refOf(auth_req_id)]).toEqual([200, expect.any(String)]);
  const [signedWith, , claims] = String(answer['id_token']).split(/\.(.*?)\.(.*)/s);
  return { answer, signedWith, claims: Object(JSON.parse(claims ?? '')), send };
}

const jwks = { keys: Object.values(key).map(({ jwk }, index) => ({ ...jwk, kid: `k${index}` })) };
const isSecretAlgorithm = (alg: string) => alg.startsWith('HS');

/** For each list of the document how one of its values is used; by the name of the member. */
const uses: Record<string, (value: string) => Promise<void>> = {
  async backchannel_token_delivery_modes_supported(mode) {
    await run({ backchannel_token_delivery_mode: mode });
  },
  async grant_types_supported(grantType) {
    const grants = [...new Set([CIBA_GRANT_TYPE, grantType])];
    const members = { grant_types: grants, scope: 'openid offline_access' };
    const { answer, send } = await run(members, { scope: 'openid offline_access' });
    if (grantType === CIBA_GRANT_TYPE) return;
    const refresh_token = String(answer['refresh_token']);
    expect((await send('/token', { grant_type: grantType, refresh_token })).status).toBe(200);
  },
  async response_types_supported(type) {
    expect(type).toBe('none is there');
  },
  async subject_types_supported(subject_type) {
    expect((await run({ subject_type })).claims).toMatchObject({ sub: 'u-alice' });
  },
  async id_token_signing_alg_values_supported(alg) {
    expect((await run({ id_token_signed_response_alg: alg })).signedWith).toBe(alg);
  },
  async token_endpoint_auth_methods_supported(method) {
    const members = { token_endpoint_auth_method: method };
    const alg = method === 'client_secret_jwt' ? 'HS256' : 'ES256';
    await run(method === 'private_key_jwt' ? { ...members, jwks } : members, {}, method, alg);
  },
  async token_endpoint_auth_signing_alg_values_supported(alg) {
    const method = isSecretAlgorithm(alg) ? 'client_secret_jwt' : 'private_key_jwt';
    const members = {
      token_endpoint_auth_method: method,
      token_endpoint_auth_signing_alg: alg,
      ...(method === 'private_key_jwt' && { jwks }),
    };
    await run(members, {}, method, alg);
  },
  async scopes_supported(scope) {
    const grants = { grant_types: [CIBA_GRANT_TYPE, 'refresh_token'] };
    const asked = { scope: [...new Set(['openid', scope])].join(' ') };
    const { answer } = await run({ ...grants, ...asked }, asked);
    expect(answer).toMatchObject(asked);
  },
  async claims_supported(claim) {
    const scope = 'openid profile email';
    expect((await run({ scope }, { scope })).claims).toHaveProperty(claim);
  },
  async acr_values_supported(acr) {
    const parameters = { acr_values: acr, binding_message: 'K7P-X4T' };
    expect((await run({}, parameters)).claims).toMatchObject({ acr });
  },
};

const lists = Object.entries(metadata).filter(
  (entry): entry is [string, string[]] =>
    entry[0].endsWith('_supported') && Array.isArray(entry[1]),
);

it('P12: every list of the document is walked', () => {
  expect(lists.map(([name]) => name).toSorted()).toEqual(Object.keys(uses).toSorted());
});

describe.each(lists)('P12: each value of %s works', (name, values) => {
  it.each(values)('%s', async (value) => {
    await uses[name]?.(value);
  });

  it('and there are as many as are used', () => {
    expect(new Set(values).size).toBe(values.length);
  });
});

it.each(['EdDSA', 'Ed25519'])(
  'P12: a client registered for %s signs under either name',
  async (registered) => {
    const members = {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: registered,
      jwks: { keys: [{ ...key.EdDSA.jwk, alg: registered }] },
    };
    expect(providerWith(members).client).toMatchObject({
      token_endpoint_auth_signing_alg: 'EdDSA',
      jwks: { keys: [{ alg: 'EdDSA' }] },
    });
    key.Ed25519.privateKey = key.EdDSA.privateKey;
    for (const alg of ['EdDSA', 'Ed25519']) await run(members, {}, 'private_key_jwt', alg);
  },
);
