/**
 * Whether what a user approved still counts when tokens are issued on it: at the redemption (CIBA
 * Core 10.1) and at every refresh after it (RFC 6749, section 6; RFC 9700, section 4.14). Both
 * grants ask this one judgement.
 */

import type { CIBA_GRANT_TYPE, Client, REFRESH_GRANT_TYPE } from '../client/client.ts';
import { judgeContact, type ReachableUser, type User } from '../user/user.ts';
import type { ApprovedRequest, RedeemedRequest } from './authentication-request.ts';

/** What is approved, and by which grant tokens are asked for. */
export interface UsedGrant {
  request: Pick<ApprovedRequest | RedeemedRequest, 'contactVersion' | 'decidedAt'>;
  grantType: typeof CIBA_GRANT_TYPE | typeof REFRESH_GRANT_TYPE;
}

/** Why the client may use no grant of this kind, whatever was approved. */
type ClientLapse = 'client_unknown' | 'client_disabled' | 'client_without_grant_type';

/** Why what was approved is over. */
type ApprovalLapse =
  | 'client_tokens_revoked'
  | 'user_unknown'
  | 'user_disabled'
  | 'email_unverified'
  | 'contact_changed'
  | 'user_tokens_revoked';

export type GrantJudgement =
  | { counts: true; client: Client; user: ReachableUser }
  | { counts: false; lapsed: 'client'; reason: ClientLapse }
  | { counts: false; lapsed: 'approval'; reason: ApprovalLapse };

/**
 * Judges a grant by client and user as they are now. The client is enabled and registered for the
 * grant type; the user is enabled, and reached at the verified address that was asked; neither's
 * tokens were revoked since the approval. That mail to the address came back in the meantime ends
 * nothing: a decision stays a decision.
 */
export function judgeGrant(
  { request, grantType }: UsedGrant,
  client: Client | undefined,
  user: User | undefined,
): GrantJudgement {
  if (!client) return clientLapse('client_unknown');
  if (!client.enabled) return clientLapse('client_disabled');
  if (!client.grant_types.includes(grantType)) return clientLapse('client_without_grant_type');
  if (isRevoked(request, client)) return approvalLapse('client_tokens_revoked');
  const contact = judgeContact(user);
  if (!contact.reachable) return approvalLapse(contact.reason);
  if (contact.user.contact_version !== request.contactVersion) {
    return approvalLapse('contact_changed');
  }
  if (isRevoked(request, contact.user)) return approvalLapse('user_tokens_revoked');
  return { counts: true, client, user: contact.user };
}

/**
 * Whether an approval lies before the instant from which the tokens of a client or user count, both
 * in epoch seconds to the millisecond. What is approved at that very instant, or later, counts,
 * whenever it was asked for.
 */
export function isRevoked(
  { decidedAt }: { decidedAt: number },
  { tokens_not_before: notBefore }: Pick<Client | User, 'tokens_not_before'>,
): boolean {
  return notBefore !== undefined && decidedAt < notBefore;
}

function clientLapse(reason: ClientLapse): GrantJudgement {
  return { counts: false, lapsed: 'client', reason };
}

function approvalLapse(reason: ApprovalLapse): GrantJudgement {
  return { counts: false, lapsed: 'approval', reason };
}
