/**
 * Limits on asking users at the endpoint (CIBA Core 13, threats T3 and T6): one refusal that tells
 * nothing, kept for the audit, and the chosen flow of what is let through.
 */
import { describe, expect, it } from 'vitest';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import { standardPolicy as standard } from '../../support/in-memory-quotas.ts';
import { formRequest, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

function limited(policy: object = standard) {
  return providerInMemory({
    policies: {
      notificationPolicies: { byDefault: 'limited', policies: { limited: policy, none: {} } },
    },
  });
}

type Provider = ReturnType<typeof limited>;

async function ask(provider: Provider, login_hint = 'alice', clientId = 'pump-4') {
  const form = { scope: 'openid', login_hint };
  const response = await provider.authorize(formRequest('/cibaAuthorization', form, clientId));
  const text = await response.text();
  return {
    status: response.status,
    headers: [...response.headers],
    text: text.replace(/\(Correlation ID: [\w.-]+\)/, ''),
    authReqId: String(Object(JSON.parse(text)).auth_req_id),
  };
}

describe('T3: a user is asked no more often than the policy says', () => {
  it('of 100 requests at once, three are acknowledged and the others refused alike', async () => {
    const provider = limited();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        ask(provider, 'alice', index % 2 === 0 ? 'pump-4' : 'desk-1'),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    const refused = answers.filter(({ status }) => status === 403).map(({ text }) => text);
    expect(refused).toHaveLength(97);
    expect([...new Set(refused)]).toEqual([
      '{"error":"access_denied","error_description":"Too many requests. Try again later. "}',
    ]);
    expect(provider.started).toHaveLength(3);
  });

  it('each refusal is in the audit, with the limit, the client and the user', async () => {
    const provider = limited({ pendingPerUser: 1 });
    await ask(provider);
    await ask(provider);
    expect(provider.refused).toEqual([
      {
        ref: expect.stringMatching(/^[a-z2-7]{26}$/),
        clientId: 'pump-4',
        sub: 'u-alice',
        code: 'access_denied',
        cause: 'over own share of pendingPerUser',
        createdAt: EXAMPLE_NOW,
        forgetAt: EXAMPLE_NOW + 30 * 86_400,
      },
    ]);
    expect(provider.log.at(-1)?.correlation_id).toContain(provider.refused[0]?.ref);
  });

  it('after two denials the client has to wait, and another client has not', async () => {
    const provider = limited({
      denialsBeforePause: 2,
      denialWindowSeconds: 600,
      pauseSeconds: 1800,
    });
    for (let denial = 0; denial < 2; denial += 1) {
      const { authReqId } = await ask(provider);
      await provider.decide(await provider.mailedLink(authReqId), 'deny');
    }
    expect((await ask(provider)).status).toBe(403);
    expect((await ask(provider, 'alice', 'desk-1')).status).toBe(200);
    provider.now.at += 1800;
    expect((await ask(provider)).status).toBe(200);
  });

  it('after one report the client is muted for this user, and where a policy limits nothing it is not', async () => {
    const provider = limited({ muteSeconds: 86_400 });
    const { authReqId } = await ask(provider);
    await provider.decide(await provider.mailedLink(authReqId), 'report');
    expect(await provider.requests.find(refOf(authReqId))).toMatchObject({
      status: 'denied',
      reported: true,
    });
    expect((await ask(provider)).status).toBe(403);
    expect(provider.refused.at(-1)?.cause).toBe('over muteSeconds');
    expect((await ask(provider, 'alice', 'desk-1')).status).toBe(200);
    provider.directory.clients.set('pump-4', { ...exampleClient, notification_policy: 'none' });
    expect((await ask(provider)).status).toBe(200);
    provider.directory.clients.set('pump-4', exampleClient);
    provider.now.at += 86_400;
    expect((await ask(provider)).status).toBe(200);
  });

  it('a user is one user by every name', async () => {
    const provider = limited({ mailsPerUserPerMinute: 1 });
    expect((await ask(provider, 'alice')).status).toBe(200);
    expect((await ask(provider, 'ALICE@example.com')).status).toBe(403);
  });

  it('what all users share is used up by mails alone, not by requests that were refused', async () => {
    const provider = limited({ mailsPerUserPerMinute: 1, mailsPerDay: 4 });
    provider.directory.users.set('u-bob', {
      ...exampleUser,
      sub: 'u-bob',
      username: 'bob',
      email: 'bob@example.com',
    });
    await ask(provider);
    for (let index = 0; index < 5; index += 1) await ask(provider);
    for (let index = 0; index < 5; index += 1) await ask(provider, `nobody-${index}`);
    expect((await ask(provider, 'bob')).status).toBe(200);
    provider.now.at += 60;
    expect((await ask(provider)).status).toBe(403);
    expect(provider.refused.at(-1)?.cause).toBe('over own share of mailsPerDay');
  });

  it('a client that names another policy goes by that', async () => {
    const provider = limited({ mailsPerUserPerMinute: 1 });
    provider.directory.clients.set('pump-4', { ...exampleClient, notification_policy: 'none' });
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(provider)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });

  it('a request that is wrong in itself counts for nobody', async () => {
    const provider = limited({ mailsPerUserPerMinute: 1 });
    const wrong = { scope: 'openid', login_hint: 'alice', binding_message: 'see evil.example' };
    expect((await provider.authorize(formRequest('/cibaAuthorization', wrong))).status).toBe(400);
    expect((await ask(provider)).status).toBe(200);
  });
});

describe('T6: a limit does not tell whether there is such a user', () => {
  it.each(['alice', 'nobody', 'nobody@example.com', 'a b'])('of %s', async (login) => {
    const provider = limited({ mailsPerUserPerMinute: 3 });
    for (let index = 0; index < 2; index += 1) await ask(provider, login);
    const refused = await ask(provider, login);
    expect(refused).toMatchObject({
      status: 403,
      text: '{"error":"access_denied","error_description":"Too many requests. Try again later. "}',
    });
  });

  it('to a client with decoys, from the first request to the last', async () => {
    const histories = await Promise.all(
      ['alice', 'nobody'].map(async (login) => {
        const provider = limited({ mailsPerUserPerMinute: 3, mailsPerDay: 5 });
        provider.directory.clients.set('pump-4', { ...exampleClient, unknown_user: 'decoy' });
        const answers = [];
        for (let index = 0; index < 6; index += 1) {
          const { status, headers } = await ask(provider, login);
          answers.push({ status, headers });
          provider.now.at += 25;
        }
        return answers;
      }),
    );
    expect(histories[1]).toEqual(histories[0]);
    expect(histories[0]?.map(({ status }) => status)).toEqual([200, 200, 403, 200, 403, 403]);
  });
});

describe('the flow of a request', () => {
  const flowPolicies = {
    byDefault: 'standard',
    policies: {
      standard: { 'ciba-flow': 1 },
      generic: { 'ciba-generic-mail-flow': 1 },
    },
  };

  it('is chosen by the policy of its client, kept on the request and started', async () => {
    const provider = providerInMemory({ policies: { flowPolicies } });
    provider.directory.clients.set('pump-4', { ...exampleClient, flow_policy: 'generic' });
    const { authReqId } = await ask(provider);
    expect(await provider.requests.find(refOf(authReqId))).toMatchObject({
      flow: 'ciba-generic-mail-flow',
    });
    expect(provider.startedFlows).toEqual(['ciba-generic-mail-flow']);
  });

  it('is distributed over the requests of one client', async () => {
    const half = { 'ciba-flow': 50, 'ciba-generic-mail-flow': 50 };
    const provider = providerInMemory({
      policies: { flowPolicies: { byDefault: 'half', policies: { half } } },
    });
    await Promise.all(Array.from({ length: 400 }, () => ask(provider)));
    const generic = provider.startedFlows.filter((flow) => flow === 'ciba-generic-mail-flow');
    // Five standard deviations: a fair choice is further off once in two million runs.
    expect(Math.abs(generic.length - 200)).toBeLessThanOrEqual(50);
  });
});
