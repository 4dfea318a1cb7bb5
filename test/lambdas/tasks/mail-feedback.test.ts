/**
 * What SES tells of mails after it accepted them: each kind of event, and that late, repeated,
 * foreign and broken ones do no harm (threats F10, F11, T26).
 */
import { describe, expect, it } from 'vitest';
import type { MailFailure } from '../../../lambdas/ciba/mail-failure.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { formRequest, providerInMemory, refOf } from '../../support/provider-in-memory.ts';
import { bounce, complaint, reject, renderingFailure, sesEvent } from '../../support/ses-events.ts';

type Provider = ReturnType<typeof providerInMemory>;

async function mailed(provider: Provider = providerInMemory()) {
  const authReqId = await provider.ask();
  const link = await provider.mailedLink(authReqId);
  const ref = refOf(authReqId);
  return { provider, authReqId, link, ref };
}

const undeliverableUser = (cause: MailFailure) => ({
  ...exampleUser,
  undeliverable: { email: 'alice@example.com', cause, at: expect.any(Number) },
});

describe('an event', () => {
  it.each<[string, MailFailure, ReturnType<typeof bounce>, boolean]>([
    ['a hard bounce', 'mail_bounced', bounce('Permanent', 'General'), true],
    ['a mailbox that is not', 'mail_bounced', bounce('Permanent', 'NoEmail'), true],
    ['the list of SES', 'mail_suppressed', bounce('Permanent', 'Suppressed'), true],
    [
      'the list of the account',
      'mail_suppressed',
      bounce('Permanent', 'OnAccountSuppressionList'),
      true,
    ],
    ['a complaint', 'mail_complained', complaint(), true],
    ['a complaint that says no more', 'mail_complained', complaint({}), true],
    [
      'a complaint without a type',
      'mail_complained',
      complaint({ complaintSubType: null, complaintFeedbackType: null }),
      true,
    ],
    [
      'an earlier complaint',
      'mail_suppressed',
      complaint({ complaintSubType: 'OnAccountSuppressionList' }),
      true,
    ],
    ['a full mailbox', 'mail_undelivered', bounce('Transient', 'MailboxFull'), false],
    ['a message too large', 'mail_undelivered', bounce('Transient', 'MessageTooLarge'), false],
    ['content refused', 'mail_undelivered', bounce('Transient', 'ContentRejected'), false],
    ['an attachment refused', 'mail_undelivered', bounce('Transient', 'AttachmentRejected'), false],
    ['a mail that SES refused', 'mail_rejected', reject, false],
    ['a template that does not render', 'mail_not_rendered', renderingFailure, false],
  ])('of %s fails the request with %s', async (_what, cause, told, isOfAddress) => {
    const { provider, ref } = await mailed();
    provider.now.at += 3;
    const at = provider.now.at;
    expect(await provider.mailFeedback(sesEvent(ref, told))).toEqual({
      outcome: 'recorded',
      cause,
    });
    expect(await provider.requests.find(ref)).toMatchObject({
      status: 'failed',
      failedAt: at,
      cause,
      mailFailure: { cause, at },
    });
    expect(provider.directory.users.get('u-alice')).toEqual(
      isOfAddress ? undeliverableUser(cause) : exampleUser,
    );
    expect(provider.log.at(-1)).toEqual({
      event: 'mail_feedback',
      outcome: 'recorded',
      ref,
      cause,
      ms: 0,
    });
  });

  it.each([
    ['an automatic answer', bounce('Transient', 'General')],
    ['an automatic answer, as some are read', bounce('Undetermined', 'Undetermined')],
    ['a kind of bounce that is new', bounce('Peculiar', 'MailboxFull')],
    ['a report that it was no spam', complaint({ complaintFeedbackType: 'not-spam' })],
  ])('of %s changes nothing: the mail is there', async (_what, told) => {
    const { provider, ref } = await mailed();
    const before = await provider.requests.find(ref);
    expect(await provider.mailFeedback(sesEvent(ref, told))).toMatchObject({ outcome: 'ignored' });
    expect(await provider.requests.find(ref)).toEqual(before);
    expect(provider.directory.users.get('u-alice')).toEqual(exampleUser);
  });
});

describe('P39: an event that says whom the mail went to', () => {
  const hard = bounce('Permanent', 'General');
  /** An event with another `destination`; without one for `undefined`. */
  const eventTo = (ref: string, destination: unknown) => {
    const { detail, ...event } = sesEvent(ref, hard);
    return { ...event, detail: { ...detail, mail: { ...detail.mail, destination } } };
  };
  const ours = 'not to the address that was mailed';
  const malformed = 'no event of a mail of ours';

  it.each<[string, unknown]>([
    ['the address', ['alice@example.com']],
    ['the address in another case', ['Alice@EXAMPLE.com']],
    ['the address among others', ['bob@example.com', 'alice@example.com']],
  ])('is heard if that is %s', async (_what, destination) => {
    const { provider, ref } = await mailed();
    const heard = await provider.mailFeedback(eventTo(ref, destination));
    expect(heard).toMatchObject({ outcome: 'recorded' });
    expect(provider.directory.users.get('u-alice')).toEqual(undeliverableUser('mail_bounced'));
  });

  it.each<[string, unknown, string]>([
    ['another address', ['mallory@example.com'], ours],
    ['several others', ['bob@example.com', 'mallory@example.com'], ours],
    ['nobody', [], ours],
    ['an address that begins alike', ['alice@example.com.evil.example'], ours],
    ['an address that ends alike', ['malice@example.com'], ours],
    ['a label of the address', ['alice+x@example.com'], ours],
    ['the user name', ['alice'], ours],
    ['a list in one text', ['alice@example.com,bob@example.com'], ours],
    ['a name and the address', ['Alice <alice@example.com>'], ours],
    ['empty', [''], ours],
    ['left out', undefined, malformed],
    ['null', null, malformed],
    ['a text', 'alice@example.com', malformed],
    ['a list with something else', ['alice@example.com', 7], malformed],
    ['an object', { 0: 'alice@example.com' }, malformed],
  ])('changes nothing if that is %s, and the log says so', async (_what, destination, cause) => {
    const { provider, ref } = await mailed();
    const before = await provider.requests.find(ref);
    const heard = await provider.mailFeedback(eventTo(ref, destination));
    expect(heard).toEqual({ outcome: 'ignored', cause });
    expect(await provider.requests.find(ref)).toEqual(before);
    expect(provider.directory.users.get('u-alice')).toEqual(exampleUser);
    expect(provider.log.at(-1)).toMatchObject({
      event: 'mail_feedback',
      outcome: 'ignored',
      cause,
    });
    expect(JSON.stringify(provider.log)).not.toContain('@');
  });

  it('is heard of an address that is stored in another case than it was mailed in', async () => {
    const { provider, ref } = await mailed();
    provider.directory.users.set('u-alice', { ...exampleUser, email: 'Alice@Example.com' });
    const heard = await provider.mailFeedback(eventTo(ref, ['alice@example.com']));
    expect(heard).toMatchObject({ outcome: 'recorded' });
  });

  it('changes nothing where no mail was ever claimed, as for a decoy', async () => {
    const provider = providerInMemory();
    const ref = refOf(await provider.ask());
    const before = await provider.requests.find(ref);
    expect(await provider.mailFeedback(sesEvent(ref, hard))).toEqual({
      outcome: 'ignored',
      cause: 'no mail was sent for the request',
    });
    expect(await provider.requests.find(ref)).toEqual(before);
    expect(provider.directory.users.get('u-alice')).toEqual(exampleUser);
  });
});

describe('what is no such event', () => {
  const ref = 'a'.repeat(26);
  const event = sesEvent(ref, bounce('Permanent', 'General'));
  const { tags, ...mail } = event.detail.mail;

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'canary@example.com'],
    ['an event without detail', { source: 'aws.ses' }],
    ['another kind of event', sesEvent(ref, { eventType: 'Delivery', delivery: {} })],
    ['a bounce that tells of none', sesEvent(ref, { eventType: 'Bounce' })],
    ['a mail without tags', { ...event, detail: { ...event.detail, mail } }],
    [
      'a mail without our tag',
      { ...event, detail: { ...event.detail, mail: { ...mail, tags: { other: ['x'] } } } },
    ],
    [
      'a mail with our tag twice',
      { ...event, detail: { ...event.detail, mail: { ...mail, tags: { ref: [ref, ref] } } } },
    ],
    ['a mail whose tag is no ref', sesEvent('canary', bounce('Permanent', 'General'))],
  ])('is left, and quoted nowhere: %s', async (_what, input) => {
    const provider = providerInMemory();
    expect(await provider.mailFeedback(input)).toEqual({
      outcome: 'ignored',
      cause: 'no event of a mail of ours',
    });
    expect(provider.log).toEqual([
      {
        event: 'mail_feedback',
        outcome: 'ignored',
        cause: 'no event of a mail of ours',
        ms: 0,
      },
    ]);
    expect(provider.directory.lookUps).toEqual([]);
  });

  it('is an event of a request that there is not, or is no more', async () => {
    const provider = providerInMemory();
    expect(await provider.mailFeedback(event)).toEqual({
      outcome: 'ignored',
      cause: 'no such request',
    });
    expect(provider.directory.users.get('u-alice')).toEqual(exampleUser);
    expect(tags.ref).toEqual([ref]);
  });
});

describe('an event that comes again, late or in another order', () => {
  const hard = bounce('Permanent', 'General');

  it('changes nothing more, even if the operator has cleared the address since', async () => {
    const { provider, ref } = await mailed();
    await provider.mailFeedback(sesEvent(ref, hard));
    const before = await provider.requests.find(ref);
    provider.directory.users.set('u-alice', exampleUser);
    for (const told of [hard, complaint()]) {
      expect(await provider.mailFeedback(sesEvent(ref, told))).toMatchObject({ outcome: 'known' });
    }
    expect(await provider.requests.find(ref)).toEqual(before);
    expect(provider.directory.users.get('u-alice')).toEqual(exampleUser);
  });

  it('many at once are one', async () => {
    const { provider, ref } = await mailed();
    const heard = await Promise.all(
      Array.from({ length: 8 }, () => provider.mailFeedback(sesEvent(ref, hard))),
    );
    expect(heard.filter(({ outcome }) => outcome === 'recorded')).toHaveLength(1);
  });

  it('is made up for by a repeat if a run was cut off before the request was stamped', async () => {
    let isDown = true;
    const plain = providerInMemory();
    const provider = providerInMemory({
      requests: {
        ...plain.requests,
        recordMailFailure: async (...news) => {
          if (isDown) throw new Error('canary@example.com cannot be written');
          return plain.requests.recordMailFailure(...news);
        },
      },
    });
    const { ref } = await mailed(provider);
    await expect(provider.mailFeedback(sesEvent(ref, hard))).rejects.toThrow('See the log line');
    expect(provider.directory.users.get('u-alice')).toEqual(undeliverableUser('mail_bounced'));
    isDown = false;
    expect(await provider.mailFeedback(sesEvent(ref, hard))).toMatchObject({ outcome: 'recorded' });
    expect((await plain.requests.find(ref))?.status).toBe('failed');
    expect(JSON.stringify(provider.log)).not.toContain('canary');
  });

  it('marks no address that the user has changed meanwhile', async () => {
    const { provider, ref } = await mailed();
    const moved = { ...exampleUser, email: 'alice@example.net', contact_version: 2 };
    provider.directory.users.set('u-alice', moved);
    expect(await provider.mailFeedback(sesEvent(ref, hard))).toMatchObject({ outcome: 'recorded' });
    expect(provider.directory.users.get('u-alice')).toEqual(moved);
  });

  it('is kept of a request whose user is gone', async () => {
    const { provider, ref } = await mailed();
    provider.directory.users.delete('u-alice');
    expect(await provider.mailFeedback(sesEvent(ref, hard))).toMatchObject({ outcome: 'recorded' });
    expect((await provider.requests.find(ref))?.status).toBe('failed');
  });
});

describe('after an event', () => {
  const events = [bounce('Permanent', 'General'), complaint(), bounce('Permanent', 'Suppressed')];

  it.each(events)('F11: an approval stays one, and brings its tokens: %#', async (told) => {
    const { provider, authReqId, link, ref } = await mailed();
    await provider.decide(link, 'approve');
    await provider.mailFeedback(sesEvent(ref, told));
    expect((await provider.poll(authReqId)).status).toBe(200);
    expect(await provider.requests.find(ref)).toMatchObject({
      status: 'redeemed',
      mailFailure: { at: provider.now.at },
    });
  });

  it('a request whose mail arrived can be decided, whatever became of another mail', async () => {
    const { provider, link, authReqId } = await mailed();
    const other = await mailed(provider);
    await provider.mailFeedback(sesEvent(other.ref, complaint()));
    expect((await provider.decide(link, 'approve')).status).toBe(200);
    expect((await provider.poll(authReqId)).status).toBe(200);
    expect((await provider.approve(new Request(other.link))).status).toBe(410);
  });

  it.each<['expire' | 'deny', string]>([
    ['expire', 'authorization_pending'],
    ['deny', 'access_denied'],
  ])('a client with failed_flow %s is told %s', async (failed_flow, error) => {
    const { provider, authReqId, ref } = await mailed();
    provider.directory.clients.set('pump-4', { ...exampleClient, failed_flow });
    await provider.mailFeedback(sesEvent(ref, bounce('Permanent', 'General')));
    expect((await provider.poll(authReqId)).body).toMatchObject({ error });
  });

  it.each<['reveal' | 'decoy', object]>([
    ['reveal', { error: 'unknown_user_id' }],
    ['decoy', { auth_req_id: expect.any(String) }],
  ])('T6: its user is as one who does not exist: %s', async (unknown_user, answer) => {
    const { provider, ref } = await mailed();
    provider.directory.clients.set('pump-4', { ...exampleClient, unknown_user });
    await provider.mailFeedback(sesEvent(ref, bounce('Permanent', 'General')));
    provider.mails.length = 0;
    const response = await provider.authorize(
      formRequest('/cibaAuthorization', { scope: 'openid', login_hint: 'alice' }),
    );
    const body: unknown = await response.json();
    expect(body).toMatchObject(answer);
    const { auth_req_id: authReqId } = Object(body);
    if (authReqId === undefined) return;
    expect(await provider.requests.find(refOf(authReqId))).toMatchObject({
      decoy: 'email_undeliverable',
    });
    expect(await provider.locateUser({ ref: refOf(authReqId) })).toMatchObject({ outcome: 'over' });
    expect(provider.mails).toEqual([]);
  });

  it('a request that was made before is mailed no more, and its failure says why', async () => {
    const { provider, ref } = await mailed();
    const waiting = await provider.ask();
    await provider.mailFeedback(sesEvent(ref, complaint()));
    const user = await provider.locateUser({ ref: refOf(waiting) });
    expect(user).toMatchObject({ outcome: 'email_undeliverable' });
    expect(await provider.send(waiting)).toEqual({ outcome: 'withdrawn' });
    await provider.recordFailure({ ref: refOf(waiting), user });
    expect(await provider.requests.find(refOf(waiting))).toMatchObject({
      status: 'failed',
      cause: 'email_undeliverable',
    });
  });
});
