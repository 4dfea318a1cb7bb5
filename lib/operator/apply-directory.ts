/**
 * Writes a directory into the deployment's table: clients with hashed or wrapped secrets, users with the logins that lead to them.
 * Applying the same directory twice changes nothing.
 */
import { type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { directoryKey, loginItem } from '../../lambdas/aws/directory-table.ts';
import { type DynamoTable, dynamoTable, type Item } from '../../lambdas/aws/dynamo-table.ts';
import { type Client, storedClient } from '../../lambdas/ciba/client.ts';
import type { ClientRegistration } from '../../lambdas/ciba/client-registration.ts';
import { type Directory, logins } from '../../lambdas/ciba/directory.ts';
import { normaliseEmail, normaliseUsername } from '../../lambdas/ciba/login.ts';
import { storedUser, type User } from '../../lambdas/ciba/user.ts';
import type { UserRegistration } from '../../lambdas/ciba/user-registration.ts';
import { type ClientSecrets, clientSecrets } from './client-secrets.ts';
import { DirectoryError } from './directory-file.ts';

interface DirectoryToApply {
  client: DynamoDBClient;
  tableName: string;
  /** The table of keys, with which the secrets of `client_secret_jwt` clients are wrapped; only those need it. */
  keysTableName: string | undefined;
  directory: Directory;
  /** Whether clients and users that the directory does not name are removed. */
  prune: boolean;
}

/** A secret that was made because the directory gave none; this is the only time it is seen. */
interface GeneratedSecret {
  client_id: string;
  client_secret: string;
}

/**
 * Applies a directory. Each entry is written on the condition that nobody changed it since it was read; entries that
 * are equal already are not written. A fault leaves the entries before it applied, and applying again goes on.
 * @throws DirectoryError if a login belongs to another user, or somebody else is changing the same entry
 */
export async function applyDirectory(
  options: DirectoryToApply,
): Promise<{ generatedSecrets: GeneratedSecret[] }> {
  const { client, tableName, keysTableName, directory, prune } = options;
  const table = dynamoTable(client, tableName, 'pk');
  const secrets = clientSecrets(client, keysTableName);
  if (prune) await removeOthers(options, table);
  const generatedSecrets: GeneratedSecret[] = [];
  for (const registration of directory.clients) {
    const generated = await applyClient({ table, secrets }, registration);
    if (generated) generatedSecrets.push(generated);
  }
  for (const registration of directory.users) await applyUser(table, registration);
  return { generatedSecrets };
}

interface Stores {
  table: DynamoTable;
  secrets: ClientSecrets;
}

const versioned = z.object({ version: z.number() });

/** Puts an entry unless it is stored already exactly so, on the condition that nobody changed it meanwhile. */
async function putEntry(
  table: DynamoTable,
  key: string,
  entry: Item,
  stored: Item | undefined,
): Promise<void> {
  const version = stored ? versioned.parse(stored).version : 0;
  const next = { pk: key, version: version + 1, ...entry };
  if (stored && isEqual({ ...next, version }, stored)) return;
  const written = await table.put(
    next,
    stored
      ? { condition: '#version = :version', values: { ':version': version } }
      : { condition: 'attribute_not_exists(#pk)' },
  );
  if (!written) throw new DirectoryError(`${key}: was changed by somebody else; apply again`);
}

function isEqual(one: Item, other: Item): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(item: Item): [string, unknown][] {
  return Object.entries(item)
    .filter(([, value]) => value !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

async function applyClient(
  { table, secrets }: Stores,
  registration: ClientRegistration,
): Promise<GeneratedSecret | undefined> {
  const key = directoryKey.client(registration.client_id);
  const stored = await table.read(key);
  const before = stored && storedClient.parse(stored);
  const { client_secret: _notStored, ...metadata } = registration;
  const { generated, ...secret } = await secrets.next(registration, before);
  const client: Client = storedClient.parse({
    ...metadata,
    ...secret,
    ...(before?.retiring_secret && { retiring_secret: before.retiring_secret }),
  });
  await putEntry(table, key, client, stored);
  return generated === undefined
    ? undefined
    : { client_id: registration.client_id, client_secret: generated };
}

/**
 * The logins are claimed before the user's item names them and given up after it no longer does, so that at every
 * moment each of the user's logins leads to the user.
 */
async function applyUser(table: DynamoTable, registration: UserRegistration): Promise<void> {
  const key = directoryKey.user(registration.sub);
  const stored = await table.read(key);
  const before = stored && storedUser.parse(stored);
  const user = nextUser(registration, before);
  for (const login of logins(user)) await claimLogin(table, login, user.sub);
  await putEntry(table, key, user, stored);
  if (before) {
    const kept = logins(user);
    for (const login of logins(before))
      if (!kept.includes(login)) await giveUpLogin(table, login, user.sub);
  }
}

function nextUser(registration: UserRegistration, before: User | undefined): User {
  const email = registration.email === undefined ? undefined : normaliseEmail(registration.email);
  const sameContact =
    before?.email === email && before?.email_verified === registration.email_verified;
  // What is noted of an address is true of it until the operator says otherwise, and of no other one.
  const undeliverable = before?.undeliverable?.email === email ? before?.undeliverable : undefined;
  return storedUser.parse({
    ...registration,
    ...(undeliverable && { undeliverable }),
    username: normaliseUsername(registration.username),
    ...(email !== undefined && { email }),
    contact_version: before && sameContact ? before.contact_version : nextContactVersion(before),
  });
}

/** Never one that an earlier user of the same subject had: a removed user who comes back has another. */
function nextContactVersion(before: User | undefined): number {
  return Math.max(Date.now(), (before?.contact_version ?? 0) + 1);
}

async function claimLogin(table: DynamoTable, login: string, sub: string): Promise<void> {
  const key = directoryKey.login(login);
  const item = { pk: key, sub };
  const claimed = await table.put(item, {
    condition: 'attribute_not_exists(#pk) OR #sub = :sub',
    values: { ':sub': sub },
  });
  if (claimed) return;
  const holder = loginItem.parse((await table.read(key)) ?? item).sub;
  const other = await table.read(directoryKey.user(holder));
  const isStale = !other || !logins(storedUser.parse(other)).includes(login);
  const taken =
    isStale &&
    (await table.put(item, { condition: '#sub = :holder', values: { ':holder': holder } }));
  if (!taken) throw new DirectoryError(`user ${sub}: ${login} belongs to user ${holder}`);
}

async function giveUpLogin(table: DynamoTable, login: string, sub: string): Promise<void> {
  await table.remove(directoryKey.login(login), {
    condition: '#sub = :sub',
    values: { ':sub': sub },
  });
}

/** Removes the clients and users that the directory does not name. */
async function removeOthers(
  { client, tableName, directory }: DirectoryToApply,
  table: DynamoTable,
): Promise<void> {
  const kept = new Set([
    ...directory.clients.map(({ client_id }) => directoryKey.client(client_id)),
    ...directory.users.map(({ sub }) => directoryKey.user(sub)),
  ]);
  for await (const item of entries(client, tableName)) {
    if (kept.has(item.pk)) continue;
    await table.remove(item.pk, { condition: 'attribute_exists(#pk)' });
    const user = storedUser.safeParse(item);
    if (user.success)
      for (const login of logins(user.data)) await giveUpLogin(table, login, user.data.sub);
  }
}

const entry = z.looseObject({ pk: z.string() });

/** Every client and user of the table. */
async function* entries(
  client: DynamoDBClient,
  tableName: string,
): AsyncGenerator<z.output<typeof entry>> {
  const prefixes = [directoryKey.client(''), directoryKey.user('')];
  for await (const page of paginateScan(
    { client },
    { TableName: tableName, ConsistentRead: true },
  )) {
    for (const item of page.Items ?? []) {
      const found = entry.parse(unmarshall(item));
      if (prefixes.some((prefix) => found.pk.startsWith(prefix))) yield found;
    }
  }
}
