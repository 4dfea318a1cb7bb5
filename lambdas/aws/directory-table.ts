/**
 * The directory in DynamoDB: clients and their logos, users, the logins that lead to users, and the
 * public keys, each by its own key. The names of the keys are part of the format that the
 * operator's side writes.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { type Client, storedClient } from '../ciba/client/client.ts';
import { type PublicJwk, publicJwk } from '../ciba/keys/signing-keys.ts';
import { logins } from '../ciba/user/login.ts';
import { storedUser } from '../ciba/user/user.ts';
import {
  type ClientDirectory,
  type Clock,
  type PublicKeys,
  Unavailable,
  type UndeliverableAddresses,
  type UserDirectory,
} from '../ports.ts';
import { dynamoTable } from './dynamo-table.ts';
import { directoryKey, partitionKey } from './formats.ts';

/** A subject that nobody has. */
const NOBODY = '';

/** The item that leads from a login to its user. */
export const loginItem = z.object({ sub: z.string() });

/** The published keys; the version makes sure that no two writers overwrite each other. */
export const publicKeysItem = z.object({ version: z.number(), keys: z.array(publicJwk) });

/** How long a client may be answered from memory, in seconds. */
export const CLIENT_CACHE_SECONDS = 10;

/** More clients than one environment will meet in ten seconds; beyond it the memory starts anew. */
const CACHED_CLIENTS = 1000;

/** The clients in the table. Unknown ones are not remembered, so that guessing fills no memory. */
export function clientDirectory(
  dynamo: DynamoDBClient,
  tableName: string,
  clock: Clock,
): ClientDirectory {
  const table = dynamoTable(dynamo, tableName, partitionKey.directory);
  const cache = new Map<string, { client: Client; readAt: number }>();
  const read = async (clientId: string) => {
    const readAt = clock();
    const item = await table.read(directoryKey.client(clientId));
    if (!item) {
      cache.delete(clientId);
      return undefined;
    }
    const client = storedClient.parse(item);
    if (cache.size >= CACHED_CLIENTS) cache.clear();
    cache.set(clientId, { client, readAt });
    return client;
  };
  const unlessRead = async (clientId: string, isRecent: (readAt: number) => boolean) => {
    const cached = cache.get(clientId);
    return cached && isRecent(cached.readAt) ? cached.client : read(clientId);
  };
  return {
    async findClient(clientId, freshness) {
      const now = clock();
      return freshness === 'consistent'
        ? read(clientId)
        : unlessRead(clientId, (readAt) => now - readAt < CLIENT_CACHE_SECONDS);
    },
    findClientSince: (clientId, since) => unlessRead(clientId, (readAt) => readAt >= since),
  };
}

/** The users in the table; every read is consistent. */
export function userDirectory(dynamo: DynamoDBClient, tableName: string): UserDirectory {
  const table = dynamoTable(dynamo, tableName, partitionKey.directory);
  const findUser: UserDirectory['findUser'] = async (sub) => {
    const item = await table.read(directoryKey.user(sub));
    return item && storedUser.parse(item);
  };
  return {
    findUser,
    async findUserByLogin(login) {
      const item = await table.read(directoryKey.login(login));
      // A login that leads to nobody costs a second read as well, so that its time does not tell.
      const user = await findUser(item ? loginItem.parse(item).sub : NOBODY);
      // A login that the user has given up may still lead here for a moment.
      return user && logins(user).includes(login) ? user : undefined;
    },
  };
}

/** A user's item as it was read: every change raises the version. */
const versionedUser = z.extend(storedUser, { version: z.number() });

/** As often as others may change the user in the same moment. */
const NOTING_ATTEMPTS = 8;

/**
 * What is noted of users' addresses, on the items of the users. The condition names the version
 * alone, which stands for all that was read: the function's rights reach no attribute but that and
 * the note.
 */
export function undeliverableAddresses(
  dynamo: DynamoDBClient,
  tableName: string,
): UndeliverableAddresses {
  const table = dynamoTable(dynamo, tableName, partitionKey.directory);
  return {
    async noteUndeliverable({ sub, contactVersion }, cause, now) {
      const key = directoryKey.user(sub);
      for (let attempt = 0; attempt < NOTING_ATTEMPTS; attempt += 1) {
        const item = await table.read(key);
        if (item === undefined) return false;
        const { email, contact_version, undeliverable, version } = versionedUser.parse(item);
        const isReached = email !== undefined && contact_version === contactVersion;
        if (!isReached || undeliverable?.email === email) return false;
        const noted = await table.update(key, {
          // An operator who is changing the user at this moment sees it.
          update: 'SET #undeliverable = :undeliverable, #version = :next',
          condition: '#version = :version',
          values: {
            ':undeliverable': { email, cause, at: now },
            ':version': version,
            ':next': version + 1,
          },
        });
        if (noted.written) return true;
      }
      throw new Unavailable('the user is being changed');
    },
  };
}

/** The published keys in the table. */
export function publicKeys(dynamo: DynamoDBClient, tableName: string): PublicKeys {
  const table = dynamoTable(dynamo, tableName, partitionKey.directory);
  return {
    async publicKeys(): Promise<PublicJwk[]> {
      const item = await table.read(directoryKey.publicKeys);
      return item ? publicKeysItem.parse(item).keys : [];
    },
  };
}
