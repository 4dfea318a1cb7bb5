/**
 * The backchannel authentication endpoint (CIBA Core, 7): its function, what that may do, and its
 * routes.
 */

import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { DAY_SECONDS } from '../../lambdas/ciba/day.ts';
import { protocolRoutes } from '../../lambdas/routes.ts';
import type { NotificationFlow } from './notification-flow.ts';
import {
  flowPoliciesSetting,
  notificationPoliciesSetting,
  type PolicySettings,
} from './policy-settings.ts';
import { ProviderFunction } from './provider-function.ts';
import type { PublicApi } from './public-api.ts';
import type { Tables } from './tables.ts';

export interface BackchannelAuthenticationEndpointProps {
  api: PublicApi;

  tables: Tables;

  flow: NotificationFlow;

  issuer: string;

  /** Lifetime of a request, and the bounds of `requested_expiry`, in seconds. */
  expiresIn: number;
  minExpiresIn: number;
  maxExpiresIn: number;

  /** Least time between two polls, in seconds. */
  interval: number;

  /** How often users may be asked, and over which flows requests are distributed. */
  policies: PolicySettings;

  /** How long a request can be looked up after its end, in days. */
  auditRetentionDays: number;

  logRetention: RetentionDays;
}

export class BackchannelAuthenticationEndpoint extends Construct {
  readonly function: IFunction;

  readonly logGroup: ILogGroup;

  constructor(scope: Construct, id: string, props: BackchannelAuthenticationEndpointProps) {
    super(scope, id);
    const { api, tables, flow } = props;

    const authorize = new ProviderFunction(this, 'Authorize', {
      handler: 'backchannel-authentication',
      environment: {
        ISSUER: props.issuer,
        DIRECTORY_TABLE: tables.directory.tableName,
        REQUESTS_TABLE: tables.requests.tableName,
        KEYS_TABLE: tables.keys.tableName,
        FLOWS: flow.describeFlows(),
        FLOW_POLICIES: JSON.stringify(flowPoliciesSetting(props.policies)),
        NOTIFICATION_POLICIES: JSON.stringify(notificationPoliciesSetting(props.policies)),
        DEFAULT_EXPIRES_IN: String(props.expiresIn),
        MIN_EXPIRES_IN: String(props.minExpiresIn),
        MAX_EXPIRES_IN: String(props.maxExpiresIn),
        DEFAULT_INTERVAL: String(props.interval),
        AUDIT_RETENTION: String(props.auditRetentionDays * DAY_SECONDS),
      },
      rights: [
        tables.allowOnRequests('GetItem', 'PutItem', 'UpdateItem'),
        tables.allowReadingDirectory('client', 'user', 'login', 'publicKeys'),
        ...tables.allowReadingKeys('wrap'),
        flow.allowStarting(),
      ],
      logRetention: props.logRetention,
    });
    this.function = authorize.function;
    this.logGroup = authorize.logGroup;

    api.addEndpoint('Authorize', this.function, ...protocolRoutes.backchannelAuthentication);
  }
}
