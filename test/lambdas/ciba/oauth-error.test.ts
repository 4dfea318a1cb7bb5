/**
 * Errors as they leave: status and members (RFC 6749 5.2, CIBA Core 11 and 13), characters,
 * correlation id.
 */
import { describe, expect, it } from 'vitest';
import { errorBody, type OAuthErrorCode, statusOf } from '../../../lambdas/ciba/oauth-error.ts';

describe('statusOf', () => {
  it.each<[OAuthErrorCode, number, number]>([
    ['invalid_request', 400, 400],
    ['invalid_scope', 400, 400],
    ['unknown_user_id', 400, 400],
    ['unauthorized_client', 400, 400],
    ['invalid_binding_message', 400, 400],
    ['invalid_authorization_details', 400, 400],
    ['invalid_client', 401, 401],
    ['access_denied', 403, 400],
    ['unsupported_grant_type', 400, 400],
    ['invalid_grant', 400, 400],
    ['authorization_pending', 400, 400],
    ['slow_down', 400, 400],
    ['expired_token', 400, 400],
    ['server_error', 500, 500],
    ['temporarily_unavailable', 503, 503],
  ])(
    '%s is %i at the backchannel endpoint and %i at the token endpoint',
    (code, backchannel, token) => {
      expect(statusOf(code, 'backchannel_authentication')).toBe(backchannel);
      expect(statusOf(code, 'token')).toBe(token);
    },
  );
});

describe('errorBody', () => {
  it('ends the description in the correlation id', () => {
    expect(errorBody('invalid_grant', 'The auth_req_id is not valid.', 'abc')).toEqual({
      error: 'invalid_grant',
      error_description: 'The auth_req_id is not valid. (Correlation ID: abc)',
    });
  });

  it.each(['a "quoted" word', 'a back\\slash', 'a\nbreak', 'ünicode'])(
    'gives way to the code for %j, which RFC 6749 5.2 has no characters for',
    (description) => {
      expect(errorBody('invalid_request', description, 'abc').error_description).toBe(
        'invalid_request. (Correlation ID: abc)',
      );
    },
  );
});
