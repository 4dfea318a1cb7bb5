/** What applying would do with clients: their metadata as it is registered, and what is stored of their secrets. */
import * as z from 'zod/mini';
import { directoryKey } from '../../lambdas/aws/directory-table.ts';
import type { Item } from '../../lambdas/aws/dynamo-table.ts';
import { storedClient } from '../../lambdas/ciba/client.ts';
import type { ClientRegistration } from '../../lambdas/ciba/client-registration.ts';
import { type ClientSecrets, clientSecrets, type SecretChange } from './client-secrets.ts';
import { DirectoryConflict, DirectoryError } from './directory-error.ts';
import { type DirectoryStore, readItems } from './directory-items.ts';
import { changesOf, type MemberChange, type PlannedEntry } from './directory-plan.ts';

/** The members of a stored client that nobody is shown. */
export const secretMembers = ['client_secret_hash', 'client_secret_wrapped', 'retiring_secret'];

const storedMembers = Object.keys(storedClient.shape);

/** The members of a stored client that are as they were registered. */
export const clientMembers = storedMembers.filter((member) => !secretMembers.includes(member));

/** The version that makes sure that no two writers overwrite each other. */
export const versioned = z.object({ version: z.number() });

/**
 * Plans the clients of a directory.
 * @throws DirectoryConflict with a line for each client that cannot be applied
 */
export async function planClients(
  store: DirectoryStore,
  registrations: readonly ClientRegistration[],
): Promise<PlannedEntry[]> {
  const items = await readItems(
    store,
    registrations.map(({ client_id }) => directoryKey.client(client_id)),
  );
  const secrets = clientSecrets(store);
  const planned: PlannedEntry[] = [];
  const faults: string[] = [];
  for (const registration of registrations) {
    const item = items.get(directoryKey.client(registration.client_id));
    try {
      planned.push(await planClient(secrets, registration, item));
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      faults.push(error.message);
    }
  }
  if (faults.length > 0) throw new DirectoryConflict(faults.join('\n'));
  return planned;
}

async function planClient(
  secrets: ClientSecrets,
  registration: ClientRegistration,
  item: Item | undefined,
): Promise<PlannedEntry> {
  const before = item && storedClient.parse(item);
  const { client_secret: _notStored, ...metadata } = registration;
  const secret = await secrets.next(registration, before);
  const members = storedClient.parse({ ...metadata, ...secret.stored });
  const changes = [
    ...changesOf(clientMembers, before, members),
    ...describeSecret(secret.change, before !== undefined),
  ];
  return {
    kind: 'client',
    id: registration.client_id,
    action: item === undefined ? 'add' : changes.length > 0 ? 'change' : 'keep',
    changes,
    version: item && versioned.parse(item).version,
    members,
    dropped: Object.keys(item ?? {}).filter(
      (member) => storedMembers.includes(member) && !(member in members),
    ),
    claims: [],
    givenUp: [],
    waitsFor: [],
    generatedSecret: secret.generated,
  };
}

function describeSecret(change: SecretChange, isStored: boolean): MemberChange[] {
  const notes: Record<SecretChange, string | undefined> = {
    kept: undefined,
    generated: 'is generated',
    set: isStored ? 'changes' : 'is set',
    'wrapped anew': 'is wrapped with the newest key',
    removed: 'is removed',
  };
  const note = notes[change];
  return note === undefined ? [] : [{ member: 'client_secret', note }];
}
