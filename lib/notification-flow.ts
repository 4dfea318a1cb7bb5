/**
 * The flow that notifies the user: three task functions and the state machine of `statemachines/ciba-flow.asl.json`,
 * which stands in the template as text. Express, since a Standard one would cost more per request than its mail.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { NotificationMail } from './notification-mail.ts';
import { ProviderFunction } from './provider-function.ts';
import type { Tables } from './tables.ts';

export interface NotificationFlowProps {
  /** Unique in the account and region. */
  name: string;

  tables: Tables;

  mail: NotificationMail;

  issuer: string;

  /** Which events of the flow are logged. */
  logLevel: keyof typeof LogLevel;

  logRetention: RetentionDays;
}

const definitionFile = join(import.meta.dirname, '../statemachines/ciba-flow.asl.json');

export class NotificationFlow extends Construct {
  readonly stateMachine: StateMachine;

  /** The functions of the flow's tasks. */
  readonly functions: IFunction[];

  readonly #props: NotificationFlowProps;

  constructor(scope: Construct, id: string, props: NotificationFlowProps) {
    super(scope, id);
    this.#props = props;
    const locateUser = this.#addLocateUser();
    const mail = this.#addMail();
    const recordFailure = this.#addRecordFailure();
    this.functions = [locateUser, mail, recordFailure];

    this.stateMachine = new StateMachine(this, 'StateMachine', {
      definitionBody: DefinitionBody.fromString(readFileSync(definitionFile, 'utf8')),
      definitionSubstitutions: {
        locateUserFunction: locateUser.functionArn,
        mailFunction: mail.functionArn,
        recordFailureFunction: recordFailure.functionArn,
        withBindingMessageTemplate: props.mail.templateName('ciba-with-binding-message'),
        withoutBindingMessageTemplate: props.mail.templateName('ciba-without-binding-message'),
      },
      stateMachineType: StateMachineType.EXPRESS,
      logs: {
        destination: this.#addLog(),
        level: LogLevel[props.logLevel],
        includeExecutionData: false,
      },
      tracingEnabled: true,
    });
    this.#allowInvoking();
    Validations.of(this.stateMachine).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        'The level is a setting: ERROR keeps what failed, ALL costs more than the flow itself; the request item is the audit.',
    });
  }

  /** The right to start the flow. */
  allowStarting(): PolicyStatement {
    return new PolicyStatement({
      actions: ['states:StartExecution'],
      resources: [this.stateMachine.stateMachineArn],
    });
  }

  #addLocateUser(): IFunction {
    const { tables, logRetention } = this.#props;
    return new ProviderFunction(this, 'LocateUser', {
      handler: 'locate-user',
      environment: {
        DIRECTORY_TABLE: tables.directory.tableName,
        REQUESTS_TABLE: tables.requests.tableName,
      },
      rights: [tables.allowOnRequests('GetItem'), tables.allowReadingDirectory('user#*')],
      logRetention,
    }).function;
  }

  #addMail(): IFunction {
    const { tables, mail, issuer, logRetention } = this.#props;
    const sender = new ProviderFunction(this, 'Mail', {
      handler: 'mail',
      environment: {
        ISSUER: issuer,
        DIRECTORY_TABLE: tables.directory.tableName,
        REQUESTS_TABLE: tables.requests.tableName,
        KEYS_TABLE: tables.keys.tableName,
        SENDER: mail.sender,
        CONFIGURATION_SET: mail.configurationSetName,
      },
      rights: [
        tables.allowOnRequests('GetItem', 'UpdateItem'),
        tables.allowReadingDirectory('client#*', 'user#*'),
        ...tables.allowReadingKeys('link'),
        mail.allowSending(),
      ],
      logRetention,
    });
    mail.acknowledgeIdentities(sender);
    return sender.function;
  }

  #addRecordFailure(): IFunction {
    const { tables, logRetention } = this.#props;
    return new ProviderFunction(this, 'RecordFailure', {
      handler: 'record-failure',
      environment: { REQUESTS_TABLE: tables.requests.tableName },
      rights: [tables.allowOnRequests('UpdateItem')],
      logRetention,
    }).function;
  }

  /** Exactly these functions: CDK cannot see them in a definition that is text. */
  #allowInvoking(): void {
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: this.functions.map(({ functionArn }) => functionArn),
      }),
    );
    Validations.of(this.stateMachine.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'The actions of log delivery and of X-Ray, which CDK adds, know no resources; the functions are named.',
    });
  }

  #addLog(): LogGroup {
    return new LogGroup(this, 'Log', {
      // Under this prefix log delivery does not use up the account's one resource policy for logs.
      logGroupName: `/aws/vendedlogs/${this.#props.name}/ciba-flow`,
      retention: this.#props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
