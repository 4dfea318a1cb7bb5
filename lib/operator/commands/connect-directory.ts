/** The directory of the deployment that a command is about. */
import type { CommandContext } from '../command-context.ts';
import { type DirectoryStore, directoryStore } from '../directory/directory-items.ts';

/** @throws whatever looking for the deployment throws */
export async function openDirectory({
  deployment,
  clock,
}: Pick<CommandContext, 'deployment' | 'clock'>): Promise<DirectoryStore> {
  return directoryStore(await deployment(), clock);
}
