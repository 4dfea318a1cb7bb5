/**
 * The registered clients of a deployment, as an operator is shown them, and the rotation of their
 * secrets.
 */

import * as z from 'zod/mini';
import { CLIENT_CACHE_SECONDS } from '../../../lambdas/aws/directory-table.ts';
import type { Item } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { type Client, storedClient } from '../../../lambdas/ciba/client/client.ts';
import { logoPath } from '../../../lambdas/routes.ts';
import { conflict, usageError } from '../terminal/operator-error.ts';
import { showTime } from '../terminal/show-time.ts';
import { UnknownOutcome, writeEntry } from './carry-out-plan.ts';
import { clientSecrets, generateSecret, hasSecret, secretOf } from './client-secrets.ts';
import { type DirectoryStore, directoryTable, scanItems } from './directory-items.ts';
import { clientMembers, versioned } from './plan-clients.ts';
import { clientRegistration } from './registration/client-registration.ts';

/** A client without its secrets. */
export interface ShownClient {
  /**
   * Its metadata, under the registered names; the `logo_uri` is the path of the logo below the
   * issuer.
   */
  members: Item;
  /** Whether a secret is stored. */
  secret: 'set' | 'none';
  /** When the secret before the present one ends, or ended, if there is one. */
  retiringUntil: number | undefined;
  /** What was approved before then is revoked. */
  tokensNotBefore: number | undefined;
  version: number;
}

/** Every client, by id. */
export async function listClients(store: DirectoryStore): Promise<ShownClient[]> {
  const clients: ShownClient[] = [];
  for await (const item of scanItems(store, { kind: 'client' })) clients.push(showClient(item));
  return clients.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
}

function idOf({ members }: ShownClient): string {
  return String(members['client_id']);
}

/** One client, if there is one of this id. */
export async function findClient(
  store: DirectoryStore,
  clientId: string,
): Promise<ShownClient | undefined> {
  const item = await directoryTable(store).read(directoryKey.client(clientId));
  return item && showClient(item);
}

function showClient(item: Item): ShownClient {
  const client = storedClient.parse(item);
  const { client_id, logo_hash: hash } = client;
  return {
    members: { ...metadataOf(client), ...(hash && { logo_uri: logoPath(client_id, hash) }) },
    secret: hasSecret(client) ? 'set' : 'none',
    retiringUntil: client.retiring_secret?.until,
    tokensNotBefore: client.tokens_not_before,
    version: versioned.parse(item).version,
  };
}

function metadataOf(client: Client): Item {
  return Object.fromEntries(
    Object.entries(client).filter(
      ([member, value]) => value !== undefined && clientMembers.includes(member),
    ),
  );
}

/** How long a secret that is replaced may stay valid, in seconds: up to thirty days. */
export const KEEP_SECONDS = { default: 86_400, min: 0, max: 30 * 86_400 } as const;

/** Functions remember a client, and what authenticates it, for so long; in seconds. */
export const REMEMBERED_SECONDS = CLIENT_CACHE_SECONDS;

/**
 * From when on every function refuses a secret that is replaced now. Its end is judged from the
 * registration itself, also where that is remembered; one that comes sooner than a registration of
 * before is forgotten is only as sure as that.
 */
export function refusedFrom(retiringUntil: number, now: number): number {
  return Math.max(retiringUntil, Math.floor(now) + REMEMBERED_SECONDS);
}

export interface SecretRotation {
  /** How long the present secret stays valid beside the new one, in seconds. */
  keepSeconds: number;
  /** @default one is generated */
  secret?: string | undefined;
  /** Whether a secret that is still being retired may be dropped. */
  force: boolean;
}

export interface RotatedSecret {
  /** The new secret, if it was generated; this is the only time it is seen. */
  generated: string | undefined;
  /** Until when the one before is valid. */
  retiringUntil: number;
  /**
   * The connection broke before the table answered: whether the new secret is stored is not known.
   */
  fault?: unknown;
}

/**
 * Gives a client another secret and keeps the present one valid for a while, on the condition that
 * nobody changes the client meanwhile.
 * @returns `undefined` if there is no such client
 * @throws OperatorError for a secret that cannot be one; or, as a conflict, for a client without
 * secrets, for one whose former secret is still valid, or if somebody else changed the client at
 * the same moment; nothing is written then
 */
export async function rotateSecret(
  store: DirectoryStore,
  clientId: string,
  { keepSeconds, secret: given, force }: SecretRotation,
): Promise<RotatedSecret | undefined> {
  const table = directoryTable(store);
  const item = await table.read(directoryKey.client(clientId));
  if (!item) return undefined;
  const client = storedClient.parse(item);
  const now = store.clock();
  assertRotatable(client, now, force);
  const secrets = clientSecrets(store);
  if (given !== undefined) {
    assertSecret(client, given);
    if (await secrets.matches(clientId, given, client)) {
      throw conflict(`client ${clientId}: has this secret already`);
    }
  }
  const secret = given ?? generateSecret();
  const stored = await secrets.store(client, secret);
  const retiringUntil = Math.floor(now) + keepSeconds;
  const { version } = versioned.parse(item);
  const before = await secrets.strengthen(clientId, client);
  const members = { ...stored, retiring_secret: { ...before, until: retiringUntil } };
  // What is stored of the present secret leaves its place whatever form it has: else it would be
  // valid for good.
  const dropped = Object.keys(secretOf(client)).filter((member) => !(member in stored));
  const rotated = { generated: given === undefined ? secret : undefined, retiringUntil };
  try {
    await writeEntry(table, { kind: 'client', id: clientId, version, members, dropped }, now);
    return rotated;
  } catch (fault) {
    if (fault instanceof UnknownOutcome) return { ...rotated, fault };
    throw fault;
  }
}

function assertRotatable(
  { client_id, token_endpoint_auth_method: method, retiring_secret: retiring }: Client,
  now: number,
  force: boolean,
): void {
  if (method === 'private_key_jwt') {
    throw conflict(
      `client ${client_id}: authenticates with keys (private_key_jwt) and has no secret; its keys are changed by ciba apply`,
    );
  }
  if (force || !retiring || retiring.until <= now) return;
  throw conflict(
    `client ${client_id}: the secret before the present one is still valid, until ${showTime(retiring.until)}; --force ends it at once and retires the present one`,
  );
}

/** The rule of the registration, of which the length depends on the algorithm. */
function assertSecret(client: Client, secret: string): void {
  const parsed = z.safeParse(clientRegistration, { ...metadataOf(client), client_secret: secret });
  const fault = parsed.error?.issues.find(({ path }) => path[0] === 'client_secret');
  if (fault) throw usageError(`client_secret: ${fault.message}`);
}
