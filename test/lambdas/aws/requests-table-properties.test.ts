/**
 * The table held against the store in memory, step by step: any sequence of any calls answers the
 * same and leaves the same item, on a real engine (dynalite). Both write by the same rules, and
 * that one rule does the same in both is judged by `rule-expressions.test.ts`; here it is sequences
 * of them. FC_RUNS sets how many; a failure prints its seed.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requestsTable } from '../../../lambdas/aws/requests-table.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import type { PendingRequest } from '../../../lambdas/ciba/request/authentication-request.ts';
import type { AuthenticationRequestStore } from '../../../lambdas/ports.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';
import { inMemoryRequests } from '../../support/in-memory-requests.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

const RUNS = Number(process.env['FC_RUNS'] ?? 100);
const STEPS = 30;

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
});
afterAll(() => tables.stop());

type Call = (store: AuthenticationRequestStore, refs: readonly string[]) => Promise<unknown>;

/**
 * Small pools, so that calls meet each other: right and wrong secrets, clients, links, attempts,
 * and times at the edges.
 */
const which = fc.constantFrom(0, 0, 0, 1);
const secretHash = fc.constantFrom('secret', 'secret', 'secret', 'wrong').map(hashSecret);
const clientId = fc.constantFrom('pump-4', 'pump-4', 'pump-4', 'desk-1');
const linkNonce = fc.constantFrom('nonce-1', 'nonce-1', 'nonce-2');
const contactVersion = fc.constantFrom(1, 1, 1, 2);
const isCoded = fc.constantFrom(false, true);
const typedMessage = fc.constantFrom('PUMP-4 50.00 EUR', 'PUMP-4 50.00 EUR', 'another', undefined);
const id = fc.constantFrom('a', 'b');
const origin = fc.constantFrom(
  undefined,
  { from: '203.0.0.0/16', agent: 'Firefox' },
  { from: '2001:db8::/32', agent: 'other' },
  { from: '2001:db8::7', agent: 'Mozilla/5.0 (X11)' },
  { from: '203.0.113.7', agent: '' },
  { from: 'unknown', agent: 'none' },
);
const time = fc
  .constantFrom(1, 2, 15.999, 16, 17, 60, 70, 70.001, 119.999, 120, 131, 5000)
  .map((seconds) => EXAMPLE_NOW + seconds);

function refOf(refs: readonly string[], index: number): string {
  return refs[index] ?? 'nobody';
}

const calls: Record<string, fc.Arbitrary<Call>> = {
  create: fc.tuple(which, secretHash, isCoded).map(([at, secret, coded]) => (store, refs) => {
    const request = exampleRequest({
      ref: refOf(refs, at),
      secretHash: secret,
      ...(coded && { wrongCodes: 0 }),
    });
    return store.create(request).catch((error: unknown) => String(error));
  }),
  stampPoll: fc.tuple(which, fc.record({ secretHash, clientId }), time).map(
    ([at, owner, now]) =>
      (store, refs) =>
        store.stampPoll({ ref: refOf(refs, at), ...owner }, now),
  ),
  slowDown: fc.tuple(which, fc.constantFrom(2, 2, 7, 12)).map(
    ([at, judgedBy]) =>
      (store, refs) =>
        store.slowDown(refOf(refs, at), judgedBy),
  ),
  claimMail: fc.tuple(which, fc.record({ claimId: id, linkNonce, now: time })).map(
    ([at, claim]) =>
      (store, refs) =>
        store.claimMail({ ref: refOf(refs, at), until: claim.now + 15, ...claim }),
  ),
  recordMailed: fc.tuple(which, id, time).map(
    ([at, claim, now]) =>
      (store, refs) =>
        store.recordMailed(refOf(refs, at), claim, now),
  ),
  releaseMail: fc.tuple(which, id).map(
    ([at, claim]) =>
      (store, refs) =>
        store.releaseMail(refOf(refs, at), claim),
  ),
  fail: fc.tuple(which, fc.constantFrom('flow_error' as const, 'mail_rejected' as const), time).map(
    ([at, cause, now]) =>
      (store, refs) =>
        store.fail(refOf(refs, at), cause, now),
  ),
  recordMailFailure: fc
    .tuple(which, fc.constantFrom('mail_bounced' as const, 'mail_complained' as const), time)
    .map(
      ([at, failure, now]) =>
        (store, refs) =>
          store.recordMailFailure(refOf(refs, at), failure, now),
    ),
  decide: fc
    .tuple(
      which,
      fc.record({
        decision: fc.constantFrom(
          'approve' as const,
          'approve' as const,
          'deny' as const,
          'report' as const,
        ),
        linkNonce,
        contactVersion: fc.option(contactVersion, { nil: undefined, freq: 8 }),
        typedMessage,
        origin,
        now: time,
      }),
    )
    .map(
      ([at, by]) =>
        (store, refs) =>
          store.decide({ ref: refOf(refs, at), ...by }),
    ),
  countWrongCode: fc.tuple(which, fc.record({ linkNonce, attemptId: id, origin, now: time })).map(
    ([at, wrong]) =>
      (store, refs) =>
        store.countWrongCode({ ref: refOf(refs, at), ...wrong }),
  ),
  redeem: fc
    .tuple(
      which,
      fc.record({
        secretHash,
        clientId,
        contactVersion,
        attemptId: id,
        now: time,
        refresh: fc.option(
          fc.constant({ hash: 'refresh', endsAt: EXAMPLE_NOW + 9000, forgetAt: EXAMPLE_NOW + 9e6 }),
          { nil: undefined },
        ),
      }),
    )
    .map(
      ([at, by]) =>
        (store, refs) =>
          store.redeem({ ref: refOf(refs, at), ...by }),
    ),
  recordReplay: fc.tuple(which, fc.record({ secretHash, clientId }), time).map(
    ([at, owner, now]) =>
      (store, refs) =>
        store.recordReplay({ ref: refOf(refs, at), ...owner }, now),
  ),
  revoke: fc.tuple(which, time).map(
    ([at, now]) =>
      (store, refs) =>
        store.revoke(refOf(refs, at), now),
  ),
};

const call = fc
  .constantFrom(...Object.keys(calls))
  .chain((name) =>
    (calls[name] ?? fc.constant<Call>(async () => undefined)).map((run) => ({ name, run })),
  );

interface NamedCall {
  name: string;
  run: Call;
}

/**
 * What the first request has been through before anything happens by chance: at least its creation,
 * at most its denial, or the replay of its auth_req_id.
 */
function asked(changes: Partial<PendingRequest> = {}): NamedCall[] {
  return [
    {
      name: 'create',
      run: (store, [ref = '']) =>
        store.create(exampleRequest({ ref, secretHash: hashSecret('secret'), ...changes })),
    },
    {
      name: 'claimMail',
      run: (store, [ref = '']) =>
        store.claimMail({
          ref,
          claimId: 'a',
          linkNonce: 'nonce-1',
          now: EXAMPLE_NOW + 1,
          until: EXAMPLE_NOW + 16,
        }),
    },
  ];
}

function wrongCode(attemptId: string): NamedCall {
  return {
    name: 'countWrongCode',
    run: (store, [ref = '']) =>
      store.countWrongCode({ ref, linkNonce: 'nonce-1', attemptId, now: EXAMPLE_NOW + 2 }),
  };
}

function decided(decision: 'approve' | 'deny'): NamedCall {
  return {
    name: 'decide',
    run: (store, [ref = '']) =>
      store.decide({
        ref,
        decision,
        linkNonce: 'nonce-1',
        contactVersion: 1,
        typedMessage: 'PUMP-4 50.00 EUR',
        now: EXAMPLE_NOW + 2,
      }),
  };
}

const redeemed: NamedCall[] = [
  {
    name: 'redeem',
    run: (store, [ref = '']) =>
      store.redeem({
        ref,
        secretHash: hashSecret('secret'),
        clientId: 'pump-4',
        contactVersion: 1,
        attemptId: 'a',
        refresh: { hash: 'refresh', endsAt: EXAMPLE_NOW + 9000, forgetAt: EXAMPLE_NOW + 9e6 },
        now: EXAMPLE_NOW + 60,
      }),
  },
  {
    name: 'recordReplay',
    run: (store, [ref = '']) =>
      store.recordReplay(
        { ref, secretHash: hashSecret('secret'), clientId: 'pump-4' },
        EXAMPLE_NOW + 119,
      ),
  },
];

const beginnings = [
  [...asked(), decided('approve'), ...redeemed],
  [...asked(), decided('approve'), ...redeemed],
  [...asked(), decided('deny')],
  [...asked({ wrongCodes: 0 }), wrongCode('a'), wrongCode('b'), decided('approve'), ...redeemed],
];

const failed: NamedCall = {
  name: 'fail',
  run: (store, [ref = '']) => store.fail(ref, 'flow_error', EXAMPLE_NOW + 2),
};

/** However few histories chance makes, these are among them: every status is seen. */
const certain = [...beginnings, [...asked(), failed]];

const history = fc
  .tuple(
    fc.constantFrom(...beginnings),
    fc.integer({ min: 1, max: asked().length + redeemed.length + 3 }),
    fc.array(call, { minLength: 5, maxLength: STEPS }),
  )
  .map(([beginning, length, steps]) => [...beginning.slice(0, length), ...steps]);

it(`the adapter answers and leaves what the rules say, in ${RUNS} histories of up to ${STEPS} calls`, {
  timeout: 600_000 + RUNS * 1000,
}, async () => {
  const adapter = requestsTable(tables.client, 'requests');
  const statuses = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const memory = inMemoryRequests();
      const refs = [exampleRequest().ref, exampleRequest().ref];
      for (const [index, { name, run }] of steps.entries()) {
        const where = `${index}: ${name}`;
        const [found, expected] = [await run(adapter, refs), await run(memory, refs)];
        expect([where, found]).toEqual([where, expected]);
        for (const ref of refs) {
          const stored = await adapter.find(ref);
          expect([where, stored]).toEqual([where, await memory.find(ref)]);
          if (stored) statuses.set(stored.status, (statuses.get(stored.status) ?? 0) + 1);
        }
      }
    }),
    { numRuns: RUNS, examples: certain.map((steps) => [steps]) },
  );
  process.stdout.write(`states of items seen: ${JSON.stringify(Object.fromEntries(statuses))}\n`);
  expect([...statuses.keys()].toSorted()).toEqual([
    'approved',
    'denied',
    'failed',
    'pending',
    'redeemed',
  ]);
});
