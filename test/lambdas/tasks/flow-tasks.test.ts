/**
 * The flow's tasks: what each outcome says, and that running them twice, late or at once sends one
 * mail with one link (threats F3, F9, F10, F11).
 */
import { describe, expect, it } from 'vitest';
import type { Mailer } from '../../../lambdas/ports.ts';
import { MAIL_CLAIM_SECONDS } from '../../../lambdas/tasks/mail.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { providerInMemory, refOf } from '../../support/provider-in-memory.ts';

type Provider = ReturnType<typeof providerInMemory>;

describe('LocateUser', () => {
  it.each([
    ['with', { binding_message: 'Pump 4' }, true],
    ['without', {}, false],
  ])(
    'finds a user to mail, %s a binding message to branch on',
    async (_with, parameters, bindingMessage) => {
      const provider = providerInMemory();
      const ref = refOf(await provider.ask(parameters));
      expect(await provider.locateUser({ ref })).toEqual({ outcome: 'located', bindingMessage });
    },
  );

  it.each<[string, (provider: Provider, ref: string) => unknown]>([
    ['user_unknown', ({ directory }) => directory.users.delete('u-alice')],
    [
      'user_disabled',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, enabled: false }),
    ],
    [
      'email_unverified',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, email_verified: false }),
    ],
    [
      'email_undeliverable',
      ({ directory, now }) =>
        directory.ports.addresses.noteUndeliverable(
          { sub: 'u-alice', contactVersion: 1 },
          'mail_bounced',
          now.at,
        ),
    ],
    ['over', ({ requests, now }, ref) => requests.fail(ref, 'flow_error', now.at)],
    ['over', ({ now }) => Object.assign(now, { at: now.at + 120 })],
  ])('says %s', async (outcome, change) => {
    const provider = providerInMemory();
    const ref = refOf(await provider.ask());
    await change(provider, ref);
    expect(await provider.locateUser({ ref })).toMatchObject({ outcome });
  });

  it('says over for a request that does not exist, and refuses what is no ref', async () => {
    const provider = providerInMemory();
    expect(await provider.locateUser({ ref: 'a'.repeat(26) })).toMatchObject({ outcome: 'over' });
    await expect(provider.locateUser({ ref: 'x' })).rejects.toThrow();
  });
});

describe('the mail', () => {
  it('goes to the verified address, by the template’s name, with every variable and its twin', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask({ binding_message: "Pump 4 & 'more'" });
    expect(await provider.send(authReqId)).toEqual({ outcome: 'sent' });
    const ref = refOf(authReqId);
    const magicLink = expect.stringMatching(
      new RegExp(`^https://ciba\\.example/approve/${ref}\\.[\\w-]{43}$`),
    );
    expect(provider.mails).toEqual([
      {
        ref,
        clientId: 'pump-4',
        to: 'alice@example.com',
        templateName: 'a-template-en',
        data: {
          appName: 'Fuel & Go, Pump 4',
          appName_html: 'Fuel &amp; Go, Pump 4',
          appDomain: 'none registered',
          appDomain_html: 'none registered',
          magicLink,
          magicLink_html: magicLink,
          bindingMessage: "Pump 4 & 'more'",
          bindingMessage_html: 'Pump 4 &amp; &#39;more&#39;',
          requestedScopes: '- know that it is you\n- see your name, user name and language',
          requestedScopes_html:
            '<li>know that it is you</li><li>see your name, user name and language</li>',
          askedAt: 'November 14, 2023, 22:13:20 UTC',
          askedAt_html: 'November 14, 2023, 22:13:20 UTC',
          expiresAt: 'November 14, 2023, 22:15:20 UTC',
          expiresAt_html: 'November 14, 2023, 22:15:20 UTC',
          validFor: '2 minutes',
          validFor_html: '2 minutes',
          authReqId: ref,
          authReqId_html: ref,
          requestId: ref,
          requestId_html: ref,
        },
      },
    ]);
  });

  it.each([
    ['fr', 'fr'],
    ['fr-CA', 'fr'],
    ['pt-BR', 'en'],
    [undefined, 'en'],
  ])(
    'is in the language of the user, or the nearest there is: %s in %s',
    async (locale, chosen) => {
      const provider = providerInMemory({ locales: ['de', 'en', 'fr'] });
      const { locale: _, ...user } = exampleUser;
      provider.directory.users.set('u-alice', locale === undefined ? user : { ...user, locale });
      await provider.send(await provider.ask());
      expect(provider.mails).toMatchObject([
        {
          templateName: `a-template-${chosen}`,
          data: { appDomain: chosen === 'fr' ? 'aucun' : 'none registered' },
        },
      ]);
    },
  );

  it('of a template that there is not is a defect of the flow, found before anything is claimed', async () => {
    const provider = providerInMemory();
    const ref = refOf(await provider.ask());
    const before = await provider.requests.find(ref);
    for (const templateName of ['another', 'a-template-en', 'constructor']) {
      await expect(provider.mail({ ref, templateName })).rejects.toThrow('See the log line');
    }
    expect(await provider.requests.find(ref)).toEqual(before);
    expect(provider.log.at(-1)).toMatchObject({ event: 'mail', outcome: 'error', ref });
  });

  it('F3: goes out once, however often the task runs', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    await provider.send(authReqId);
    expect(await provider.send(authReqId)).toEqual({ outcome: 'over' });
    provider.now.at += 60;
    expect(await provider.send(authReqId)).toEqual({ outcome: 'over' });
    expect(provider.mails).toHaveLength(1);
  });

  it('F3: goes out once when two tasks run at once; the other one is to be tried again', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    const runs = await Promise.allSettled(
      Array.from({ length: 8 }, () => provider.send(authReqId)),
    );
    expect(provider.mails).toHaveLength(1);
    const refused = runs.filter((run) => run.status === 'rejected');
    expect(refused).toHaveLength(7);
    expect(refused.every(({ reason }) => reason.name === 'MailDeferred')).toBe(true);
  });

  it('F9: has the same link when it is sent again', async () => {
    const links: string[] = [];
    const mailer: Mailer = {
      send: async ({ data }) => {
        links.push(data.magicLink);
        return links.length < 3 ? { outcome: 'deferred', reason: 'slow' } : { outcome: 'accepted' };
      },
    };
    const provider = providerInMemory({ mailer });
    const authReqId = await provider.ask();
    await expect(provider.send(authReqId)).rejects.toMatchObject({ name: 'MailDeferred' });
    await expect(provider.send(authReqId)).rejects.toMatchObject({ name: 'MailDeferred' });
    expect(await provider.send(authReqId)).toEqual({ outcome: 'sent' });
    expect(links).toHaveLength(3);
    expect(new Set(links).size).toBe(1);
  });

  it('whose fate SES left unknown is not sent again before the claim runs out', async () => {
    let sends = 0;
    const mailer: Mailer = {
      send: () => {
        sends += 1;
        return Promise.reject(new Error('socket hang up'));
      },
    };
    const provider = providerInMemory({ mailer });
    const authReqId = await provider.ask();
    await expect(provider.send(authReqId)).rejects.toThrow('See the log line');
    provider.now.at += MAIL_CLAIM_SECONDS - 1;
    await expect(provider.send(authReqId)).rejects.toMatchObject({ name: 'MailDeferred' });
    expect(sends).toBe(1);
    provider.now.at += 1;
    await expect(provider.send(authReqId)).rejects.toThrow('See the log line');
    expect(sends).toBe(2);
  });

  it('that SES refuses for good is mail_rejected, with the reason in the log', async () => {
    const mailer: Mailer = {
      send: async () => ({ outcome: 'rejected', reason: 'MessageRejected' }),
    };
    const provider = providerInMemory({ mailer });
    const authReqId = await provider.ask();
    expect(await provider.send(authReqId)).toMatchObject({ outcome: 'mail_rejected' });
    expect(provider.log.at(-1)).toMatchObject({
      event: 'mail',
      outcome: 'mail_rejected',
      cause: 'MessageRejected',
    });
  });

  it.each<[string, (provider: Provider) => unknown]>([
    [
      'T29: the address has changed',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, contact_version: 2 }),
    ],
    [
      'the user is disabled',
      ({ directory }) => directory.users.set('u-alice', { ...exampleUser, enabled: false }),
    ],
    [
      'the client is disabled',
      ({ directory }) => directory.clients.set('pump-4', { ...exampleClient, enabled: false }),
    ],
    ['the client is gone', ({ directory }) => directory.clients.delete('pump-4')],
  ])('is withdrawn if since the request %s', async (_what, change) => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    change(provider);
    expect(await provider.send(authReqId)).toEqual({ outcome: 'withdrawn' });
    expect(provider.mails).toEqual([]);
  });

  it('is not sent after the end', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    provider.now.at += 120;
    expect(await provider.send(authReqId)).toEqual({ outcome: 'over' });
    expect(provider.mails).toEqual([]);
  });
});

describe('RecordFailure', () => {
  it.each<[string, object]>([
    ['user_unknown', { user: { outcome: 'user_unknown' } }],
    ['user_disabled', { user: { outcome: 'user_disabled', bindingMessage: false } }],
    ['email_unverified', { user: { outcome: 'email_unverified' } }],
    ['email_undeliverable', { user: { outcome: 'email_undeliverable' } }],
    ['mail_rejected', { user: { outcome: 'located' }, mail: { outcome: 'mail_rejected' } }],
    ['withdrawn', { user: { outcome: 'located' }, mail: { outcome: 'withdrawn' } }],
    ['flow_error', { error: { Error: 'States.Timeout', Cause: 'x' } }],
    ['flow_error', { user: { outcome: 'located' }, error: { Error: 'MailDeferred' } }],
    ['flow_error', {}],
    ['flow_error', { user: { outcome: 'something new' } }],
  ])('records %s for %j', async (cause, execution) => {
    const provider = providerInMemory();
    const ref = refOf(await provider.ask());
    expect(await provider.recordFailure({ ref, ...execution })).toEqual({ outcome: 'recorded' });
    expect(await provider.requests.find(ref)).toMatchObject({ status: 'failed', cause });
  });

  it('F11: leaves a decision as it is', async () => {
    const provider = providerInMemory();
    const authReqId = await provider.ask();
    await provider.decide(await provider.mailedLink(authReqId), 'approve');
    const ref = refOf(authReqId);
    expect(await provider.recordFailure({ ref, error: {} })).toEqual({ outcome: 'over' });
    expect((await provider.requests.find(ref))?.status).toBe('approved');
  });
});
