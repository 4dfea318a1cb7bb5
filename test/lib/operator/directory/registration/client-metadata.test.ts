/**
 * The registered client metadata, member by member (RFC 7591, OpenID Connect Registration 1.0, CIBA
 * Core 4 and their neighbours): each is kept, agrees, is dropped with a notice, or is refused; and
 * a slip of the pen is still caught.
 */
import { describe, expect, it } from 'vitest';
import {
  clientMetadata,
  droppedMembers,
  refusalOf,
  treatmentOf,
} from '../../../../../lib/operator/directory/registration/client-metadata.ts';
import {
  clientRegistration,
  keptMemberNames,
} from '../../../../../lib/operator/directory/registration/client-registration.ts';
import { faultsOf } from '../../../../support/registration-faults.ts';

const least = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
};
const registered = clientRegistration.parse(least);

/** Values of every kind, for members of which none or any is taken. */
const anything = ['x', '', 'https://client.example', 0, 1, true, null, [], ['x'], {}, { x: 1 }];

/** What the specifications have, written down from them and not from the code. */
const specified = {
  'RFC 7591 2': [
    ...['redirect_uris', 'token_endpoint_auth_method', 'grant_types', 'response_types'],
    ...['client_name', 'client_uri', 'logo_uri', 'scope', 'contacts', 'tos_uri', 'policy_uri'],
    ...['jwks_uri', 'jwks', 'software_id', 'software_version'],
  ],
  'RFC 7591 2.3 and 3.2.1': [
    ...['software_statement', 'client_id', 'client_secret', 'client_id_issued_at'],
    'client_secret_expires_at',
  ],
  'RFC 7592 3': ['registration_client_uri', 'registration_access_token'],
  'OpenID Connect Registration 2': [
    ...['redirect_uris', 'response_types', 'grant_types', 'application_type', 'contacts'],
    ...['client_name', 'logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'jwks_uri', 'jwks'],
    ...['sector_identifier_uri', 'subject_type', 'id_token_signed_response_alg'],
    ...['id_token_encrypted_response_alg', 'id_token_encrypted_response_enc'],
    ...['userinfo_signed_response_alg', 'userinfo_encrypted_response_alg'],
    ...['userinfo_encrypted_response_enc', 'request_object_signing_alg'],
    ...['request_object_encryption_alg', 'request_object_encryption_enc'],
    ...['token_endpoint_auth_method', 'token_endpoint_auth_signing_alg', 'default_max_age'],
    ...['require_auth_time', 'default_acr_values', 'initiate_login_uri', 'request_uris'],
  ],
  'CIBA Core 4': [
    ...['backchannel_token_delivery_mode', 'backchannel_client_notification_endpoint'],
    ...['backchannel_authentication_request_signing_alg', 'backchannel_user_code_parameter'],
  ],
  'RFC 8705': [
    ...['tls_client_auth_subject_dn', 'tls_client_auth_san_dns', 'tls_client_auth_san_uri'],
    ...['tls_client_auth_san_ip', 'tls_client_auth_san_email'],
    'tls_client_certificate_bound_access_tokens',
  ],
  'RFC 9101 10.5': ['require_signed_request_object'],
  'RFC 9126 6': ['require_pushed_authorization_requests'],
  'RFC 9396 10': ['authorization_details_types'],
  'RFC 9449 5.2': ['dpop_bound_access_tokens'],
};

/** The only value of each member that says what is so anyhow. */
const agreeing: Record<string, unknown[]> = {
  redirect_uris: [[]],
  response_types: [[]],
  client_secret_expires_at: [0],
  application_type: ['web', 'native'],
  subject_type: ['public'],
  require_auth_time: [true, false],
  request_uris: [[]],
  default_acr_values: [[]],
  backchannel_user_code_parameter: [false],
  tls_client_certificate_bound_access_tokens: [false],
  use_mtls_endpoint_aliases: [false],
  dpop_bound_access_tokens: [false],
  require_signed_request_object: [false],
  require_pushed_authorization_requests: [false],
  authorization_details_types: [[]],
  post_logout_redirect_uris: [[]],
  frontchannel_logout_session_required: [false],
  backchannel_logout_session_required: [false],
};

const others: Record<string, unknown[]> = {
  response_types: [['code'], 'none'],
  subject_type: ['pairwise', 'Public'],
  application_type: ['service'],
  client_secret_expires_at: [1_900_000_000, '0'],
  backchannel_user_code_parameter: [true, 'false'],
};

describe('P26: the table', () => {
  it.each(Object.entries(specified))('has every member of %s', (_specification, members) => {
    expect(members.filter((member) => treatmentOf(member) === undefined)).toEqual([]);
  });

  it('calls taken exactly what the registration keeps, beside members of our own', () => {
    const taken = Object.keys(clientMetadata).filter((name) => treatmentOf(name)?.is === 'taken');
    expect(keptMemberNames.filter((name) => !taken.includes(name)).toSorted()).toEqual([
      ...['client_assertion_audience', 'confirmation_level', 'enabled', 'expires_in'],
      ...['failed_flow', 'flow_policy', 'interval', 'notification_policy', 'unknown_user'],
    ]);
    expect(taken.filter((name) => !keptMemberNames.includes(name))).toEqual([]);
  });

  it('has the values of this list for members that agree', () => {
    const names = Object.keys(clientMetadata).filter((name) => treatmentOf(name)?.is === 'agreed');
    expect(Object.keys(agreeing).toSorted()).toEqual(names.toSorted());
  });
});

describe('P26: a registration', () => {
  it.each(Object.keys(clientMetadata).map((member) => [treatmentOf(member)?.is, member] as const))(
    'whose member is %s: %s',
    (treatment, member) => {
      const agrees = agreeing[member] ?? [];
      for (const value of [...agrees, ...(others[member] ?? []), ...anything]) {
        if (treatment === 'taken') return;
        const isDropped =
          treatment === 'dropped' ||
          (treatment === 'agreed' &&
            agrees.some((one) => JSON.stringify(one) === JSON.stringify(value)));
        const given = { ...least, [member]: value };
        const outcome = isDropped ? [] : [member];
        expect([value, faultsOf(clientRegistration, given)]).toEqual([value, outcome]);
        if (isDropped) expect(clientRegistration.parse(given)).toEqual(registered);
        expect(droppedMembers(given)).toEqual(treatment === 'dropped' ? [member] : []);
      }
      expect(refusalOf(member) !== undefined).toBe(
        treatment === 'refused' || treatment === 'agreed',
      );
    },
  );

  it('as another provider answers one is a registration here (RFC 7591 3.2.1)', () => {
    const answered = {
      ...least,
      client_id_issued_at: 1_700_000_000,
      client_secret_expires_at: 0,
      registration_client_uri: 'https://other.example/register/pump-4',
      registration_access_token: 'secret of the other provider',
      response_types: [],
      redirect_uris: [],
      subject_type: 'public',
      application_type: 'web',
      contacts: ['ops@fuel.example'],
      'client_name#de': 'Zapfsäule 4',
      'tos_uri#fr-CA': 'https://fuel.example/fr',
      backchannel_user_code_parameter: false,
    };
    expect(clientRegistration.parse(answered)).toEqual(registered);
    expect(droppedMembers(answered)).toEqual([
      'client_id_issued_at',
      'registration_client_uri',
      'registration_access_token',
      'contacts',
      'client_name#de',
      'tos_uri#fr-CA',
    ]);
  });

  it.each([
    'client_nmae',
    'grant_type',
    'Contacts',
    'contact',
    'redirect_uri',
    'jwk',
    'scope#de',
    'client_name#',
    'client_name#d_e',
    'client_name#de#de',
    'client_nmae#de',
    '#de',
    '',
    'constructor',
    'toString',
    'hasOwnProperty',
  ])('with a slip of the pen is refused and names it: %j', (member) => {
    for (const value of ['x', [], false, 0]) {
      expect(faultsOf(clientRegistration, { ...least, [member]: value })).toEqual([member]);
    }
    expect(refusalOf(member)).toBeUndefined();
  });
});
