/**
 * The flows that notify the user: three task functions, and one state machine for each file of
 * `statemachines`, which stands in the template as text. Express, since a Standard one would cost
 * more per request than its mail.
 */
import { Aws, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
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
import { type FlowDefinition, MAIN_FLOW, readFlowDefinitions } from '../flows/flow-definitions.ts';
import { LAMBDA_INVOKE } from '../flows/flow-language.ts';
import type { NotificationMail } from './notification-mail.ts';
import { ProviderFunction } from './provider-function.ts';
import type { Tables } from './tables.ts';

export interface NotificationFlowProps {
  /** Unique in the account and region. */
  name: string;

  tables: Tables;

  mail: NotificationMail;

  issuer: string;

  /** Which events of the flows are logged. */
  logLevel: keyof typeof LogLevel;

  logRetention: RetentionDays;
}

export class NotificationFlow extends Construct {
  /** The state machines by the names of their flows. */
  readonly flows: Readonly<Record<string, StateMachine>>;

  /** The functions of the flows' tasks. */
  readonly functions: IFunction[];

  readonly #props: NotificationFlowProps;

  constructor(scope: Construct, id: string, props: NotificationFlowProps) {
    super(scope, id);
    this.#props = props;
    const invoked = {
      locateUserFunction: this.#addLocateUser(),
      mailFunction: this.#addMail(),
      recordFailureFunction: this.#addRecordFailure(),
    };
    this.functions = Object.values(invoked);

    const definitions = readFlowDefinitions({
      functions: Object.keys(invoked),
      templates: Object.keys(props.mail.substitutions),
    });
    this.flows = Object.fromEntries(
      definitions.map((definition) => [definition.name, this.#addFlow(definition, invoked)]),
    );
  }

  /** The right to start every flow. */
  allowStarting(): PolicyStatement {
    return new PolicyStatement({
      actions: ['states:StartExecution'],
      resources: Object.values(this.flows).map(({ stateMachineArn }) => stateMachineArn),
    });
  }

  /** The ARN of each flow by its name, as JSON. */
  describeFlows(): string {
    const arns = Object.entries(this.flows).map(([name, { stateMachineArn }]) => [
      name,
      stateMachineArn,
    ]);
    return Stack.of(this).toJsonString(Object.fromEntries(arns));
  }

  #addFlow(
    { name, text, substitutions }: FlowDefinition,
    functions: Record<string, IFunction>,
  ): StateMachine {
    // The logical ids of the main flow are older than other flows. A log group under another id
    // could not have its name.
    const scope = name === MAIN_FLOW ? this : new Construct(this, name);
    const invoked = Object.entries(functions).filter(([key]) => substitutions.includes(key));
    const values: Record<string, string> = {
      ...this.#props.mail.substitutions,
      ...Object.fromEntries(invoked.map(([key, { functionArn }]) => [key, functionArn])),
    };
    const stateMachine = new StateMachine(scope, 'StateMachine', {
      // The files name the task as the commercial partition does; there are others.
      definitionBody: DefinitionBody.fromString(text.replaceAll(LAMBDA_INVOKE, '${lambdaInvoke}')),
      definitionSubstitutions: {
        ...Object.fromEntries(
          Object.entries(values).filter(([key]) => substitutions.includes(key)),
        ),
        lambdaInvoke: `arn:${Aws.PARTITION}:states:::lambda:invoke`,
      },
      stateMachineType: StateMachineType.EXPRESS,
      logs: {
        destination: this.#addLog(scope, name),
        level: LogLevel[this.#props.logLevel],
        includeExecutionData: false,
      },
    });
    allowInvoking(
      stateMachine,
      invoked.map(([, { functionArn }]) => functionArn),
    );
    Validations.of(stateMachine).acknowledge({
      id: 'AwsSolutions-SF2',
      reason:
        'Nothing is traced: the API and the functions are not, and a trace that begins here leads to no request.',
    });
    Validations.of(stateMachine).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        'The level is a setting: ERROR keeps what failed, ALL costs more than the flow itself; the request item is the audit.',
    });
    return stateMachine;
  }

  #addLocateUser(): IFunction {
    const { tables, logRetention } = this.#props;
    return new ProviderFunction(this, 'LocateUser', {
      handler: 'locate-user',
      environment: {
        DIRECTORY_TABLE: tables.directory.tableName,
        REQUESTS_TABLE: tables.requests.tableName,
      },
      rights: [tables.allowOnRequests('GetItem'), tables.allowReadingDirectory('user')],
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
        TEMPLATES: JSON.stringify(mail.localesByBaseName),
      },
      rights: [
        tables.allowOnRequests('GetItem'),
        tables.allowMailing(),
        tables.allowReadingDirectory('client', 'user'),
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
      rights: [tables.allowFailing()],
      logRetention,
    }).function;
  }

  #addLog(scope: Construct, flow: string): LogGroup {
    return new LogGroup(scope, 'Log', {
      // Under this prefix log delivery does not use up the account's one resource policy for logs.
      logGroupName: `/aws/vendedlogs/${this.#props.name}/${flow}`,
      retention: this.#props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}

/** Exactly these functions: CDK cannot see them in a definition that is text. */
function allowInvoking(stateMachine: StateMachine, functionArns: string[]): void {
  stateMachine.addToRolePolicy(
    new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: functionArns }),
  );
  Validations.of(stateMachine.role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'The actions of log delivery, which CDK adds, know no resources; the functions are named.',
  });
}
