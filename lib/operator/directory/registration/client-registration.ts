/**
 * Client registration: the metadata of OpenID Connect Registration 2 and CIBA Core 4 under its
 * registered names, as an operator writes it. Only what this provider can honour is accepted.
 */
import * as z from 'zod/mini';
import {
  assertionAlgorithm,
  assertionAudiences,
  CIBA_GRANT_TYPE,
  clientAuthenticationMethods,
  deliveryModes,
  EXPIRES_IN_BOUNDS,
  failedFlowAnswers,
  INTERVAL_BOUNDS,
  idTokenSigningAlgorithms,
  isClientId,
  isLongEnough,
  isSecretAlgorithm,
  REFRESH_GRANT_TYPE,
  registrableAlgorithms,
  SECRET_LENGTH_BOUNDS,
  secretAlgorithms,
  secretLengths,
  unknownUserAnswers,
} from '../../../../lambdas/ciba/client/client.ts';
import {
  algorithmsOf,
  registrableKeyAlgorithms,
} from '../../../../lambdas/ciba/client/client-keys.ts';
import { parseLogoUri } from '../../../../lambdas/ciba/client/client-logo.ts';
import { confirmationLevels } from '../../../../lambdas/ciba/client/confirmation-level.ts';
import { isHostName } from '../../../../lambdas/ciba/host-name.ts';
import { parseUrl } from '../../../../lambdas/ciba/parse-url.ts';
import { isPolicyName, POLICY_NAME_RULE } from '../../../../lambdas/ciba/policy/policy-name.ts';
import { findUnreadable, READABLE_TEXT_LENGTH } from '../../../../lambdas/ciba/readable-text.ts';
import { isScope, SCOPE_LENGTH, scopeValues } from '../../../../lambdas/ciba/scope.ts';
import { registeredJwks } from './client-key-registration.ts';
import { withoutIdleMembers } from './client-metadata.ts';

const DEFAULT_SCOPE = 'openid profile email';

/** Longest home page we keep, and longest domain we show. */
const HOME_PAGE_LENGTH = 255;
const DOMAIN_LENGTH = 100;

function isHomePage(text: string): boolean {
  const url = text.length > HOME_PAGE_LENGTH ? undefined : parseUrl(text);
  if (url === undefined) return false;
  const { protocol, hostname, port, username, password, hash } = url;
  const hasMore = `${port}${username}${password}${hash}` !== '';
  const isDomain = isHostName(hostname) && hostname.length <= DOMAIN_LENGTH;
  return protocol === 'https:' && isDomain && !hasMore;
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `allowed: ${values.join(', ')}` });
}

/** A text that mail and page show as it is. */
export const readableText = z.string({ error: 'must be a text' }).check(
  z.refine((text) => findUnreadable(text) === undefined, {
    error: `must be 1 to ${READABLE_TEXT_LENGTH} letters, digits, spaces and common signs, and nothing that reads as a link or a telephone number: put a space after its dot, colon or plus sign`,
  }),
);

const clientId = z
  .string({ error: 'must be a text' })
  .check(z.refine(isClientId, { error: 'must be 1 to 64 of A-Z a-z 0-9 . _ ~ -' }));

/** RFC 6749, appendix A.2, long enough that guessing is hopeless whatever it was made from. */
const clientSecret = z.string({ error: 'must be a text' }).check(
  z.regex(new RegExp(`^[\\x20-\\x7e]{${SECRET_LENGTH_BOUNDS.min},${SECRET_LENGTH_BOUNDS.max}}$`), {
    error: `must be ${SECRET_LENGTH_BOUNDS.min} to ${SECRET_LENGTH_BOUNDS.max} printable ASCII characters; leave it out to have one generated`,
  }),
);

/** RFC 7591, 2: the client's home page, of which people are shown the domain. */
const clientUri = z.string({ error: 'must be a text' }).check(
  z.refine(isHomePage, {
    error: `must be an https address of at most ${HOME_PAGE_LENGTH} characters whose host is a domain name of at most ${DOMAIN_LENGTH} characters, without user, port or fragment`,
  }),
);

/** What a `logo_uri` may be; a path is one before the file that names it is read. */
export const LOGO_URI_RULE =
  'must be a PNG, JPEG or GIF of at most 1 MB, as data:image/png;base64,… (image/jpeg, image/gif) or, in a file, as a path relative to it; logos are stored and served here, no address elsewhere is taken';

const logoUri = z
  .string({ error: 'must be a text' })
  .check(z.refine((text) => parseLogoUri(text) !== undefined, { error: LOGO_URI_RULE }));

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

/** A policy of the deployment, which knows whether there is one of this name. */
const policyName = z
  .string({ error: 'must be a text' })
  .check(z.refine(isPolicyName, { error: `must be ${POLICY_NAME_RULE}` }));

/** The members that are stored as they are registered. */
const metadata = {
  client_id: clientId,
  client_name: readableText,
  client_uri: z.optional(clientUri),
  enabled: z._default(z.boolean({ error: 'must be true or false' }), true),
  token_endpoint_auth_method: oneOf(clientAuthenticationMethods),
  grant_types: z._default(
    z
      .array(oneOf([CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE]), { error: 'must be a list' })
      .check(z.refine((types) => types.length > 0, { error: `must name ${CIBA_GRANT_TYPE}` })),
    [CIBA_GRANT_TYPE],
  ),
  backchannel_token_delivery_mode: z._default(oneOf(deliveryModes), 'poll'),
  scope: z._default(scope, DEFAULT_SCOPE),
  id_token_signed_response_alg: z._default(oneOf(idTokenSigningAlgorithms), 'RS256'),
  jwks: z.optional(registeredJwks),
  token_endpoint_auth_signing_alg: z.optional(
    // RFC 9864 2.2: one algorithm, two names; the first is the one that is stored.
    z.pipe(
      oneOf(registrableAlgorithms),
      z.transform((alg) => (alg === 'Ed25519' ? 'EdDSA' : alg)),
    ),
  ),
  client_assertion_audience: z._default(oneOf(assertionAudiences), 'issuer'),
  unknown_user: z._default(oneOf(unknownUserAnswers), 'reveal'),
  failed_flow: z._default(oneOf(failedFlowAnswers), 'expire'),
  confirmation_level: z._default(oneOf(confirmationLevels), 'link'),
  expires_in: z.optional(seconds(EXPIRES_IN_BOUNDS)),
  interval: z.optional(seconds(INTERVAL_BOUNDS)),
  notification_policy: z.optional(policyName),
  flow_policy: z.optional(policyName),
};

/** The members of a registration that mean something here, which agree with one another. */
const keptMembers = z
  .strictObject(
    {
      ...metadata,
      client_secret: z.optional(clientSecret),
      logo_uri: z.optional(logoUri),
    },
    { error: 'must be an object with the members of a client' },
  )
  .check(({ value, issues }) => {
    for (const [member, message] of disagreements(value)) {
      issues.push({ code: 'custom', input: value, path: [member], message });
    }
  });

/** A client as the operator writes it; what changes nothing is dropped. */
export const clientRegistration = z.pipe(z.transform(withoutIdleMembers), keptMembers);

/** The names that are kept of a registration. */
export const keptMemberNames = Object.keys(keptMembers.shape);

type Metadata = z.output<z.ZodMiniObject<typeof metadata>>;

/**
 * The members that contradict the authentication method or one another, each with what is allowed.
 */
function disagreements(client: Metadata & { client_secret?: string | undefined }) {
  return [
    ...assertionFaults(client),
    ...secretFaults(client),
    ...keyFaults(client),
    ...lifetimeFaults(client),
  ];
}

/** A client with a secret of another method signs nothing: whatever it names is not looked at. */
function assertionFaults({
  token_endpoint_auth_method: method,
  token_endpoint_auth_signing_alg: alg,
}: Metadata): [string, string][] {
  const allowed: readonly string[] =
    method === 'client_secret_jwt' ? secretAlgorithms : registrableKeyAlgorithms;
  if (!method.endsWith('_jwt') || alg === undefined || allowed.includes(alg)) return [];
  return [['token_endpoint_auth_signing_alg', `allowed for ${method}: ${allowed.join(', ')}`]];
}

function secretFaults(
  client: Metadata & { client_secret?: string | undefined },
): [string, string][] {
  const { client_secret: secret, token_endpoint_auth_method: method } = client;
  if (secret === undefined) return [];
  if (method === 'private_key_jwt') {
    return [['client_secret', 'must be left out for private_key_jwt']];
  }
  const alg = assertionAlgorithm(client);
  if (!isSecretAlgorithm(alg) || isLongEnough(secret, alg)) return [];
  return [['client_secret', `must be ${secretLengths[alg]} characters or more for ${alg}`]];
}

function keyFaults(client: Metadata): [string, string][] {
  if (client.token_endpoint_auth_method !== 'private_key_jwt') return [];
  const alg = assertionAlgorithm(client);
  const keys = client.jwks?.keys ?? [];
  if (keys.some((key) => algorithmsOf(key).some((one) => one === alg))) return [];
  return [
    [
      'jwks',
      `must have a key for ${alg}; another algorithm is named by token_endpoint_auth_signing_alg`,
    ],
  ];
}

/** CIBA Core 7.3. What one of them is without the other is for the deployment to say. */
function lifetimeFaults({ expires_in: lifetime, interval }: Metadata): [string, string][] {
  if (lifetime === undefined || interval === undefined || interval < lifetime) return [];
  return [['interval', `must be less than expires_in, which is ${lifetime}`]];
}

export type ClientRegistration = z.output<typeof clientRegistration>;
