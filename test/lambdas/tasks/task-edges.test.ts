/**
 * The flow's tasks at their edges: what they refuse as input, that they only look when there is a
 * reason to, what a decided request gets, and what they leave in the log (threats F3, F9, F11,
 * T26).
 */
import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { linkToken } from '../../../lambdas/ciba/request/link-token.ts';
import type { Mail, Mailer } from '../../../lambdas/ports.ts';
import { LEAST_SECONDS_LEFT, MAIL_CLAIM_SECONDS, mailTask } from '../../../lambdas/tasks/mail.ts';
import { exampleUser, inMemoryDirectory } from '../../support/example-directory.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';
import { slowRequests } from '../../support/slow-requests.ts';

type Provider = ReturnType<typeof providerInMemory>;

const decided: [string, (provider: Provider, authReqId: string) => Promise<unknown>][] = [
  [
    'approved',
    async (provider, authReqId) => provider.decide(await provider.mailedLink(authReqId), 'approve'),
  ],
  [
    'denied',
    async (provider, authReqId) => provider.decide(await provider.mailedLink(authReqId), 'deny'),
  ],
  [
    'redeemed',
    async (provider, authReqId) => {
      await provider.decide(await provider.mailedLink(authReqId), 'approve');
      await provider.poll(authReqId);
    },
  ],
  [
    'failed',
    ({ requests, now }, authReqId) => requests.fail(refOf(authReqId), 'flow_error', now.at),
  ],
  [
    'expired',
    async ({ now }) => {
      now.at += 120;
    },
  ],
];

describe('input', () => {
  const refs = [undefined, null, '', 'x', 7, {}, 'A'.repeat(26), `${'a'.repeat(26)}.secret`];

  it.each(refs)('without a ref is refused by every task: %j', async (ref) => {
    const { locateUser, mail, recordFailure } = providerInMemory();
    await expect(locateUser({ ref })).rejects.toThrow();
    await expect(mail({ ref, templateName: 'a-template' })).rejects.toThrow();
    await expect(recordFailure({ ref })).rejects.toThrow();
  });

  it.each([undefined, null, '', 7])('without a template is refused: %j', async (templateName) => {
    const { mail } = providerInMemory();
    await expect(mail({ ref: 'a'.repeat(26), templateName })).rejects.toThrow();
  });

  it.each([undefined, null, 'x', []])('that is no object is refused: %j', async (input) => {
    const { locateUser, mail, recordFailure } = providerInMemory();
    for (const task of [locateUser, mail, recordFailure]) {
      await expect(task(input)).rejects.toThrow();
    }
  });
});

it('that is refused leaves a line in the log all the same', async () => {
  const { locateUser, log } = providerInMemory();
  await expect(locateUser({ ref: 'a secret' })).rejects.toThrow();
  expect(log).toEqual([
    {
      event: 'locate_user',
      outcome: 'error',
      cause: expect.any(String),
      at: [expect.stringMatching(/^tasks\/logged-task\.ts:\d+:\d+$/)],
      ms: expect.any(Number),
    },
  ]);
});

describe('a request that is over', () => {
  it.each(decided)(
    'is over for LocateUser when %s, without looking for the user',
    async (_how, end) => {
      const provider = providerInMemory();
      const authReqId = await provider.ask({ binding_message: 'Pump 4' });
      await end(provider, authReqId);
      provider.directory.lookUps.length = 0;
      expect(await provider.locateUser({ ref: refOf(authReqId) })).toEqual({
        outcome: 'over',
        bindingMessage: false,
      });
      expect(provider.directory.lookUps).toEqual([]);
    },
  );

  it.each(decided)('gets no mail when %s, and no one is looked for', async (_how, end) => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    await end(provider, authReqId);
    provider.mails.length = 0;
    provider.directory.lookUps.length = 0;
    expect(await provider.send(authReqId)).toEqual({ outcome: 'over' });
    expect([provider.mails, provider.directory.lookUps]).toEqual([[], []]);
  });

  it.each(decided.filter(([how]) => how !== 'expired'))(
    'F11: is left as it is by RecordFailure when %s',
    async (_how, end) => {
      const provider = providerInMemory();
      const authReqId = await provider.ask();
      await end(provider, authReqId);
      const before = await provider.requests.find(refOf(authReqId));
      expect(await provider.recordFailure({ ref: refOf(authReqId), error: {} })).toEqual({
        outcome: 'over',
      });
      expect(await provider.requests.find(refOf(authReqId))).toEqual(before);
    },
  );

  it('is over for RecordFailure and the mail when it never was', async () => {
    const provider = providerInMemory();
    const ref = 'a'.repeat(26);
    expect(await provider.recordFailure({ ref })).toEqual({ outcome: 'over' });
    expect(await provider.mail({ ref, templateName: 'a-template' })).toEqual({ outcome: 'over' });
  });
});

it('LocateUser reads and changes nothing', async () => {
  const provider = providerInMemory();
  const ref = refOf(await provider.ask());
  const before = await provider.requests.find(ref);
  provider.directory.lookUps.length = 0;
  await provider.locateUser({ ref });
  expect(await provider.requests.find(ref)).toEqual(before);
  expect(provider.directory.lookUps).toEqual(['user u-alice']);
});

describe('the mail', () => {
  it('has a link of the newest key and a nonce of 128 bits; the claim is named by 96 bits and ends after the lease', async () => {
    const requests = inMemoryRequests();
    const request = exampleRequest();
    await requests.create(request);
    const drawn: number[] = [];
    const mails: Mail[] = [];
    let during: unknown;
    const [newest, retired] = [1, 2].map((byte) => createSecretKey(Buffer.alloc(32, byte)));
    if (!newest || !retired) throw new Error('no keys');
    const mail = mailTask({
      issuer,
      requests,
      ...inMemoryDirectory().ports,
      linkKeys: { linkKeys: async () => [newest, retired] },
      templates: new Map([['a-template', ['en']]]),
      mailer: {
        async send(sent) {
          mails.push(sent);
          during = await requests.find(request.ref);
          return { outcome: 'accepted' };
        },
      },
      clock: () => EXAMPLE_NOW + 1,
      entropy: (bytes) => {
        drawn.push(bytes);
        return new Uint8Array(bytes).fill(drawn.length);
      },
      log: () => {},
    });
    await mail({ ref: request.ref, templateName: 'a-template' });
    expect(drawn).toEqual([12, 16]);
    const linkNonce = Buffer.alloc(16, 2).toString('base64url');
    expect(mails[0]?.data.magicLink).toBe(
      `${issuer}/approve/${linkToken(newest, request.ref, linkNonce)}`,
    );
    expect(during).toMatchObject({
      linkNonce,
      mailClaimId: Buffer.alloc(12, 1).toString('base64url'),
      mailClaimUntil: EXAMPLE_NOW + 16,
    });
    expect(await requests.find(request.ref)).toEqual({
      ...request,
      linkNonce,
      mailedAt: EXAMPLE_NOW + 1,
    });
  });

  it('F9: is not sent to arrive after the end, and the claim is given back', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask({ requested_expiry: '10' });
    provider.now.at += 10 - LEAST_SECONDS_LEFT + 0.001;
    expect(await provider.send(authReqId)).toEqual({ outcome: 'over' });
    provider.now.at -= 0.001;
    expect(await provider.send(authReqId)).toEqual({ outcome: 'sent' });
  });

  it('F5: that cannot be written, because something does not answer, can be tried again at once', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    const user = provider.directory.ports.users;
    const { findUser } = user;
    user.findUser = () => Promise.reject(new Error('throttled'));
    await expect(provider.send(authReqId)).rejects.toThrow('See the log line');
    user.findUser = findUser;
    expect(await provider.send(authReqId)).toEqual({ outcome: 'sent' });
  });

  it('goes to the address the user has, whatever the hint was', async () => {
    const provider = providerInMemory();
    provider.directory.users.set('u-alice', { ...exampleUser, email: 'al@example.org' });
    const authReqId = await provider.ask({ login_hint: 'alice' });
    await provider.send(authReqId);
    expect(provider.mails.map(({ to }) => to)).toEqual(['al@example.org']);
  });

  it.each([
    ['rejected', true],
    ['deferred', true],
    ['accepted', false],
  ] as const)('that SES %s lets another task send at once: %s', async (outcome, again) => {
    let sends = 0;
    const mailer: Mailer = {
      send: async () => {
        sends += 1;
        return outcome === 'accepted' ? { outcome } : { outcome, reason: 'slow' };
      },
    };
    const provider = providerInMemory({ mailer });
    const authReqId = await provider.ask();
    await provider.send(authReqId).catch(() => {});
    await provider.send(authReqId).catch(() => {});
    expect(sends).toBe(again ? 2 : 1);
  });

  it('is sent again by nobody after the user decided on a link that SES left unknown', async () => {
    let link = '';
    const mailer: Mailer = {
      send: ({ data }) => {
        link = data.magicLink;
        return Promise.reject(new Error('timeout'));
      },
    };
    const provider = providerInMemory({ mailer });
    const authReqId = await provider.ask();
    await expect(provider.send(authReqId)).rejects.toThrow('See the log line');
    expect((await provider.decide(link, 'deny')).status).toBe(200);
    provider.now.at += MAIL_CLAIM_SECONDS;
    expect(await provider.send(authReqId)).toEqual({ outcome: 'over' });
  });
});

describe('every write is finished when the task answers', () => {
  function slowProvider(mailer?: Mailer) {
    const store = inMemoryRequests();
    const requests = slowRequests(store);
    return { store, provider: providerInMemory(mailer ? { requests, mailer } : { requests }) };
  }

  /** Asks and runs the task on the request; its item at the very moment the task is over. */
  async function itemAfter(
    { store, provider }: ReturnType<typeof slowProvider>,
    run: (authReqId: string) => Promise<unknown>,
  ) {
    const authReqId = await provider.ask();
    await run(authReqId).catch(() => {});
    return store.find(refOf(authReqId));
  }

  it('the stamp of a mail that was accepted', async () => {
    const slow = slowProvider();
    const item = await itemAfter(slow, slow.provider.send);
    expect(item).toMatchObject({ mailedAt: EXAMPLE_NOW });
    expect(item).not.toHaveProperty('mailClaimId');
  });

  it.each(['rejected', 'deferred'] as const)('the release of one that was %s', async (outcome) => {
    const slow = slowProvider({ send: async () => ({ outcome, reason: 'x' }) });
    expect(await itemAfter(slow, slow.provider.send)).not.toHaveProperty('mailClaimId');
  });

  it('the release of one that was withdrawn', async () => {
    const slow = slowProvider();
    const item = await itemAfter(slow, (authReqId) => {
      slow.provider.directory.users.delete('u-alice');
      return slow.provider.send(authReqId);
    });
    expect(item).toHaveProperty('linkNonce');
    expect(item).not.toHaveProperty('mailClaimId');
  });

  it('the record of a failure', async () => {
    const slow = slowProvider();
    const item = await itemAfter(slow, (authReqId) =>
      slow.provider.recordFailure({ ref: refOf(authReqId) }),
    );
    expect(item).toMatchObject({ status: 'failed', cause: 'flow_error' });
  });
});

describe('T26: the log', () => {
  it('says of each run its outcome and the ref, and nothing of the user', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask({ binding_message: 'canary' });
    const ref = refOf(authReqId);
    provider.log.length = 0;
    await provider.locateUser({ ref });
    await provider.send(authReqId);
    await provider.recordFailure({ ref, user: { outcome: 'canary' }, error: { Cause: 'canary' } });
    expect(provider.log).toEqual([
      { event: 'locate_user', outcome: 'located', ref, ms: 0 },
      { event: 'mail', outcome: 'sent', ref, ms: 0 },
      { event: 'record_failure', outcome: 'recorded', ref, ms: 0 },
    ]);
  });

  it('says of a run that throws the error’s name alone, and so does the flow learn it', async () => {
    const error = new RangeError('canary alice@example.com');
    const provider = providerInMemory({ mailer: { send: () => Promise.reject(error) } });
    const authReqId = await provider.ask();
    provider.log.length = 0;
    await expect(provider.send(authReqId)).rejects.toMatchObject({
      name: 'RangeError',
      message: 'See the log line of this run.',
    });
    expect(provider.log).toEqual([
      { event: 'mail', outcome: 'error', cause: 'RangeError', ref: refOf(authReqId), ms: 0 },
    ]);
  });

  it('says where a run threw, and so does the error that the runtime and the flow are given', async () => {
    const send = () => {
      throw new RangeError('canary alice@example.com');
    };
    const provider = providerInMemory({ mailer: { send } });
    const authReqId = await provider.ask();
    provider.log.length = 0;
    const thrown: unknown = await provider.send(authReqId).catch((error: unknown) => error);
    const [{ at = [] } = {}] = provider.log;
    expect(at.length).toBeGreaterThan(0);
    expect(at.filter((frame) => !/^tasks\/[\w-]+\.ts:\d+:\d+$/.test(frame))).toEqual([]);
    expect(Object(thrown).stack).toBe(
      ['RangeError: See the log line of this run.', ...at].join('\n    at '),
    );
  });
});
