/** The HTTP API: its routes, its throttles, its access log. */
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { protocolRoutes, routes } from '../../../lambdas/routes.ts';
import { synthesize, template } from '../../support/synthesized-template.ts';

const throttleSchema = z.strictObject({
  ThrottlingRateLimit: z.number(),
  ThrottlingBurstLimit: z.number(),
});
type Throttle = z.output<typeof throttleSchema>;

const stageSchema = z.object({
  DependsOn: z.array(z.string()),
  Properties: z.object({
    DefaultRouteSettings: throttleSchema,
    RouteSettings: z.record(z.string(), throttleSchema),
  }),
});

/** The one stage of a template. */
function stageOf(synthesized: Template) {
  const [stage] = Object.values(synthesized.findResources('AWS::ApiGatewayV2::Stage'));
  return stageSchema.parse(stage);
}

/** The function behind each path, by what the template calls it. */
function functionsOfRoutes(synthesized: Template): Map<string, string> {
  const integrations = synthesized.findResources('AWS::ApiGatewayV2::Integration');
  const routesOfApi = Object.values(synthesized.findResources('AWS::ApiGatewayV2::Route'));
  return new Map(
    routesOfApi.map(({ Properties: { RouteKey, Target } }) => {
      const id = Object.keys(integrations).find((one) =>
        JSON.stringify(Target).includes(`"${one}"`),
      );
      const { IntegrationUri } = integrations[id ?? '']?.['Properties'] ?? {};
      return [String(RouteKey).replace('ANY ', ''), JSON.stringify(IntegrationUri)];
    }),
  );
}

describe('the HTTP API', () => {
  it('sends every method of every route to the function', () => {
    const keys = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(
      ({ Properties }) => Properties.RouteKey,
    );
    expect(keys.sort()).toEqual(
      Object.values(routes)
        .map((path) => `ANY ${path}`)
        .sort(),
    );
    template.allResourcesProperties('AWS::ApiGatewayV2::Integration', {
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
    });
  });

  it('P14: every route of the two endpoints of the protocol is known as one of their names', () => {
    const functionOf = functionsOfRoutes(template);
    for (const names of Object.values(protocolRoutes)) {
      const endpoint = functionOf.get(names[0]);
      const paths = [...functionOf].flatMap(([path, one]) => (one === endpoint ? path : []));
      expect(endpoint).toBeDefined();
      expect(paths.toSorted()).toEqual([...names].toSorted());
    }
  });

  it('has no route that a test or an emulator would approve by', () => {
    const paths = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(
      ({ Properties }) => String(Properties.RouteKey),
    );
    expect(paths.filter((path) => /auth_req_id|ref\b|test|debug|control/.test(path))).toEqual([]);
  });

  it('logs a request as JSON by its route, without path, query, headers or body', () => {
    const [stage] = Object.values(template.findResources('AWS::ApiGatewayV2::Stage'));
    const format: Record<string, string> = JSON.parse(
      stage?.['Properties'].AccessLogSettings.Format,
    );
    expect(Object.values(format).sort()).toEqual([
      '$context.httpMethod',
      '$context.identity.sourceIp',
      '$context.integration.integrationStatus',
      '$context.integration.latency',
      '$context.integration.requestId',
      '$context.integrationErrorMessage',
      '$context.requestId',
      '$context.requestTimeEpoch',
      '$context.responseLatency',
      '$context.responseLength',
      '$context.routeKey',
      '$context.status',
    ]);
    // P9: the lines of the functions have the id under this name too.
    expect(format['request_id']).toBe('$context.requestId');
    // O22: and so has that of the invocation.
    expect(format['lambda_request_id']).toBe('$context.integration.requestId');
  });

  it.each([
    [undefined, 'coarse'],
    ['none', 'none'],
    ['full', 'full'],
  ])('P10: tells the approval page what to keep of a decision: %s', (setting, detail) => {
    const context = setting === undefined ? {} : { recordDecisionOrigin: setting };
    synthesize(context).template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ RECORD_DECISION_ORIGIN: detail }) },
    });
  });

  it('throttles the default stage as the settings say', () => {
    synthesize({ throttleRate: '50', throttleBurst: 20 }).template.hasResourceProperties(
      'AWS::ApiGatewayV2::Stage',
      {
        StageName: '$default',
        AutoDeploy: true,
        DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 20 },
      },
    );
  });

  it('throttles polls, new requests and approvals apart, as the settings say', () => {
    const stage = stageOf(
      synthesize({
        tokenThrottleRate: 1,
        tokenThrottleBurst: 2,
        authorizeThrottleRate: 3,
        authorizeThrottleBurst: 4,
        approveThrottleRate: '5',
        approveThrottleBurst: '6',
      }).template,
    );
    const authorize = { ThrottlingRateLimit: 3, ThrottlingBurstLimit: 4 };
    expect(stage.Properties.RouteSettings).toEqual({
      'ANY /cibaAuthorization': authorize,
      'ANY /bc-authorize': authorize,
      'ANY /token': { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 },
      'ANY /approve/{proxy+}': { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 6 },
      'ANY /approve': { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 10 },
      'ANY /': { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 10 },
      'ANY /favicon.ico': { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 10 },
      'ANY /logo/{client}/{hash}': { ThrottlingRateLimit: 400, ThrottlingBurstLimit: 200 },
    });
  });

  it('makes every route before the stage, which refuses the throttle of one that is missing', () => {
    const all = Object.keys(template.findResources('AWS::ApiGatewayV2::Route'));
    expect(stageOf(template).DependsOn).toEqual(expect.arrayContaining(all));
  });

  it('leaves approvals their share in a storm of polls, or of anything: all routes fit into the quota of an account', () => {
    const { RouteSettings, DefaultRouteSettings } = stageOf(template).Properties;
    const limits = Object.values(routes).map(
      (path) => RouteSettings[`ANY ${path}`] ?? DefaultRouteSettings,
    );
    const total = (of: (limit: Throttle) => number) => limits.map(of).reduce((a, b) => a + b);
    expect(RouteSettings).toHaveProperty(['ANY /token']);
    expect(RouteSettings).toHaveProperty(['ANY /approve/{proxy+}']);
    expect(total(({ ThrottlingRateLimit }) => ThrottlingRateLimit)).toBeLessThan(10_000);
    expect(total(({ ThrottlingBurstLimit }) => ThrottlingBurstLimit)).toBeLessThan(5000);
  });
});
