/**
 * The documents a client configures itself from (OpenID Connect Discovery 1.0, RFC 8414, RFC 7517),
 * the page that tells its developer so, the logos of clients and the icon: their function, which
 * reads nothing but public keys and logos, and their routes.
 */
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { routes } from '../../lambdas/routes.ts';
import { ProviderFunction } from './provider-function.ts';
import type { PublicApi } from './public-api.ts';
import type { Tables } from './tables.ts';

export interface MetadataDocumentsProps {
  api: PublicApi;

  tables: Tables;

  issuer: string;

  logRetention: RetentionDays;
}

export class MetadataDocuments extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, props: MetadataDocumentsProps) {
    super(scope, id);
    const { api, tables } = props;

    this.function = new ProviderFunction(this, 'Metadata', {
      handler: 'metadata',
      environment: { ISSUER: props.issuer, DIRECTORY_TABLE: tables.directory.tableName },
      rights: [tables.allowReadingDirectory('publicKeys', 'logo')],
      logRetention: props.logRetention,
    }).function;

    api.addEndpoint(
      'Metadata',
      this.function,
      routes.root,
      routes.logo,
      routes.icon,
      routes.jwks,
      routes.openidConfiguration,
      routes.oauthAuthorizationServer,
    );
  }
}
