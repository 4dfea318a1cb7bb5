/**
 * How the operator ends a refresh token: a function that does nothing else, and the right to call
 * it. IAM cannot tell a condition from a write, so whoever could update requests by hand could also
 * approve one that its user has denied.
 */
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ProviderFunction } from './provider-function.ts';
import type { Tables } from './tables.ts';

export interface RefreshTokenRevocationProps {
  tables: Tables;

  logRetention: RetentionDays;
}

export class RefreshTokenRevocation extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { tables, logRetention }: RefreshTokenRevocationProps) {
    super(scope, id);
    this.function = new ProviderFunction(this, 'Revoke', {
      handler: 'revoke-refresh-token',
      environment: { REQUESTS_TABLE: tables.requests.tableName },
      rights: [tables.allowOnRequests('GetItem'), tables.allowRevokingRefreshTokens()],
      logRetention,
    }).function;
  }

  /** Lets the grantee call the function, and nothing of the requests themselves. */
  grantRevoke(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ['lambda:InvokeFunction'],
      resourceArns: [this.function.functionArn],
    });
  }
}
