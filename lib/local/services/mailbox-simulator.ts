/**
 * SES's mailbox simulator on this machine: a mail to one of its addresses comes back, or is
 * complained of, and SES says so. See {@link
 * https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html}
 */
import { randomUUID } from 'node:crypto';
import type { MailEventType } from '../template/read-stack.ts';
import { localAccount, localArn } from '../template/resource-names.ts';

/** A mail that SES has accepted. */
export interface AcceptedMail {
  from: string;
  to: string[];
  /** The configuration set it was sent through, if any. */
  configurationSet: string | undefined;
  tags: Record<string, string>;
}

/** An event as it comes to the account's event bus. */
export interface BusEvent {
  source: string;
  'detail-type': string;
  detail: Record<string, unknown>;
  [member: string]: unknown;
}

/** What SES says of a mail, and the kind of event by which an event destination asks for it. */
export interface MailEvent {
  type: MailEventType;
  event: BusEvent;
}

interface Fate {
  type: MailEventType;
  detailType: string;
  told: Record<string, unknown>;
}

/**
 * What becomes of a mail, by what its address begins with; a label may follow, as in
 * `bounce+label@`.
 */
const fates = new Map<string, (emailAddress: string, timestamp: string) => Fate>([
  ['bounce', bounced('General', 'smtp; 550 5.1.1 user unknown')],
  ['suppressionlist', bounced('Suppressed', 'Amazon SES has suppressed sending to this address')],
  ['complaint', complained],
]);

function bounced(bounceSubType: string, diagnosticCode: string) {
  return (emailAddress: string, timestamp: string): Fate => ({
    type: 'bounce',
    detailType: 'Email Bounced',
    told: {
      eventType: 'Bounce',
      bounce: {
        feedbackId: randomUUID(),
        bounceType: 'Permanent',
        bounceSubType,
        bouncedRecipients: [{ emailAddress, action: 'failed', status: '5.1.1', diagnosticCode }],
        timestamp,
        reportingMTA: 'dns; amazonses.com',
      },
    },
  });
}

function complained(emailAddress: string, timestamp: string): Fate {
  return {
    type: 'complaint',
    detailType: 'Email Complaint Received',
    told: {
      eventType: 'Complaint',
      complaint: {
        feedbackId: randomUUID(),
        complaintSubType: null,
        complainedRecipients: [{ emailAddress }],
        timestamp,
        userAgent: 'Amazon SES Mailbox Simulator',
        complaintFeedbackType: 'abuse',
        arrivalDate: timestamp,
      },
    },
  };
}

const simulated = /^([a-z]+)(?:\+[^@]*)?@simulator\.amazonses\.com$/i;

/**
 * What SES says of each recipient that is one of the simulator's; nothing of others, whose mail
 * arrives.
 */
export function simulateMailbox(mail: AcceptedMail): MailEvent[] {
  const timestamp = new Date().toISOString();
  return mail.to.flatMap((address) => {
    const [, name = ''] = simulated.exec(address) ?? [];
    const fate = fates.get(name.toLowerCase())?.(address, timestamp);
    return fate ? [{ type: fate.type, event: busEvent(mail, fate, timestamp) }] : [];
  });
}

function busEvent(mail: AcceptedMail, { detailType, told }: Fate, timestamp: string): BusEvent {
  const { configurationSet } = mail;
  const tags = {
    'ses:operation': ['SendTemplatedEmail'],
    ...(configurationSet !== undefined && { 'ses:configuration-set': [configurationSet] }),
    ...Object.fromEntries(Object.entries(mail.tags).map(([name, value]) => [name, [value]])),
  };
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source: 'aws.ses',
    account: localAccount.id,
    time: timestamp,
    region: localAccount.region,
    resources: [localArn('ses:identity/', mail.from)],
    detail: {
      ...told,
      mail: {
        timestamp,
        source: mail.from,
        sourceArn: localArn('ses:identity/', mail.from),
        sendingAccountId: localAccount.id,
        messageId: randomUUID(),
        destination: mail.to,
        headersTruncated: false,
        tags,
      },
    },
  };
}
