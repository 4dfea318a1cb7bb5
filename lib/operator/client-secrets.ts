/**
 * What is stored of client secrets: a hash, or for `client_secret_jwt` clients the secret itself, wrapped with a key of
 * the deployment, because a hash verifies no signature (OpenID Connect Core 9).
 */
import { randomBytes } from 'node:crypto';
import { wrappingKeys } from '../../lambdas/aws/keys-table.ts';
import {
  WRAP_IV_BYTES,
  type WrappingKey,
  wrappedWith,
  wrapSecret,
} from '../../lambdas/aws/wrapped-secret.ts';
import type {
  Client,
  ClientAuthenticationMethod,
  StoredSecret,
} from '../../lambdas/ciba/client.ts';
import type { ClientRegistration } from '../../lambdas/ciba/client-registration.ts';
import { hashSecret } from '../../lambdas/ciba/handles.ts';
import { DirectoryConflict, DirectoryError } from './directory-error.ts';
import type { DirectoryStore } from './directory-items.ts';
import { showTime } from './show-time.ts';

/** What becomes of a client's secret; `kept` is also said of a client that has none and had none. */
export type SecretChange = 'kept' | 'generated' | 'set' | 'wrapped anew' | 'removed';

/** What is stored of a client's secrets from now on. */
export interface NextSecret {
  stored: Pick<Client, 'client_secret_hash' | 'client_secret_wrapped' | 'retiring_secret'>;
  change: SecretChange;
  /** A secret that was made because there was none; this is the only time it is seen. */
  generated?: string | undefined;
}

export interface ClientSecrets {
  /**
   * The stored form of the secret a registration gives, else of the one that is stored, else of a new one.
   * @throws DirectoryConflict if the registration gives the secret that is being retired
   */
  next(registration: ClientRegistration, before: Client | undefined): Promise<NextSecret>;
  /** The stored form of a secret for a client that authenticates with one. */
  store(
    client: Pick<Client, 'client_id' | 'token_endpoint_auth_method'>,
    secret: string,
  ): Promise<StoredSecret>;
  /** Whether this is the secret that is stored. */
  matches(clientId: string, secret: string, stored: StoredSecret): Promise<boolean>;
}

/** Random bytes of a generated secret: 64 characters, enough for HS512 (RFC 7518, 3.2). */
const SECRET_BYTES = 48;

/** A secret of 384 random bits. */
export function generateSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * Stores secrets with the wrapping keys of the deployment, which are read once.
 * @throws DirectoryError from every method for a `client_secret_jwt` client where there is no table of keys
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
      return {
        ...next,
        stored: { ...next.stored, ...(retiring && { retiring_secret: retiring }) },
      };
    },

    async store({ client_id, token_endpoint_auth_method: method }, secret) {
      if (method !== 'client_secret_jwt') return { client_secret_hash: hashSecret(secret) };
      const key = await keys(client_id).wrappingKey();
      const iv = randomBytes(WRAP_IV_BYTES);
      return { client_secret_wrapped: wrapSecret(key, client_id, secret, iv) };
    },

    async matches(clientId, secret, stored) {
      const { client_secret_hash: hash, client_secret_wrapped: wrapped } = stored;
      if (wrapped !== undefined) return (await keys(clientId).unwrap(clientId, wrapped)) === secret;
      return hash === hashSecret(secret);
    },
  };
  return secrets;
}

/** The wrapping keys for a client of that name. */
type KeysFor = (clientId: string) => {
  wrappingKey(): Promise<WrappingKey>;
  unwrap(clientId: string, wrapped: string): Promise<string>;
};

function keysOf({ client, keysTableName, clock }: DirectoryStore): KeysFor {
  if (keysTableName === undefined) {
    return (clientId) => {
      throw new DirectoryError(
        `client ${clientId} token_endpoint_auth_method: client_secret_jwt needs the table of keys (stack output KeysTable)`,
      );
    };
  }
  const keys = wrappingKeys(client, keysTableName, clock);
  let newest: Promise<WrappingKey> | undefined;
  const wrappingKey = () => {
    newest ??= keys.wrappingKey();
    return newest;
  };
  return () => ({ wrappingKey, unwrap: keys.unwrap });
}

function hasSecret(client: StoredSecret): boolean {
  return client.client_secret_hash !== undefined || client.client_secret_wrapped !== undefined;
}

/** Whether what is stored serves the method: a hash gives no secret back, and a method that wants hashes leaves none wrapped. */
function isOfForm(method: ClientAuthenticationMethod, stored: StoredSecret): boolean {
  return method === 'client_secret_jwt'
    ? stored.client_secret_wrapped !== undefined
    : stored.client_secret_hash !== undefined;
}

/** A file that was not changed after a rotation would undo it without anybody having said so. */
async function assertNotRetiring(
  secrets: ClientSecrets,
  given: string,
  { client_id, retiring_secret: retiring }: Client,
): Promise<void> {
  if (!retiring || !(await secrets.matches(client_id, given, retiring))) return;
  throw new DirectoryConflict(
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

/** What is wrapped already under the current key stays as it is, so that applying twice writes nothing. */
async function keptSecret(
  secrets: ClientSecrets,
  keys: KeysFor,
  registration: ClientRegistration,
  { client_id, client_secret_hash: hash, client_secret_wrapped: wrapped }: Client,
): Promise<NextSecret> {
  if (registration.token_endpoint_auth_method !== 'client_secret_jwt' || wrapped === undefined) {
    return { stored: { ...(hash !== undefined && { client_secret_hash: hash }) }, change: 'kept' };
  }
  const { kid } = await keys(client_id).wrappingKey();
  if (wrappedWith(wrapped) === kid) {
    return { stored: { client_secret_wrapped: wrapped }, change: 'kept' };
  }
  const secret = await keys(client_id).unwrap(client_id, wrapped);
  return { stored: await secrets.store(registration, secret), change: 'wrapped anew' };
}
