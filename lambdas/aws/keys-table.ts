/**
 * The table of keys: private signing keys, link keys and wrapping keys, each kind an item of its
 * own, so that a role can be given one kind and not the others. Whoever may only use a key never
 * writes here.
 */
import {
  createHmac,
  createPrivateKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { SigningAlgorithm } from '../ciba/client/client.ts';
import { orderLinkKeys, type SecretKey, secretKey } from '../ciba/keys/key-rotation.ts';
import {
  currentSigningKey,
  KEYS_REMEMBERED_SECONDS,
  signingKey,
} from '../ciba/keys/signing-keys.ts';
import { nameOfUser } from '../ciba/policy/asked-users.ts';
import {
  type AddresseeNames,
  type Clock,
  type KeyStore,
  type LinkKeys,
  type TokenSigner,
  Unavailable,
  type WrappingKeys,
} from '../ports.ts';
import { publicKeysItem } from './directory-table.ts';
import { type DynamoTable, dynamoTable, putVersion } from './dynamo-table.ts';
import { directoryKey, keyItem, partitionKey } from './formats.ts';
import { unwrapSecret, type WrappingKey } from './wrapped-secret.ts';

const signingKeysItem = z.object({ version: z.number(), keys: z.array(signingKey) });

/** The newest first. */
const secretKeysItem = z.object({ version: z.number(), keys: z.array(secretKey) });

/** Beside the keys when each leaves, by its `kid`: a public key has no member for it. */
export const publishedKeysItem = z.extend(publicKeysItem, {
  keptUntil: z._default(z.record(z.string(), z.number()), {}),
});

/**
 * Keeps what `load` found for {@link KEYS_REMEMBERED_SECONDS}, and loads once for callers at once;
 * a fault is not kept.
 */
function cached<Value>(clock: Clock, load: () => Promise<Value>): () => Promise<Value> {
  let kept: { value: Promise<Value>; loadedAt: number } | undefined;
  return async () => {
    const now = clock();
    if (!kept || now - kept.loadedAt >= KEYS_REMEMBERED_SECONDS) {
      const loading = { value: load(), loadedAt: now };
      kept = loading;
      loading.value.catch(() => {
        if (kept === loading) kept = undefined;
      });
    }
    return kept.value;
  };
}

function keysMissing(): Error {
  return new Unavailable('no key');
}

interface LoadedKey {
  kid: string;
  key: KeyObject;
}

/**
 * RFC 7518, 3.1: how node:crypto is told the algorithm. JWS wants ECDSA's r and s side by side (RFC
 * 7518, 3.4).
 */
const signatures: Record<SigningAlgorithm, (data: Buffer, key: KeyObject) => Buffer> = {
  ES256: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  RS256: (data, key) => sign('sha256', data, key),
};

/**
 * Signs with the keys of the table. Synchronous node:crypto costs a third of WebCrypto here, and a
 * function answers one request at a time, so there is nothing to do meanwhile.
 */
export function tokenSigner(dynamo: DynamoDBClient, tableName: string, clock: Clock): TokenSigner {
  const table = dynamoTable(dynamo, tableName, partitionKey.keys);
  const currentKeys: Record<SigningAlgorithm, () => Promise<LoadedKey>> = {
    ES256: cached(clock, () => loadSigningKey(table, 'ES256', clock())),
    RS256: cached(clock, () => loadSigningKey(table, 'RS256', clock())),
  };
  return {
    async sign(alg, typ, claims) {
      const { kid, key } = await currentKeys[alg]();
      const input = `${encode({ typ, alg, kid })}.${encode(claims)}`;
      return `${input}.${signatures[alg](Buffer.from(input), key).toString('base64url')}`;
    },
  };
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

async function loadSigningKey(
  table: DynamoTable,
  alg: SigningAlgorithm,
  now: number,
): Promise<LoadedKey> {
  const item = await table.read(keyItem[alg]);
  const current = item && currentSigningKey(signingKeysItem.parse(item).keys, now);
  if (!current) throw keysMissing();
  return { kid: current.kid, key: createPrivateKey({ key: current.jwk, format: 'jwk' }) };
}

/**
 * The link keys of the table. One that waits makes links when its time has come, and is honoured
 * before.
 */
export function linkKeys(dynamo: DynamoDBClient, tableName: string, clock: Clock): LinkKeys {
  const table = dynamoTable(dynamo, tableName, partitionKey.keys);
  const load = cached(clock, async () => {
    const item = await table.read(keyItem.link);
    return item ? secretKeysItem.parse(item).keys : [];
  });
  return {
    async linkKeys() {
      const [first, ...others] = orderLinkKeys(await load(), clock()).map(toKeyObject);
      if (!first) throw keysMissing();
      return [first, ...others];
    },
  };
}

function toKeyObject({ secret }: { secret: string }): KeyObject {
  return createSecretKey(Buffer.from(secret, 'base64url'));
}

/** How long an unknown wrapping key is not asked for again, in seconds. */
const UNKNOWN_KEY_SECONDS = 10;

/**
 * The wrapping keys of the table: what the functions prove secrets with, and what the operator
 * stores them with.
 */
export function wrappingKeys(
  dynamo: DynamoDBClient,
  tableName: string,
  clock: Clock,
): WrappingKeys & {
  /** The key that secrets are stored with from now on. */
  wrappingKey(): Promise<WrappingKey>;
} {
  const table = dynamoTable(dynamo, tableName, partitionKey.keys);
  const load = async () => {
    const item = await table.read(keyItem.wrap);
    const keys = item ? secretKeysItem.parse(item).keys : [];
    return { keys: keys.map(loadWrappingKey), at: clock() };
  };
  let kept: Awaited<ReturnType<typeof load>> | undefined;
  const keysNotOlderThan = async (seconds: number) => {
    if (!kept || clock() - kept.at >= seconds) kept = await load();
    return kept.keys;
  };
  return {
    async unwrap(clientId, wrapped) {
      for (const age of [KEYS_REMEMBERED_SECONDS, UNKNOWN_KEY_SECONDS]) {
        const secret = unwrapSecret(await keysNotOlderThan(age), clientId, wrapped);
        if (secret !== undefined) return secret;
      }
      throw keysMissing();
    },
    async macKeys(kids) {
      for (const age of [KEYS_REMEMBERED_SECONDS, UNKNOWN_KEY_SECONDS]) {
        const keys = await keysNotOlderThan(age);
        const found = kids.flatMap(
          (kid) => keys.find((one) => kid === undefined || one.kid === kid) ?? [],
        );
        if (found.length === kids.length) return found.map(({ macKey }) => macKey);
      }
      throw keysMissing();
    },
    async wrappingKey() {
      const [newest] = await keysNotOlderThan(0);
      if (!newest) throw keysMissing();
      return newest;
    },
  };
}

function loadWrappingKey(stored: SecretKey) {
  const { kid } = stored;
  const key = toKeyObject(stored);
  // A key of its own, so that no two algorithms share one.
  const macKey = new Uint8Array(hkdfSync('sha256', key, '', 'client secrets', 32));
  return { kid, key, macKey: { kid, key: macKey } };
}

/**
 * Names under the oldest wrapping key of the table, which is never removed: an HMAC, so that who
 * reads the counters of the notifications and not the keys cannot try out addresses.
 */
export function addresseeNames(
  dynamo: DynamoDBClient,
  tableName: string,
  clock: Clock,
): AddresseeNames {
  const table = dynamoTable(dynamo, tableName, partitionKey.keys);
  const load = cached(clock, async () => {
    const item = await table.read(keyItem.wrap);
    const oldest = item && secretKeysItem.parse(item).keys.at(-1);
    if (!oldest) throw keysMissing();
    // A key of its own, so that no two algorithms share one.
    return Buffer.from(hkdfSync('sha256', toKeyObject(oldest), '', 'names of addressees', 32));
  });
  return {
    async nameOf(addressee) {
      // Read for users too, whose names need none: a known and an unknown hint cost the same.
      const key = await load();
      if ('sub' in addressee) return nameOfUser(addressee.sub);
      return createHmac('sha256', key).update(`hint|${addressee.hint}`).digest('base64url');
    },
  };
}

/** The keys for the one function that makes them. */
export function keyStore(
  dynamo: DynamoDBClient,
  keysTable: string,
  directoryTable: string,
): KeyStore {
  const keys = dynamoTable(dynamo, keysTable, partitionKey.keys);
  const directory = dynamoTable(dynamo, directoryTable, partitionKey.directory);
  return {
    async signingKeys(alg) {
      const item = await keys.read(keyItem[alg]);
      return item ? signingKeysItem.parse(item) : { keys: [], version: 0 };
    },

    saveSigningKeys: (alg, signingKeys, version) =>
      putVersion(keys, partitionKey.keys, { pk: keyItem[alg], keys: signingKeys }, version),

    async secretKeys(kind) {
      const item = await keys.read(keyItem[kind]);
      return item ? secretKeysItem.parse(item) : { keys: [], version: 0 };
    },

    saveSecretKeys: (kind, secretKeys, version) =>
      putVersion(keys, partitionKey.keys, { pk: keyItem[kind], keys: secretKeys }, version),

    async publishedKeys() {
      const item = await directory.read(directoryKey.publicKeys);
      if (!item) return { keys: [], version: 0 };
      const { keys: jwks, keptUntil, version } = publishedKeysItem.parse(item);
      return { keys: jwks.map((jwk) => ({ jwk, keptUntil: keptUntil[jwk.kid] })), version };
    },

    savePublishedKeys(published, version) {
      const jwks = published.map(({ jwk }) => jwk);
      const keptUntil = Object.fromEntries(
        published.map(({ jwk, keptUntil }) => [jwk.kid, keptUntil]),
      );
      return putVersion(
        directory,
        partitionKey.directory,
        { pk: directoryKey.publicKeys, keys: jwks, keptUntil },
        version,
      );
    },
  };
}
