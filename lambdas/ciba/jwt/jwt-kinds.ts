/**
 * The kinds of JWT that are made or read here, and what tells each of them from all others: the
 * mutually exclusive validation rules of RFC 8725 3.11 and 3.12. Every judge consults this table,
 * so one JWT has one use.
 */
import type { Claims, SignedJwt } from './signed-jwt.ts';

/** The `typ` of an access token (RFC 9068 2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** The `typ` of an ID Token; OpenID Connect Core names none. */
export const ID_TOKEN_TYPE = 'JWT';

/** The `typ` of a hint token that names itself. CIBA Core 7.1 leaves its form to each provider. */
export const LOGIN_HINT_TOKEN_TYPE = 'login-hint-token+jwt';

/** The claims by which a hint token names its user; it has exactly one of them. */
export const userClaims = ['sub', 'username', 'email'] as const;

/** One form in which JWTs of a kind are written. */
interface JwtForm {
  /**
   * The accepted values of `typ`, in lower case; `undefined` is a header without one. Any other is
   * refused.
   */
  typ: readonly (string | undefined)[];
  /** Claims that it must have. */
  has: readonly string[];
  /** Claims that it must not have. */
  hasNot: readonly string[];
  /** Whether the `sub` has to be the `iss`, or must not be; no rule where this is left out. */
  sub?: 'the iss' | 'not the iss';
}

export interface JwtKind {
  /**
   * Whose id is the `iss`. An issuer identifier has a colon and a client id has none, so neither is
   * ever the other.
   */
  issuedBy: 'client' | 'provider';
  /**
   * The one form parameter that takes it; left out for a kind that is made here and read by others.
   */
  parameter?: string;
  forms: readonly JwtForm[];
}

/**
 * No library that signs assertions sets a `typ` of its own (RFC 10070 leaves it optional), and none
 * is demanded.
 */
const untyped = [undefined, 'jwt'];

/**
 * A kind without a row is refused everywhere, whatever its `typ` is: `oauth-authz-req+jwt`,
 * `dpop+jwt` and `secevent+jwt` get a row when something here reads them. Any two rows exclude each
 * other: by who issued them, by `typ`, by a claim that one demands and the other forbids, or by the
 * relation of `sub` to `iss`.
 */
export const jwtKinds = {
  /** RFC 7523 3, RFC 10070. It never names a user. */
  clientAssertion: {
    issuedBy: 'client',
    parameter: 'client_assertion',
    forms: [
      {
        typ: [...untyped, 'client-authentication+jwt'],
        has: ['iss', 'sub', 'aud', 'exp', 'jti'],
        hasNot: ['username', 'email'],
        sub: 'the iss',
      },
    ],
  },
  /** CIBA Core 7.1. Only with its own `typ` may it name a user whose `sub` is the client's id. */
  loginHintToken: {
    issuedBy: 'client',
    parameter: 'login_hint_token',
    forms: [
      { typ: [LOGIN_HINT_TOKEN_TYPE], has: ['iss', 'aud', 'exp', 'jti'], hasNot: [] },
      { typ: untyped, has: ['iss', 'aud', 'exp', 'jti'], hasNot: [], sub: 'not the iss' },
    ],
  },
  /** OpenID Connect Core 2. */
  idToken: {
    issuedBy: 'provider',
    parameter: 'id_token_hint',
    forms: [
      {
        typ: [ID_TOKEN_TYPE.toLowerCase()],
        has: ['iss', 'sub', 'aud', 'exp', 'iat'],
        hasNot: ['client_id'],
      },
    ],
  },
  /** RFC 9068 2.2. */
  accessToken: {
    issuedBy: 'provider',
    forms: [
      {
        typ: [ACCESS_TOKEN_TYPE],
        has: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
        hasNot: [],
      },
    ],
  },
} as const satisfies Record<string, JwtKind>;

/**
 * Why a JWT is not of this kind, in words for our own log; `undefined` for one that is, as far as
 * its form tells.
 */
export function findKindFault(
  { typ, claims }: Pick<SignedJwt, 'typ' | 'claims'>,
  kind: JwtKind,
): string | undefined {
  const form = kind.forms.find((one) => one.typ.includes(typ));
  if (!form) return 'another type of JWT';
  const missing = form.has.find((claim) => !Object.hasOwn(claims, claim));
  if (missing !== undefined) return missing;
  const isAnother =
    form.hasNot.some((claim) => Object.hasOwn(claims, claim)) || !fitsSub(form, claims);
  return isAnother ? 'another kind of JWT' : undefined;
}

function fitsSub({ sub }: JwtForm, claims: Claims): boolean {
  if (sub === undefined) return true;
  return (claims['sub'] === claims['iss']) === (sub === 'the iss');
}
