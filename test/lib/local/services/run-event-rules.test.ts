/** What SES tells of a mail to its mailbox simulator, and which functions hear of it. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  type AcceptedMail,
  simulateMailbox,
} from '../../../../lib/local/services/mailbox-simulator.ts';
import { fits, tellOfMail } from '../../../../lib/local/services/run-event-rules.ts';
import type { LocalStack } from '../../../../lib/local/template/read-stack.ts';

const mailTo = (...to: string[]): AcceptedMail => ({
  from: 'approvals@example.com',
  to,
  configurationSet: 'set',
  tags: { ref: 'a-ref' },
});

describe('the mailbox simulator', () => {
  test.each([
    ['bounce@simulator.amazonses.com', 'bounce', 'Email Bounced', 'General'],
    ['bounce+label@simulator.amazonses.com', 'bounce', 'Email Bounced', 'General'],
    ['Bounce@Simulator.AmazonSES.com', 'bounce', 'Email Bounced', 'General'],
    ['suppressionlist@simulator.amazonses.com', 'bounce', 'Email Bounced', 'Suppressed'],
    ['suppressionlist+1@simulator.amazonses.com', 'bounce', 'Email Bounced', 'Suppressed'],
  ])('bounces for %s', (address, type, detailType, bounceSubType) => {
    const [told, ...others] = simulateMailbox(mailTo(address));
    expect(others).toEqual([]);
    expect(told).toMatchObject({
      type,
      event: {
        source: 'aws.ses',
        'detail-type': detailType,
        detail: {
          eventType: 'Bounce',
          bounce: {
            bounceType: 'Permanent',
            bounceSubType,
            bouncedRecipients: [{ emailAddress: address, action: 'failed', status: '5.1.1' }],
          },
          mail: {
            destination: [address],
            tags: { ref: ['a-ref'], 'ses:configuration-set': ['set'] },
          },
        },
      },
    });
  });

  test('complains for complaint@', () => {
    expect(simulateMailbox(mailTo('complaint+me@simulator.amazonses.com'))).toMatchObject([
      {
        type: 'complaint',
        event: {
          'detail-type': 'Email Complaint Received',
          detail: { eventType: 'Complaint', complaint: { complaintFeedbackType: 'abuse' } },
        },
      },
    ]);
  });

  test.each([
    'success@simulator.amazonses.com',
    'alice@example.com',
    'bounce@example.com',
    'bounce@simulator.amazonses.com.example.com',
    'constructor@simulator.amazonses.com',
  ])('says nothing of %s', (address) => {
    expect(simulateMailbox(mailTo(address))).toEqual([]);
  });

  test('speaks of each recipient', () => {
    const mail = mailTo('bounce@simulator.amazonses.com', 'complaint@simulator.amazonses.com');
    expect(simulateMailbox(mail).map(({ type }) => type)).toEqual(['bounce', 'complaint']);
  });
});

describe('a pattern', () => {
  const event = { source: 'aws.ses', detail: { mail: { tags: { set: ['a', 'b'] } }, count: 1 } };

  test.each([
    [{}, true],
    [{ source: ['aws.ses'] }, true],
    [{ source: ['aws.s3', 'aws.ses'] }, true],
    [{ detail: { mail: { tags: { set: ['b'] } } } }, true],
    [{ source: ['aws.ses'], detail: { mail: { tags: { set: ['c'] } } } }, false],
    [{ source: ['aws.s3'] }, false],
    [{ source: [] }, false],
    [{ other: ['x'] }, false],
    [{ source: { name: ['aws.ses'] } }, false],
    [{ detail: { count: ['1'] } }, false],
    [{ detail: { missing: { tags: ['a'] } } }, false],
  ])('%j', (pattern, isFit) => {
    expect(fits(pattern, event)).toBe(isFit);
  });
});

describe('an event of a mail', () => {
  type Rules = Pick<LocalStack, 'eventRules' | 'mailEvents'>;
  const pattern = { source: ['aws.ses'] };
  const rules: Rules = {
    eventRules: [
      { pattern, functionArn: 'first' },
      { pattern: { source: ['aws.s3'] }, functionArn: 'second' },
      { pattern, functionArn: 'third' },
    ],
    mailEvents: [{ configurationSet: 'set', types: ['bounce'] }],
  };
  const bounce = mailTo('bounce@simulator.amazonses.com');

  /** The functions that are called; what they throw is their own matter. */
  async function heard(stack: Rules, mail: AcceptedMail): Promise<string[]> {
    const called: string[] = [];
    tellOfMail(stack, mail, async (functionArn) => {
      called.push(functionArn);
      throw new Error('what a function throws is its own matter');
    });
    await setImmediate();
    return called;
  }

  test('calls every function whose rule it fits', async () => {
    expect(await heard(rules, bounce)).toEqual(['first', 'third']);
  });

  test('is one that the configuration set of the mail has SES tell', async () => {
    expect(await heard(rules, mailTo('complaint@simulator.amazonses.com'))).toEqual([]);
    expect(await heard(rules, { ...bounce, configurationSet: 'another' })).toEqual([]);
    expect(await heard(rules, { ...bounce, configurationSet: undefined })).toEqual([]);
    expect(await heard({ ...rules, mailEvents: [] }, bounce)).toEqual([]);
  });
});
