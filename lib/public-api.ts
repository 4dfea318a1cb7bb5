/**
 * The HTTP API: every endpoint is an `ANY` route of `lambdas/routes.ts`, since the endpoints answer 405 themselves.
 * The access log knows a request by its route, never by its path: a path may hold a link.
 */
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { routes } from '../lambdas/routes.ts';

export interface PublicApiProps {
  /** Requests per second, over all routes. */
  throttleRate: number;

  /** Requests at once above that rate. */
  throttleBurst: number;

  logRetention: RetentionDays;
}

type Route = (typeof routes)[keyof typeof routes];

/** One line of the access log; the names are those of API Gateway's context variables. */
const accessLogLine = {
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  sourceIp: '$context.identity.sourceIp',
  httpMethod: '$context.httpMethod',
  routeKey: '$context.routeKey',
  status: '$context.status',
  responseLength: '$context.responseLength',
  responseLatency: '$context.responseLatency',
  integrationError: '$context.integrationErrorMessage',
};

export class PublicApi extends Construct {
  readonly api: HttpApi;

  /** `https://<id>.execute-api.<region>.amazonaws.com`, without a slash at its end. */
  readonly endpoint: string;

  constructor(scope: Construct, id: string, props: PublicApiProps) {
    super(scope, id);
    const { stackName } = Stack.of(this);

    this.api = new HttpApi(this, 'Api', { apiName: stackName, createDefaultStage: false });
    this.endpoint = this.api.apiEndpoint;

    const accessLog = new LogGroup(this, 'AccessLog', {
      // Under this prefix log delivery does not use up the account's one resource policy for logs.
      logGroupName: `/aws/vendedlogs/${stackName}/access`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'DefaultStage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: props.throttleRate, burstLimit: props.throttleBurst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(JSON.stringify(accessLogLine)),
      },
    });
  }

  /** Sends every request for these routes to the function, whatever its method. */
  addEndpoint(id: string, endpoint: IFunction, ...paths: Route[]): void {
    const integration = new HttpLambdaIntegration(id, endpoint);
    for (const path of paths) {
      const [route] = this.api.addRoutes({ path, methods: [HttpMethod.ANY], integration });
      if (!route) continue;
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'Clients authenticate to the endpoint itself, as OAuth demands; the approval page and the metadata are public.',
      });
    }
  }
}
