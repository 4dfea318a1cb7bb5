/** Switches a client or a user on or off. */

import * as z from 'zod/mini';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { writeEntry } from './carry-out-plan.ts';
import { type DirectoryStore, directoryTable } from './directory-items.ts';
import type { EntryKind } from './plan.ts';

const switchable = z.object({ enabled: z.boolean(), version: z.number() });

/**
 * Enables or disables an entry, on the condition that nobody changes it meanwhile; one that is so
 * already is not written.
 * @returns whether it was written, or `undefined` if there is none
 * @throws OperatorError
 */
export async function switchEntry(
  store: DirectoryStore,
  { kind, id }: { kind: EntryKind; id: string },
  enabled: boolean,
): Promise<boolean | undefined> {
  const table = directoryTable(store);
  const item = await table.read(directoryKey[kind](id));
  if (!item) return undefined;
  const { version, enabled: before } = switchable.parse(item);
  if (before === enabled) return false;
  await writeEntry(table, { kind, id, version, members: { enabled }, dropped: [] }, store.clock());
  return true;
}
