/**
 * How long what the operator takes from a client lasts where functions remember clients
 * (SECURITY.md, what an operator has to do): every change, measured over the real memory of the
 * directory with a clock that the test sets. What is worth tokens is read anew and ends at once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_CACHE_SECONDS, clientDirectory } from '../../../lambdas/aws/directory-table.ts';
import { dynamoTable } from '../../../lambdas/aws/dynamo-table.ts';
import {
  CIBA_GRANT_TYPE,
  type Client,
  REFRESH_GRANT_TYPE,
} from '../../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../../lambdas/ciba/client/client-assertion.ts';
import { exampleClient, exampleClientSecret } from '../../support/example-directory.ts';
import { generateClientKey, signJwt } from '../../support/example-jwts.ts';
import { formRequest, issuer, providerInMemory } from '../../support/provider-in-memory.ts';
import { storedSecretOf } from '../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
});
afterAll(() => tables.stop());

const scope = 'openid email offline_access';
const secretClient: Client = {
  ...exampleClient,
  grant_types: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE],
  scope: 'openid profile email offline_access',
};
const pair = generateClientKey('ES256', { kid: 'k1' });
const other = generateClientKey('ES256', { kid: 'k2' });
const { client_secret_mac: _none, ...bare } = secretClient;
const keyClient: Client = {
  ...bare,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [pair.jwk] },
};

async function store(client: Client): Promise<void> {
  const item = { pk: `client#${client.client_id}`, version: 1, ...client };
  await dynamoTable(tables.client, 'directory', 'pk').put(item, {
    condition: 'attribute_exists(#pk) OR attribute_not_exists(#pk)',
  });
}

/** A provider whose functions have just started, and remember nothing yet. */
async function started(client: Client) {
  await store(client);
  const provider = providerInMemory();
  const directory = clientDirectory(tables.client, 'directory', () => provider.now.at);
  Object.assign(provider.directory.ports.clients, directory);
  return provider;
}

type Provider = Awaited<ReturnType<typeof started>>;

let serial = 0;

/**
 * A request as the client sends it before the change: with its secret, or an assertion of its first
 * key.
 */
function requestOf({ now }: Provider, client: Client, path: string, form: Record<string, string>) {
  if (client !== keyClient) return formRequest(path, form, client.client_id, exampleClientSecret);
  serial += 1;
  const { client_id: id } = client;
  const times = { iat: Math.floor(now.at), exp: Math.floor(now.at) + 60 };
  const claims = { iss: id, sub: id, aud: issuer, jti: `j-${serial}`, ...times };
  const client_assertion = signJwt({ alg: 'ES256', kid: 'k1' }, claims, pair.privateKey);
  const proof = { client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion };
  return new Request(issuer + path, {
    method: 'POST',
    body: new URLSearchParams({ ...form, ...proof }),
  });
}

async function ask(provider: Provider, client: Client): Promise<{ status: number; id: string }> {
  const form = { scope, login_hint: 'alice' };
  const request = requestOf(provider, client, '/cibaAuthorization', form);
  const response = await provider.authorize(request);
  const { auth_req_id: id } = Object(await response.json());
  return { status: response.status, id: String(id) };
}

async function token(provider: Provider, client: Client, form: Record<string, string>) {
  const response = await provider.token(requestOf(provider, client, '/token', form));
  const body: Record<string, unknown> = Object(await response.json());
  return { status: response.status, body };
}

/**
 * Asked, approved, and the client remembered at this very moment: nobody can be remembered for
 * longer.
 */
async function approved(client: Client) {
  const provider = await started(client);
  const { id } = await ask(provider, client);
  await provider.decide(await provider.mailedLink(id), 'approve');
  provider.now.at += CLIENT_CACHE_SECONDS;
  expect((await ask(provider, client)).status).toBe(200);
  const redemption = { grant_type: CIBA_GRANT_TYPE, auth_req_id: id };
  return { provider, redemption };
}

/** Seconds after the change: in between, just before the memory ends, and then. */
const seconds = [0, 1, 5, CLIENT_CACHE_SECONDS - 0.001, CLIENT_CACHE_SECONDS, 60];

/**
 * The last of these seconds at which it still works; -1 for never, each tried by functions of their
 * own.
 */
async function lasts(attempt: (after: number) => Promise<boolean>): Promise<number> {
  let last = -1;
  for (const after of seconds) if (await attempt(after)) last = after;
  return last;
}

const REMEMBERED = CLIENT_CACHE_SECONDS - 0.001;
const AT_ONCE = -1;
const NEVER = 60;

const ownSecret = storedSecretOf(secretClient.client_id, exampleClientSecret);
const otherSecret = storedSecretOf(secretClient.client_id, 'x'.repeat(32));
const changes: [
  what: string,
  before: Client,
  after: Partial<Client>,
  lasts: { asking: number; redemption: number; refresh: number },
][] = [
  [
    'a secret that is replaced, with nothing to keep',
    secretClient,
    {
      ...otherSecret,
      retiring_secret: { ...ownSecret, until: 0 },
    },
    { asking: REMEMBERED, redemption: REMEMBERED, refresh: REMEMBERED },
  ],
  [
    'a secret that is removed',
    secretClient,
    { ...otherSecret },
    { asking: REMEMBERED, redemption: REMEMBERED, refresh: REMEMBERED },
  ],
  [
    'a key that is removed',
    keyClient,
    { jwks: { keys: [other.jwk] } },
    { asking: REMEMBERED, redemption: REMEMBERED, refresh: REMEMBERED },
  ],
  [
    'the method of authentication',
    secretClient,
    { token_endpoint_auth_method: 'client_secret_post' },
    { asking: REMEMBERED, redemption: REMEMBERED, refresh: REMEMBERED },
  ],
  [
    'the CIBA grant',
    secretClient,
    { grant_types: [REFRESH_GRANT_TYPE] },
    { asking: REMEMBERED, redemption: AT_ONCE, refresh: NEVER },
  ],
  [
    'the refresh grant',
    secretClient,
    { grant_types: [CIBA_GRANT_TYPE] },
    { asking: NEVER, redemption: NEVER, refresh: AT_ONCE },
  ],
  [
    'a scope',
    secretClient,
    { scope: 'openid profile offline_access' },
    { asking: REMEMBERED, redemption: AT_ONCE, refresh: AT_ONCE },
  ],
  [
    'enabled',
    secretClient,
    { enabled: false },
    { asking: REMEMBERED, redemption: AT_ONCE, refresh: AT_ONCE },
  ],
  [
    'what was approved so far',
    secretClient,
    { tokens_not_before: Number.MAX_SAFE_INTEGER },
    { asking: NEVER, redemption: AT_ONCE, refresh: AT_ONCE },
  ],
];

describe('P35: what is taken from a client, and how long it lasts:', () => {
  it.each(changes)('%s', async (what, client, change, expected) => {
    const measured = {
      asking: await lasts(async (after) => {
        const { provider } = await approved(client);
        await store({ ...client, ...change });
        provider.now.at += after;
        return (await ask(provider, client)).status === 200;
      }),
      redemption: await lasts(async (after) => {
        const { provider, redemption } = await approved(client);
        await store({ ...client, ...change });
        provider.now.at += after;
        return (await token(provider, client, redemption)).status === 200;
      }),
      refresh: await lasts(async (after) => {
        const { provider, redemption } = await approved(client);
        const { body } = await token(provider, client, redemption);
        await store({ ...client, ...change });
        provider.now.at += after;
        const refresh_token = String(body['refresh_token']);
        const form = { grant_type: REFRESH_GRANT_TYPE, refresh_token };
        const refreshed = await token(provider, client, form);
        return refreshed.status === 200 && refreshed.body['scope'] === scope;
      }),
    };
    process.stdout.write(`${what.padEnd(50)} ${JSON.stringify(measured)}\n`);
    expect(measured).toEqual(expected);
  });

  it('a retiring secret to the millisecond, also where its end is remembered', async () => {
    const until = (at: number): Client => ({
      ...secretClient,
      ...otherSecret,
      retiring_secret: { ...ownSecret, until: at + 15 },
    });
    const provider = await started(secretClient);
    const at = provider.now.at;
    await store(until(at));
    for (const [after, status] of [
      [0, 200],
      [9, 200],
      [14.999, 200],
      [15, 401],
    ] as const) {
      provider.now.at = at + after;
      expect([after, (await ask(provider, secretClient)).status]).toEqual([after, status]);
    }
  });
});
