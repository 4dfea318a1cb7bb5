/**
 * The token endpoint (CIBA Core, 10.1): its function, which alone can sign, what that may do, and
 * its route.
 */
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { protocolRoutes } from '../../lambdas/routes.ts';
import { ProviderFunction } from './provider-function.ts';
import type { PublicApi } from './public-api.ts';
import type { Tables } from './tables.ts';

export interface TokenEndpointProps {
  api: PublicApi;

  tables: Tables;

  issuer: string;

  /** The `aud` of access tokens. */
  accessTokenAudience: string;

  logRetention: RetentionDays;
}

export class TokenEndpoint extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, props: TokenEndpointProps) {
    super(scope, id);
    const { api, tables } = props;

    this.function = new ProviderFunction(this, 'Token', {
      handler: 'token',
      environment: {
        ISSUER: props.issuer,
        DIRECTORY_TABLE: tables.directory.tableName,
        REQUESTS_TABLE: tables.requests.tableName,
        KEYS_TABLE: tables.keys.tableName,
        ACCESS_TOKEN_AUDIENCE: props.accessTokenAudience,
      },
      rights: [
        tables.allowOnRequests('GetItem', 'UpdateItem'),
        tables.allowBurningTokenIds(),
        tables.allowReadingDirectory('client', 'user'),
        ...tables.allowReadingKeys('ES256', 'RS256', 'wrap'),
      ],
      logRetention: props.logRetention,
    }).function;

    api.addEndpoint('Token', this.function, ...protocolRoutes.token);
  }
}
