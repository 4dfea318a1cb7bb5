/**
 * The promises of the authentication request store as one suite, which every implementation passes:
 * each transition with its guard, and what happens when several callers come at the same moment.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { hashSecret } from '../../lambdas/ciba/handles.ts';
import type {
  AuthenticationRequest,
  PendingRequest,
} from '../../lambdas/ciba/request/authentication-request.ts';
import type {
  Claim,
  DecisionOfUser,
  Owner,
  Redemption,
  WrongCode,
} from '../../lambdas/ciba/request/rules.ts';
import type { AuthenticationRequestStore } from '../../lambdas/ports.ts';
import { EXAMPLE_NOW, EXAMPLE_SECRET, exampleRequest } from './example-request.ts';

const NONCE = 'n'.repeat(22);

const ORIGIN = { from: '203.0.0.0/16', agent: 'Firefox' };

function ownerOf(request: PendingRequest): Owner {
  return { ref: request.ref, secretHash: hashSecret(EXAMPLE_SECRET), clientId: request.clientId };
}

function claimOf(request: PendingRequest, changes: Partial<Claim> = {}): Claim {
  return {
    ref: request.ref,
    claimId: 'claim-1',
    linkNonce: NONCE,
    now: EXAMPLE_NOW + 1,
    until: EXAMPLE_NOW + 16,
    ...changes,
  };
}

function decisionOf(
  request: PendingRequest,
  changes: Partial<DecisionOfUser> = {},
): DecisionOfUser {
  return {
    ref: request.ref,
    decision: 'approve',
    linkNonce: NONCE,
    contactVersion: 1,
    now: EXAMPLE_NOW + 10,
    ...changes,
  };
}

let attempts = 0;

/** Each call another attempt. */
function wrongCodeOf(request: PendingRequest, changes: Partial<WrongCode> = {}): WrongCode {
  attempts += 1;
  const attemptId = `attempt-${attempts}`;
  return { ref: request.ref, linkNonce: NONCE, attemptId, now: EXAMPLE_NOW + 9, ...changes };
}

function redemptionOf(request: PendingRequest, changes: Partial<Redemption> = {}): Redemption {
  return {
    ...ownerOf(request),
    contactVersion: 1,
    attemptId: 'attempt-1',
    now: EXAMPLE_NOW + 20,
    ...changes,
  };
}

/** Runs the suite over the store that `open` makes. */
export function describeRequestStore(
  name: string,
  open: () => Promise<AuthenticationRequestStore>,
): void {
  describe(`${name} keeps the promises of the authentication request store`, () => {
    let store: AuthenticationRequestStore;
    beforeAll(async () => {
      store = await open();
    });

    async function created(changes: Partial<PendingRequest> = {}): Promise<PendingRequest> {
      const request = exampleRequest(changes);
      await store.create(request);
      return request;
    }

    async function mailed(changes: Partial<PendingRequest> = {}): Promise<PendingRequest> {
      const request = await created(changes);
      await store.claimMail(claimOf(request));
      await store.recordMailed(request.ref, 'claim-1', EXAMPLE_NOW + 2);
      return request;
    }

    async function approved(changes: Partial<PendingRequest> = {}): Promise<PendingRequest> {
      const request = await mailed(changes);
      expect(await store.decide(decisionOf(request))).toEqual({ outcome: 'decided' });
      return request;
    }

    async function stored(request: PendingRequest): Promise<AuthenticationRequest | undefined> {
      return store.find(request.ref);
    }

    describe('create', () => {
      it('gives back what was stored', async () => {
        const request = await created();
        expect(await stored(request)).toEqual(request);
      });

      it('gives back a request without binding message', async () => {
        const { bindingMessage: _none, ...request } = exampleRequest();
        await store.create(request);
        expect(await store.find(request.ref)).toEqual(request);
      });

      it('gives back a decoy, of a user or of nobody', async () => {
        const decoy = await created({ decoy: 'user_unknown', sub: '', contactVersion: 0 });
        expect(await stored(decoy)).toEqual(decoy);
        const disabled = await created({ decoy: 'user_disabled' });
        expect(await stored(disabled)).toEqual(disabled);
      });

      it('never overwrites a request', async () => {
        const request = await created();
        const other = { ...request, secretHash: hashSecret('x'.repeat(43)) };
        await expect(store.create(other)).rejects.toThrow('the ref is taken');
        expect(await stored(request)).toEqual(request);
      });

      it('finds nothing under a ref that was never given out', async () => {
        expect(await store.find(exampleRequest().ref)).toBeUndefined();
      });
    });

    describe('polls', () => {
      it('stamps the poll and answers with the request as it was before', async () => {
        const request = await created();
        const first = await store.stampPoll(ownerOf(request), EXAMPLE_NOW + 1.25);
        const second = await store.stampPoll(ownerOf(request), EXAMPLE_NOW + 3.5);
        expect(first).toEqual({ outcome: 'stamped', before: request });
        expect(second).toEqual({
          outcome: 'stamped',
          before: { ...request, polledAt: EXAMPLE_NOW + 1.25, polls: 1 },
        });
      });

      it.each<[string, (owner: Owner) => Owner]>([
        ['another client', (owner) => ({ ...owner, clientId: 'desk-1' })],
        ['a wrong secret', (owner) => ({ ...owner, secretHash: hashSecret('w'.repeat(43)) })],
        ['an unknown ref', (owner) => ({ ...owner, ref: exampleRequest().ref })],
      ])('T7: answers not_found to %s and leaves the bookkeeping alone', async (_who, foreign) => {
        const request = await created();
        const owner = foreign(ownerOf(request));
        expect(await store.stampPoll(owner, EXAMPLE_NOW + 1)).toEqual({ outcome: 'not_found' });
        expect(await stored(request)).toEqual(request);
      });

      it('answers not_found once the request is redeemed, and leaves it alone', async () => {
        const request = await approved();
        await store.redeem(redemptionOf(request));
        const before = await stored(request);
        expect(await store.stampPoll(ownerOf(request), EXAMPLE_NOW + 30)).toEqual({
          outcome: 'not_found',
        });
        expect(await stored(request)).toEqual(before);
      });

      it('still answers for a request past its end', async () => {
        const request = await created();
        const late = await store.stampPoll(ownerOf(request), EXAMPLE_NOW + 7 * 86_400);
        expect(late.outcome).toBe('stamped');
      });

      it('slow_down adds five seconds for good, each time (CIBA 11)', async () => {
        const request = await created();
        expect(await store.slowDown(request.ref, 2)).toBe(7);
        expect(await store.slowDown(request.ref, 7)).toBe(12);
        expect((await stored(request))?.interval).toBe(12);
      });

      it('P16: slow_down stops at ten seconds more than was acknowledged, and writes no more', async () => {
        const request = await created({ interval: 3 });
        for (const [judgedBy, interval] of [
          [3, 8],
          [8, 13],
          [13, 13],
          [13, 13],
        ] as const) {
          expect(await store.slowDown(request.ref, judgedBy)).toBe(interval);
        }
        expect(await stored(request)).toMatchObject({ interval: 13, firstInterval: 3 });
      });

      it('P16: nothing of it is left once tokens went out', async () => {
        const request = await mailed();
        await store.slowDown(request.ref, 2);
        await store.decide(decisionOf(request));
        await store.redeem(redemptionOf(request));
        expect(await stored(request)).not.toHaveProperty('firstInterval');
        expect(await stored(request)).toMatchObject({ status: 'redeemed', interval: 7 });
      });

      it('F4: a slow_down that is repeated after a lost answer adds nothing more', async () => {
        const request = await created();
        await store.slowDown(request.ref, 2);
        expect(await store.slowDown(request.ref, 2)).toBe(7);
        expect((await stored(request))?.interval).toBe(7);
      });

      it('T6: slows down a failed request like a pending one', async () => {
        const request = await created();
        await store.fail(request.ref, 'flow_error', EXAMPLE_NOW + 1);
        expect(await store.slowDown(request.ref, 2)).toBe(7);
        expect(await stored(request)).toMatchObject({ status: 'failed', interval: 7 });
      });

      it('does not slow down a request that is decided', async () => {
        const request = await approved();
        expect(await store.slowDown(request.ref, 2)).toBeUndefined();
        expect((await stored(request))?.interval).toBe(2);
      });
    });

    describe('mail', () => {
      it('grants the claim to one task and refuses another until the lease ends', async () => {
        const request = await created();
        const granted = await store.claimMail(claimOf(request));
        expect(granted).toMatchObject({ outcome: 'claimed', request: { linkNonce: NONCE } });
        expect(await store.claimMail(claimOf(request, { claimId: 'claim-2' }))).toEqual({
          outcome: 'claimed_by_another',
        });
        const later = claimOf(request, {
          claimId: 'claim-2',
          now: EXAMPLE_NOW + 16,
          until: EXAMPLE_NOW + 31,
        });
        expect((await store.claimMail(later)).outcome).toBe('claimed');
      });

      it('F4: grants a claim again to the attempt that holds it', async () => {
        const request = await created();
        await store.claimMail(claimOf(request));
        expect((await store.claimMail(claimOf(request))).outcome).toBe('claimed');
      });

      it('keeps the first link nonce, so that every mail carries the same link', async () => {
        const request = await created();
        await store.claimMail(claimOf(request));
        await store.releaseMail(request.ref, 'claim-1');
        const again = await store.claimMail(
          claimOf(request, { claimId: 'claim-2', linkNonce: 'o'.repeat(22) }),
        );
        expect(again).toMatchObject({ outcome: 'claimed', request: { linkNonce: NONCE } });
      });

      it('lets the next task send at once after a release', async () => {
        const request = await created();
        await store.claimMail(claimOf(request));
        expect(await store.releaseMail(request.ref, 'claim-1')).toBe(true);
        expect((await store.claimMail(claimOf(request, { claimId: 'claim-2' }))).outcome).toBe(
          'claimed',
        );
      });

      it('lets only the holder of the claim release it or stamp the mail', async () => {
        const request = await created();
        await store.claimMail(claimOf(request));
        expect(await store.releaseMail(request.ref, 'claim-2')).toBe(false);
        expect(await store.recordMailed(request.ref, 'claim-2', EXAMPLE_NOW + 2)).toBe(false);
        expect((await stored(request))?.mailedAt).toBeUndefined();
      });

      it('F3: grants no claim after the mail was stamped', async () => {
        const request = await mailed();
        const late = claimOf(request, {
          claimId: 'claim-2',
          now: EXAMPLE_NOW + 30,
          until: EXAMPLE_NOW + 45,
        });
        expect(await store.claimMail(late)).toEqual({ outcome: 'over' });
        expect(await stored(request)).toMatchObject({ mailedAt: EXAMPLE_NOW + 2 });
        expect(await stored(request)).not.toHaveProperty('mailClaimId');
      });

      it.each<[string, (request: PendingRequest) => Promise<unknown>, number]>([
        [
          'failed',
          (request) => store.fail(request.ref, 'flow_error', EXAMPLE_NOW + 1),
          EXAMPLE_NOW + 2,
        ],
        ['expired', async () => undefined, EXAMPLE_NOW + 120],
      ])('grants no claim for a request that is %s', async (_state, end, now) => {
        const request = await created();
        await end(request);
        expect(await store.claimMail(claimOf(request, { now, until: now + 15 }))).toEqual({
          outcome: 'over',
        });
      });

      it('grants no claim for a request that does not exist', async () => {
        expect(await store.claimMail(claimOf(exampleRequest()))).toEqual({ outcome: 'over' });
      });

      it('stamps a mail that was accepted after the user had decided', async () => {
        const request = await created();
        await store.claimMail(claimOf(request));
        await store.decide(decisionOf(request));
        expect(await store.recordMailed(request.ref, 'claim-1', EXAMPLE_NOW + 11)).toBe(true);
        expect(await stored(request)).toMatchObject({
          status: 'approved',
          mailedAt: EXAMPLE_NOW + 11,
        });
      });
    });

    describe('failure', () => {
      it('marks a pending request failed, with the cause', async () => {
        const request = await created();
        expect(await store.fail(request.ref, 'user_disabled', EXAMPLE_NOW + 3)).toBe(true);
        expect(await stored(request)).toEqual({
          ...request,
          status: 'failed',
          cause: 'user_disabled',
          failedAt: EXAMPLE_NOW + 3,
        });
      });

      it('F11: never touches a decision', async () => {
        const request = await approved();
        expect(await store.fail(request.ref, 'flow_error', EXAMPLE_NOW + 11)).toBe(false);
        expect((await stored(request))?.status).toBe('approved');
      });
    });

    describe('news of a mail', () => {
      const news = { cause: 'mail_bounced', at: EXAMPLE_NOW + 30 } as const;
      const tell = (request: PendingRequest, at = news.at) =>
        store.recordMailFailure(request.ref, 'mail_bounced', at);

      it('F10: fails the request that waits for its user, in the same write, with the cause', async () => {
        const request = await mailed();
        expect(await tell(request)).toBe(true);
        expect(await stored(request)).toEqual({
          ...request,
          linkNonce: NONCE,
          mailedAt: EXAMPLE_NOW + 2,
          status: 'failed',
          failedAt: EXAMPLE_NOW + 30,
          cause: 'mail_bounced',
          mailFailure: news,
        });
      });

      it('is kept when it comes before the mail is stamped, and the stamp then too', async () => {
        const request = await created();
        await store.claimMail(claimOf(request));
        expect(await tell(request, EXAMPLE_NOW + 1)).toBe(true);
        expect(await store.recordMailed(request.ref, 'claim-1', EXAMPLE_NOW + 2)).toBe(true);
        expect(await stored(request)).toMatchObject({
          status: 'failed',
          mailedAt: EXAMPLE_NOW + 2,
          mailFailure: { cause: 'mail_bounced', at: EXAMPLE_NOW + 1 },
        });
      });

      it.each<[string, (request: PendingRequest) => Promise<unknown>]>([
        ['approved', (request) => store.decide(decisionOf(request))],
        ['denied', (request) => store.decide(decisionOf(request, { decision: 'deny' }))],
        ['failed', (request) => store.fail(request.ref, 'flow_error', EXAMPLE_NOW + 3)],
        [
          'redeemed',
          async (request) => {
            await store.decide(decisionOf(request));
            await store.redeem(redemptionOf(request));
          },
        ],
      ])('F11: is kept beside what has become of a request: %s', async (status, become) => {
        const request = await mailed();
        await become(request);
        const before = await stored(request);
        expect(before?.status).toBe(status);
        expect(await tell(request)).toBe(true);
        expect(await stored(request)).toEqual({ ...before, mailFailure: news });
      });

      it('is kept after the end, and fails nothing any more', async () => {
        const request = await mailed();
        expect(await tell(request, request.expiresAt)).toBe(true);
        expect(await stored(request)).toMatchObject({
          status: 'pending',
          mailFailure: { at: request.expiresAt },
        });
        const justInTime = await mailed();
        expect(await tell(justInTime, justInTime.expiresAt - 0.001)).toBe(true);
        expect((await stored(justInTime))?.status).toBe('failed');
      });

      it('F4: is kept once: the first stays, of one that waited and of one that is decided', async () => {
        for (const request of [await mailed(), await approved()]) {
          await tell(request);
          const before = await stored(request);
          expect(await store.recordMailFailure(request.ref, 'mail_complained', news.at + 1)).toBe(
            false,
          );
          expect(await stored(request)).toEqual(before);
        }
      });

      it('of a request that does not exist, or was refused, is kept nowhere', async () => {
        const request = exampleRequest();
        expect(await tell(request)).toBe(false);
        expect(await stored(request)).toBeUndefined();
        const { ref, clientId, createdAt, forgetAt } = request;
        await store.refuse({ ref, clientId, code: 'invalid_request', createdAt, forgetAt });
        expect(await tell(request)).toBe(false);
      });

      it('does not take back an approval: it is redeemed as ever', async () => {
        const request = await approved();
        await tell(request, EXAMPLE_NOW + 15);
        expect(await store.redeem(redemptionOf(request))).toEqual({ outcome: 'redeemed' });
      });
    });

    describe('decisions', () => {
      it.each([
        ['approve', 'approved'],
        ['deny', 'denied'],
      ] as const)('%s makes it %s, with the time', async (decision, status) => {
        const request = await mailed();
        expect(await store.decide(decisionOf(request, { decision }))).toEqual({
          outcome: 'decided',
        });
        expect(await stored(request)).toMatchObject({ status, decidedAt: EXAMPLE_NOW + 10 });
        expect(await stored(request)).not.toHaveProperty('reported');
      });

      it('report makes it denied and says that it was reported, in the same step', async () => {
        const request = await mailed();
        const report = decisionOf(request, { decision: 'report', contactVersion: undefined });
        expect(await store.decide(report)).toEqual({ outcome: 'decided' });
        expect(await stored(request)).toMatchObject({
          status: 'denied',
          decidedAt: EXAMPLE_NOW + 10,
          reported: true,
        });
      });

      it.each(['approve', 'deny'] as const)(
        'a report after %s is too late, and marks nothing',
        async (first) => {
          const request = await mailed();
          await store.decide(decisionOf(request, { decision: first }));
          const report = decisionOf(request, { decision: 'report' });
          expect((await store.decide(report)).outcome).toBe('already_decided');
          expect(await stored(request)).not.toHaveProperty('reported');
        },
      );

      it.each(['approve', 'deny', 'report'] as const)(
        'P10: %s keeps where it was made, to the end; without an origin there is no trace of one',
        async (decision) => {
          for (const origin of [ORIGIN, { from: '2001:db8::7', agent: '' }, undefined]) {
            const request = await mailed();
            await store.decide(decisionOf(request, { decision, origin }));
            const late = { decision: 'deny', origin: { from: 'unknown', agent: 'none' } } as const;
            await store.decide(decisionOf(request, late));
            await store.stampPoll(ownerOf(request), EXAMPLE_NOW + 12);
            await store.redeem(redemptionOf(request));
            const kept = await stored(request);
            expect(kept?.status).toBe(decision === 'approve' ? 'redeemed' : 'denied');
            expect(kept?.decisionOrigin).toEqual(origin);
            if (!origin) expect(kept).not.toHaveProperty('decisionOrigin');
          }
        },
      );

      it('P10: what decides nothing leaves no origin', async () => {
        const request = await mailed();
        const refusals = [
          { contactVersion: 2 },
          { linkNonce: 'f'.repeat(22) },
          { now: request.expiresAt },
        ];
        for (const changes of refusals) {
          await store.decide(decisionOf(request, { origin: ORIGIN, ...changes }));
        }
        expect(await stored(request)).not.toHaveProperty('decisionOrigin');
      });

      it.each([
        ['approve', 'deny', 'approved'],
        ['deny', 'approve', 'denied'],
        ['approve', 'approve', 'approved'],
        ['deny', 'deny', 'denied'],
        ['report', 'approve', 'denied'],
      ] as const)('after %s a further %s changes nothing', async (first, second, status) => {
        const request = await mailed();
        await store.decide(decisionOf(request, { decision: first }));
        const again = decisionOf(request, { decision: second, now: EXAMPLE_NOW + 11 });
        expect(await store.decide(again)).toEqual({ outcome: 'already_decided', status });
        expect(await stored(request)).toMatchObject({ status, decidedAt: EXAMPLE_NOW + 10 });
      });

      it('T10: decides nothing for another nonce, nor before any mail was claimed', async () => {
        const unclaimed = await created();
        expect(await store.decide(decisionOf(unclaimed))).toEqual({ outcome: 'not_found' });
        const request = await mailed();
        const forged = decisionOf(request, { linkNonce: 'f'.repeat(22) });
        expect(await store.decide(forged)).toEqual({ outcome: 'not_found' });
        expect((await stored(request))?.status).toBe('pending');
      });

      it.each(['approve', 'deny', 'report'] as const)(
        'T9: refuses to %s at the very instant of the end',
        async (decision) => {
          const request = await mailed();
          const late = decisionOf(request, { decision, now: request.expiresAt });
          expect(await store.decide(late)).toEqual({ outcome: 'expired' });
          const justInTime = decisionOf(request, { decision, now: request.expiresAt - 0.001 });
          expect(await store.decide(justInTime)).toEqual({ outcome: 'decided' });
        },
      );

      it('calls an approval that nobody redeemed in time expired', async () => {
        const request = await approved();
        const late = decisionOf(request, { decision: 'deny', now: request.expiresAt });
        expect(await store.decide(late)).toEqual({ outcome: 'expired' });
        expect(await stored(request)).toMatchObject({ status: 'approved' });
      });

      it.each([
        ['has another contact', 2],
        ['can no longer be asked', undefined],
      ])(
        'T29: refuses the approval of a user who %s; the denial still counts',
        async (_who, contactVersion) => {
          const request = await mailed();
          expect(await store.decide(decisionOf(request, { contactVersion }))).toEqual({
            outcome: 'contact_changed',
          });
          const denial = decisionOf(request, { decision: 'deny', contactVersion });
          expect(await store.decide(denial)).toEqual({ outcome: 'decided' });
        },
      );

      it('refuses a decision on a failed request', async () => {
        const request = await mailed();
        await store.fail(request.ref, 'flow_error', EXAMPLE_NOW + 5);
        expect(await store.decide(decisionOf(request))).toEqual({ outcome: 'failed' });
      });
    });

    describe('codes', () => {
      const code = 'PX-4711';
      const coded = () => mailed({ bindingMessage: code, wrongCodes: 0 });

      it('T1: an approval without the code, or with another, changes nothing', async () => {
        const request = await coded();
        for (const typedMessage of [undefined, '', 'PX-4712', 'px-4711']) {
          const approval = decisionOf(request, { typedMessage });
          expect(await store.decide(approval)).toEqual({ outcome: 'not_confirmed' });
        }
        expect(await stored(request)).toMatchObject({ status: 'pending', wrongCodes: 0 });
      });

      it('the code approves, after two wrong ones too; a denial and a report need none', async () => {
        const request = await coded();
        expect(await store.countWrongCode(wrongCodeOf(request))).toEqual({
          outcome: 'counted',
          left: 2,
        });
        expect(await store.countWrongCode(wrongCodeOf(request))).toEqual({
          outcome: 'counted',
          left: 1,
        });
        const typed = decisionOf(request, { typedMessage: code });
        expect(await store.decide(typed)).toEqual({ outcome: 'decided' });
        expect(await stored(request)).toMatchObject({ status: 'approved', wrongCodes: 2 });
        for (const decision of ['deny', 'report'] as const) {
          const other = await coded();
          expect(await store.decide(decisionOf(other, { decision }))).toEqual({
            outcome: 'decided',
          });
        }
      });

      it('the third wrong one denies with its time, and the code comes too late', async () => {
        const request = await coded();
        await store.countWrongCode(wrongCodeOf(request));
        await store.countWrongCode(wrongCodeOf(request));
        expect(await store.countWrongCode(wrongCodeOf(request))).toEqual({ outcome: 'denied' });
        expect(await stored(request)).toMatchObject({
          status: 'denied',
          decidedAt: EXAMPLE_NOW + 9,
          wrongCodes: 3,
        });
        const over = { outcome: 'already_decided', status: 'denied' };
        expect(await store.decide(decisionOf(request, { typedMessage: code }))).toEqual(over);
        expect(await store.countWrongCode(wrongCodeOf(request))).toEqual(over);
      });

      it('P10: the wrong code that denies keeps where it was typed, those before it do not', async () => {
        const request = await coded();
        const typed = (agent: string) =>
          store.countWrongCode(wrongCodeOf(request, { origin: { ...ORIGIN, agent } }));
        await typed('one');
        await typed('two');
        expect(await stored(request)).not.toHaveProperty('decisionOrigin');
        expect(await typed('three')).toEqual({ outcome: 'denied' });
        await typed('four');
        expect(await stored(request)).toMatchObject({
          status: 'denied',
          decisionOrigin: { ...ORIGIN, agent: 'three' },
        });
        const untraced = await coded();
        for (let count = 0; count < 3; count += 1)
          await store.countWrongCode(wrongCodeOf(untraced));
        expect(await stored(untraced)).not.toHaveProperty('decisionOrigin');
      });

      it('F4: recognises a count of its own when the write is repeated, the last one too', async () => {
        const request = await coded();
        const first = wrongCodeOf(request);
        const once = { outcome: 'counted', left: 2 };
        expect([await store.countWrongCode(first), await store.countWrongCode(first)]).toEqual([
          once,
          once,
        ]);
        const second = wrongCodeOf(request);
        const twice = { outcome: 'counted', left: 1 };
        expect([await store.countWrongCode(second), await store.countWrongCode(second)]).toEqual([
          twice,
          twice,
        ]);
        expect(await stored(request)).toMatchObject({ status: 'pending', wrongCodes: 2 });
        const last = wrongCodeOf(request);
        const over = { outcome: 'denied' };
        expect([await store.countWrongCode(last), await store.countWrongCode(last)]).toEqual([
          over,
          over,
        ]);
        expect(await stored(request)).toMatchObject({ status: 'denied', wrongCodes: 3 });
      });

      it('no code approves what was tried too often, whatever else is stored of it', async () => {
        const spent = await mailed({ bindingMessage: code, wrongCodes: 3 });
        expect(await store.decide(decisionOf(spent, { typedMessage: code }))).toEqual({
          outcome: 'not_confirmed',
        });
        expect(await stored(spent)).toMatchObject({ status: 'pending' });
      });

      it('T1: of forty guesses at once two are told to try again and one that it is over', async () => {
        const request = await coded();
        const guesses = Array.from({ length: 40 }, () =>
          store.countWrongCode(wrongCodeOf(request)),
        );
        const outcomes = (await Promise.all(guesses)).map((answer) =>
          answer.outcome === 'counted' ? `counted, ${answer.left} left` : answer.outcome,
        );
        expect(outcomes.filter((outcome) => outcome !== 'already_decided').toSorted()).toEqual([
          'counted, 1 left',
          'counted, 2 left',
          'denied',
        ]);
        expect(await stored(request)).toMatchObject({ status: 'denied', wrongCodes: 3 });
      });

      it.each<[string, Partial<WrongCode>, string]>([
        ['another link (T10)', { linkNonce: 'f'.repeat(22) }, 'not_found'],
        ['the instant of the end (T9)', { now: EXAMPLE_NOW + 120 }, 'expired'],
      ])('counts nothing with %s, the last one included', async (_what, changes, outcome) => {
        const request = await coded();
        expect(await store.countWrongCode(wrongCodeOf(request, changes))).toEqual({ outcome });
        expect(await stored(request)).toMatchObject({ status: 'pending', wrongCodes: 0 });
        await store.countWrongCode(wrongCodeOf(request));
        await store.countWrongCode(wrongCodeOf(request));
        expect(await store.countWrongCode(wrongCodeOf(request, changes))).toEqual({ outcome });
        expect(await stored(request)).toMatchObject({ status: 'pending', wrongCodes: 2 });
      });

      it('counts nothing where none is asked for, nor of what is decided or failed', async () => {
        const linked = await mailed();
        expect(await store.countWrongCode(wrongCodeOf(linked))).toEqual({ outcome: 'not_found' });
        expect(await stored(linked)).not.toHaveProperty('wrongCodes');
        const failed = await coded();
        await store.fail(failed.ref, 'flow_error', EXAMPLE_NOW + 5);
        expect(await store.countWrongCode(wrongCodeOf(failed))).toEqual({ outcome: 'failed' });
        const done = await coded();
        await store.decide(decisionOf(done, { typedMessage: code }));
        expect(await store.countWrongCode(wrongCodeOf(done))).toEqual({
          outcome: 'already_decided',
          status: 'approved',
        });
      });
    });

    describe('redemption', () => {
      it('redeems an approved request, with time and attempt', async () => {
        const request = await approved();
        expect(await store.redeem(redemptionOf(request))).toEqual({ outcome: 'redeemed' });
        expect(await stored(request)).toMatchObject({
          status: 'redeemed',
          redeemedAt: EXAMPLE_NOW + 20,
          attemptId: 'attempt-1',
        });
      });

      it('F4: recognises its own win when the write is repeated, and nobody else does', async () => {
        const request = await approved();
        await store.redeem(redemptionOf(request));
        expect(await store.redeem(redemptionOf(request))).toEqual({
          outcome: 'redeemed_by_this_attempt',
        });
        expect(await store.redeem(redemptionOf(request, { attemptId: 'attempt-2' }))).toEqual({
          outcome: 'not_found',
        });
      });

      it.each<[string, Partial<Redemption>, string]>([
        ['another client', { clientId: 'desk-1' }, 'not_found'],
        ['a wrong secret', { secretHash: hashSecret('w'.repeat(43)) }, 'not_found'],
        ['the instant of the end (I3)', { now: EXAMPLE_NOW + 120 }, 'expired'],
        ['a changed contact (I7)', { contactVersion: 2 }, 'contact_changed'],
      ])('refuses %s and leaves the approval as it is', async (_what, changes, outcome) => {
        const request = await approved();
        expect(await store.redeem(redemptionOf(request, changes))).toEqual({ outcome });
        expect((await stored(request))?.status).toBe('approved');
      });

      it('I2: redeems nothing that was not approved', async () => {
        const pending = await mailed();
        const denied = await mailed();
        await store.decide(decisionOf(denied, { decision: 'deny' }));
        expect(await store.redeem(redemptionOf(pending))).toEqual({ outcome: 'not_approved' });
        expect(await store.redeem(redemptionOf(denied))).toEqual({ outcome: 'not_approved' });
      });
    });

    describe('refresh tokens', () => {
      const refresh = {
        hash: 'r'.repeat(43),
        endsAt: EXAMPLE_NOW + 5000.5,
        forgetAt: 1_900_000_000,
      };

      async function redeemed(changes: Partial<Redemption> = {}): Promise<PendingRequest> {
        const request = await approved();
        await store.redeem(redemptionOf(request, { refresh, ...changes }));
        return request;
      }

      it('are kept as a hash with their end, and the item is kept as long', async () => {
        expect(await stored(await redeemed())).toMatchObject({
          status: 'redeemed',
          refreshHash: refresh.hash,
          refreshEndsAt: refresh.endsAt,
          forgetAt: refresh.forgetAt,
        });
      });

      it('are not there where the redemption brings none', async () => {
        const request = await redeemed({ refresh: undefined });
        expect(await stored(request)).not.toHaveProperty('refreshHash');
        expect(await stored(request)).toMatchObject({ forgetAt: request.forgetAt });
      });

      it('a replay later than ten seconds is recorded, once and for good', async () => {
        const request = await redeemed();
        const owner = ownerOf(request);
        expect(await store.recordReplay(owner, EXAMPLE_NOW + 30)).toBe(false);
        expect(await store.recordReplay(owner, EXAMPLE_NOW + 30.001)).toBe(true);
        expect(await store.recordReplay(owner, EXAMPLE_NOW + 31)).toBe(false);
        expect(await stored(request)).toMatchObject({ replayedAt: EXAMPLE_NOW + 30.001 });
      });

      it.each<[string, (owner: Owner) => Owner]>([
        ['another client', (owner) => ({ ...owner, clientId: 'desk-1' })],
        ['a wrong secret', (owner) => ({ ...owner, secretHash: hashSecret('w'.repeat(43)) })],
        ['an unknown ref', (owner) => ({ ...owner, ref: exampleRequest().ref })],
      ])('I9: a replay is not recorded by %s', async (_who, foreign) => {
        const request = await redeemed();
        const before = await stored(request);
        expect(await store.recordReplay(foreign(ownerOf(request)), EXAMPLE_NOW + 99)).toBe(false);
        expect(await stored(request)).toEqual(before);
      });

      it('a replay is recorded where there is no refresh token too, and never before the redemption', async () => {
        const without = await redeemed({ refresh: undefined });
        expect(await store.recordReplay(ownerOf(without), EXAMPLE_NOW + 99)).toBe(true);
        const request = await approved();
        expect(await store.recordReplay(ownerOf(request), EXAMPLE_NOW + 99)).toBe(false);
        expect(await stored(request)).not.toHaveProperty('replayedAt');
      });
    });

    describe('revocation', () => {
      const refresh = { hash: 'h', endsAt: EXAMPLE_NOW + 1000, forgetAt: EXAMPLE_NOW + 9e6 };

      it('ends the refresh token of a redeemed request, once, and keeps the first time', async () => {
        const request = await approved();
        await store.redeem(redemptionOf(request, { refresh }));
        const before = await stored(request);
        expect(await store.revoke(request.ref, EXAMPLE_NOW + 40)).toEqual({
          outcome: 'revoked',
          revokedAt: EXAMPLE_NOW + 40,
        });
        expect(await store.revoke(request.ref, EXAMPLE_NOW + 41)).toEqual({
          outcome: 'revoked_before',
          revokedAt: EXAMPLE_NOW + 40,
        });
        expect(await stored(request)).toEqual({ ...before, revokedAt: EXAMPLE_NOW + 40 });
      });

      it('is written beside a replay, and a replay beside it', async () => {
        const request = await approved();
        await store.redeem(redemptionOf(request, { refresh }));
        await store.recordReplay(ownerOf(request), EXAMPLE_NOW + 50);
        await store.revoke(request.ref, EXAMPLE_NOW + 60);
        const other = await approved();
        await store.redeem(redemptionOf(other, { refresh }));
        await store.revoke(other.ref, EXAMPLE_NOW + 60);
        await store.recordReplay(ownerOf(other), EXAMPLE_NOW + 50);
        const both = { replayedAt: EXAMPLE_NOW + 50, revokedAt: EXAMPLE_NOW + 60 };
        expect(await stored(request)).toMatchObject(both);
        expect(await stored(other)).toMatchObject(both);
      });

      it('touches nothing that has no refresh token', async () => {
        const [open, online] = [await approved(), await approved()];
        await store.redeem(redemptionOf(online));
        for (const request of [open, online]) {
          const before = await stored(request);
          expect(await store.revoke(request.ref, EXAMPLE_NOW + 40)).toEqual({
            outcome: 'no_refresh_token',
          });
          expect(await stored(request)).toEqual(before);
        }
        expect(await store.revoke(exampleRequest().ref, EXAMPLE_NOW)).toEqual({
          outcome: 'not_found',
        });
      });
    });

    describe('races', () => {
      it('T8, I1: of 64 redemptions at once exactly one wins', async () => {
        const request = await approved();
        const outcomes = await Promise.all(
          Array.from({ length: 64 }, (_, index) =>
            store.redeem(redemptionOf(request, { attemptId: `attempt-${index}` })),
          ),
        );
        expect(outcomes.filter(({ outcome }) => outcome === 'redeemed')).toHaveLength(1);
        expect(outcomes.filter(({ outcome }) => outcome === 'not_found')).toHaveLength(63);
      });

      it('T9, I6: of 20 approvals and 20 denials at once exactly one is acknowledged', async () => {
        const request = await mailed();
        const decisions = Array.from({ length: 20 }, () => ['approve', 'deny'] as const).flat();
        const outcomes = await Promise.all(
          decisions.map((decision) => store.decide(decisionOf(request, { decision }))),
        );
        const winners = decisions.filter((_, index) => outcomes[index]?.outcome === 'decided');
        expect(winners).toHaveLength(1);
        expect((await stored(request))?.status).toBe(
          winners[0] === 'approve' ? 'approved' : 'denied',
        );
      });

      it('F3: of 16 mail tasks at once exactly one is granted the claim', async () => {
        const request = await created();
        const outcomes = await Promise.all(
          Array.from({ length: 16 }, (_, index) =>
            store.claimMail(
              claimOf(request, { claimId: `claim-${index}`, linkNonce: `nonce-${index}` }),
            ),
          ),
        );
        const granted = outcomes.filter(({ outcome }) => outcome === 'claimed');
        expect(granted).toHaveLength(1);
        expect(outcomes.filter(({ outcome }) => outcome === 'claimed_by_another')).toHaveLength(15);
      });

      it('keeps one piece of news of many at once, and either it or the decision fails or decides', async () => {
        const request = await mailed();
        const [decided, ...kept] = await Promise.all([
          store.decide(decisionOf(request)),
          ...Array.from({ length: 10 }, () =>
            store.recordMailFailure(request.ref, 'mail_bounced', EXAMPLE_NOW + 10),
          ),
        ]);
        expect(kept.filter(Boolean)).toHaveLength(1);
        const found = await stored(request);
        expect(found?.mailFailure?.cause).toBe('mail_bounced');
        expect([decided.outcome, found?.status]).toEqual(
          decided.outcome === 'decided' ? ['decided', 'approved'] : ['failed', 'failed'],
        );
      });

      it('slows down once for polls at once that were judged by the same interval', async () => {
        const request = await created();
        const slowed = await Promise.all(
          Array.from({ length: 10 }, () => store.slowDown(request.ref, 2)),
        );
        expect(new Set(slowed)).toEqual(new Set([7]));
        expect((await stored(request))?.interval).toBe(7);
      });
    });
  });
}
