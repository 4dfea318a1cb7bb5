/**
 * What an operator wants to hear of: errors and throttling of any part, flows that failed, mail
 * that goes nowhere. Missing data is no alarm, since an idle provider sends none; but of the daily
 * rotation, which is never idle.
 */
import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IRule } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { requestsByDay } from '../../lambdas/aws/formats.ts';
import { OVER_SHARE } from '../../lambdas/ciba/policy/over-limit.ts';
import { MAIN_FLOW } from '../flows/flow-definitions.ts';
import type { Tables } from './tables.ts';

export interface AlarmsProps {
  api: HttpApi;

  /** The state machines by the names of their flows. */
  flows: Readonly<Record<string, StateMachine>>;

  functions: IFunction[];

  /** Where the backchannel authentication endpoint says why it refused a request. */
  authorizeLog: ILogGroup;

  tables: Tables;

  /** The configuration set that mails are sent through. */
  configurationSetName: string;

  /** The rule by which SES's events of mails reach their function. */
  mailFeedback: IRule;

  /**
   * The queues of events that a function was not to be got through, by the names of the functions.
   */
  lostEvents: Readonly<Record<string, IQueue>>;

  /** The function that is called every day to renew the keys. */
  rotateKeys: IFunction;

  /** The SNS topic that alarms are sent to, if any. */
  topicArn: string | undefined;
}

/**
 * SES reviews an account at 5 % bounces and at 0.1 % complaints, and may then stop all its mail.
 */
const BOUNCE_RATE = 0.02;
const COMPLAINT_RATE = 0.0005;

/** A day, and what a rule may be late. */
const HOURS_WITHOUT_ROTATION = 26;

const period = Duration.minutes(5);

export class Alarms extends Construct {
  readonly #topic: ITopic | undefined;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#topic =
      props.topicArn === undefined ? undefined : Topic.fromTopicArn(this, 'Topic', props.topicArn);

    this.#addApiAlarm(props.api);
    this.#addShareAlarm(props.authorizeLog);
    for (const [name, flow] of Object.entries(props.flows)) this.#addFlowAlarms(name, flow);
    this.#addMailAlarms(props.configurationSetName);
    this.#addFeedbackAlarm(props.mailFeedback);
    for (const table of [props.tables.requests, props.tables.directory, props.tables.keys]) {
      this.#addTableAlarms(table);
    }
    this.#addIndexAlarm(props.tables.requests, requestsByDay.name);
    for (const [name, queue] of Object.entries(props.lostEvents)) this.#addQueueAlarm(name, queue);
    this.#addRotationAlarm(props.rotateKeys);
    for (const handler of props.functions) this.#addFunctionAlarm(handler);
  }

  #addApiAlarm(api: HttpApi): void {
    this.#addAlarm('ServerErrors', 'An endpoint answered 5xx.', api.metricServerError(sum()));
  }

  /**
   * What one client wants too much of, the others are kept from in the end; no service counts that.
   */
  #addShareAlarm(logGroup: ILogGroup): void {
    const filter = new MetricFilter(this, 'ShareUsedUp', {
      logGroup,
      filterPattern: FilterPattern.stringValue('$.cause', '=', `${OVER_SHARE}*`),
      // Two providers of one account have metrics of their own.
      metricNamespace: 'CibaProvider',
      metricName: `ShareUsedUp-${logGroup.node.addr}`,
    });
    this.#addAlarm(
      'SharesUsedUp',
      'A client has used up its share of a limit; ciba audit --outcome throttled says which.',
      filter.metric(sum()),
    );
  }

  #addFlowAlarms(name: string, stateMachine: StateMachine): void {
    const suffix = name === MAIN_FLOW ? '' : `-${name}`;
    this.#addAlarm(
      `FailedFlows${suffix}`,
      `A user was not notified by ${name}; the request item says why.`,
      stateMachine.metricFailed(sum()),
    );
    this.#addAlarm(
      `TimedOutFlows${suffix}`,
      `The flow ${name} ran out of time; its request waits for a mail that may never come.`,
      stateMachine.metricTimedOut(sum()),
    );
  }

  #addMailAlarms(configurationSetName: string): void {
    const ofSet = (metricName: string) =>
      new Metric({
        namespace: 'AWS/SES',
        metricName,
        dimensionsMap: { 'ses:configuration-set': configurationSetName },
        ...sum(),
      });
    const ofAccount = (metricName: string) =>
      new Metric({ namespace: 'AWS/SES', metricName, statistic: Stats.AVERAGE, period });

    this.#addAlarm(
      'RenderingFailures',
      'SES accepted a mail and could not render its template.',
      ofSet('RenderingFailure'),
    );
    this.#addAlarm('RejectedMails', 'SES accepted a mail and refused to send it.', ofSet('Reject'));
    // The rates are those that SES judges by: of the whole account, over a span that SES chooses.
    this.#addAlarm(
      'BounceRate',
      'Too many mails of this account bounce: SES reviews it at 5 %.',
      ofAccount('Reputation.BounceRate'),
      { threshold: BOUNCE_RATE },
    );
    this.#addAlarm(
      'ComplaintRate',
      'Too many mails of this account are reported as spam: SES reviews it at 0.1 %.',
      ofAccount('Reputation.ComplaintRate'),
      { threshold: COMPLAINT_RATE },
    );
  }

  #addFeedbackAlarm({ ruleName }: IRule): void {
    this.#addAlarm(
      'LostMailFeedback',
      'EventBridge gave up telling of mails that did not arrive.',
      new Metric({
        namespace: 'AWS/Events',
        metricName: 'FailedInvocations',
        dimensionsMap: { RuleName: ruleName },
        ...sum(),
      }),
    );
  }

  #addTableAlarms(table: Table): void {
    const { id } = table.node;
    for (const access of ['Read', 'Write']) {
      this.#addAlarm(
        `${id}Throttled${access}s`,
        `DynamoDB throttled the table ${id}.`,
        table.metric(`${access}ThrottleEvents`, sum()),
      );
    }
  }

  /** An index that is throttled holds up the writes of its table. */
  #addIndexAlarm(table: Table, indexName: string): void {
    this.#addAlarm(
      `${table.node.id}IndexThrottledWrites`,
      `DynamoDB throttled the index ${indexName} of the table ${table.node.id}.`,
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName: 'WriteThrottleEvents',
        dimensionsMap: { TableName: table.tableName, GlobalSecondaryIndexName: indexName },
        ...sum(),
      }),
    );
  }

  #addFunctionAlarm(handler: IFunction): void {
    const name = handler.node.scope?.node.id ?? handler.node.id;
    this.#addAlarm(`${name}Errors`, `The function ${name} threw.`, handler.metricErrors(sum()));
  }

  #addQueueAlarm(name: string, queue: IQueue): void {
    this.#addAlarm(
      `${name}LostEvents`,
      `An event that ${name} failed at to the end lies in its queue; README, Lost events, says how to give it again.`,
      queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM, period }),
    );
  }

  /**
   * The one alarm that silence rings: a rule that is gone or turned off calls nobody, and fails at
   * nothing.
   */
  #addRotationAlarm(handler: IFunction): void {
    this.#addAlarm(
      'NoRotation',
      `The keys were not looked after for ${HOURS_WITHOUT_ROTATION} hours, though it is done every day.`,
      handler.metricInvocations({ statistic: Stats.SUM, period: Duration.hours(1) }),
      {
        threshold: 1,
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: HOURS_WITHOUT_ROTATION,
        treatMissingData: TreatMissingData.BREACHING,
      },
    );
  }

  #addAlarm(id: string, description: string, metric: Metric, rule: Partial<AlarmProps> = {}): void {
    const alarm = new Alarm(this, id, {
      alarmDescription: description,
      metric,
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...rule,
    });
    if (this.#topic) alarm.addAlarmAction(new SnsAction(this.#topic));
  }
}

function sum() {
  return { statistic: Stats.SUM, period };
}
