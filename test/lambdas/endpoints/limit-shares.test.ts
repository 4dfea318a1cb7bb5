/**
 * Limits that clients have in common (threats T3, T4, T6): one client never keeps another from
 * asking, only mails use up mails, a failed request counts like one for nobody, and pages tell of
 * all that waits.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NotificationPolicy } from '../../../lambdas/ciba/policy/notification-policy.ts';
import {
  exampleClient,
  exampleClientSecret,
  exampleUser,
} from '../../support/example-directory.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import { standardPolicy as standard } from '../../support/in-memory-quotas.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { formRequest, providerInMemory, refOf } from '../../support/provider-in-memory.ts';
import { bounce, sesEvent } from '../../support/ses-events.ts';
import { storedSecretOf } from '../../support/stored-secrets.ts';

const tenMinutes = { requested_expiry: '600' };

function world({ policies = {} }: { policies?: Record<string, NotificationPolicy> } = {}) {
  const named = { standard, none: {}, ...policies };
  return providerInMemory({
    policies: { notificationPolicies: { byDefault: 'standard', policies: named } },
  });
}

type Provider = ReturnType<typeof world>;

function addClient(provider: Provider, client_id: string, changes: object = {}) {
  provider.directory.clients.set(client_id, {
    ...exampleClient,
    client_id,
    ...storedSecretOf(client_id, exampleClientSecret),
    ...changes,
  });
  return client_id;
}

function addUser(provider: Provider, name: string, changes: object = {}) {
  provider.directory.users.set(`u-${name}`, {
    ...exampleUser,
    sub: `u-${name}`,
    username: name,
    email: `${name}@example.com`,
    ...changes,
  });
}

async function ask(
  provider: Provider,
  client: string,
  login_hint = 'alice',
  parameters: Record<string, string> = {},
) {
  const form = { scope: 'openid', login_hint, ...parameters };
  const answer = await provider.authorize(formRequest('/cibaAuthorization', form, client));
  const body = Object(await answer.json());
  return { status: answer.status, authReqId: String(body.auth_req_id), error: body.error };
}

async function statuses(provider: Provider, count: number, ...of: [string, string?, object?]) {
  const [client, login, parameters] = of;
  const seen = [];
  for (let index = 0; index < count; index += 1) {
    seen.push((await ask(provider, client, login, { ...parameters })).status);
  }
  return seen;
}

const admitted = (seen: number[]) => seen.filter((status) => status === 200).length;

describe('P4: a client that exhausts what it may keeps no other from asking', () => {
  it('for ten minutes, as by three requests with requested_expiry=600', async () => {
    const provider = world();
    expect(await statuses(provider, 3, 'pump-4', 'alice', tenMinutes)).toEqual([200, 200, 403]);
    expect(await statuses(provider, 2, 'desk-1', 'alice@example.com')).toEqual([200, 403]);
    expect(provider.refused.map(({ cause }) => cause)).toEqual([
      'over own share of pendingPerUser',
      'over pendingPerUser',
    ]);
  });

  const limits = [
    'mailsPerUserPerMinute',
    'mailsPerUserPerDay',
    'pendingPerUser',
    'mailsPerDay',
  ] as const;
  const cases = limits.flatMap((limit) => [1, 2, 3, 5, 20].map((most) => [limit, most] as const));

  it.each(cases)('%s of %i', async (limit, most) => {
    const provider = world({ policies: { standard: { [limit]: most } } });
    const share = most === 1 ? 1 : Math.ceil(most / 2);
    const total = most === 1 ? 2 : most;
    expect(admitted(await statuses(provider, most + 5, 'pump-4'))).toBe(share);
    expect(admitted(await statuses(provider, most + 5, 'desk-1'))).toBe(total - share);
    expect(admitted(await statuses(provider, 5, addClient(provider, 'desk-2')))).toBe(0);
  });

  it.each(limits.filter((limit) => limit !== 'mailsPerDay'))(
    '%s: nor does one that goes by none, or by a wider policy',
    async (limit) => {
      const policies = { standard: { [limit]: 3 }, wide: { [limit]: 30 } };
      for (const notification_policy of ['none', 'wide']) {
        const provider = world({ policies });
        addClient(provider, 'eager', { notification_policy });
        await statuses(provider, 40, 'eager');
        expect(await statuses(provider, 2, 'pump-4')).toEqual([200, 403]);
        expect(provider.refused.at(-1)?.cause).toBe(`over ${limit}`);
      }
    },
  );

  it('in any interleaving, whatever the policies are', async () => {
    const limit = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
    const policy = fc.record({
      mailsPerUserPerMinute: limit,
      mailsPerUserPerDay: limit,
      pendingPerUser: limit,
      mailsPerDay: limit,
    });
    await fc.assert(
      fc.asyncProperty(
        policy,
        policy,
        fc.nat(30),
        fc.nat(30),
        async (own, others, before, after) => {
          const provider = world({ policies: { own, others } });
          addClient(provider, 'greedy', { notification_policy: 'others' });
          addClient(provider, 'modest', { notification_policy: 'own' });
          await statuses(provider, before, 'greedy');
          expect((await ask(provider, 'modest')).status).toBe(200);
          await statuses(provider, after, 'greedy');
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('P5: only mails use up the mails of a day', () => {
  const policies = { standard: { mailsPerDay: 10 } };
  const counted = ({ quotas }: Provider) => [...quotas.mails.values()][0] ?? 0;

  it('ten decoys of one client leave all ten to the others', async () => {
    const provider = world({ policies });
    addClient(provider, 'quiet', { unknown_user: 'decoy' });
    for (let index = 0; index < 10; index += 1) await ask(provider, 'quiet', `nobody-${index}`);
    expect(counted(provider)).toBe(0);
    expect(admitted(await statuses(provider, 10, 'pump-4'))).toBe(5);
    expect(admitted(await statuses(provider, 10, 'desk-1'))).toBe(5);
  });

  it('after any mix of requests the count is that of the mails which are sent', async () => {
    const step = fc.record({
      client: fc.constantFrom('quiet', 'pump-4', 'desk-1'),
      login: fc.constantFrom('alice', 'bob', 'nobody', 'off'),
      fails: fc.constantFrom('nothing', 'nothing', 'create', 'start', 'lost'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const failing = { now: 'nothing' };
        const stored = inMemoryRequests();
        const provider = providerInMemory({
          requests: {
            ...stored,
            create: async (request) => {
              if (failing.now === 'create') throw new Error('not stored');
              return stored.create(request);
            },
          },
          policies: {
            notificationPolicies: {
              byDefault: 'both',
              policies: { both: { mailsPerDay: 10, mailsPerUserPerDay: 12 } },
            },
          },
          startFlow: async (ref) => {
            if (failing.now === 'start') throw new Error('not started');
            await provider.mail({ ref, templateName: 'a-template' });
            if (failing.now === 'lost') throw new Error('started, and the answer was lost');
          },
        });
        addClient(provider, 'quiet', { unknown_user: 'decoy' });
        addUser(provider, 'bob');
        addUser(provider, 'off', { enabled: false });
        for (const { client, login, fails } of steps) {
          failing.now = fails;
          await ask(provider, client, login);
        }
        expect(provider.mails.length).toBe(counted(provider));
        expect(counted(provider)).toBeLessThanOrEqual(10);
      }),
      { numRuns: 60 },
    );
  });

  it('what is refused for the sake of the day counts for no user', async () => {
    const provider = world({
      policies: { standard: { mailsPerDay: 2, mailsPerUserPerMinute: 30 } },
    });
    expect(await statuses(provider, 20, 'pump-4')).toEqual([200, ...Array(19).fill(403)]);
    const [history] = provider.quotas.histories.values();
    expect(history).toMatchObject({ mails: 1, mailsOf: [{ clientId: 'pump-4', mails: 1 }] });
    expect(history?.recent).toHaveLength(1);
  });
});

/**
 * What is done to a request that was asked for a user of each state; whoever asks learns nothing of
 * it.
 */
const states = {
  there: { user: {}, fate: 'mail' },
  'not there': { user: undefined, fate: 'nothing' },
  disabled: { user: { enabled: false }, fate: 'nothing' },
  unverified: { user: { email_verified: false }, fate: 'nothing' },
  bounced: { user: {}, fate: 'bounce' },
  complained: { user: {}, fate: 'complaint' },
  suppressed: { user: {}, fate: 'reject' },
  'mailbox full': { user: {}, fate: 'full' },
  'flow failed': { user: {}, fate: 'flow' },
} as const;

type State = keyof typeof states;

type Step = 'ask' | 'poll' | 'wait' | 'fail to start';

/** What a client is answered that does these steps, for a user of that state. */
async function answersFor(state: State, steps: readonly Step[], client: object) {
  const { user, fate } = states[state];
  let startFails = false;
  const provider = providerInMemory({
    policies: {
      notificationPolicies: {
        byDefault: 'tight',
        policies: { tight: { pendingPerUser: 4, mailsPerUserPerMinute: 10, mailsPerDay: 14 } },
      },
    },
    startFlow: async () => {
      if (startFails) throw new Error('not started');
    },
    ...(fate === 'reject' && {
      mailer: { send: async () => ({ outcome: 'rejected' as const, reason: 'suppressed' }) },
    }),
  });
  addClient(provider, 'asking', client);
  if (user) addUser(provider, 'zoe', user);
  let last = '';
  const answers: unknown[] = [];
  for (const step of steps) {
    if (step === 'wait') provider.now.at += 35;
    if (step === 'poll' && last !== '') {
      const { status, body } = await provider.poll(last, 'asking');
      answers.push([status, body['error']]);
    }
    if (step !== 'ask' && step !== 'fail to start') continue;
    startFails = step === 'fail to start';
    const { status, error, authReqId } = await ask(provider, 'asking', 'zoe');
    answers.push([status, error]);
    if (status !== 200) continue;
    last = authReqId;
    await becomeOf(provider, refOf(authReqId), fate);
  }
  return answers;
}

async function becomeOf(provider: Provider, ref: string, fate: (typeof states)[State]['fate']) {
  if (fate === 'nothing') return;
  if (fate === 'flow') await provider.recordFailure({ ref, error: {} });
  const { outcome } = await provider.mail({ ref, templateName: 'a-template' });
  if (outcome !== 'sent') await provider.recordFailure({ ref, mail: { outcome } });
  if (fate === 'bounce') await provider.mailFeedback(sesEvent(ref, bounce('Permanent', 'General')));
  if (fate === 'full') {
    await provider.mailFeedback(sesEvent(ref, bounce('Transient', 'MailboxFull')));
  }
  if (fate === 'complaint') {
    const complaint = { eventType: 'Complaint', complaint: { complaintFeedbackType: 'abuse' } };
    await provider.mailFeedback(sesEvent(ref, complaint));
  }
}

describe('P6: what became of a mail shows in no limit', () => {
  const decoys = { unknown_user: 'decoy' };
  const four: Step[] = ['ask', 'poll', 'ask', 'poll', 'ask', 'ask', 'poll'];

  it.each(Object.keys(states) as State[])('four requests for a user who is %s', async (state) => {
    expect(await answersFor(state, four, decoys)).toEqual([
      [200, undefined],
      [400, 'authorization_pending'],
      [200, undefined],
      [400, 'authorization_pending'],
      [403, 'access_denied'],
      [403, 'access_denied'],
      [400, 'slow_down'],
    ]);
  });

  it('T6: any sequence of steps is answered alike for any two states', async () => {
    const state = fc.constantFrom(...(Object.keys(states) as State[]));
    const step = fc.constantFrom<Step>('ask', 'ask', 'poll', 'wait', 'fail to start');
    await fc.assert(
      fc.asyncProperty(
        state,
        state,
        fc.array(step, { maxLength: 14 }),
        async (one, other, steps) => {
          expect(await answersFor(one, steps, decoys)).toEqual(
            await answersFor(other, steps, decoys),
          );
        },
      ),
      { numRuns: 120 },
    );
  });

  it.each(['expire', 'deny'])(
    'to a client that is told of users as well, failed_flow: %s',
    async (failed_flow) => {
      const asks: Step[] = ['ask', 'ask', 'ask', 'wait', 'ask', 'wait', 'wait', 'wait', 'ask'];
      const client = { failed_flow };
      const seen = await answersFor('there', asks, client);
      expect(seen.map((one) => Object(one)[0])).toEqual([200, 200, 403, 403, 200]);
      for (const state of ['mailbox full', 'flow failed'] as const) {
        expect(await answersFor(state, asks, client)).toEqual(seen);
      }
    },
  );
});

describe('P7: each page tells of all that waits', () => {
  const names = ['none', 'standard', 'daily', 'wide'];
  const policies = { daily: { mailsPerDay: 100 }, wide: { pendingPerUser: 30 } };
  const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));

  it.each(pairs)('T4: the n-th of clients under %s and %s says n - 1', async (first, second) => {
    const provider = world({ policies });
    addClient(provider, 'first', { notification_policy: first });
    addClient(provider, 'second', { notification_policy: second });
    for (const [index, client] of ['first', 'second', 'first'].entries()) {
      const { authReqId } = await ask(provider, client);
      const page = await (
        await provider.approve(new Request(await provider.mailedLink(authReqId)))
      ).text();
      const told = /class="others">([^<]*)/.exec(page)?.[1];
      expect(told === undefined ? 0 : Number(/\d+/.exec(told)?.[0] ?? 1)).toBe(index);
    }
  });
});

describe('P32: a mute and a pause last', () => {
  it('T3: a reported client stays muted for the day, through hundreds of requests of another', async () => {
    const provider = world({
      policies: { standard: { mailsPerUserPerMinute: 30, muteSeconds: 86_400 } },
    });
    const { authReqId } = await ask(provider, 'pump-4');
    await provider.decide(await provider.mailedLink(authReqId), 'report');
    for (let minute = 0; minute < 12; minute += 1) {
      await statuses(provider, 16, 'desk-1', 'alice', tenMinutes);
      provider.now.at += 60;
      expect((await ask(provider, 'pump-4')).status).toBe(403);
    }
    provider.now.at = EXAMPLE_NOW + 86_399;
    expect((await ask(provider, 'pump-4')).status).toBe(403);
    provider.now.at = EXAMPLE_NOW + 86_400;
    expect((await ask(provider, 'pump-4')).status).toBe(200);
  });
});
