/**
 * The discovery document (OpenID Connect Discovery 3, RFC 8414 2, CIBA Core 4), member by member:
 * what works and nothing else.
 */
import { describe, expect, it } from 'vitest';
import { providerMetadata } from '../../../lambdas/ciba/provider-metadata.ts';
import { routes } from '../../../lambdas/routes.ts';

const issuer = 'https://ciba.example';

describe('the metadata of the provider', () => {
  it('is exactly this', () => {
    expect(providerMetadata(issuer, routes)).toEqual({
      issuer: 'https://ciba.example',
      backchannel_authentication_endpoint: 'https://ciba.example/cibaAuthorization',
      token_endpoint: 'https://ciba.example/token',
      jwks_uri: 'https://ciba.example/jwks',
      backchannel_token_delivery_modes_supported: ['poll'],
      backchannel_user_code_parameter_supported: false,
      grant_types_supported: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
      response_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      token_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt',
      ],
      token_endpoint_auth_signing_alg_values_supported: [
        'ES256',
        'PS256',
        'RS256',
        'EdDSA',
        'HS256',
        'HS384',
        'HS512',
        'Ed25519',
      ],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
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
      acr_values_supported: ['https://ciba.example/acr/link', 'https://ciba.example/acr/code'],
      claims_parameter_supported: false,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
    });
  });

  // RFC 8414 2 and Discovery 3 require the member; RFC 8414 3.2 and Discovery 4.2 say that claims
  // with zero elements MUST be omitted. For a provider without an authorization endpoint the texts
  // contradict each other; parsers like the list better.
  it('P51: has the required response_types_supported, and nothing in it', () => {
    expect(JSON.parse(JSON.stringify(providerMetadata(issuer, routes)))).toHaveProperty(
      'response_types_supported',
      [],
    );
  });

  it('P48: has no authorization_endpoint, nor anything that only one could use', () => {
    const members = Object.keys(providerMetadata(issuer, routes));
    const frontChannel = /^authorization_|^response_modes_|^code_challenge_/;
    expect(members.filter((name) => frontChannel.test(name))).toEqual([]);
  });

  it.each([
    ['signed requests (CIBA 4)', 'backchannel_authentication_request_signing_alg_values_supported'],
    ['a front channel', 'authorization_endpoint'],
    ['userinfo', 'userinfo_endpoint'],
    ['revocation', 'revocation_endpoint'],
    ['introspection', 'introspection_endpoint'],
    ['registration', 'registration_endpoint'],
    ['DPoP', 'dpop_signing_alg_values_supported'],
    ['mutual TLS', 'tls_client_certificate_bound_access_tokens'],
    ['rich authorization requests', 'authorization_details_types_supported'],
  ])('does not promise %s, which is not built', (_what, member) => {
    expect(providerMetadata(issuer, routes)).not.toHaveProperty(member);
  });
});
