/**
 * Flow policies: over which flows the requests of a client are distributed, by weight, as the reference's flow policy
 * does for its flows and their versions.
 */
import * as z from 'zod/mini';
import { isPolicyName } from './policy-name.ts';

/**
 * Weights by the name of the flow, which is that of its file in `statemachines/` without `.asl.json`. A weight is a share of
 * requests in no unit: a flow gets its weight's part of the sum of all.
 *
 * A function, so that the bundles which name its type alone leave it out.
 */
/* @__NO_SIDE_EFFECTS__ */
export function flowPolicy() {
  const flowName = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/));
  const weight = z.int().check(z.gte(0), z.lte(10_000));
  return z.record(flowName, weight).check(z.refine((weights) => sumOf(weights) > 0));
}

export type FlowPolicy = z.output<ReturnType<typeof flowPolicy>>;

/** Every flow policy of the deployment, and the one of clients that name none. */
/* @__NO_SIDE_EFFECTS__ */
export function flowPolicies() {
  const name = z.string().check(z.refine(isPolicyName));
  return z
    .object({ byDefault: z.string(), policies: z.record(name, flowPolicy()) })
    .check(z.refine(({ byDefault, policies }) => byDefault in policies));
}

export type FlowPolicies = z.output<ReturnType<typeof flowPolicies>>;

/** Random bytes that {@link chooseFlow} consumes. */
export const FLOW_ENTROPY_BYTES = 6;

/**
 * The flow of one request. A client whose policy the deployment no longer has goes by the default one.
 * @param entropy {@link FLOW_ENTROPY_BYTES} random bytes; equally likely ones give each flow its share, within one part in
 * 10^10
 */
export function chooseFlow(
  { policies, byDefault }: FlowPolicies,
  named: string | undefined,
  entropy: Uint8Array,
): string {
  const policy = policies[named ?? byDefault] ?? policies[byDefault] ?? {};
  const roll = Buffer.from(entropy).readUIntBE(0, FLOW_ENTROPY_BYTES) % sumOf(policy);
  let passed = 0;
  for (const [flow, share] of Object.entries(policy)) {
    passed += share;
    if (roll < passed) return flow;
  }
  throw new RangeError('a flow policy without weight');
}

function sumOf(policy: Record<string, number>): number {
  return Object.values(policy).reduce((sum, share) => sum + share, 0);
}
