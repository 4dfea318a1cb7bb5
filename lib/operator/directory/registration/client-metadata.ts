/**
 * The registered client metadata (RFC 7591 2, 2.2 and 3.2.1, RFC 7592 3, OpenID Connect
 * Registration 2, CIBA Core 4, RFC 8705, RFC 9101, RFC 9126, RFC 9396, RFC 9449, OpenID Connect's
 * logout documents), and what becomes of each member: a registration that was written for another
 * provider as well need not be taken apart by hand, and a wish that is not granted is an error.
 */
import { isLanguageTag } from '../../../../lambdas/ciba/words/language-tag.ts';

/** What becomes of a member. */
export type MemberTreatment =
  /** Kept, by the rules of the registration. */
  | { is: 'taken' }
  /**
   * Says what is so anyhow: a value that agrees is dropped without a word, any other is refused.
   */
  | { is: 'agreed'; agrees: (value: unknown) => boolean; allowed: string }
  /** Mere information: dropped, whatever it is, with a notice. */
  | { is: 'dropped' }
  /** Asks for what there is not. */
  | { is: 'refused'; reason: string };

const taken: MemberTreatment = { is: 'taken' };
const dropped: MemberTreatment = { is: 'dropped' };

function refused(reason: string): MemberTreatment {
  return { is: 'refused', reason };
}

function agreed(...values: (string | number | boolean)[]): MemberTreatment {
  return {
    is: 'agreed',
    agrees: (value) => values.some((one) => one === value),
    allowed: values.map((value) => JSON.stringify(value)).join(', '),
  };
}

const noEntries: MemberTreatment = {
  is: 'agreed',
  agrees: (value) => Array.isArray(value) && value.length === 0,
  allowed: '[]',
};

const nothingFetched = refused('nothing is fetched for a client; allowed: jwks');
const noUserInfo = refused('there is no UserInfo endpoint');
const noEncryption = refused('nothing is encrypted to a client');
const noSignedRequests = refused('signed requests are not built');
const noCertificates = refused('client authentication by TLS is not built');
const noLogout = refused('there are no sessions to end');

/** Every registered member and what becomes of it. */
export const clientMetadata: Record<string, MemberTreatment> = {
  // RFC 7591 2 and 3.2.1, RFC 7592 3.
  client_id: taken,
  client_secret: taken,
  client_name: taken,
  client_uri: taken,
  logo_uri: taken,
  token_endpoint_auth_method: taken,
  grant_types: taken,
  scope: taken,
  jwks: taken,
  redirect_uris: noEntries,
  response_types: noEntries,
  contacts: dropped,
  tos_uri: dropped,
  policy_uri: dropped,
  software_id: dropped,
  software_version: dropped,
  client_id_issued_at: dropped,
  client_secret_expires_at: agreed(0),
  registration_client_uri: dropped,
  registration_access_token: dropped,
  jwks_uri: nothingFetched,
  software_statement: refused('nobody who signs software statements is trusted here'),

  // OpenID Connect Registration 2.
  token_endpoint_auth_signing_alg: taken,
  id_token_signed_response_alg: taken,
  // Both tell of redirects alone, of which there are none.
  application_type: agreed('web', 'native'),
  subject_type: agreed('public'),
  // The claim auth_time is in every ID Token.
  require_auth_time: agreed(true, false),
  request_uris: noEntries,
  default_acr_values: noEntries,
  initiate_login_uri: dropped,
  sector_identifier_uri: refused('subjects are public, and nothing is fetched for a client'),
  default_max_age: refused('the user decides anew for every request'),
  id_token_encrypted_response_alg: noEncryption,
  id_token_encrypted_response_enc: noEncryption,
  userinfo_signed_response_alg: noUserInfo,
  userinfo_encrypted_response_alg: noUserInfo,
  userinfo_encrypted_response_enc: noUserInfo,
  request_object_signing_alg: noSignedRequests,
  request_object_encryption_alg: noSignedRequests,
  request_object_encryption_enc: noSignedRequests,

  // CIBA Core 4.
  backchannel_token_delivery_mode: taken,
  backchannel_user_code_parameter: agreed(false),
  backchannel_client_notification_endpoint: refused('clients poll; nobody is called back'),
  backchannel_authentication_request_signing_alg: noSignedRequests,

  // RFC 8705 2.1.2, 3.4 and 5; RFC 9449 5.2.
  tls_client_certificate_bound_access_tokens: agreed(false),
  use_mtls_endpoint_aliases: agreed(false),
  dpop_bound_access_tokens: agreed(false),
  tls_client_auth_subject_dn: noCertificates,
  tls_client_auth_san_dns: noCertificates,
  tls_client_auth_san_uri: noCertificates,
  tls_client_auth_san_ip: noCertificates,
  tls_client_auth_san_email: noCertificates,

  // RFC 9101 10.5, RFC 9126 6, RFC 9396 10.
  require_signed_request_object: agreed(false),
  require_pushed_authorization_requests: agreed(false),
  authorization_details_types: noEntries,

  // OpenID Connect RP-Initiated, Front-Channel and Back-Channel Logout.
  post_logout_redirect_uris: noEntries,
  frontchannel_logout_session_required: agreed(false),
  backchannel_logout_session_required: agreed(false),
  frontchannel_logout_uri: noLogout,
  backchannel_logout_uri: noLogout,
};

/** RFC 7591 2.2: the members that people read, which may come once more for each language. */
const humanReadable = ['client_name', 'client_uri', 'logo_uri', 'tos_uri', 'policy_uri'];

/** What becomes of a member of this name; `undefined` for one that nobody has registered. */
export function treatmentOf(member: string): MemberTreatment | undefined {
  if (Object.hasOwn(clientMetadata, member)) return clientMetadata[member];
  const [, name = '', tag = ''] = /^([^#]+)#(.+)$/.exec(member) ?? [];
  // One name is shown to everybody, as the operator vouches for it.
  return humanReadable.includes(name) && isLanguageTag(tag) ? dropped : undefined;
}

/**
 * Why a registered member is refused; `undefined` for one that is taken or dropped, or that nobody
 * has registered.
 */
export function refusalOf(member: string): string | undefined {
  const treatment = treatmentOf(member);
  if (treatment?.is === 'refused') return `must be left out: ${treatment.reason}`;
  return treatment?.is === 'agreed' ? `allowed: ${treatment.allowed}` : undefined;
}

/**
 * A registration without the members that change nothing, as far as it is one; what is refused
 * stays, to be named.
 */
export function withoutIdleMembers(registration: unknown): unknown {
  if (!isObject(registration)) return registration;
  return Object.fromEntries(
    Object.entries(registration).filter(([member, value]) => {
      const treatment = treatmentOf(member);
      return !(
        treatment?.is === 'dropped' ||
        (treatment?.is === 'agreed' && treatment.agrees(value))
      );
    }),
  );
}

/** The members of a registration that are dropped, which the operator is told of. */
export function droppedMembers(registration: unknown): string[] {
  if (!isObject(registration)) return [];
  return Object.keys(registration).filter((member) => treatmentOf(member)?.is === 'dropped');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
