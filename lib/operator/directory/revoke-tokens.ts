/**
 * Ends at once everything that was approved by a user, or for a client: the operator's remedy for a
 * stolen device or mailbox.
 */
import * as z from 'zod/mini';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { TOKEN_LIFETIME_SECONDS } from '../../../lambdas/ciba/request/tokens.ts';
import { showSpan } from '../terminal/show-time.ts';
import { type DirectoryStore, directoryTable } from './directory-items.ts';
import type { EntryKind } from './plan.ts';

/** What no revocation ends: resource servers check access tokens by themselves. */
export const LIVES_ON = `An access token that is out lives to its end, for up to ${showSpan(TOKEN_LIFETIME_SECONDS)}.`;

const revoked = z.object({ tokens_not_before: z.number() });

/**
 * From this instant on nothing that was approved before it is worth a token: no refresh, and no
 * redemption of what was not fetched yet. One atomic write, which neither fails because somebody
 * changes the entry at the same moment nor takes anything of their change away; an instant that is
 * stored already is never moved back.
 * @returns the instant by the clock of this machine, or the later one that was stored; `undefined`
 * if there is no such entry
 */
export async function revokeTokens(
  store: DirectoryStore,
  { kind, id }: { kind: EntryKind; id: string },
): Promise<number | undefined> {
  const table = directoryTable(store);
  const key = directoryKey[kind](id);
  const now = store.clock();
  const { written } = await table.update(key, {
    // The version makes sure that whoever is changing or removing the entry at this moment sees it.
    update: 'SET #tokens_not_before = :now ADD #version :one',
    condition:
      'attribute_exists(#pk) AND (attribute_not_exists(#tokens_not_before) OR #tokens_not_before < :now)',
    values: { ':now': now, ':one': 1 },
  });
  if (written) return now;
  const item = await table.read(key);
  return item && revoked.parse(item).tokens_not_before;
}
