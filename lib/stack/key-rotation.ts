/**
 * The keys over time: the one function that may write keys, called by CloudFormation for those that
 * a new deployment starts with, and every day for those whose time has come. Keys outlive the
 * stack.
 */

import { CustomResource, Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { DAY_SECONDS } from '../../lambdas/ciba/day.ts';
import type { RotationInput } from '../../lambdas/ciba/keys/key-rotation.ts';
import { LostEvents } from './lost-events.ts';
import { ProviderFunction } from './provider-function.ts';
import type { Tables } from './tables.ts';

export interface KeyRotationProps {
  tables: Tables;

  /** How old the newest key of a kind becomes before another is made. */
  keyRotationDays: number;

  logRetention: RetentionDays;
}

export class KeyRotation extends Construct {
  readonly function: IFunction;

  readonly lostEvents: LostEvents;

  constructor(scope: Construct, id: string, props: KeyRotationProps) {
    super(scope, id);
    const { tables, keyRotationDays, logRetention } = props;

    this.lostEvents = new LostEvents(this, 'LostEvents');
    this.function = new ProviderFunction(this, 'RotateKeys', {
      handler: 'rotate-keys',
      environment: {
        DIRECTORY_TABLE: tables.directory.tableName,
        KEYS_TABLE: tables.keys.tableName,
        ROTATION_PERIOD: String(keyRotationDays * DAY_SECONDS),
      },
      rights: [...tables.allowRotatingKeys(), tables.allowPublishingKeys()],
      // The first keys are tried for a minute: a new role may be refused until IAM has told
      // everybody of it.
      timeout: Duration.seconds(90),
      lostEvents: this.lostEvents,
      logRetention,
    }).function;

    // A schedule does not fire when it is made: nothing could be signed for a day.
    const firstKeys = new CustomResource(this, 'FirstKeys', {
      resourceType: 'Custom::FirstKeys',
      serviceToken: this.function.functionArn,
      serviceTimeout: Duration.minutes(2),
    });
    firstKeys.node.addDependency(tables.keys, tables.directory);

    // Daily, whatever the period: a run that failed is made up for, and what is over is dropped in
    // time.
    new Rule(this, 'EveryDay', {
      description: 'Renews the keys of the CIBA provider that are due',
      schedule: Schedule.rate(Duration.days(1)),
      targets: [
        new LambdaFunction(this.function, {
          event: RuleTargetInput.fromObject({ rotate: 'when-due' } satisfies RotationInput),
          deadLetterQueue: this.lostEvents.queue,
        }),
      ],
    });
  }
}
