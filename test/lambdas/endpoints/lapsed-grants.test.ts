/**
 * What ends what was approved: every change of client and user, times the two grants that issue
 * tokens on it, each cell stated (RFC 6749 5.2 and 6, RFC 9700 4.14; threats T24, T29). Neither
 * grant looks at less than the other.
 */
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE, type Client } from '../../../lambdas/ciba/client/client.ts';
import type { User } from '../../../lambdas/ciba/user/user.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { formRequest, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

const offlineClient: Client = {
  ...exampleClient,
  grant_types: [CIBA_GRANT_TYPE, 'refresh_token'],
  scope: 'openid profile email offline_access',
};
const scope = 'openid email offline_access';

type Provider = ReturnType<typeof providerInMemory>;
type Change = (provider: Provider) => void;

/** Has the client asked and the user approved, one second ago. */
async function approved() {
  const provider = providerInMemory();
  provider.directory.clients.set('pump-4', offlineClient);
  const authReqId = await provider.ask({ scope });
  await provider.decide(await provider.mailedLink(authReqId), 'approve');
  provider.now.at += 1;
  return { provider, authReqId };
}

/**
 * What a remembered client is authenticated by; its registration is read again before anything is
 * issued.
 */
function remember({ directory }: Provider): void {
  const { clients } = directory.ports;
  const { findClient } = clients;
  clients.findClient = async (clientId, freshness) =>
    freshness === 'cached' ? offlineClient : findClient(clientId, freshness);
}

async function refresh(provider: Provider, token: unknown) {
  const form = { grant_type: 'refresh_token', refresh_token: String(token) };
  const response = await provider.token(formRequest('/token', form));
  const body: Record<string, unknown> = Object(await response.json());
  return { status: response.status, body };
}

/** A scope, or an error code. */
function answerOf({ body }: { body: Record<string, unknown> }): unknown {
  return body['error'] ?? body['scope'];
}

const user =
  (changes: Partial<User>): Change =>
  ({ directory }) =>
    directory.users.set('u-alice', { ...exampleUser, ...changes });
const client =
  (changes: Partial<Client>): Change =>
  ({ directory }) =>
    directory.clients.set('pump-4', { ...offlineClient, ...changes });

const changes: [what: string, change: Change, redemption: string, refresh: string][] = [
  ['nothing', () => {}, scope, scope],
  ['the user is disabled', user({ enabled: false }), 'access_denied', 'invalid_grant'],
  [
    'the user is removed',
    ({ directory }) => directory.users.delete('u-alice'),
    'access_denied',
    'invalid_grant',
  ],
  [
    'the user is removed and made anew, the same in all the operator wrote',
    user({ contact_version: 1_700_000_000_000 }),
    'access_denied',
    'invalid_grant',
  ],
  [
    'the address becomes another',
    user({ email: 'new@example.com', contact_version: 2 }),
    'access_denied',
    'invalid_grant',
  ],
  [
    'the address becomes another and is itself again',
    user({ contact_version: 3 }),
    'access_denied',
    'invalid_grant',
  ],
  [
    'the address is taken away',
    user({ email: undefined, email_verified: false, contact_version: 2 }),
    'access_denied',
    'invalid_grant',
  ],
  [
    'the address is no longer verified',
    user({ email_verified: false, contact_version: 2 }),
    'access_denied',
    'invalid_grant',
  ],
  [
    'mail to the address comes back: a decision stays a decision',
    user({ undeliverable: { email: 'alice@example.com', cause: 'mail_bounced', at: 1 } }),
    scope,
    scope,
  ],
  ['name and language become others', user({ name: 'Alice', locale: 'fr' }), scope, scope],
  [
    'the tokens of the user are revoked',
    (made) => user({ tokens_not_before: made.now.at })(made),
    'access_denied',
    'invalid_grant',
  ],
  [
    'the tokens of the user were revoked before the approval',
    (made) => user({ tokens_not_before: made.now.at - 1 })(made),
    scope,
    scope,
  ],
  [
    'the client is disabled',
    client({ enabled: false }),
    'unauthorized_client',
    'unauthorized_client',
  ],
  [
    'the client is removed',
    ({ directory }) => directory.clients.delete('pump-4'),
    'unauthorized_client',
    'unauthorized_client',
  ],
  [
    'the CIBA grant is taken from the client, which keeps what it has redeemed',
    client({ grant_types: ['refresh_token'] }),
    'unauthorized_client',
    scope,
  ],
  [
    'the refresh grant is taken from the client, which gets no refresh token then',
    client({ grant_types: [CIBA_GRANT_TYPE] }),
    scope,
    'unauthorized_client',
  ],
  [
    'a granted scope is taken from the client',
    client({ scope: 'openid profile offline_access' }),
    'access_denied',
    'openid offline_access',
  ],
  [
    'the scope offline_access is taken from the client',
    client({ scope: 'openid profile email' }),
    'access_denied',
    'openid email',
  ],
  ['another scope is taken from the client', client({ scope }), scope, scope],
  [
    'the tokens of the client are revoked',
    (made) => client({ tokens_not_before: made.now.at })(made),
    'access_denied',
    'invalid_grant',
  ],
  [
    'the tokens of the client were revoked before the approval',
    (made) => client({ tokens_not_before: made.now.at - 1 })(made),
    scope,
    scope,
  ],
];

/**
 * What proves no client any more is told so before anything else is looked at, once it is not
 * remembered.
 */
const unauthenticated = ['the client is disabled', 'the client is removed'];

describe.each([true, false])('P8: of a client that is remembered (%s), if', (isRemembered) => {
  const expected = (what: string, answer: string) =>
    !isRemembered && unauthenticated.includes(what) ? 'invalid_client' : answer;

  it.each(changes)('%s: a redemption', async (what, change, answer) => {
    const { provider, authReqId } = await approved();
    if (isRemembered) remember(provider);
    change(provider);
    expect(answerOf(await provider.poll(authReqId))).toBe(expected(what, answer));
    const { status } = (await provider.requests.find(refOf(authReqId))) ?? {};
    expect(status).toBe(answer === scope ? 'redeemed' : 'approved');
  });

  it.each(changes)('%s: a refresh', async (what, change, _redemption, answer) => {
    const { provider, authReqId } = await approved();
    const { body } = await provider.poll(authReqId);
    if (isRemembered) remember(provider);
    change(provider);
    const refreshed = await refresh(provider, body['refresh_token']);
    expect(answerOf(refreshed)).toBe(expected(what, answer));
    // What counts again is worth something again: nothing was written.
    user({})(provider);
    client({})(provider);
    expect(answerOf(await refresh(provider, body['refresh_token']))).toBe(scope);
  });
});

it('P8: the log names the reason, and the body is the one of any token that is worth nothing', async () => {
  const { provider, authReqId } = await approved();
  const { body } = await provider.poll(authReqId);
  user({ contact_version: 2 })(provider);
  const { body: refused } = await refresh(provider, body['refresh_token']);
  expect(refused['error_description']).toMatch(
    /^The refresh_token is not valid\. \(Correlation ID: [\w-]{12}\)$/,
  );
  expect(provider.log.at(-1)).toMatchObject({ outcome: 'invalid_grant', cause: 'contact_changed' });
});
