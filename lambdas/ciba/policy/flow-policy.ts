/**
 * Flow policies: over which flows the requests of a client are distributed, by weight, as the
 * reference's flow policy does for its flows and their versions.
 */
import * as z from 'zod/mini';
import { HYPHENATED_NAME_RULE, isHyphenatedName } from '../hyphenated-name.ts';
import { policiesOf } from './policy-name.ts';
import { wholeNumber } from './whole-number.ts';

/** The longest name of a flow: it is part of names in AWS, and of each request's item. */
const FLOW_NAME_LENGTH = 32;

/** What a flow may be called, for an operator. */
export const FLOW_NAME_RULE = `${HYPHENATED_NAME_RULE}, ${FLOW_NAME_LENGTH} characters in all`;

export function isFlowName(text: string): boolean {
  return text.length <= FLOW_NAME_LENGTH && isHyphenatedName(text);
}

const LARGEST_WEIGHT = 10_000;

/**
 * Weights by the name of the flow, which is that of its file in `statemachines/` without
 * `.asl.json`. A weight is a share of requests in no unit: a flow gets its weight's part of the sum
 * of all.
 */
export const flowPolicy = z
  .record(
    z
      .string()
      .check(z.refine(isFlowName, { error: `is no name of a flow; a name is ${FLOW_NAME_RULE}` })),
    wholeNumber(0, LARGEST_WEIGHT),
    { error: 'must be an object of weights by the names of flows' },
  )
  .check(
    z.refine((weights) => Object.values(weights).some((weight) => weight > 0), {
      error: 'must give one flow a weight above 0',
    }),
  );

export type FlowPolicy = z.output<typeof flowPolicy>;

/** Every flow policy of the deployment, and the one of clients that name none. */
export const flowPolicies = policiesOf(flowPolicy);

export type FlowPolicies = z.output<typeof flowPolicies>;

/** Random bytes that {@link chooseFlow} consumes. */
export const FLOW_ENTROPY_BYTES = 6;

/**
 * The flow of one request. A client whose policy the deployment no longer has goes by the default
 * one.
 * @param entropy {@link FLOW_ENTROPY_BYTES} random bytes; equally likely ones give each flow its
 * share, within one part in 10^10
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
