/**
 * The HTTP API: every endpoint is an `ANY` route of `lambdas/routes.ts`, since the endpoints answer
 * 405 themselves. The access log knows a request by its route, never by its path: a path may hold a
 * link.
 */
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CfnStage,
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { routes } from '../../lambdas/routes.ts';
import { CustomDomain, type CustomDomainNames } from './custom-domain.ts';

export interface PublicApiProps {
  /** Unique in the account and region. */
  name: string;

  /**
   * Requests per second on each route that has no rate of its own, and requests at once above that
   * rate.
   */
  throttleRate: number;
  throttleBurst: number;

  /** The same for the token endpoint. */
  tokenThrottleRate: number;
  tokenThrottleBurst: number;

  /** The same for each path of the backchannel authentication endpoint. */
  authorizeThrottleRate: number;
  authorizeThrottleBurst: number;

  /** The same for the approval page. */
  approveThrottleRate: number;
  approveThrottleBurst: number;

  /** The operator's own name for the API; its default address then answers nothing. */
  customDomain: CustomDomainNames | undefined;

  logRetention: RetentionDays;
}

type Route = (typeof routes)[keyof typeof routes];

/**
 * One line of the access log; the names are those of API Gateway's context variables, but for the
 * ids of the request and of the invocation that answered it, which are called as in the lines of
 * the functions.
 */
const accessLogLine = {
  request_id: '$context.requestId',
  lambda_request_id: '$context.integration.requestId',
  time: '$context.requestTimeEpoch',
  sourceIp: '$context.identity.sourceIp',
  httpMethod: '$context.httpMethod',
  routeKey: '$context.routeKey',
  status: '$context.status',
  responseLength: '$context.responseLength',
  responseLatency: '$context.responseLatency',
  integrationLatency: '$context.integration.latency',
  integrationStatus: '$context.integration.integrationStatus',
  integrationError: '$context.integrationErrorMessage',
};

export class PublicApi extends Construct {
  readonly api: HttpApi;

  /**
   * `https://<id>.execute-api.<region>.amazonaws.com`, or the custom domain, without a slash at its
   * end.
   */
  readonly endpoint: string;

  /** The custom domain, if any. */
  readonly customDomain: CustomDomain | undefined;

  readonly #stage: HttpStage;

  constructor(scope: Construct, id: string, props: PublicApiProps) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', {
      apiName: props.name,
      createDefaultStage: false,
      ...(props.customDomain && { disableExecuteApiEndpoint: true }),
    });
    this.endpoint = props.customDomain
      ? `https://${props.customDomain.domainName}`
      : this.api.apiEndpoint;

    const accessLog = new LogGroup(this, 'AccessLog', {
      // Under this prefix log delivery does not use up the account's one resource policy for logs.
      logGroupName: `/aws/vendedlogs/${props.name}/access`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#stage = new HttpStage(this, 'DefaultStage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: props.throttleRate, burstLimit: props.throttleBurst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(JSON.stringify(accessLogLine)),
      },
    });
    this.#throttleRoutes(props);
    this.customDomain =
      props.customDomain &&
      new CustomDomain(this, 'CustomDomain', {
        ...props.customDomain,
        api: this.api,
        stage: this.#stage,
      });
  }

  /** Sends every request for these routes to the function, whatever its method. */
  addEndpoint(id: string, endpoint: IFunction, ...paths: Route[]): void {
    const integration = new HttpLambdaIntegration(id, endpoint);
    for (const path of paths) {
      const [route] = this.api.addRoutes({ path, methods: [HttpMethod.ANY], integration });
      if (!route) continue;
      // A stage refuses the throttle of a route that does not exist yet.
      this.#stage.node.addDependency(route);
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'Clients authenticate to the endpoint itself, as OAuth demands; the approval page and the metadata are public.',
      });
    }
  }

  /**
   * Each route has a bucket of its own, so that a storm of polls cannot keep users from deciding.
   */
  #throttleRoutes(props: PublicApiProps): void {
    const authorize = limit(props.authorizeThrottleRate, props.authorizeThrottleBurst);
    const throttles: [Route, RouteThrottle][] = [
      [routes.backchannelAuthentication, authorize],
      [routes.backchannelAuthenticationAlias, authorize],
      [routes.token, limit(props.tokenThrottleRate, props.tokenThrottleBurst)],
      [routes.approve, limit(props.approveThrottleRate, props.approveThrottleBurst)],
      [routes.logo, logoThrottle],
      [routes.root, rareThrottle],
      [routes.icon, rareThrottle],
      [routes.approveWithoutLink, rareThrottle],
    ];
    const stage = this.#stage.node.defaultChild;
    if (!CfnStage.isCfnStage(stage)) return;
    stage.routeSettings = Object.fromEntries(
      throttles.map(([path, throttle]) => [`ANY ${path}`, throttle]),
    );
  }
}

/** A route's throttle, as CloudFormation takes it. */
interface RouteThrottle {
  ThrottlingRateLimit: number;
  ThrottlingBurstLimit: number;
}

/**
 * The page for developers is read by a few people, and by whoever tries every address there is; few
 * links are cut to nothing, and no page misses its icon.
 */
const rareThrottle = limit(20, 10);

/** A browser asks for a logo once, and a page without it is whole. */
const logoThrottle = limit(400, 200);

function limit(rate: number, burst: number): RouteThrottle {
  return { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst };
}
