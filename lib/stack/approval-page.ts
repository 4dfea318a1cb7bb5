/**
 * The approval page that the magic link opens, on the authentication device (CIBA Core, 2): its
 * function, what that may do, and its route.
 */
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { DecisionOriginDetail } from '../../lambdas/ciba/request/decision-origin.ts';
import { routes } from '../../lambdas/routes.ts';
import { ProviderFunction } from './provider-function.ts';
import type { PublicApi } from './public-api.ts';
import type { Tables } from './tables.ts';

export interface ApprovalPageProps {
  api: PublicApi;

  tables: Tables;

  issuer: string;

  /** How much is kept of where a decision is made. */
  recordDecisionOrigin: DecisionOriginDetail;

  /** Concurrent runs that are the page's own, if any. */
  reservedConcurrency: number | undefined;

  logRetention: RetentionDays;
}

export class ApprovalPage extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, props: ApprovalPageProps) {
    super(scope, id);
    const { api, tables } = props;

    this.function = new ProviderFunction(this, 'Approve', {
      handler: 'approve',
      environment: {
        ISSUER: props.issuer,
        DIRECTORY_TABLE: tables.directory.tableName,
        REQUESTS_TABLE: tables.requests.tableName,
        KEYS_TABLE: tables.keys.tableName,
        RECORD_DECISION_ORIGIN: props.recordDecisionOrigin,
      },
      rights: [
        tables.allowOnRequests('BatchGetItem', 'GetItem', 'UpdateItem'),
        tables.allowReadingDirectory('client', 'user'),
        ...tables.allowReadingKeys('link'),
      ],
      reservedConcurrency: props.reservedConcurrency,
      logRetention: props.logRetention,
    }).function;

    api.addEndpoint('Approve', this.function, routes.approve, routes.approveWithoutLink);
  }
}
