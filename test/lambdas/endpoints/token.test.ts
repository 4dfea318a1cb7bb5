/**
 * The token endpoint (CIBA Core 10.1, 11): what is read again at redemption, what a fault leaves,
 * whose polls count.
 */
import { describe, expect, it } from 'vitest';
import { type AuthenticationRequestStore, Unavailable } from '../../../lambdas/ports.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { providerInMemory, refOf } from '../../support/provider-in-memory.ts';

type Provider = ReturnType<typeof providerInMemory>;

async function approvedBy(provider: Provider): Promise<string> {
  const authReqId = await provider.ask();
  await provider.decide(await provider.mailedLink(authReqId), 'approve');
  return authReqId;
}

describe('an approved request', () => {
  it('brings an ID Token of the client’s algorithm and an access token of ES256', async () => {
    const provider = providerInMemory();
    const { status, body } = await provider.poll(await approvedBy(provider));
    expect(status).toBe(200);
    expect(body['id_token']).toMatch(/^RS256\.JWT\./);
    expect(body['access_token']).toMatch(/^ES256\.at\+jwt\./);
  });

  it.each<[string, (provider: Provider) => void, number, string]>([
    [
      'a disabled user',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, enabled: false }),
      400,
      'access_denied',
    ],
    [
      'a user who is gone',
      ({ directory }) => directory.users.delete('u-alice'),
      400,
      'access_denied',
    ],
    [
      'another address',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, contact_version: 2 }),
      400,
      'access_denied',
    ],
    [
      'an address no longer verified',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, email_verified: false }),
      400,
      'access_denied',
    ],
    [
      'a disabled client',
      ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, enabled: false }),
      401,
      'invalid_client',
    ],
    [
      'a withdrawn grant',
      ({ directory }) =>
        directory.clients.set('pump-4', { ...exampleClient, grant_types: ['refresh_token'] }),
      400,
      'unauthorized_client',
    ],
    [
      'less scope',
      ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, scope: 'openid' }),
      400,
      'access_denied',
    ],
  ])(
    'T29, I7: brings no tokens after a change to %s, and is not used up',
    async (_what, change, status, error) => {
      const provider = providerInMemory();
      const authReqId = await approvedBy(provider);
      change(provider);
      expect(await provider.poll(authReqId)).toMatchObject({ status, body: { error } });
      expect((await provider.requests.find(refOf(authReqId)))?.status).toBe('approved');
    },
  );

  it('is redeemed with a client and a user that were read consistently', async () => {
    const provider = providerInMemory();
    const authReqId = await approvedBy(provider);
    provider.directory.lookUps.length = 0;
    await provider.poll(authReqId);
    expect(provider.directory.lookUps).toEqual([
      'client pump-4 cached',
      'client pump-4 consistent',
      'user u-alice',
    ]);
  });

  it('is expired_token at its end, though it was approved in time (I3)', async () => {
    const provider = providerInMemory();
    const authReqId = await approvedBy(provider);
    provider.now.at += 120;
    expect(await provider.poll(authReqId)).toMatchObject({
      status: 400,
      body: { error: 'expired_token' },
    });
  });

  it('F14: signs first, so a signer that fails burns nothing', async () => {
    let healthy = false;
    const provider = providerInMemory({
      signer: {
        sign: async () => {
          if (healthy) return 'a.b.c';
          throw new Unavailable('throttled');
        },
      },
    });
    const authReqId = await approvedBy(provider);
    expect(await provider.poll(authReqId)).toMatchObject({ status: 503 });
    expect((await provider.requests.find(refOf(authReqId)))?.status).toBe('approved');
    healthy = true;
    expect(await provider.poll(authReqId)).toMatchObject({ status: 200 });
  });

  it('F4: a redeeming write that was repeated after a lost answer still answers with tokens', async () => {
    const store = inMemoryRequests();
    const twice: AuthenticationRequestStore['redeem'] = async (redemption) => {
      await store.redeem(redemption);
      return store.redeem(redemption);
    };
    const provider = providerInMemory({ requests: { ...store, redeem: twice } });
    const authReqId = await approvedBy(provider);
    expect(await provider.poll(authReqId)).toMatchObject({ status: 200 });
    expect(await provider.poll(authReqId)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  it.each([
    ['expired', 'expired_token'],
    ['contact_changed', 'access_denied'],
    ['not_found', 'invalid_grant'],
    ['not_approved', 'invalid_grant'],
  ] as const)('that turns out %s in the redeeming write is %s', async (outcome, error) => {
    const store = inMemoryRequests();
    const provider = providerInMemory({
      requests: { ...store, redeem: async () => ({ outcome }) },
    });
    const authReqId = await approvedBy(provider);
    expect(await provider.poll(authReqId)).toMatchObject({ status: 400, body: { error } });
  });

  it('is redeemed by one of 64 polls at once', async () => {
    const provider = providerInMemory();
    const authReqId = await approvedBy(provider);
    const answers = await Promise.all(Array.from({ length: 64 }, () => provider.poll(authReqId)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('polls', () => {
  it('T7: of another client get the same answer as for nothing, and leave the owner’s interval alone', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    const before = await provider.requests.find(refOf(authReqId));
    const foreign = await provider.poll(authReqId, 'desk-1');
    const unknown = await provider.poll(`${'a'.repeat(26)}.${'x'.repeat(43)}`, 'desk-1');
    const withoutId = ({ status, body }: typeof foreign) => [
      status,
      JSON.stringify(body).replace(/Correlation ID: [\w-]{12}/, ''),
    ];
    expect(withoutId(foreign)).toEqual(withoutId(unknown));
    expect(foreign.body['error']).toBe('invalid_grant');
    expect(await provider.requests.find(refOf(authReqId))).toEqual(before);
  });

  it('that fail client authentication are not counted', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    await provider.poll(authReqId, 'nobody');
    expect((await provider.poll(authReqId)).body['error']).toBe('authorization_pending');
  });

  it('slow_down grows by five seconds, twice, and asks for it', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    await provider.poll(authReqId);
    for (const interval of ['7', '12', '12', '12']) {
      const answer = await provider.poll(authReqId);
      expect([answer.body['error'], answer.headers.get('retry-after')]).toEqual([
        'slow_down',
        interval,
      ]);
    }
  });

  it('that would slow down are pending if the user decides in that very moment', async () => {
    const store = inMemoryRequests();
    const provider = providerInMemory({ requests: { ...store, slowDown: async () => undefined } });
    const authReqId = await provider.ask();
    await provider.poll(authReqId);
    const answer = await provider.poll(authReqId);
    expect(answer.body['error']).toBe('authorization_pending');
    // Never less than the interval, though the next poll will be answered whenever it comes.
    expect(answer.headers.get('retry-after')).toBe('2');
  });

  it('of a request that failed stay pending until its end', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    await provider.requests.fail(refOf(authReqId), 'mail_rejected', provider.now.at);
    expect((await provider.poll(authReqId)).body['error']).toBe('authorization_pending');
    provider.now.at += 120;
    expect((await provider.poll(authReqId)).body['error']).toBe('expired_token');
  });
});
