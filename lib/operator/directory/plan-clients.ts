/**
 * What applying would do with clients: their metadata as it is registered, what is stored of their
 * secrets, and their logos.
 */

import * as z from 'zod/mini';
import { logoItem } from '../../../lambdas/aws/client-logos-table.ts';
import type { Item } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { type Client, storedClient } from '../../../lambdas/ciba/client/client.ts';
import { logoPath } from '../../../lambdas/routes.ts';
import type { Logo } from '../images/encode-logo.ts';
import { conflict, OperatorError } from '../terminal/operator-error.ts';
import { encodeLogos } from './client-logos.ts';
import { type ClientSecrets, clientSecrets, type SecretChange } from './client-secrets.ts';
import { type DirectoryStore, readItems } from './directory-items.ts';
import { changesOf, type MemberChange, type PlannedEntry } from './plan.ts';
import type { ClientRegistration } from './registration/client-registration.ts';

/** The members of a stored client that nobody is shown. */
export const secretMembers = [
  'client_secret_mac',
  'client_secret_hash',
  'client_secret_wrapped',
  'retiring_secret',
];

/** What the operator wrote by a command of its own: applying a file leaves it as it is. */
export const REVOCATION_MEMBER = 'tokens_not_before';

const storedMembers = Object.keys(storedClient.shape).filter(
  (member) => member !== REVOCATION_MEMBER,
);

/** The members of a stored client that are as they were registered. */
export const clientMembers = storedMembers.filter(
  (member) => !secretMembers.includes(member) && member !== 'logo_hash',
);

/** The version that makes sure that no two writers overwrite each other. */
export const versioned = z.object({ version: z.number() });

/**
 * Plans the clients of a directory.
 * @throws OperatorError with a line for each logo that cannot be drawn; as a conflict with a line
 * for each client that cannot be applied
 */
export async function planClients(
  store: DirectoryStore,
  registrations: readonly ClientRegistration[],
): Promise<PlannedEntry[]> {
  const logos = await encodeLogos(registrations);
  const ids = registrations.map(({ client_id }) => client_id);
  const logoKeys = [...logos.keys()].map(directoryKey.logo);
  const items = await readItems(store, [...ids.map(directoryKey.client), ...logoKeys]);
  const secrets = clientSecrets(store);
  const planned: PlannedEntry[] = [];
  const faults: string[] = [];
  for (const registration of registrations) {
    const { client_id } = registration;
    const item = items.get(directoryKey.client(client_id));
    const logo = { wanted: logos.get(client_id), item: items.get(directoryKey.logo(client_id)) };
    try {
      planned.push(await planClient(secrets, registration, item, logo));
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      faults.push(error.message);
    }
  }
  if (faults.length > 0) throw conflict(faults.join('\n'));
  return planned;
}

/** The logo that a client is to have, and what the table has for it. */
interface PlannedLogo {
  wanted: Logo | undefined;
  item: Item | undefined;
}

async function planClient(
  secrets: ClientSecrets,
  registration: ClientRegistration,
  item: Item | undefined,
  logo: PlannedLogo,
): Promise<PlannedEntry> {
  const before = item && storedClient.parse(item);
  const { client_secret: _notStored, logo_uri: _storedApart, ...metadata } = registration;
  const secret = await secrets.next(registration, before);
  const members = storedClient.parse({
    ...metadata,
    ...secret.stored,
    ...(logo.wanted && { logo_hash: logo.wanted.hash }),
  });
  const logoChanges = describeLogo(members, before?.logo_hash, logo);
  const changes = [
    ...changesOf(clientMembers, before, members),
    ...logoChanges,
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
    logo: logoChanges.length > 0 ? { before: before?.logo_hash, after: logo.wanted } : undefined,
  };
}

/**
 * A logo is told by where it is served. One that the client has and the table has not is stored
 * again.
 */
function describeLogo(
  { client_id, logo_hash: after }: Client,
  before: string | undefined,
  { item }: PlannedLogo,
): MemberChange[] {
  const stored = item && logoItem.parse(item).hash;
  if (before === after && stored === after) return [];
  const isServed = before !== undefined && before !== after;
  return [
    {
      member: 'logo_uri',
      ...(isServed && { before: logoPath(client_id, before) }),
      ...(after !== undefined && { after: logoPath(client_id, after) }),
    },
  ];
}

function describeSecret(change: SecretChange, isStored: boolean): MemberChange[] {
  const notes: Record<SecretChange, string | undefined> = {
    kept: undefined,
    generated: 'is generated',
    set: isStored ? 'changes' : 'is set',
    'stored anew': 'is stored under the newest key',
    'wrapped anew': 'is wrapped with the newest key',
    removed: 'is removed',
  };
  const note = notes[change];
  return note === undefined ? [] : [{ member: 'client_secret', note }];
}
