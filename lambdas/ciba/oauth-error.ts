/**
 * The one error of the protocol: a registered code, a text the client can act on, and a reason for
 * our own log. Codes of RFC 6749 section 5.2, CIBA Core 11 (token endpoint) and 13 (backchannel
 * authentication endpoint), RFC 9396.
 */

/** The two endpoints that answer in the shape of RFC 6749, section 5.2. */
export type OAuthEndpoint = 'backchannel_authentication' | 'token';

/**
 * Every code this provider answers with, and its HTTP status where the endpoint makes no
 * difference.
 */
const statusByCode = {
  /** CIBA Core 13, RFC 6749 5.2: a parameter is missing, repeated or wrong. */
  invalid_request: 400,
  /** CIBA Core 13, RFC 6749 5.2. */
  invalid_scope: 400,
  /** CIBA Core 13: the hint names no user who can be asked. */
  unknown_user_id: 400,
  /** CIBA Core 13. */
  expired_login_hint_token: 400,
  /** CIBA Core 13, RFC 6749 5.2: the client may not use this grant. */
  unauthorized_client: 400,
  /** CIBA Core 13. */
  invalid_binding_message: 400,
  /** RFC 9396 5. */
  invalid_authorization_details: 400,
  /** CIBA Core 13, RFC 6749 5.2. */
  invalid_client: 401,
  /**
   * CIBA Core 11: 400 at the token endpoint; CIBA Core 13: 403 at the backchannel authentication
   * endpoint.
   */
  access_denied: 400,
  /** RFC 6749 5.2. */
  unsupported_grant_type: 400,
  /** CIBA Core 11: the auth_req_id is not one of this client, or is used up. */
  invalid_grant: 400,
  /** CIBA Core 11. */
  authorization_pending: 400,
  /** CIBA Core 11. */
  slow_down: 400,
  /** CIBA Core 11. */
  expired_token: 400,
  /** RFC 6749 4.1.2.1: a fault of ours. */
  server_error: 500,
  /** RFC 6749 4.1.2.1: something we depend on does not answer; nothing was consumed. */
  temporarily_unavailable: 503,
} as const;

export type OAuthErrorCode = keyof typeof statusByCode;

/** Whether it is one of ours; what was stored may be older or newer. */
export function isOAuthErrorCode(code: unknown): code is OAuthErrorCode {
  return typeof code === 'string' && Object.hasOwn(statusByCode, code);
}

interface OAuthErrorOptions {
  /** An HTTP status narrower than the code's own, such as 405 or 413. */
  status?: number;
  /** Headers that belong to the answer, such as `Allow` or `Retry-After`. */
  headers?: Record<string, string>;
  /** What really happened; for our log alone. */
  cause?: unknown;
}

/**
 * An answer of the protocol that is not a success. The message becomes the `error_description`, so
 * it tells the client what it can mend and never repeats its input.
 */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;
  readonly status: number | undefined;
  readonly headers: Record<string, string>;

  constructor(code: OAuthErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(description, { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.headers = options.headers ?? {};
  }
}

/** The HTTP status of a code at an endpoint (CIBA Core 11 and 13). */
export function statusOf(code: OAuthErrorCode, endpoint: OAuthEndpoint): number {
  if (code === 'access_denied' && endpoint === 'backchannel_authentication') return 403;
  return statusByCode[code];
}

/** The characters of an `error_description` (RFC 6749 5.2): printable ASCII without `"` and `\`. */
const descriptionCharacters = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * The members of an error answer. The description ends in the correlation id, as the reference's
 * does. A description with a character that RFC 6749 5.2 forbids gives way to the code alone.
 */
export function errorBody(
  code: OAuthErrorCode,
  description: string,
  correlationId: string,
): { error: OAuthErrorCode; error_description: string } {
  const text = descriptionCharacters.test(description) ? description : `${code}.`;
  return { error: code, error_description: `${text} (Correlation ID: ${correlationId})` };
}
