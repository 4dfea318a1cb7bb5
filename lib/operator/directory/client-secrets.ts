/**
 * What is stored of client secrets, always under a key of the deployment: an HMAC, or for
 * `client_secret_jwt` clients the secret itself, wrapped, because an HMAC of it verifies no
 * signature (OpenID Connect Core 9).
 */

import { randomBytes } from 'node:crypto';
import { wrappingKeys } from '../../../lambdas/aws/keys-table.ts';
import {
  WRAP_IV_BYTES,
  type WrappingKey,
  wrappedWith,
  wrapSecret,
} from '../../../lambdas/aws/wrapped-secret.ts';
import type {
  Client,
  ClientAuthenticationMethod,
  StoredSecret,
} from '../../../lambdas/ciba/client/client.ts';
import { type MacKey, macKeyId, macSecretHash } from '../../../lambdas/ciba/client/secret-mac.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import type { WrappingKeys } from '../../../lambdas/ports.ts';
import { retryThrottled } from '../deployment/retry-throttled.ts';
import { conflict, usageError } from '../terminal/operator-error.ts';
import { showTime } from '../terminal/show-time.ts';
import type { DirectoryStore } from './directory-items.ts';
import type { ClientRegistration } from './registration/client-registration.ts';

/**
 * What becomes of a client's secret; `kept` is also said of a client that has none and had none.
 */
export type SecretChange =
  | 'kept'
  | 'generated'
  | 'set'
  | 'stored anew'
  | 'wrapped anew'
  | 'removed';

/** What is stored of a client's secrets from now on. */
export interface NextSecret {
  stored: StoredSecret & Pick<Client, 'retiring_secret'>;
  change: SecretChange;
  /** A secret that was made because there was none; this is the only time it is seen. */
  generated?: string | undefined;
}

export interface ClientSecrets {
  /**
   * The stored form of the secret a registration gives, else of the one that is stored, else of a
   * new one.
   * @throws OperatorError if the registration gives the secret that is being retired
   */
  next(registration: ClientRegistration, before: Client | undefined): Promise<NextSecret>;
  /** The stored form of a secret for a client that authenticates with one. */
  store(
    client: Pick<Client, 'client_id' | 'token_endpoint_auth_method'>,
    secret: string,
  ): Promise<StoredSecret>;
  /** Whether this is the secret that is stored. */
  matches(clientId: string, secret: string, stored: StoredSecret): Promise<boolean>;
  /** The same secret, an older form of it brought under the newest key. */
  strengthen(clientId: string, stored: StoredSecret): Promise<StoredSecret>;
}

/** Random bytes of a generated secret: 64 characters, enough for HS512 (RFC 7518, 3.2). */
const SECRET_BYTES = 48;

/** A secret of 384 random bits. */
export function generateSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * Stores secrets with the wrapping keys of the deployment, which are read once.
 * @throws OperatorError from every method that needs a key where there is no table of keys
 */
export function clientSecrets(store: DirectoryStore): ClientSecrets {
  const keys = keysOf(store);
  const secrets: ClientSecrets = {
    async next(registration, before) {
      const { client_secret: given, token_endpoint_auth_method: method } = registration;
      if (method === 'private_key_jwt') {
        return { stored: {}, change: before && hasSecret(before) ? 'removed' : 'kept' };
      }
      const known = before && isOfForm(method, before) ? before : undefined;
      if (given !== undefined && known) await assertNotRetiring(secrets, given, known);
      const next = await nextSecret(secrets, keys, registration, known);
      const retiring = known?.retiring_secret;
      if (!retiring) return next;
      const { until } = retiring;
      const kept = await secrets.strengthen(registration.client_id, retiring);
      return { ...next, stored: { ...next.stored, retiring_secret: { ...kept, until } } };
    },

    async store({ client_id, token_endpoint_auth_method: method }, secret) {
      if (method !== 'client_secret_jwt') {
        const key = await keys(client_id).macKey();
        return { client_secret_mac: macSecretHash(key, client_id, hashSecret(secret)) };
      }
      const key = await keys(client_id).wrappingKey();
      const iv = randomBytes(WRAP_IV_BYTES);
      return { client_secret_wrapped: wrapSecret(key, client_id, secret, iv) };
    },

    async matches(clientId, secret, stored) {
      const { client_secret_mac: mac, client_secret_wrapped: wrapped } = stored;
      if (wrapped !== undefined) return (await keys(clientId).unwrap(clientId, wrapped)) === secret;
      const hash = hashSecret(secret);
      if (mac === undefined) return stored.client_secret_hash === hash;
      const key = await keys(clientId).macKey(macKeyId(mac));
      return macSecretHash(key, clientId, hash) === mac;
    },

    async strengthen(clientId, stored) {
      const { client_secret_mac: mac, client_secret_hash: hash } = stored;
      if (hash === undefined) return secretOf(stored);
      if (mac !== undefined) return { client_secret_mac: mac };
      return { client_secret_mac: macSecretHash(await keys(clientId).macKey(), clientId, hash) };
    },
  };
  return secrets;
}

/** The keys for a client of that name. */
type KeysFor = (clientId: string) => {
  wrappingKey(): Promise<WrappingKey>;
  unwrap: WrappingKeys['unwrap'];
  /** The key of that name, or the newest. */
  macKey(kid?: string): Promise<MacKey>;
};

function keysOf({ client, keysTableName, clock, pause }: DirectoryStore): KeysFor {
  if (keysTableName === undefined) {
    return (clientId) => {
      throw usageError(
        `client ${clientId} client_secret: is stored under a key of the table of keys (stack output KeysTable), which is not known`,
      );
    };
  }
  const keys = wrappingKeys(client, keysTableName, clock);
  let newest: Promise<WrappingKey> | undefined;
  const wrappingKey = () => {
    newest ??= retryThrottled(() => keys.wrappingKey(), pause);
    return newest;
  };
  const macKey = async (kid?: string) => {
    const wanted = kid ?? (await wrappingKey()).kid;
    const [key] = await retryThrottled(() => keys.macKeys([wanted]), pause);
    if (!key) throw new Error('a key that was asked for is answered');
    return key;
  };
  const unwrap: WrappingKeys['unwrap'] = (clientId, wrapped) =>
    retryThrottled(() => keys.unwrap(clientId, wrapped), pause);
  return () => ({ wrappingKey, unwrap, macKey });
}

/** What an item says of a secret, and nothing else of the item. */
export function secretOf(stored: StoredSecret): StoredSecret {
  const { client_secret_mac, client_secret_hash, client_secret_wrapped } = stored;
  return {
    ...(client_secret_mac !== undefined && { client_secret_mac }),
    ...(client_secret_hash !== undefined && { client_secret_hash }),
    ...(client_secret_wrapped !== undefined && { client_secret_wrapped }),
  };
}

export function hasSecret(stored: StoredSecret): boolean {
  return Object.keys(secretOf(stored)).length > 0;
}

/**
 * Whether what is stored serves the method: an HMAC gives no secret back, and a method that wants
 * one leaves none wrapped.
 */
function isOfForm(method: ClientAuthenticationMethod, stored: StoredSecret): boolean {
  return (
    hasSecret(stored) &&
    (method === 'client_secret_jwt') === (stored.client_secret_wrapped !== undefined)
  );
}

/** A file that was not changed after a rotation would undo it without anybody having said so. */
async function assertNotRetiring(
  secrets: ClientSecrets,
  given: string,
  { client_id, retiring_secret: retiring }: Client,
): Promise<void> {
  if (!retiring || !(await secrets.matches(client_id, given, retiring))) return;
  throw conflict(
    `client ${client_id} client_secret: is the one before the last rotation (valid until ${showTime(retiring.until)}); write the present one, or leave client_secret out to keep it`,
  );
}

async function nextSecret(
  secrets: ClientSecrets,
  keys: KeysFor,
  registration: ClientRegistration,
  known: Client | undefined,
): Promise<NextSecret> {
  const { client_secret: given } = registration;
  if (known && (given === undefined || (await secrets.matches(known.client_id, given, known)))) {
    return keptSecret(secrets, keys, registration, known);
  }
  if (given !== undefined)
    return { stored: await secrets.store(registration, given), change: 'set' };
  const generated = generateSecret();
  return { stored: await secrets.store(registration, generated), change: 'generated', generated };
}

/**
 * What is stored already under the current key stays as it is, so that applying twice writes
 * nothing.
 */
async function keptSecret(
  secrets: ClientSecrets,
  keys: KeysFor,
  registration: ClientRegistration,
  known: Client,
): Promise<NextSecret> {
  const { client_id, client_secret_wrapped: wrapped } = known;
  if (wrapped === undefined) return keptMac(secrets, keys, registration, known);
  const { kid } = await keys(client_id).wrappingKey();
  if (wrappedWith(wrapped) === kid) {
    return { stored: { client_secret_wrapped: wrapped }, change: 'kept' };
  }
  const secret = await keys(client_id).unwrap(client_id, wrapped);
  return { stored: await secrets.store(registration, secret), change: 'wrapped anew' };
}

/**
 * An HMAC gives no secret back: it is made under the newest key where the registration has the
 * secret.
 */
async function keptMac(
  secrets: ClientSecrets,
  keys: KeysFor,
  registration: ClientRegistration,
  known: Client,
): Promise<NextSecret> {
  const { client_id, client_secret_mac: mac } = known;
  const { client_secret: given } = registration;
  if (mac === undefined) {
    return { stored: await secrets.strengthen(client_id, known), change: 'stored anew' };
  }
  if (given === undefined || macKeyId(mac) === (await keys(client_id).macKey()).kid) {
    return { stored: { client_secret_mac: mac }, change: 'kept' };
  }
  return { stored: await secrets.store(registration, given), change: 'stored anew' };
}
