/**
 * What SES tells of mails after it accepted them: a rule on the account's event bus that takes the
 * events of our configuration set, and the function that keeps them.
 */
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { LostEvents } from './lost-events.ts';
import { ProviderFunction } from './provider-function.ts';
import type { Tables } from './tables.ts';

export interface MailFeedbackProps {
  tables: Tables;

  /** The configuration set that mails are sent through; SES names it in each event. */
  configurationSetName: string;

  logRetention: RetentionDays;
}

export class MailFeedback extends Construct {
  readonly function: IFunction;

  readonly lostEvents: LostEvents;

  readonly rule: Rule;

  constructor(scope: Construct, id: string, props: MailFeedbackProps) {
    super(scope, id);
    const { tables, configurationSetName, logRetention } = props;

    this.lostEvents = new LostEvents(this, 'LostEvents');
    this.function = new ProviderFunction(this, 'MailFeedback', {
      handler: 'mail-feedback',
      environment: {
        DIRECTORY_TABLE: tables.directory.tableName,
        REQUESTS_TABLE: tables.requests.tableName,
      },
      rights: [
        tables.allowOnRequests('GetItem'),
        tables.allowHearingOfMail(),
        tables.allowReadingDirectory('user'),
        tables.allowNotingAddresses(),
      ],
      lostEvents: this.lostEvents,
      logRetention,
    }).function;

    // EventBridge tries for a day to call the function, and Lambda runs it three times; what is
    // lost then lies in the queue.
    this.rule = new Rule(this, 'OfOurMails', {
      description: 'Tells the CIBA provider of its mails that did not arrive',
      eventPattern: {
        source: ['aws.ses'],
        detail: { mail: { tags: { 'ses:configuration-set': [configurationSetName] } } },
      },
      targets: [new LambdaFunction(this.function, { deadLetterQueue: this.lostEvents.queue })],
    });
  }
}
