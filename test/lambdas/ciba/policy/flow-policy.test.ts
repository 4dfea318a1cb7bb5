/**
 * Flow policies: each flow gets its share of the requests, by weight, and a policy that cannot
 * choose is none.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseFlow,
  FLOW_ENTROPY_BYTES,
  type FlowPolicy,
  flowPolicies,
  flowPolicy,
} from '../../../../lambdas/ciba/policy/flow-policy.ts';

function chosen(policy: FlowPolicy, roll: number): string {
  const entropy = Buffer.alloc(FLOW_ENTROPY_BYTES);
  entropy.writeUIntBE(roll, 0, FLOW_ENTROPY_BYTES);
  return chooseFlow({ byDefault: 'one', policies: { one: policy } }, undefined, entropy);
}

describe('a flow policy', () => {
  it.each([
    [0, 'ciba-flow'],
    [89, 'ciba-flow'],
    [90, 'ciba-generic-mail-flow'],
    [99, 'ciba-generic-mail-flow'],
    [100, 'ciba-flow'],
  ])('of 90 and 10 gives the roll %i to %s', (roll, flow) => {
    expect(chosen({ 'ciba-flow': 90, 'ciba-generic-mail-flow': 10 }, roll)).toBe(flow);
  });

  it('distributes exactly by weight over rolls that are equally likely', () => {
    const weights = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.integer({ min: 0, max: 20 }),
      { minKeys: 1, maxKeys: 5 },
    );
    fc.assert(
      fc.property(weights, (policy) => {
        const sum = Object.values(policy).reduce((total, weight) => total + weight, 0);
        fc.pre(sum > 0);
        const counts = Object.fromEntries(Object.keys(policy).map((flow) => [flow, 0]));
        for (let roll = 0; roll < sum; roll += 1) {
          const flow = chosen(policy, roll);
          counts[flow] = (counts[flow] ?? 0) + 1;
        }
        expect(counts).toEqual({ ...policy });
      }),
    );
  });

  it('gives nothing to a flow without weight', () => {
    const policy = { retired: 0, 'ciba-flow': 3 };
    const flows = new Set(Array.from({ length: 30 }, (_, roll) => chosen(policy, roll)));
    expect([...flows]).toEqual(['ciba-flow']);
  });

  it.each<[string, unknown]>([
    ['no flow', {}],
    ['no weight', { 'ciba-flow': 0 }],
    ['a negative weight', { 'ciba-flow': -1 }],
    ['a fraction', { 'ciba-flow': 0.5 }],
    ['a flow that can be no file', { '../flow': 1 }],
  ])('of %s is none', (_what, policy) => {
    expect(flowPolicy.safeParse(policy).success).toBe(false);
  });
});

describe('the policy of a client', () => {
  const policies = {
    byDefault: 'standard',
    policies: { standard: { 'ciba-flow': 1 }, generic: { 'ciba-generic-mail-flow': 1 } },
  };
  const entropy = new Uint8Array(FLOW_ENTROPY_BYTES);

  it.each([
    [undefined, 'ciba-flow'],
    ['generic', 'ciba-generic-mail-flow'],
    ['that is gone', 'ciba-flow'],
  ])('named %s starts %s', (named, flow) => {
    expect(chooseFlow(policies, named, entropy)).toBe(flow);
  });

  it('is there for clients that name none', () => {
    expect(flowPolicies.safeParse(policies).success).toBe(true);
    expect(flowPolicies.safeParse({ ...policies, byDefault: 'other' }).success).toBe(false);
  });
});
