/**
 * The backchannel authentication endpoint (CIBA Core 7): the order of its checks, what it leaves
 * behind, and what happens when something it depends on fails.
 */
import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../lambdas/ports.ts';
import { exampleClient } from '../../support/example-directory.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import { formRequest, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

const least = { scope: 'openid', login_hint: 'alice' };

async function answerOf(response: Response) {
  const body: Record<string, unknown> = Object(await response.json());
  return { status: response.status, error: body['error'], body };
}

describe('a request that is acknowledged', () => {
  it('is stored as it was asked, with what a poll and the audit need', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask({ binding_message: 'Pump 4', requested_expiry: '60' });
    expect(await provider.requests.find(refOf(authReqId))).toEqual({
      status: 'pending',
      ref: refOf(authReqId),
      secretHash: expect.stringMatching(/^[\w-]{43}$/),
      clientId: 'pump-4',
      sub: 'u-alice',
      contactVersion: 1,
      scope: 'openid profile',
      bindingMessage: 'Pump 4',
      flow: 'ciba-flow',
      createdAt: EXAMPLE_NOW,
      expiresAt: EXAMPLE_NOW + 60,
      forgetAt: EXAMPLE_NOW + 60 + 30 * 86_400,
      interval: 2,
      polls: 0,
    });
  });

  it('starts the flow with the public ref alone (T26)', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    expect(provider.started).toEqual([refOf(authReqId)]);
    expect(provider.startedFlows).toEqual(['ciba-flow']);
  });

  it('has the lifetime and interval that its client registered', async () => {
    const provider = providerInMemory();
    provider.directory.clients.set('pump-4', { ...exampleClient, expires_in: 300, interval: 10 });
    const response = await provider.authorize(formRequest('/cibaAuthorization', least));
    expect((await answerOf(response)).body).toMatchObject({ expires_in: 300, interval: 10 });
  });

  it('has handles of its own each time', async () => {
    const provider = providerInMemory();
    const handles = await Promise.all(Array.from({ length: 50 }, () => provider.ask()));
    expect(new Set(handles).size).toBe(50);
    expect(new Set(handles.map(refOf)).size).toBe(50);
  });
});

describe('the checks, in order', () => {
  it('T6: an unauthenticated caller causes no look-up of a user, whatever the hint', async () => {
    const provider = providerInMemory();
    const request = formRequest('/cibaAuthorization', least, 'pump-4', 'a wrong secret');
    expect(await answerOf(await provider.authorize(request))).toMatchObject({
      error: 'invalid_client',
    });
    expect(provider.directory.lookUps).toEqual(['client pump-4 cached', 'client pump-4 again']);
  });

  it('a client without the grant is told so before its request is read', async () => {
    const provider = providerInMemory();
    provider.directory.clients.set('pump-4', { ...exampleClient, grant_types: ['refresh_token'] });
    const answer = await answerOf(await provider.authorize(formRequest('/cibaAuthorization', {})));
    expect(answer).toMatchObject({ status: 400, error: 'unauthorized_client' });
  });

  it.each([
    { scope: 'profile' },
    { binding_message: '<' },
    { requested_expiry: '0' },
    { id_token_hint: 'x' },
    { request: 'x' },
  ])('a malformed request (%j) causes no look-up of a user and no flow', async (parameters) => {
    const provider = providerInMemory();
    await provider.authorize(formRequest('/cibaAuthorization', { ...least, ...parameters }));
    expect(provider.directory.lookUps).toEqual(['client pump-4 cached']);
    expect(provider.started).toEqual([]);
  });

  it('an unknown user causes no flow and no item', async () => {
    const provider = providerInMemory();
    const request = formRequest('/cibaAuthorization', { ...least, login_hint: 'nobody' });
    expect(await answerOf(await provider.authorize(request))).toMatchObject({
      error: 'unknown_user_id',
    });
    expect(provider.started).toEqual([]);
  });
});

describe('when something fails', () => {
  it('F8: a flow that cannot be started fails the request and answers 503 with Retry-After', async () => {
    const provider = providerInMemory({ startFlow: () => Promise.reject(new Error('throttled')) });
    const response = await provider.authorize(formRequest('/cibaAuthorization', least));
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await answerOf(response)).toMatchObject({
      status: 503,
      error: 'temporarily_unavailable',
    });
    const stored = await provider.requests.find(provider.started[0] ?? '');
    expect(stored).toMatchObject({ status: 'failed', cause: 'start_failed' });
  });

  it('a store that does not answer is 503, and no flow is started', async () => {
    const unavailable = new Unavailable('throttled');
    const provider = providerInMemory({ requests: { create: () => Promise.reject(unavailable) } });
    const response = await provider.authorize(formRequest('/cibaAuthorization', least));
    expect(response.status).toBe(503);
    expect(provider.started).toEqual([]);
  });

  it('a defect is server_error, 500, and says nothing of itself', async () => {
    const defect = new TypeError('canary of the defect');
    const provider = providerInMemory({ requests: { create: () => Promise.reject(defect) } });
    const answer = await answerOf(
      await provider.authorize(formRequest('/cibaAuthorization', least)),
    );
    expect(answer).toMatchObject({ status: 500, error: 'server_error' });
    expect(JSON.stringify([answer, provider.log])).not.toContain('canary');
    expect(provider.log.at(-1)).toMatchObject({ outcome: 'server_error', cause: 'TypeError' });
  });
});

describe('the log', () => {
  it('T26: says which client and request, and holds no handle, hint, address or message', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask({ binding_message: 'canary message' });
    const link = await provider.mailedLink(authReqId);
    await provider.decide(link, 'approve');
    await provider.poll(authReqId);
    await provider.authorize(
      formRequest('/cibaAuthorization', { ...least, login_hint: 'canary-hint' }),
    );
    const lines = JSON.stringify(provider.log);
    const [, secret = ''] = authReqId.split('.');
    const [, mac = ''] = (link.split('/').at(-1) ?? '').split('.');
    for (const canary of [secret, mac, 'alice', 'canary', 'secret of pump'])
      expect(lines).not.toContain(canary);
    expect(provider.log[0]).toEqual({
      event: 'backchannel_authentication',
      status: 200,
      outcome: 'ok',
      client_id: 'pump-4',
      correlation_id: expect.stringMatching(new RegExp(`^${refOf(authReqId)}\\.[\\w-]{12}$`)),
      ms: 0,
    });
  });

  it('D3: takes less than 0.35 KB a line', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    await provider.poll(authReqId);
    await provider.decide(await provider.mailedLink(authReqId), 'approve');
    for (const event of provider.log) expect(JSON.stringify(event).length).toBeLessThan(350);
  });

  it('has the correlation id that the error ends in', async () => {
    const provider = providerInMemory();
    const { body } = await provider.poll('x');
    expect(body['error_description']).toContain(
      `(Correlation ID: ${provider.log[0]?.correlation_id})`,
    );
  });
});
