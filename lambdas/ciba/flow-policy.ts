/**
 * Flow policies: over which flows the requests of a client are distributed, by weight, as the reference's flow policy
 * does for its flows and their versions.
 */
import * as z from 'zod/mini';
import { isPolicyName } from './policy-name.ts';

/** The name of a flow is that of its file in `statemachines/`, without `.asl.json`. */
const flowName = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/));

/** A share of requests, in no unit: a flow gets its weight's part of the sum of all. */
const weight = z.int().check(z.gte(0), z.lte(10_000));

/** Weights by the name of the flow. */
export const flowPolicy = z
  .record(flowName, weight)
  .check(z.refine((weights) => sumOf(weights) > 0));

export type FlowPolicy = z.output<typeof flowPolicy>;

/** Every flow policy of the deployment, and the one of clients that name none. */
export const flowPolicies = z
  .object({
    byDefault: z.string(),
    policies: z.record(z.string().check(z.refine(isPolicyName)), flowPolicy),
  })
  .check(z.refine(({ byDefault, policies }) => byDefault in policies));

export type FlowPolicies = z.output<typeof flowPolicies>;

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
