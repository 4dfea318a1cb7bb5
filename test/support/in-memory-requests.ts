/**
 * The authentication request store in memory: each rule is judged and applied in one synchronous
 * step. For tests that explore behaviour; the table of DynamoDB passes the same contract suite.
 */
import { ruleStore } from '../../lambdas/aws/rule-store.ts';
import type { AuthenticationRequest } from '../../lambdas/ciba/request/authentication-request.ts';
import { attempt } from '../../lambdas/ciba/request/rule.ts';
import type { AuthenticationRequestStore } from '../../lambdas/ports.ts';

export function inMemoryRequests(): AuthenticationRequestStore {
  const stored = new Map<string, AuthenticationRequest>();
  return {
    async create(request) {
      const taken = stored.get(request.ref);
      // A create that is repeated after a lost answer meets its own request, and leaves it as it is
      // by now.
      if (taken && taken.secretHash !== request.secretHash) throw new Error('the ref is taken');
      if (!taken) stored.set(request.ref, request);
    },
    // The audit is no matter of the rules.
    refuse: async () => {},
    ...ruleStore({
      find: async (ref) => stored.get(ref),
      async write(ref, rule, wanted) {
        const before = stored.get(ref);
        const { next } = attempt(rule, before);
        if (!next) return undefined;
        stored.set(ref, next);
        return { request: wanted === 'before' ? before : next };
      },
    }),
  };
}
