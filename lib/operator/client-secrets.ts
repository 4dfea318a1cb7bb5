/**
 * What is stored of client secrets: a hash, or for `client_secret_jwt` clients the secret itself, wrapped with a key of
 * the deployment, because a hash verifies no signature (OpenID Connect Core 9).
 */
import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { wrappingKeys } from '../../lambdas/aws/keys-table.ts';
import { WRAP_IV_BYTES, wrappedWith, wrapSecret } from '../../lambdas/aws/wrapped-secret.ts';
import type { Client, StoredSecret } from '../../lambdas/ciba/client.ts';
import type { ClientRegistration } from '../../lambdas/ciba/client-registration.ts';
import { hashSecret } from '../../lambdas/ciba/handles.ts';
import { DirectoryError } from './directory-file.ts';

/** What is stored of a client's secret from now on. */
interface NextSecret extends StoredSecret {
  /** A secret that was made because there was none; this is the only time it is seen. */
  generated?: string;
}

export interface ClientSecrets {
  /** The stored form of the secret a registration gives, else of the one that is stored, else of a new one. */
  next(registration: ClientRegistration, before: Client | undefined): Promise<NextSecret>;
}

/** Random bytes of a generated secret: 64 characters, enough for HS512 (RFC 7518, 3.2). */
const SECRET_BYTES = 48;

/**
 * Stores secrets with the wrapping keys of the table `keysTableName`.
 * @throws DirectoryError from `next` for a `client_secret_jwt` client where there is no such table
 */
export function clientSecrets(
  client: DynamoDBClient,
  keysTableName: string | undefined,
): ClientSecrets {
  return {
    async next(registration, before) {
      switch (registration.token_endpoint_auth_method) {
        case 'private_key_jwt':
          return {};
        case 'client_secret_jwt':
          return nextWrapped(keysOf(client, keysTableName, registration), registration, before);
        case 'client_secret_basic':
        case 'client_secret_post':
          return nextHashed(registration, before);
      }
    },
  };
}

function keysOf(
  client: DynamoDBClient,
  keysTableName: string | undefined,
  { client_id }: ClientRegistration,
) {
  if (keysTableName === undefined) {
    throw new DirectoryError(
      `client ${client_id} token_endpoint_auth_method: client_secret_jwt needs the table of keys (stack output KeysTable)`,
    );
  }
  return wrappingKeys(client, keysTableName, () => Date.now() / 1000);
}

function generateSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function nextHashed(registration: ClientRegistration, before: Client | undefined): NextSecret {
  const { client_secret: given } = registration;
  if (given !== undefined) return { client_secret_hash: hashSecret(given) };
  if (before?.client_secret_hash !== undefined) {
    return { client_secret_hash: before.client_secret_hash };
  }
  const generated = generateSecret();
  return { client_secret_hash: hashSecret(generated), generated };
}

/** A secret that is stored already under the current key stays as it is, so that applying twice writes nothing. */
async function nextWrapped(
  keys: ReturnType<typeof wrappingKeys>,
  registration: ClientRegistration,
  before: Client | undefined,
): Promise<NextSecret> {
  const { client_id, client_secret: given } = registration;
  const key = await keys.wrappingKey();
  const stored = before?.client_secret_wrapped;
  const known = stored === undefined ? undefined : await keys.unwrap(client_id, stored);
  const secret = given ?? known ?? generateSecret();
  const isKept = stored !== undefined && secret === known && wrappedWith(stored) === key.kid;
  return {
    client_secret_wrapped: isKept
      ? stored
      : wrapSecret(key, client_id, secret, randomBytes(WRAP_IV_BYTES)),
    ...(given === undefined && known === undefined && { generated: secret }),
  };
}
