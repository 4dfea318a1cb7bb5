/**
 * The keys that a new deployment starts with: a custom resource that CloudFormation makes by calling the one function
 * which may write keys. Keys that exist are left alone, also when the stack is deleted.
 */
import { CustomResource, Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ProviderFunction } from './provider-function.ts';
import type { Tables } from './tables.ts';

export interface FirstKeysProps {
  tables: Tables;

  logRetention: RetentionDays;
}

export class FirstKeys extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { tables, logRetention }: FirstKeysProps) {
    super(scope, id);

    this.function = new ProviderFunction(this, 'MakeKeys', {
      handler: 'first-keys',
      environment: {
        DIRECTORY_TABLE: tables.directory.tableName,
        KEYS_TABLE: tables.keys.tableName,
      },
      rights: [...tables.allowMakingKeys(), tables.allowPublishingKeys()],
      logRetention,
    }).function;

    const keys = new CustomResource(this, 'Keys', {
      resourceType: 'Custom::FirstKeys',
      serviceToken: this.function.functionArn,
      serviceTimeout: Duration.minutes(2),
    });
    keys.node.addDependency(tables.keys, tables.directory);
  }
}
