/**
 * What a failed client authentication leaves in the log (ASVS 5.0, 16.2.1 and 16.3.1): who was
 * claimed, and what came against what is registered, in words of ours. Nothing here is part of the
 * judgement, and no secret and no free text is in it.
 */

import { readSignedJwt, type SignedJwt } from '../jwt/signed-jwt.ts';
import {
  assertionAlgorithm,
  assertionAlgorithms,
  type Client,
  type ClientAuthenticationMethod,
  isClientId,
  SECRET_LENGTH_BOUNDS,
} from './client.ts';

/**
 * How a request tried to prove its client; by the secret or by a key of the client's is not seen
 * before that is known.
 */
export type PresentedMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_assertion'
  /** More than one of them. */
  | 'several'
  /** An Authorization header of another scheme than Basic. */
  | 'other'
  | 'none';

/** Whom an assertion is addressed to. */
export type AudienceWord =
  | 'issuer'
  | 'issuer_with_slash'
  | 'token_endpoint'
  | 'backchannel_endpoint'
  | 'alias'
  | 'list'
  | 'foreign'
  | 'absent';

/** The members of the log line. */
export interface AuthenticationEvidence {
  claimed_client_id?: string;
  auth_method: PresentedMethod;
  registered_auth_method?: ClientAuthenticationMethod;
  assertion_alg?: string;
  registered_assertion_alg?: string;
  assertion_audience?: AudienceWord;
}

/** The addresses of this provider that an assertion may name. */
export interface ProviderAddresses {
  issuer: string;
  tokenEndpoint: string;
  backchannelEndpoint: string;
  /** Other addresses at which one of the two answers. */
  aliases: readonly string[];
}

/** What a request presents. */
export interface Presented {
  authorization: string | null;
  form: ReadonlyMap<string, string>;
}

/** @param registered the client that was claimed, if there is one */
export function authenticationEvidence(
  presented: Presented,
  registered: Client | undefined,
  addresses: ProviderAddresses,
): AuthenticationEvidence {
  const assertion = readSignedJwt(presented.form.get('client_assertion') ?? '');
  const claimed = claimedClientId(presented, assertion, registered);
  const registeredAlg = registered && assertionAlgorithm(registered);
  return {
    ...(claimed !== undefined && { claimed_client_id: claimed }),
    auth_method: presentedMethod(presented),
    ...(registered && { registered_auth_method: registered.token_endpoint_auth_method }),
    ...(assertion && {
      assertion_alg: nameAlgorithm(assertion.alg),
      assertion_audience: nameAudience(assertion.claims['aud'], addresses),
    }),
    ...(assertion && registeredAlg && { registered_assertion_alg: registeredAlg }),
  };
}

function presentedMethod({ authorization, form }: Presented): PresentedMethod {
  const methods: PresentedMethod[] = [];
  if (authorization !== null)
    methods.push(isBasic(authorization) ? 'client_secret_basic' : 'other');
  if (form.has('client_secret')) methods.push('client_secret_post');
  if (form.has('client_assertion') || form.has('client_assertion_type')) {
    methods.push('client_assertion');
  }
  return methods.length > 1 ? 'several' : (methods[0] ?? 'none');
}

function isBasic(authorization: string): boolean {
  return /^basic(?: |$)/i.test(authorization);
}

/**
 * The id that is claimed, if it has the form of one: its alphabet lets nothing into a log that
 * could be read as something else. A secret may have that form too. What nobody registered, is as
 * long as a secret and longer than what came as the secret, looks like the two in each other's
 * place, and is left out.
 */
function claimedClientId(
  { authorization, form }: Presented,
  assertion: SignedJwt | undefined,
  registered: Client | undefined,
): string | undefined {
  const [basicId, basicSecret] = basicPair(authorization);
  const claimed = [basicId, assertion?.claims['iss'], form.get('client_id')].find(isClaim);
  if (claimed === undefined || registered) return claimed;
  const secret = basicSecret ?? form.get('client_secret');
  const isSwapped =
    secret !== undefined &&
    claimed.length >= SECRET_LENGTH_BOUNDS.min &&
    secret.length < claimed.length;
  return isSwapped ? undefined : claimed;
}

function isClaim(value: unknown): value is string {
  return typeof value === 'string' && isClientId(value);
}

/**
 * RFC 7617. Ids and secrets are compared by form and length alone here, so their own encoding makes
 * no difference.
 */
function basicPair(authorization: string | null): string[] {
  if (authorization === null || !isBasic(authorization)) return [];
  const [, base64 = ''] = authorization.split(' ').filter((part) => part !== '');
  const pair = Buffer.from(base64, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? [] : [pair.slice(0, colon), pair.slice(colon + 1)];
}

/** The algorithms that say something to an operator. */
const namedAlgorithms: readonly string[] = [...assertionAlgorithms, 'Ed25519', 'none'];

function nameAlgorithm(alg: string): string {
  return namedAlgorithms.includes(alg) ? alg : 'other';
}

function nameAudience(aud: unknown, addresses: ProviderAddresses): AudienceWord {
  const { issuer, tokenEndpoint, backchannelEndpoint, aliases } = addresses;
  if (aud === undefined) return 'absent';
  if (Array.isArray(aud)) return 'list';
  if (aud === issuer) return 'issuer';
  if (aud === `${issuer}/`) return 'issuer_with_slash';
  if (aud === tokenEndpoint) return 'token_endpoint';
  if (aud === backchannelEndpoint) return 'backchannel_endpoint';
  return aliases.some((alias) => alias === aud) ? 'alias' : 'foreign';
}
