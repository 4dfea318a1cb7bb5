/** The alarms, and the metrics that they look at. */
import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { overLimitCause } from '../../../lambdas/ciba/policy/over-limit.ts';
import { alarmPrefix } from '../../../lib/operator/doctor/doctor-flows.ts';
import {
  asList,
  plainId,
  readable,
  synthesize,
  template,
} from '../../support/synthesized-template.ts';

/** A metric of ours ends in the address of its log group. */
function withoutAddress(metricName: string): string {
  return metricName.replace(/-c[0-9a-f]{41}$/, '');
}

describe('the alarms', () => {
  const alarms = () =>
    Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties,
    );

  it('hear of every kind of failure', () => {
    expect(
      new Set(
        alarms().map(({ Namespace, MetricName }) => `${Namespace} ${withoutAddress(MetricName)}`),
      ),
    ).toEqual(
      new Set([
        'AWS/ApiGateway 5xx',
        'AWS/States ExecutionsFailed',
        'AWS/States ExecutionsTimedOut',
        'AWS/SES RenderingFailure',
        'AWS/SES Reject',
        'AWS/SES Reputation.BounceRate',
        'AWS/SES Reputation.ComplaintRate',
        'AWS/Events FailedInvocations',
        'AWS/DynamoDB ReadThrottleEvents',
        'AWS/DynamoDB WriteThrottleEvents',
        'AWS/Lambda Errors',
        'AWS/Lambda Invocations',
        'AWS/SQS ApproximateNumberOfMessagesVisible',
        'CibaProvider ShareUsedUp',
      ]),
    );
  });

  it('P4: hear that a client is at its share, by what the endpoint logs', () => {
    const [filter] = Object.values(template.findResources('AWS::Logs::MetricFilter'));
    const {
      FilterPattern: pattern,
      LogGroupName,
      MetricTransformations,
    } = filter?.['Properties'] ?? {};
    expect(readable(LogGroupName)).toMatch(/^BackchannelAuthenticationAuthorizeLog/);
    expect(alarms().map(({ MetricName }) => MetricName)).toContain(
      MetricTransformations[0].MetricName,
    );
    const [, begins = ''] = /^\{ \$\.cause = "(.*)\*" \}$/.exec(pattern) ?? [];
    const share = overLimitCause({ limit: 'pendingPerUser', ofShare: true });
    const whole = overLimitCause({ limit: 'pendingPerUser', ofShare: false });
    expect([share, whole].map((cause) => cause.startsWith(begins))).toEqual([true, false]);
    expect(begins).not.toBe('');
  });

  it('watch every flow, function and table', () => {
    const watched = (metricName: string) =>
      new Set(
        alarms()
          .filter(({ MetricName }) => MetricName === metricName)
          .map(({ Dimensions }) => readable(Dimensions[0].Value)),
      );
    const idsOf = (type: string) => new Set(Object.keys(template.findResources(type)).map(plainId));
    expect(watched('Errors')).toEqual(idsOf('AWS::Lambda::Function'));
    for (const metricName of ['ExecutionsFailed', 'ExecutionsTimedOut']) {
      expect(watched(metricName)).toEqual(idsOf('AWS::StepFunctions::StateMachine'));
    }
    for (const metricName of ['ReadThrottleEvents', 'WriteThrottleEvents']) {
      const tables = new Set(
        alarms()
          .filter(({ MetricName }) => MetricName === metricName)
          .flatMap(({ Dimensions }) => asList(Dimensions))
          .filter(({ Name }) => Name === 'TableName')
          .map(({ Value }) => readable(Value)),
      );
      expect(tables).toEqual(idsOf('AWS::DynamoDB::Table'));
    }
  });

  it('stay silent while there is nothing to measure, and tell nobody unless asked', () => {
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: Match.absent() });
    const others = alarms().filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching');
    expect(others.map(({ MetricName }) => MetricName)).toEqual(['Invocations']);
  });

  it('O14: hear of every event that was lost, and of a rotation that nobody called for', () => {
    const ofMetric = (name: string) => alarms().filter(({ MetricName }) => MetricName === name);
    const queues = ofMetric('ApproximateNumberOfMessagesVisible').map(
      ({ Dimensions, Threshold }) => [
        Dimensions[0].Value['Fn::GetAtt'][0].replace(/[0-9A-F]{8}$/, ''),
        Threshold,
      ],
    );
    expect(queues).toEqual([
      ['KeyRotationLostEventsQueue', 1],
      ['MailFeedbackLostEventsQueue', 1],
    ]);
    const [rotation] = ofMetric('Invocations');
    expect(readable(rotation.Dimensions[0].Value)).toBe('KeyRotationRotateKeysFunction');
    // Every hour of a day and two more without a call, and only then.
    expect(rotation).toMatchObject({
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Period: 3600,
      EvaluationPeriods: 26,
      Statistic: 'Sum',
      TreatMissingData: 'breaching',
    });
  });

  it('go to the topic of the settings', () => {
    const topic = 'arn:aws:sns:eu-west-1:111122223333:alarms';
    synthesize({ alarmTopicArn: topic }).template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [topic],
    });
  });

  it('cost what the README says: ten are free, the others ten cents each', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const [, beyond, dollars] =
      /the\s(\d+) alarms beyond the free ten cost \$([\d.]+)\./.exec(readme) ?? [];
    const metrics = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties: { Metrics = [{ MetricStat: {} }] } }) =>
        asList(Metrics).filter((metric) => 'MetricStat' in Object(metric)).length,
    );
    const charged = metrics.reduce((sum, count) => sum + count, 0) - 10;
    expect([Number(beyond), Number(dollars)]).toEqual([charged, charged / 10]);
  });

  it('have names that begin with those of the stack and of their construct: ciba doctor finds them so', () => {
    const found = template.findResources('AWS::CloudWatch::Alarm');
    expect(Object.keys(found).length).toBeGreaterThan(0);
    for (const [logicalId, { Properties: properties }] of Object.entries(found)) {
      expect(alarmPrefix('S')).toBe('S-Alarms');
      expect(logicalId).toMatch(/^Alarms/);
      expect(properties.AlarmName).toBeUndefined();
    }
  });
});
