/**
 * End-users as they are stored, under the claim names of OpenID Connect Core 5.1, and whether they
 * can be asked.
 */
import * as z from 'zod/mini';
import { undeliverableCauses } from '../mail-failure.ts';
import { isSameEmail } from './login.ts';

/**
 * A user as it is stored: names as they were written, and a number that changes whenever the way to
 * reach the user does.
 */
export const storedUser = z.object({
  sub: z.string(),
  username: z.string(),
  email: z.optional(z.string()),
  email_verified: z.boolean(),
  name: z.optional(z.string()),
  locale: z.optional(z.string()),
  enabled: z.boolean(),
  /**
   * Raised by every change of the address or its verification; a request made before such a change
   * cannot be approved.
   */
  contact_version: z.number(),
  /**
   * That mail to an address of the user came back, or was not wanted there. It says nothing of
   * another address.
   */
  undeliverable: z.optional(
    z.object({ email: z.string(), cause: z.enum(undeliverableCauses), at: z.number() }),
  ),
  /** Nothing that the user approved before then is worth a token any more (epoch seconds). */
  tokens_not_before: z.optional(z.number()),
});

export type User = z.output<typeof storedUser>;

/** A user whom a mail can be sent to. */
export type ReachableUser = User & { email: string };

/** Why nobody can be asked in this user's name; each is also a cause in the audit. */
export const unreachableReasons = [
  'user_unknown',
  'user_disabled',
  'email_unverified',
  'email_undeliverable',
] as const;

export type UnreachableReason = (typeof unreachableReasons)[number];

type Judgement<Reason extends UnreachableReason> =
  | { reachable: true; user: ReachableUser }
  | { reachable: false; reason: Reason };

/**
 * Whether what this user decides, or has decided, counts: exists, enabled, with a verified address.
 * It does however mail to the address fares from now on: a decision stays a decision.
 */
export function judgeContact(
  user: User | undefined,
): Judgement<Exclude<UnreachableReason, 'email_undeliverable'>> {
  if (!user) return { reachable: false, reason: 'user_unknown' };
  if (!user.enabled) return { reachable: false, reason: 'user_disabled' };
  const { email } = user;
  if (!user.email_verified || email === undefined)
    return { reachable: false, reason: 'email_unverified' };
  return { reachable: true, user: { ...user, email } };
}

/**
 * Whether a mail may be sent to this user: one whose decisions count, and whose address mail
 * arrives at.
 */
export function judgeReachability(user: User | undefined): Judgement<UnreachableReason> {
  const contact = judgeContact(user);
  if (!contact.reachable) return contact;
  return isUndeliverable(contact.user)
    ? { reachable: false, reason: 'email_undeliverable' }
    : contact;
}

/** Whether mail is known not to arrive at the user's address as it is now. */
export function isUndeliverable({ email, undeliverable }: User): boolean {
  return undeliverable !== undefined && isSameEmail(undeliverable.email, email);
}
