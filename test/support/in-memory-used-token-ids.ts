/**
 * The used `jti`s in memory, for tests of what burns them.
 */
import type { UsedTokenIds } from '../../lambdas/ports.ts';

/** Forgets nothing, which is longer than any JWT lives. */
export function inMemoryUsedTokenIds(): UsedTokenIds {
  const used = new Set<string>();
  return {
    async burn(kind, clientId, { jti }) {
      const key = JSON.stringify([kind, clientId, jti]);
      const first = !used.has(key);
      used.add(key);
      return first;
    },
  };
}
