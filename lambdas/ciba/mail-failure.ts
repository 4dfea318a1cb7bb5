/**
 * What may become of a mail after it was accepted for delivery, in words of ours; each is also a
 * cause in the audit.
 */

export const mailFailures = [
  /** The mailbox does not exist, or its server refuses mail for good. */
  'mail_bounced',
  /** Mail to the address came back before, or was complained of: it was not even tried. */
  'mail_suppressed',
  /** Whoever got it calls it spam. */
  'mail_complained',
  /**
   * It did not arrive, and another one may: the mailbox is full, or its server refuses what the
   * mail says.
   */
  'mail_undelivered',
  /** It was refused, at once or when it was looked through. */
  'mail_rejected',
  /** The template could not be filled in. */
  'mail_not_rendered',
] as const;

export type MailFailure = (typeof mailFailures)[number];

/** After one of these the address gets no mail until the operator says otherwise. */
export const undeliverableCauses = [
  'mail_bounced',
  'mail_suppressed',
  'mail_complained',
] as const satisfies readonly MailFailure[];

export type UndeliverableCause = (typeof undeliverableCauses)[number];

/** Whether the failure says something of the address, and not of the one mail. */
export function isUndeliverableCause(failure: MailFailure): failure is UndeliverableCause {
  return undeliverableCauses.some((cause) => cause === failure);
}
