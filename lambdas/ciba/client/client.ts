/**
 * Registered clients: the metadata of OpenID Connect Registration and CIBA Core 4 under its
 * registered names, as it is stored, and what a client may do. What an operator may register is
 * said by client-registration.ts.
 */
import * as z from 'zod/mini';
import { clientJwk, keyAlgorithms } from './client-keys.ts';
import { confirmationLevels } from './confirmation-level.ts';

/** CIBA Core 4: the grant type of poll and ping clients. */
export const CIBA_GRANT_TYPE = 'urn:openid:params:grant-type:ciba';

/** RFC 6749, section 6. */
export const REFRESH_GRANT_TYPE = 'refresh_token';

/**
 * The client authentication methods of both endpoints (OpenID Connect Core 9); `none` is not among
 * them.
 */
export const clientAuthenticationMethods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
] as const;

export type ClientAuthenticationMethod = (typeof clientAuthenticationMethods)[number];

/** RFC 7518 3.2: the algorithms of `client_secret_jwt`. */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const;

export type SecretAlgorithm = (typeof secretAlgorithms)[number];

/** How many characters a secret has. */
export const SECRET_LENGTH_BOUNDS = { min: 32, max: 128 } as const;

/** The fewest octets of a secret for each of the algorithms. */
export const secretLengths: Record<SecretAlgorithm, number> = { HS256: 32, HS384: 48, HS512: 64 };

/**
 * RFC 7518 3.2: a key of the size of the hash or larger. Secrets are ASCII, so characters are
 * octets.
 */
export function isLongEnough(secret: string, alg: SecretAlgorithm): boolean {
  return secret.length >= secretLengths[alg];
}

/** The algorithms of client assertions, as they are stored. */
export const assertionAlgorithms = [...keyAlgorithms, ...secretAlgorithms] as const;

/**
 * The names under which they are registered (`token_endpoint_auth_signing_alg_values_supported`).
 */
export const registrableAlgorithms = [...assertionAlgorithms, 'Ed25519'] as const;

export type AssertionAlgorithm = (typeof assertionAlgorithms)[number];

/**
 * The `id_token_signed_response_alg` values of this provider; RS256 is the default of OpenID
 * Connect Registration 2.
 */
export const idTokenSigningAlgorithms = ['RS256', 'ES256'] as const;

export type SigningAlgorithm = (typeof idTokenSigningAlgorithms)[number];

/** The `backchannel_token_delivery_mode` values (CIBA Core 4). */
export const deliveryModes = ['poll'] as const;

/**
 * Whom a client's assertions may be addressed to: the issuer alone (RFC 10070), or what CIBA Core
 * 7.1 lets it.
 */
export const assertionAudiences = ['issuer', 'ciba-core'] as const;

/**
 * What a client is answered for a user who cannot be asked: the truth, or what it would be answered
 * for anybody.
 */
export const unknownUserAnswers = ['reveal', 'decoy'] as const;

/**
 * What a client is answered once its user cannot be reached for good: nothing until the end, or a
 * denial at once.
 */
export const failedFlowAnswers = ['expire', 'deny'] as const;

/**
 * Bounds that no client can leave, in seconds. No setting of a deployment goes beyond the upper
 * ones: ASVS 5.0, 6.5 gives out-of-band authentication ten minutes.
 */
export const EXPIRES_IN_BOUNDS = { min: 10, max: 600 } as const;
export const INTERVAL_BOUNDS = { min: 1, max: 60 } as const;

/** Whether a text can be the id of a client of ours; any other needs no look-up. */
export function isClientId(text: string): boolean {
  return /^[A-Za-z0-9._~-]{1,64}$/.test(text);
}

/**
 * What is stored of one secret: an HMAC of it under a key of the deployment, or for
 * `client_secret_jwt`, whose signatures cannot be verified with one, the secret itself, wrapped.
 * Older items have its SHA-256 in base64url in place of the HMAC.
 */
const storedSecret = {
  client_secret_mac: z.optional(z.string()),
  client_secret_hash: z.optional(z.string()),
  client_secret_wrapped: z.optional(z.string()),
};

const seconds = z.optional(z.number());

/** A client as it is stored: what is asked of it at run time. */
export const storedClient = z.object({
  client_id: z.string(),
  client_name: z.string(),
  client_uri: z.optional(z.string()),
  /** What names the PNG that was made of the registered `logo_uri`: its SHA-256 in base64url. */
  logo_hash: z.optional(z.string()),
  enabled: z.boolean(),
  token_endpoint_auth_method: z.enum(clientAuthenticationMethods),
  grant_types: z.array(z.enum([CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE])),
  backchannel_token_delivery_mode: z.enum(deliveryModes),
  scope: z.string(),
  id_token_signed_response_alg: z.enum(idTokenSigningAlgorithms),
  jwks: z.optional(z.object({ keys: z.array(clientJwk) })),
  token_endpoint_auth_signing_alg: z.optional(z.enum(assertionAlgorithms)),
  client_assertion_audience: z._default(z.enum(assertionAudiences), 'issuer'),
  unknown_user: z.enum(unknownUserAnswers),
  failed_flow: z.enum(failedFlowAnswers),
  confirmation_level: z._default(z.enum(confirmationLevels), 'link'),
  expires_in: seconds,
  interval: seconds,
  notification_policy: z.optional(z.string()),
  flow_policy: z.optional(z.string()),
  ...storedSecret,
  /**
   * The secret before the present one, which is accepted as well until the instant `until` (epoch
   * seconds).
   */
  retiring_secret: z.optional(z.object({ ...storedSecret, until: z.number() })),
  /**
   * Nothing that a user approved for this client before then is worth a token any more (epoch
   * seconds).
   */
  tokens_not_before: seconds,
});

export type Client = z.output<typeof storedClient>;

export type StoredSecret = Pick<
  Client,
  'client_secret_mac' | 'client_secret_hash' | 'client_secret_wrapped'
>;

/**
 * The secrets a client may use now: the present one, and the one before it until its time has come.
 */
export function liveSecrets(client: Client, now: number): StoredSecret[] {
  const { retiring_secret: retiring } = client;
  return retiring && now < retiring.until ? [client, retiring] : [client];
}

/**
 * Whether the client may use the CIBA grant at all: enabled, and registered for it (CIBA Core 4).
 */
export function mayUseCiba(client: Client): boolean {
  return client.enabled && client.grant_types.includes(CIBA_GRANT_TYPE);
}

/** Whether the client may use the refresh grant (RFC 6749, 6): enabled, and registered for it. */
export function mayRefresh(client: Client): boolean {
  return client.enabled && client.grant_types.includes(REFRESH_GRANT_TYPE);
}

/**
 * The domain of the client's home page, which mail and page show beside its name; a name in Unicode
 * as DNS has it.
 */
export function clientDomain({ client_uri: uri }: Pick<Client, 'client_uri'>): string | undefined {
  return uri === undefined ? undefined : new URL(uri).hostname;
}

/**
 * The algorithm a client's assertions are signed with: the registered one, or the usual one of the
 * method. `undefined` for a client that signs none.
 */
export function assertionAlgorithm({
  token_endpoint_auth_method: method,
  token_endpoint_auth_signing_alg: registered,
}: Pick<Client, 'token_endpoint_auth_method' | 'token_endpoint_auth_signing_alg'>):
  | AssertionAlgorithm
  | undefined {
  if (method === 'client_secret_jwt') return registered ?? 'HS256';
  return method === 'private_key_jwt' ? (registered ?? 'ES256') : undefined;
}

export function isSecretAlgorithm(alg: string | undefined): alg is SecretAlgorithm {
  return secretAlgorithms.some((one) => one === alg);
}
