/**
 * Rich authorization requests (RFC 9396): no type of `authorization_details` is known here, and to
 * leave them out would be to ask for, or to give, something else.
 */
import { OAuthError } from '../oauth-error.ts';

/** @throws OAuthError `invalid_authorization_details` (RFC 9396 5) for any, whatever they say */
export function refuseAuthorizationDetails(form: ReadonlyMap<string, string>): void {
  if (!form.has('authorization_details')) return;
  throw new OAuthError(
    'invalid_authorization_details',
    'The parameter authorization_details is not supported.',
  );
}
