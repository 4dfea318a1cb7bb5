/**
 * SES's events of a mail as EventBridge delivers them, after the examples of SES's developer guide.
 */

/** What is told of the mail: the kind of event, and the member that goes with it. */
interface Told {
  eventType: string;
  [member: string]: unknown;
}

/** An event of the mail that was sent for this request. */
export function sesEvent(ref: string, told: Told, address = 'alice@example.com') {
  return {
    version: '0',
    id: '8a4a4b8c-1f2e-4c5d-9d4b-0a1b2c3d4e5f',
    'detail-type': 'Email Bounced',
    source: 'aws.ses',
    account: '123456789012',
    time: '2023-11-14T22:13:25Z',
    region: 'us-east-1',
    resources: ['arn:aws:ses:us-east-1:123456789012:identity/approvals@bank.example'],
    detail: {
      ...told,
      mail: {
        timestamp: '2023-11-14T22:13:21.000Z',
        source: 'approvals@bank.example',
        sendingAccountId: '123456789012',
        messageId: '01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000',
        destination: [address],
        headersTruncated: false,
        headers: [{ name: 'To', value: address }],
        commonHeaders: { to: [address], subject: 'Fuel & Go asks for your approval' },
        tags: {
          'ses:configuration-set': ['CibaProvider'],
          'ses:caller-identity': ['CibaProvider-Mail'],
          ref: [ref],
        },
      },
    },
  };
}

export function bounce(bounceType: string, bounceSubType: string): Told {
  return {
    eventType: 'Bounce',
    bounce: {
      bounceType,
      bounceSubType,
      bouncedRecipients: [
        {
          emailAddress: 'alice@example.com',
          action: 'failed',
          status: '5.1.1',
          diagnosticCode: 'smtp; 550 5.1.1 user unknown',
        },
      ],
      timestamp: '2023-11-14T22:13:24.669Z',
      feedbackId: '01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000',
      reportingMTA: 'dsn; mta.example.com',
    },
  };
}

export function complaint(members: object = { complaintFeedbackType: 'abuse' }): Told {
  return {
    eventType: 'Complaint',
    complaint: {
      complainedRecipients: [{ emailAddress: 'alice@example.com' }],
      timestamp: '2023-11-14T22:13:24.669Z',
      feedbackId: '01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000',
      ...members,
    },
  };
}

export const reject: Told = { eventType: 'Reject', reject: { reason: 'Bad content' } };

export const renderingFailure: Told = {
  eventType: 'Rendering Failure',
  failure: {
    errorMessage: "Attribute 'magicLink' is not present in the rendering data.",
    templateName: 'ciba-with-binding-message-en',
  },
};
