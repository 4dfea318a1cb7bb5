/**
 * The discovery document (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2, CIBA Core 4):
 * exactly what this provider does, and nothing it does not.
 */
import {
  CIBA_GRANT_TYPE,
  clientAuthenticationMethods,
  idTokenSigningAlgorithms,
  REFRESH_GRANT_TYPE,
  registrableAlgorithms,
} from './client/client.ts';
import { authenticationContext, confirmationLevels } from './client/confirmation-level.ts';
import { OFFLINE_ACCESS } from './scope.ts';

/** Paths below the issuer, each beginning with a slash. */
export interface EndpointPaths {
  backchannelAuthentication: string;
  token: string;
  jwks: string;
}

/** The metadata of the provider with this issuer identifier. */
export function providerMetadata(issuer: string, paths: EndpointPaths) {
  return {
    issuer,
    backchannel_authentication_endpoint: `${issuer}${paths.backchannelAuthentication}`,
    token_endpoint: `${issuer}${paths.token}`,
    jwks_uri: `${issuer}${paths.jwks}`,
    backchannel_token_delivery_modes_supported: ['poll'],
    backchannel_user_code_parameter_supported: false,
    // RFC 8414 2: left out, this member would mean authorization_code and implicit.
    grant_types_supported: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE],
    // Required by both documents (RFC 8414 2, Discovery 3), which also leave out what has no
    // elements (3.2, 4.2). There is no authorization endpoint that could return anything, and
    // parsers that demand the member take the empty list.
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...idTokenSigningAlgorithms],
    token_endpoint_auth_methods_supported: [...clientAuthenticationMethods],
    token_endpoint_auth_signing_alg_values_supported: [...registrableAlgorithms],
    scopes_supported: ['openid', 'profile', 'email', OFFLINE_ACCESS],
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'auth_time',
      'acr',
      'amr',
      'email',
      'email_verified',
      'preferred_username',
      'name',
      'locale',
    ],
    acr_values_supported: confirmationLevels.map((level) => authenticationContext(issuer, level)),
    claims_parameter_supported: false,
    request_parameter_supported: false,
    // OpenID Connect Discovery 3: left out, this member would mean true.
    request_uri_parameter_supported: false,
  };
}
