/**
 * Registered clients: the metadata of OpenID Connect Registration and CIBA Core 4 under its registered names,
 * as an operator writes it and as it is stored. Only what this provider can honour is accepted.
 */
import * as z from 'zod/mini';
import { findUnreadable, READABLE_TEXT_LENGTH } from './readable-text.ts';
import { isScope, SCOPE_LENGTH, scopeValues } from './scope.ts';

/** CIBA Core 4: the grant type of poll and ping clients. */
export const CIBA_GRANT_TYPE = 'urn:openid:params:grant-type:ciba';

/** RFC 6749, section 6. */
const REFRESH_GRANT_TYPE = 'refresh_token';

/** The client authentication methods of both endpoints (OpenID Connect Core 9); `none` is not among them. */
export const clientAuthenticationMethods = ['client_secret_basic', 'client_secret_post'] as const;

export type ClientAuthenticationMethod = (typeof clientAuthenticationMethods)[number];

/** The `id_token_signed_response_alg` values of this provider; RS256 is the default of OpenID Connect Registration 2. */
export const idTokenSigningAlgorithms = ['RS256', 'ES256'] as const;

export type SigningAlgorithm = (typeof idTokenSigningAlgorithms)[number];

/** Bounds that no client and no deployment setting can leave, in seconds. */
export const EXPIRES_IN_BOUNDS = { min: 10, max: 600 } as const;
export const INTERVAL_BOUNDS = { min: 1, max: 60 } as const;

const DEFAULT_SCOPE = 'openid profile email';

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `allowed: ${values.join(', ')}` });
}

/** A text that mail and page show as it is. */
export const readableText = z.string({ error: 'must be a text' }).check(
  z.refine((text) => findUnreadable(text) === undefined, {
    error: `must be 1 to ${READABLE_TEXT_LENGTH} letters, digits, spaces and common signs, and nothing that reads as a link`,
  }),
);

/** Whether a text can be the id of a client of ours; any other needs no look-up. */
export function isClientId(text: string): boolean {
  return /^[A-Za-z0-9._~-]{1,64}$/.test(text);
}

const clientId = z
  .string({ error: 'must be a text' })
  .check(z.refine(isClientId, { error: 'must be 1 to 64 of A-Z a-z 0-9 . _ ~ -' }));

/** RFC 6749, appendix A.2, long enough that guessing is hopeless whatever it was made from. */
const clientSecret = z.string({ error: 'must be a text' }).check(
  z.regex(/^[\x20-\x7e]{32,128}$/, {
    error: 'must be 32 to 128 printable ASCII characters; leave it out to have one generated',
  }),
);

const scope = z.string({ error: 'must be a text' }).check(
  z.refine((text) => isScope(text) && scopeValues(text).includes('openid'), {
    error: `must be space-separated scope values with openid among them, ${SCOPE_LENGTH} characters at most`,
  }),
);

function seconds(bounds: { min: number; max: number }) {
  const error = `must be a whole number of seconds from ${bounds.min} to ${bounds.max}`;
  return z
    .number({ error })
    .check(z.int({ error }), z.minimum(bounds.min, { error }), z.maximum(bounds.max, { error }));
}

/** What registered and stored clients have in common. */
const metadata = {
  client_id: clientId,
  client_name: readableText,
  enabled: z._default(z.boolean({ error: 'must be true or false' }), true),
  token_endpoint_auth_method: oneOf(clientAuthenticationMethods),
  grant_types: z._default(
    z
      .array(oneOf([CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE]), { error: 'must be a list' })
      .check(z.refine((types) => types.length > 0, { error: `must name ${CIBA_GRANT_TYPE}` })),
    [CIBA_GRANT_TYPE],
  ),
  backchannel_token_delivery_mode: z._default(oneOf(['poll']), 'poll'),
  scope: z._default(scope, DEFAULT_SCOPE),
  id_token_signed_response_alg: z._default(oneOf(idTokenSigningAlgorithms), 'RS256'),
  unknown_user: z._default(oneOf(['reveal']), 'reveal'),
  failed_flow: z._default(oneOf(['expire']), 'expire'),
  expires_in: z.optional(seconds(EXPIRES_IN_BOUNDS)),
  interval: z.optional(seconds(INTERVAL_BOUNDS)),
};

/** A client as the operator writes it. Members of methods that are not built yet are refused by their values. */
export const clientRegistration = z.strictObject({
  ...metadata,
  client_secret: z.optional(clientSecret),
  jwks: z.optional(
    z.strictObject({
      keys: z
        .array(z.unknown())
        .check(
          z.maxLength(0, { error: 'must be empty: no method of this provider uses client keys' }),
        ),
    }),
  ),
  token_endpoint_auth_signing_alg: z.optional(
    oneOf(['ES256', 'PS256', 'RS256', 'EdDSA', 'HS256', 'HS384', 'HS512']),
  ),
  client_assertion_audience: z.optional(oneOf(['issuer'])),
});

export type ClientRegistration = z.output<typeof clientRegistration>;

/** A client as it is stored: what is asked of it at run time, its secret as a hash only. */
export const storedClient = z.object({
  ...metadata,
  /** SHA-256 of the client secret, base64url. */
  client_secret_hash: z.string(),
});

export type Client = z.output<typeof storedClient>;

/** Whether the client may use the grant at all: enabled, and registered for CIBA (CIBA Core 4). */
export function mayUseCiba(client: Client): boolean {
  return client.enabled && client.grant_types.includes(CIBA_GRANT_TYPE);
}
