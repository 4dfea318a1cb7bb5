/**
 * The audit that is derived of an item: its event and outcome in every status at every time, and
 * its story.
 */
import { describe, expect, it } from 'vitest';
import type { OAuthErrorCode } from '../../../../lambdas/ciba/oauth-error.ts';
import { overLimitCause } from '../../../../lambdas/ciba/policy/over-limit.ts';
import type { AuthenticationRequest } from '../../../../lambdas/ciba/request/authentication-request.ts';
import {
  type Audited,
  auditEntry,
  auditOutcomes,
  timeLine,
} from '../../../../lib/operator/audit/audit-entry.ts';
import { EXAMPLE_NOW as asked, exampleRequest } from '../../../support/example-request.ts';

const SUCCEEDED = 'CIBA Authentication Succeeded';
const FAILED = 'CIBA Authentication Failed';

/** Seconds after it was asked: at once, as late as can be, over, long over. */
const early = asked + 1;
const last = asked + 119.999;
const over = asked + 120;
const later = asked + 9999;

const pending = exampleRequest();
const { ref } = pending;
const mailed = { ...pending, linkNonce: 'n', mailedAt: asked + 1.5 };
const approved: AuthenticationRequest = { ...mailed, status: 'approved', decidedAt: asked + 20 };
const redeemed = {
  ...approved,
  status: 'redeemed',
  redeemedAt: asked + 22,
  attemptId: 'a',
} satisfies AuthenticationRequest;
const offline = { ...redeemed, refreshHash: 'h', refreshEndsAt: asked + 5000 };
const denied: AuthenticationRequest = { ...mailed, status: 'denied', decidedAt: asked + 20 };
const failed: AuthenticationRequest = {
  ...pending,
  status: 'failed',
  failedAt: asked + 3,
  cause: 'mail_rejected',
};
const decoy = exampleRequest({ decoy: 'user_unknown', sub: '', contactVersion: 0 });

function refused(code: OAuthErrorCode, cause: string, sub?: string): Audited {
  const facts = { ref, clientId: 'pump-4', createdAt: asked, forgetAt: asked + 1000 };
  return { status: 'refused', ...facts, code, cause, ...(sub !== undefined && { sub }) };
}

describe('an entry', () => {
  it.each<[string, Audited, number, string | undefined, string, number]>([
    ['pending, at once', pending, early, undefined, 'pending', asked],
    ['pending, a moment before its end', pending, last, undefined, 'pending', asked],
    ['pending, at its end', pending, over, FAILED, 'expired', over],
    ['pending, long over', pending, later, FAILED, 'expired', over],
    ['approved, in time', approved, last, SUCCEEDED, 'approved', asked + 20],
    ['approved, at its end', approved, over, SUCCEEDED, 'expired', over],
    ['approved, long over', approved, later, SUCCEEDED, 'expired', over],
    ['redeemed', redeemed, early, SUCCEEDED, 'redeemed', asked + 22],
    ['redeemed, long over', redeemed, later, SUCCEEDED, 'redeemed', asked + 22],
    ['denied', denied, last, SUCCEEDED, 'denied', asked + 20],
    ['denied, long over', denied, later, SUCCEEDED, 'denied', asked + 20],
    ['failed', failed, early, FAILED, 'failed', asked + 3],
    ['failed, long over', failed, later, FAILED, 'failed', asked + 3],
    ['a decoy that waits', decoy, early, undefined, 'pending', asked],
    ['a decoy that is over', decoy, later, FAILED, 'expired', over],
    ['refused', refused('unknown_user_id', 'user_unknown'), early, FAILED, 'refused', asked],
    [
      'refused by a limit',
      refused('access_denied', overLimitCause({ limit: 'pendingPerUser', ofShare: true })),
      later,
      FAILED,
      'throttled',
      asked,
    ],
    [
      'refused with a text that only begins like a limit',
      refused('invalid_request', 'over and out'),
      early,
      FAILED,
      'refused',
      asked,
    ],
    [
      'unreadable',
      { status: 'unreadable', ref, clientId: 'pump-4', createdAt: asked },
      early,
      undefined,
      'unreadable',
      asked,
    ],
  ])('of one that is %s', (_what, audited, now, event, outcome, at) => {
    const entry = auditEntry(audited, now);
    expect([entry.event, entry.outcome, entry.at]).toEqual([event, outcome, at]);
    expect([entry.askedAt, entry.clientId, entry.ref]).toEqual([asked, 'pump-4', audited.ref]);
  });

  it('has each outcome that there is, in the cases above', () => {
    expect(auditOutcomes).toHaveLength(9);
  });

  it('tells an approval that nobody redeemed from what nobody decided', () => {
    expect(auditEntry(approved, later)).toMatchObject({
      decision: 'approved',
      decidedAt: asked + 20,
    });
    expect(auditEntry(pending, later)).not.toHaveProperty('decision');
  });

  it('has every time and fact that is recorded, and no secret', () => {
    const entry = auditEntry(
      { ...offline, polls: 7, replayedAt: asked + 60, revokedAt: asked + 90 },
      later,
    );
    expect(entry).toEqual({
      ref,
      event: SUCCEEDED,
      outcome: 'redeemed',
      at: asked + 22,
      askedAt: asked,
      clientId: 'pump-4',
      sub: 'u-alice',
      flow: 'ciba-flow',
      expiresAt: over,
      mailedAt: asked + 1.5,
      decision: 'approved',
      decidedAt: asked + 20,
      redeemedAt: asked + 22,
      replayedAt: asked + 60,
      revokedAt: asked + 90,
      polls: 7,
      confirmationLevel: 'link',
    });
  });

  it('says how an approval was confirmed, and how often the code was wrong', () => {
    expect(auditEntry({ ...approved, wrongCodes: 1 }, early)).toMatchObject({
      confirmationLevel: 'code',
      wrongCodes: 1,
    });
    expect(auditEntry(approved, early)).not.toHaveProperty('wrongCodes');
  });

  it.each([
    ['three wrong codes', 3, 'wrong_codes'],
    ['the user, after two', 2, undefined],
  ])('tells a denial by %s', (_by, wrongCodes, cause) => {
    const request: AuthenticationRequest = { ...denied, wrongCodes };
    expect(auditEntry(request, later).cause).toBe(cause);
    expect(
      timeLine(request).filter(({ what }) => what === 'wrong_codes' || what === 'denied'),
    ).toEqual([
      { what: 'wrong_codes', wrongCodes },
      { what: 'denied', ...(cause && { cause }), at: asked + 20 },
    ]);
    expect(timeLine(request)[0]).toMatchObject({ what: 'asked', confirmationLevel: 'code' });
  });

  it('marks a decoy, and names no user where there is none', () => {
    expect(auditEntry(decoy, early)).toMatchObject({ decoy: 'user_unknown' });
    expect(auditEntry(decoy, early)).not.toHaveProperty('sub');
  });

  it('says why it was refused or failed', () => {
    expect(auditEntry(refused('unknown_user_id', 'user_disabled'), early)).toMatchObject({
      code: 'unknown_user_id',
      cause: 'user_disabled',
    });
    expect(auditEntry(failed, early)).toMatchObject({ cause: 'mail_rejected' });
  });
});

/** What happened, each with its seconds after the request. */
function storyOf(audited: Audited): string[] {
  return timeLine(audited).map(({ what, at }) =>
    at === undefined ? what : `${Number((at - asked).toFixed(3))} ${what}`,
  );
}

describe('the time line', () => {
  it('of a redeemed request is the whole way, with what came after', () => {
    const audited = { ...offline, polls: 7, replayedAt: asked + 60, revokedAt: asked + 90 };
    expect(storyOf(audited)).toEqual([
      '0 asked',
      '0 located',
      '0 flow_chosen',
      'link_made',
      '1.5 mailed',
      '20 approved',
      '22 polled',
      '22 redeemed',
      '60 replayed',
      '90 revoked',
      '5000 refresh_token_ends',
    ]);
    expect(timeLine(audited)).toContainEqual({
      what: 'asked',
      clientId: 'pump-4',
      scope: 'openid profile',
      bindingMessage: 'PUMP-4 50.00 EUR',
      at: asked,
    });
    expect(timeLine(audited)).toContainEqual({
      what: 'redeemed',
      refreshToken: true,
      at: asked + 22,
    });
  });

  it('of a pending request shows how often it was polled, and when it will be over', () => {
    expect(storyOf({ ...mailed, polls: 3, polledAt: asked + 9, interval: 7 })).toEqual([
      '0 asked',
      '0 located',
      '0 flow_chosen',
      'link_made',
      '1.5 mailed',
      '9 polled',
      '120 expires',
    ]);
    expect(timeLine({ ...mailed, polls: 3, polledAt: asked + 9, interval: 7 })).toContainEqual({
      what: 'polled',
      polls: 3,
      interval: 7,
      at: asked + 9,
    });
  });

  it('has what came late in its place: a mail after the decision, a poll after the end', () => {
    expect(storyOf({ ...approved, mailedAt: asked + 30, polls: 1, polledAt: asked + 130 })).toEqual(
      [
        '0 asked',
        '0 located',
        '0 flow_chosen',
        'link_made',
        '20 approved',
        '30 mailed',
        '120 expires',
        '130 polled',
      ],
    );
  });

  it('of an approval that was not redeemed says that it was one', () => {
    expect(timeLine(approved)).toContainEqual({ what: 'expires', approved: true, at: over });
    expect(timeLine(pending)).toContainEqual({ what: 'expires', approved: false, at: over });
  });

  it('has what came back of the mail, before or after the decision', () => {
    const mailFailure = { cause: 'mail_complained', at: asked + 40 } as const;
    expect(storyOf({ ...denied, mailFailure }).slice(-3)).toEqual([
      '20 denied',
      'polled',
      '40 mail_failed',
    ]);
    expect(auditEntry({ ...denied, mailFailure }, later)).toMatchObject({
      outcome: 'denied',
      mailFailure: 'mail_complained',
      mailFailedAt: asked + 40,
    });
  });

  it('of a denied request says whether the user reported it', () => {
    const reported: AuthenticationRequest = { ...denied, reported: true };
    expect(timeLine(reported)).toContainEqual({
      what: 'denied',
      cause: 'reported',
      at: asked + 20,
    });
    expect(auditEntry(reported, later)).toMatchObject({ outcome: 'denied', cause: 'reported' });
    expect(auditEntry(denied, later)).not.toHaveProperty('cause');
  });

  it('of a denied request has no expiry', () => {
    expect(storyOf(denied)).toEqual([
      '0 asked',
      '0 located',
      '0 flow_chosen',
      'link_made',
      '1.5 mailed',
      '20 denied',
      'polled',
    ]);
  });

  it('of a failed request names the cause, and who is sending', () => {
    expect(storyOf(failed)).toEqual([
      '0 asked',
      '0 located',
      '0 flow_chosen',
      'polled',
      '3 failed',
    ]);
    const sending = { ...pending, linkNonce: 'n', mailClaimId: 'c', mailClaimUntil: asked + 15 };
    expect(timeLine(sending)).toContainEqual({ what: 'mail_claimed', until: asked + 15 });
  });

  it('of a decoy says that nobody was located, and why', () => {
    expect(storyOf(decoy)).toEqual([
      '0 asked',
      '0 not_located',
      '0 flow_chosen',
      'polled',
      '120 expires',
    ]);
    expect(timeLine(exampleRequest({ decoy: 'user_disabled' }))).toContainEqual({
      what: 'not_located',
      reason: 'user_disabled',
      sub: 'u-alice',
      at: asked,
    });
  });

  it('of a refusal has its code and cause, and the user if the hint named one', () => {
    expect(
      timeLine(
        refused(
          'access_denied',
          overLimitCause({ limit: 'mailsPerDay', ofShare: false }),
          'u-alice',
        ),
      ),
    ).toEqual([
      { what: 'asked', clientId: 'pump-4', at: asked },
      { what: 'located', sub: 'u-alice', at: asked },
      { what: 'throttled', code: 'access_denied', cause: 'over mailsPerDay', at: asked },
    ]);
    expect(storyOf(refused('invalid_scope', 'no openid'))).toEqual(['0 asked', '0 refused']);
  });

  it('of what cannot be read says so', () => {
    expect(storyOf({ status: 'unreadable', ref, clientId: 'pump-4', createdAt: asked })).toEqual([
      '0 asked',
      '0 unreadable',
    ]);
  });

  it('never holds a secret of the request', () => {
    const story = JSON.stringify([timeLine({ ...offline, linkNonce: 'nonce-of-the-link' })]);
    for (const secret of ['nonce-of-the-link', pending.secretHash, '"h"']) {
      expect(story).not.toContain(secret);
    }
  });
});
